"""A run as a plain PyTorch script: the same layers, split and settings, and nothing of ours to install."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bottega.data.splits import TEST_SHARE, VAL_SHARE
from bottega.errors import BottegaError
from bottega.problem.layers import Layer, stride_between
from bottega.problem.network import Network, Step, body_steps
from bottega.problem.network_summary import takes_bias
from bottega.training.schedule import END, PLATEAU_EPOCHS, PLATEAU_FACTOR, START
from bottega.training.settings import Settings
from bottega.workflow import eject_text

__all__ = ["EjectData", "eject_script"]

MANY = 3  # equal lines that are worth a repetition
WIDEST = 114  # columns; longer lines are broken between layers
_GAINS = {"tanh": 5 / 3, "sigmoid": 1.0}  # of the rest, the square root of 2


@dataclass(frozen=True)
class EjectData:
    """Where the pictures of a run are, and what was learned of them before the network.

    Attributes:
        kind: "folder" with one sub-folder a class, "npz" as Keras writes it, or "digits".
        source: the path; of no use to "digits".
        has_parts: the folder has train, val and test above its classes.
        labels: in the order of the outputs.
        split_seed: of the run.
        mean, scale: of each channel of the training pictures; the network sees (x - mean) / scale.
    """

    kind: str
    source: str
    has_parts: bool
    labels: Sequence[str]
    split_seed: int
    mean: Sequence[float]
    scale: Sequence[float]


def eject_script(plan: Network, settings: Settings, data: EjectData) -> str:
    """Write the script.

    It trains from fresh weights of another draw, so it comes to the same score within the spread of seeds. It keeps the
    epoch with the best validation accuracy, whatever metric the run was judged by, and knows equal pictures, but no
    near twins.

    Args:
        settings: resolved: with the learning rate that was found.
    Raises:
        BottegaError: the network isn't one for pictures, or the data are of a kind that a script can't read.
    """
    if len(plan.input) != 3 or data.kind not in eject_text.LOADERS:
        found = f"a network for {plan.input[0]} columns" if len(plan.input) != 3 else f"data from a {data.kind}"
        raise BottegaError(
            found=found,
            expected=f"pictures from {', '.join(eject_text.LOADERS)}",
            fix="train on a folder with one sub-folder a class",
        )
    if settings.learning_rate is None:
        raise BottegaError(
            found="settings without a learning rate", expected="the rate that was found", fix="take the run's settings"
        )
    parts = [
        eject_text.HEAD.format(name=ascii(plan.name), imports=eject_text.IMPORTS[data.kind]),
        _constants(plan, settings, data),
        eject_text.LOADERS[data.kind].strip("\n"),
        eject_text.SPLIT.strip("\n").format(test=TEST_SHARE, val=round(TEST_SHARE + VAL_SHARE, 6)),
        eject_text.PREPARE[plan.input[0] == 1].strip("\n"),
        _network(plan, len(data.labels)),
        *([_augmentation(settings)] if settings.augment else []),
        _training(settings),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _constants(plan: Network, settings: Settings, data: EjectData) -> str:
    """Every number of the run, by name. `ascii`, because a label or a path may hold anything."""
    lines = [
        f"SOURCE = sys.argv[1] if len(sys.argv) > 1 else {data.source!a}",
        f"LABELS = {list(data.labels)!a}",
        f"HAS_PARTS, SPLIT_SEED, SIDE = {data.has_parts}, {data.split_seed}, {plan.input[1:]}",
        f"MEAN = torch.tensor({[round(float(x), 6) for x in data.mean]}).view(-1, 1, 1)  # of the training pixels",
        f"SCALE = torch.tensor({[round(float(x), 6) for x in data.scale]}).view(-1, 1, 1)",
        f"EPOCHS, BATCH, RATE, SEED = {settings.epochs}, {settings.batch_size}, {settings.learning_rate:.6g}, "
        f"{settings.seed}",
        f"PATIENCE = {settings.patience}  # epochs without a better validation score",
        f"torch.set_num_threads({settings.threads})",
        "torch.manual_seed(SEED)",
    ]
    return "\n".join(lines)


def _network(plan: Network, n_outputs: int) -> str:
    """The layers, what belongs together on one line."""
    activations = [layer.kind for layer in _all(plan.layers) if layer.kind in _MODULES]
    gain = next((_GAINS[kind] for kind in activations if kind in _GAINS), 2**0.5)
    sources = [*_lines(plan.layers, plan.input), f"nn.Linear({plan.n_features}, {n_outputs})"]
    lines = ["network = nn.Sequential(", *(f"    {line}," for line in _folded(sources)), ")"]
    init = eject_text.INIT.strip("\n").format(gain=f"{gain:.6g}")
    text = "\n".join(lines)
    helpers = [eject_text.CONV] if "*conv(" in text or "around=conv(" in text else []
    helpers += [eject_text.RESIDUAL] if "Residual(" in text else []
    return "\n\n".join([*(helper.strip("\n") for helper in helpers), text + "\n" + init])


def _lines(layers: Sequence[Layer], shape: tuple[int, ...]) -> list[str]:
    """Source of runs of layers: what belongs together on one line, and many equal lines as one with a repetition."""
    runs: list[list[str]] = []
    steps = list(body_steps(layers, shape))
    for index, step in enumerate(steps):
        folded = not takes_bias(layers, index) and _is_short(step.layer)
        if step.layer.kind == "batch_norm" and index and _is_short(steps[index - 1].layer):
            continue  # it stands in the line of its convolution
        source = _conv(step) if folded else _source(step, bias=takes_bias(layers, index))
        if runs and step.layer.kind in (*_MODULES, "batch_norm", "dropout"):
            runs[-1].append(source)
        else:
            runs.append([source])
    lines: list[str] = []
    for run, equal in itertools.groupby(runs):
        times = len(list(equal))
        if times < MANY:
            lines += _folded(run) * times
        else:
            lines.append(f"*[layer for _ in range({times}) for layer in ({', '.join(run)},)]")
    return lines


def _is_short(layer: Layer) -> bool:
    """Whether the script's own `conv` has a word for it, together with its norm."""
    return layer.kind in ("conv", "depthwise_conv") and layer["padding"] == "same"


