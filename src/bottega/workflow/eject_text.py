"""The text that `eject` puts together: plain Python, to be read and changed by whoever trains with it."""

__all__ = [
    "AUGMENT",
    "AUGMENT_HEAD",
    "AVERAGE",
    "AVERAGE_BEGINS",
    "BFLOAT16",
    "CLIP",
    "CONV",
    "HEAD",
    "IMPORTS",
    "INIT",
    "LOADERS",
    "LOWER",
    "LOWER_BEGINS",
    "MIX",
    "PLAIN",
    "PREPARE",
    "RESIDUAL",
    "RISE",
    "SPLIT",
    "TRAIN",
    "WARP",
]

HEAD = """# Network {name}: the layers, the split and the settings of a run, in plain PyTorch.
# Run it with: python FILE.py [DATA]. It needs nothing but what it imports.
import copy
import hashlib
import math
import sys
{imports}
from torch import nn
from torch.nn import functional as F
"""

IMPORTS = {
    "folder": "from pathlib import Path\n\nimport numpy as np\nimport torch\nfrom PIL import Image, ImageOps",
    "npz": "\nimport numpy as np\nimport torch",
    "digits": "\nimport numpy as np\nimport torch\nfrom sklearn.datasets import load_digits",
}

LOADERS = {
    "folder": '''
def load():
    """Yield each picture as RGB, with its label and its part, where the folder gives one."""
    parts = dict(train="train", training="train", val="val", valid="val", validation="val", dev="val", test="test")
    for path in sorted(path for path in Path(SOURCE).rglob("*") if path.is_file()):
        *folders, _ = path.relative_to(SOURCE).parts
        part = parts.get(folders[0].lower()) if HAS_PARTS and folders else None
        label = next(iter(folders[1:] if part else folders), None)
        try:
            with Image.open(path) as opened:
                picture = ImageOps.exif_transpose(opened).convert("RGBA")
            white = Image.new("RGBA", picture.size, "white")
            yield np.asarray(Image.alpha_composite(white, picture).convert("RGB")), label, part
        except OSError:
            print("left out:", path)
''',
    "npz": '''
def load():
    """Yield each picture as RGB, with its label and its part, where the file gives one."""
    with np.load(SOURCE) as arrays:
        for part in ("train", "val", "test"):
            if f"x_{part}" not in arrays:
                continue
            x, y = arrays[f"x_{part}"], arrays[f"y_{part}"].ravel()
            x = (x if x.dtype.kind in "iu" or x.max() > 1 else np.floor(x * 255.0 + 0.5)).astype(np.uint8)
            x = x.reshape(*x.shape[:3], -1)
            for picture, label in zip(x, y):
                name = str(int(label)) if y.dtype.kind in "iufb" else str(label)
                yield np.repeat(picture, 3, 2) if x.shape[3] == 1 else picture[..., :3], name, part
''',
    "digits": '''
def load():
    """Yield each digit as RGB, with its label."""
    digits = load_digits()
    for picture, label in zip(np.floor(digits.images * 255 / 16 + 0.5).astype(np.uint8), digits.target):
        yield np.repeat(picture[..., None], 3, 2), str(label), None
''',
}

SPLIT = '''
def hashed_part(rgb, test_is_given, val_is_given):
    """The part of a picture by what it shows: the same picture is always on the same side."""
    shown = np.array(rgb.shape[:2], "<u4").tobytes() + rgb.tobytes()
    content = hashlib.sha256(b"bottega/image/1\\0" + shown).digest()
    seeded = hashlib.sha256(SPLIT_SEED.to_bytes(8, "little") + content).digest()
    number = (int.from_bytes(hashlib.sha256(seeded).digest()[:8], "little") >> 11) * 2.0**-53
    if number < {test}:
        return "train" if test_is_given else "test"
    return "val" if number < {val} and not val_is_given else "train"
'''

PREPARE = {
    False: '''
def squeeze(rgb):
    """A picture as the network sees it, whole numbers: (C, *SIDE)."""
    x = torch.tensor(rgb).permute(2, 0, 1)[None].float()
    return F.interpolate(x, SIDE, mode="bilinear", antialias=True).round().clamp(0, 255).byte()[0]
''',
    True: '''
def squeeze(rgb):
    """A picture as the network sees it, grey, whole numbers: (1, *SIDE)."""
    x = torch.tensor(rgb @ np.array([0.299, 0.587, 0.114]))[None, None].float()
    return F.interpolate(x, SIDE, mode="bilinear", antialias=True).round().clamp(0, 255).byte()[0]
''',
}

CONV = '''
def conv(n_in, n_out, kernel, stride=1, groups=1):
    """A convolution that keeps the size, or divides it by its stride, and a batch norm."""
    return [nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(n_out)]
'''

RESIDUAL = """
class Residual(nn.Module):
    def __init__(self, *body, around=()):
        super().__init__()
        self.body, self.around = nn.Sequential(*body), nn.Sequential(*around)
        if hasattr(body[-1], "running_mean"):
            nn.init.zeros_(body[-1].weight)  # it begins as the way around

    def forward(self, x):
        return self.around(x) + self.body(x)
"""

INIT = """
for module in network.modules():
    if isinstance(module, nn.Conv2d | nn.Linear):
        gain = 1.0 if module is network[-1] else {gain}
        nn.init.normal_(module.weight, 0, gain / math.sqrt(module.weight[0].numel()))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
"""

AUGMENT_HEAD = '''
def augment(x):
    """Each picture a little different at every step; (B, C, H, W) in the units of the pixels."""
    x, (B, C, H, W) = x.float(), x.shape
'''