def _conv(step: Step) -> str:
    layer = step.layer
    groups = step.into[0] if layer.kind == "depthwise_conv" else layer.whole("groups")
    more = f", {layer['stride']}" if layer["stride"] != 1 else ""
    more += f", groups={groups}" if groups > 1 else ""
    return f"*conv({step.into[0]}, {step.out[0]}, {layer['kernel']}{more})"


def _folded(run: Sequence[str]) -> list[str]:
    lines = [run[0]]
    for source in run[1:]:
        if len(lines[-1]) + len(source) + 2 <= WIDEST:
            lines[-1] += f", {source}"
        else:
            lines.append(source)
    return lines


_MODULES = {
    "relu": "nn.ReLU()",
    "relu6": "nn.ReLU6()",
    "gelu": "nn.GELU()",
    "silu": "nn.SiLU()",
    "tanh": "nn.Tanh()",
    "sigmoid": "nn.Sigmoid()",
}


def _source(step: Step, *, bias: bool) -> str:
    """One layer as Python."""
    layer, n_in = step.layer, step.into[0]
    if layer.kind in _MODULES:
        return _MODULES[layer.kind]
    no_bias = "" if bias else ", bias=False"
    match layer.kind:
        case "conv" | "depthwise_conv":
            groups = n_in if layer.kind == "depthwise_conv" else layer.whole("groups")
            more = f", groups={groups}" if groups > 1 else ""
            return f"nn.Conv2d({n_in}, {step.out[0]}, {_window(layer)}{more}{no_bias})"
        case "dense":
            return f"nn.Linear({n_in}, {step.out[0]}{no_bias})"
        case "batch_norm":
            return f"nn.BatchNorm{'1d' if len(step.into) == 1 else '2d'}({n_in})"
        case "max_pool":
            return f"nn.MaxPool2d({_window(layer)})"
        case "avg_pool":
            return f"nn.AvgPool2d({_window(layer)}, count_include_pad=False)"
        case "global_pool":
            return f"nn.Adaptive{'Avg' if layer['by'] == 'mean' else 'Max'}Pool2d(1), nn.Flatten()"
        case "dropout":
            return f"nn.Dropout({layer['rate']})"
        case "flatten":
            return "nn.Flatten()"
    return _residual_source(step)


def _residual_source(step: Step) -> str:
    body = ", ".join(_lines(step.layer.layers, step.into))
    if step.into == step.out:
        return f"Residual({body})"
    if len(step.into) == 1:
        way = f"[nn.Linear({step.into[0]}, {step.out[0]}, bias=False), nn.BatchNorm1d({step.out[0]})]"
    else:
        way = f"conv({step.into[0]}, {step.out[0]}, 1, {stride_between(step.into, step.out)})"
    return f"Residual({body}, around={way})"


def _window(layer: Layer) -> str:
    kernel = layer.whole("kernel")
    return f"{kernel}, {layer['stride']}, {kernel // 2 if layer['padding'] == 'same' else 0}"


def _all(layers: Sequence[Layer]) -> list[Layer]:
    return [one for layer in layers for one in (layer, *_all(layer.layers))]


_MAKES = {"kept": "crop", "size": "scale"}  # a name in the script, and the augmentation that draws it


def _augmentation(settings: Settings) -> str:
    """Only the steps that are used, with the numbers of the training."""
    from bottega.training import augmentation as numbers

    values: dict[str, Any] = {
        "reach": numbers.SHIFT,
        "degrees": numbers.ROTATION,
        "scale": numbers.SCALE,
        "crop": numbers.CROP,
        "colour": numbers.COLOUR,
        "erased": numbers.ERASED,
    }
    steps = [eject_text.AUGMENT_HEAD]
    steps += [eject_text.AUGMENT[name] for name in ("flip", "shift") if name in settings.augment]
    warps = [name for name in ("rotation", "scale", "crop") if name in settings.augment]
    if warps:
        steps += [eject_text.AUGMENT[name] for name in warps]
        steps += [] if "rotation" in warps else ["    turn = torch.zeros(B)\n"]
        values["size"] = " * ".join(name for name in ("kept", "size") if _MAKES[name] in warps) or "1"
        values["move"] = "(2 * torch.rand(2, B) - 1) * (1 - kept)" if "crop" in warps else "torch.zeros(2, B)"
        steps.append(eject_text.WARP)
    steps += [eject_text.AUGMENT[name] for name in ("colour", "erasing") if name in settings.augment]
    return "".join(step.lstrip("\n").format(**values) for step in steps) + "    return x"


def _training(settings: Settings) -> str:
    """The loop, without the branches that this run doesn't take."""
    facts: Mapping[str, Any] = asdict(settings)
    optimiser = {
        "adamw": "torch.optim.AdamW(groups, lr=RATE)",
        "adam": "torch.optim.Adam(groups, lr=RATE)",
        "sgd": f"torch.optim.SGD(groups, lr=RATE, momentum={settings.momentum})",
    }[settings.optimiser]
    weights = "" if settings.class_weights is None else f", weight=torch.tensor({list(settings.class_weights)})"
    rise = "(1 - math.cos(math.pi * share)) / 2" if settings.schedule == "one-cycle" else "share"
    fall = "1.0"
    if settings.schedule in ("one-cycle", "cosine"):
        past = f"(at - {settings.warm_up}) / {1 - settings.warm_up:.6g}"
        fall = f"{END} + {1 - END} * (1 + math.cos(math.pi * {past})) / 2"
    averaged, mixed = settings.average > 0, settings.mixup > 0
    inputs = "augment(x_train[rows])" if settings.augment else "x_train[rows]"
    outputs = "outputs" if mixed or settings.precision == "bfloat16" else "network(x)"
    smoothing = f", label_smoothing={settings.label_smoothing}" if settings.label_smoothing else ""
    loss = f"F.cross_entropy({outputs}, {{y}}{weights}{smoothing})"
    pieces = {
        **facts,
        "optimiser": optimiser,
        "rise": eject_text.RISE.format(warm_up=settings.warm_up, start=START, span=f"{1 - START:.6g}", rise=rise)
        if settings.warm_up
        else "",
        "fall": fall,
        "plateau": " * PLATEAU" if settings.schedule == "plateau" else "",
        "inputs": inputs,
        "mix": eject_text.MIX.format(mixup=settings.mixup) if mixed else "",
        "loss": f"share * {loss.format(y='y')} + (1 - share) * {loss.format(y='partner')}"
        if mixed
        else loss.format(y="y"),
        "clip": "" if settings.clip is None else eject_text.CLIP.format(clip=settings.clip),
        "forward": eject_text.BFLOAT16 if settings.precision == "bfloat16" else eject_text.PLAIN * mixed,
        "average": eject_text.AVERAGE.format(decay=settings.average) if averaged else "",
        "average_begins": eject_text.AVERAGE_BEGINS if averaged else "",
        "judged": "average" if averaged else "network",
        "lower": eject_text.LOWER.format(epochs=PLATEAU_EPOCHS, factor=PLATEAU_FACTOR)
        if settings.schedule == "plateau"
        else "",
        "lower_begins": eject_text.LOWER_BEGINS if settings.schedule == "plateau" else "",
    }
    return eject_text.TRAIN.strip("\n").format(**pieces)