AUGMENT = {
    "flip": """
    x = torch.where(torch.rand(B, 1, 1, 1) < 0.5, x.flip(3), x)
""",
    "shift": """
    for axis, side in ((2, H), (3, W)):
        reach = min(max(1, round(side * {reach})), side - 1)
        at = (torch.arange(side) + torch.randint(-reach, reach + 1, (B, 1))).clamp(0, side - 1)
        x = x.gather(axis, at.view(B, 1, -1, 1).expand_as(x) if axis == 2 else at.view(B, 1, 1, -1).expand_as(x))
""",
    "rotation": """
    turn = (2 * torch.rand(B) - 1) * math.radians({degrees})
""",
    "scale": """
    size = 1 + {scale} * (2 * torch.rand(B) - 1)
""",
    "crop": """
    kept = {crop} + (1 - {crop}) * torch.rand(B)
""",
    "colour": """
    light, contrast, tint = 1 + {colour} * (2 * torch.rand(3, B, 1, 1, 1) - 1)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * contrast + mean * light
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * tint + grey if C == 3 else x
""",
    "erasing": """
    inside = torch.rand(B, 1, 1) < 0.5
    for axis, side in ((2, H), (1, W)):
        length = torch.rand(B, 1) * {erased} * side
        start, at = torch.rand(B, 1) * (side - length), torch.arange(side) + 0.5
        inside = inside & ((at >= start) & (at < start + length)).unsqueeze(axis)
    x = torch.where(inside[:, None], x.mean((1, 2, 3), keepdim=True), x)
""",
}

WARP = """
    right, down = {move}
    cos, sin = {size} * torch.cos(turn), {size} * torch.sin(turn)
    matrix = torch.stack([cos, -sin * H / W, right, sin * W / H, cos, down], 1).view(B, 2, 3)
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
"""

MIX = """
        share = np.random.default_rng(step).beta({mixup}, {mixup})
        share, order = max(share, 1 - share), torch.randperm(len(x))
        x, partner = x * share + x[order] * (1 - share), y[order]"""
CLIP = """
        nn.utils.clip_grad_norm_(network.parameters(), {clip})"""
AVERAGE_BEGINS = """
average = copy.deepcopy(network)  # of the weights over the steps: what is judged and kept"""
AVERAGE = """
        decay = min({decay}, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, new in zip(average.state_dict().values(), network.state_dict().values()):
                mean.lerp_(new, 1 - decay) if mean.is_floating_point() else mean.copy_(new)"""
LOWER_BEGINS = """
PLATEAU, lowest, n_waiting = 1.0, math.inf, 0  # the rate is lowered when the validation loss stops falling"""
LOWER = """
    lowest, n_waiting = (val_loss, 0) if val_loss < lowest * 0.999 else (lowest, n_waiting + 1)
    if n_waiting == {epochs}:
        PLATEAU, n_waiting = PLATEAU * {factor}, 0"""

RISE = """
    if at < {warm_up}:
        share = at / {warm_up}
        return {start} + {span} * {rise}"""
PLAIN = """
        outputs = network(x)"""
BFLOAT16 = """
        with torch.autocast("cpu", torch.bfloat16):
            outputs = network(x)
        outputs = outputs.float()"""

TRAIN = '''
def factor(at):
    """The learning rate as a share of the highest, when a share `at` of the steps is done."""{rise}
    return {fall}

def scaled(x):
    return ((x.float() - MEAN) / SCALE).contiguous(memory_format=torch.channels_last)

def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        outputs = torch.cat([model(scaled(part)) for part in x.split(256)])
    return (outputs.argmax(1) == y).float().mean().item(), F.cross_entropy(outputs, y).item()

pictures = [(squeeze(rgb), LABELS.index(label), part, rgb) for rgb, label, part in load() if label in LABELS]
given = {{part for _, _, part, _ in pictures}}
sets = {{"train": [], "val": [], "test": []}}
for picture, target, part, rgb in pictures:
    part = hashed_part(rgb, "test" in given, "val" in given) if part in (None, "train") else part
    sets[part].append((picture, target))
if not all(sets.values()):
    sys.exit("too few pictures for a part of each kind")
(x_train, y_train), (x_val, y_val), (x_test, y_test) = (
    (torch.stack([x for x, _ in rows]), torch.tensor([y for _, y in rows])) for rows in sets.values()
)
print(len(y_train), "to train on,", len(y_val), "to choose by,", len(y_test), "to test on")

network = network.to(memory_format=torch.channels_last){average_begins}
weights, others = ([p for p in network.parameters() if (p.ndim > 1) == wide] for wide in (True, False))
groups = [dict(params=weights, weight_decay={weight_decay}), dict(params=others, weight_decay=0.0)]
optimiser = {optimiser}
n_steps = math.ceil(len(y_train) / BATCH)
best, best_epoch, kept, step = (-1.0, 0.0), 0, None, 0{lower_begins}
for epoch in range(EPOCHS):
    network.train()
    for rows in torch.tensor_split(torch.randperm(len(y_train)), n_steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * factor(step / (n_steps * EPOCHS)){plateau}
        x, y = scaled({inputs}), y_train[rows]{mix}{forward}
        loss = {loss}
        optimiser.zero_grad()
        loss.backward(){clip}
        optimiser.step(){average}
        step += 1
    val_score, val_loss = evaluate({judged}, x_val, y_val){lower}
    print(f"epoch {{epoch + 1}}: validation {{val_score:.4f}}")
    if (val_score, -val_loss) > best:
        best, best_epoch, kept = (val_score, -val_loss), epoch, copy.deepcopy({judged}.state_dict())
    elif PATIENCE is not None and epoch - best_epoch >= PATIENCE:
        break
network.load_state_dict(kept)
print(f"test accuracy {{evaluate(network, x_test, y_test)[0]:.4f}}")
'''
