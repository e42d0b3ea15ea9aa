"""`bottega train`: parse, train, show the verdict."""

from typing import Annotated, Any

import typer

from bottega.cli import terminal

__all__ = ["train"]

Flag = typer.Option


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            show_default=False,
            help="A folder with one sub-folder a class; a zip, tar, .npz or CSV of one; or `digits`.",
        ),
    ] = None,
    preset: Annotated[
        str, Flag(metavar="fast|accurate", help="How much work: one view a picture, or several and a larger network.")
    ] = "fast",
    time: Annotated[
        str | None,
        Flag(metavar="DURATION", show_default=False, help="Wall time that may be used, as in 90s, 5m or 1h30m."),
    ] = None,
    name: Annotated[
        str | None,
        Flag(metavar="NAME", show_default=False, help="Of the run folder under runs/; by default <data>-<n>."),
    ] = None,
    seed: Annotated[int, Flag(metavar="N", help="Drives training.")] = 0,
    split_seed: Annotated[int, Flag(metavar="N", help="Drives the split into train, val and test.")] = 0,
    metric: Annotated[str, Flag(metavar="METRIC", help="What is optimised and judged.")] = "accuracy",
    at_least: Annotated[
        float | None,
        Flag(metavar="X", show_default=False, help="Ship nothing (exit 3) unless the interval's lower end reaches X."),
    ] = None,
    at_most: Annotated[
        float | None,
        Flag(
            metavar="X",
            show_default=False,
            help="Ship nothing (exit 3) unless the interval's upper end stays at or under X.",
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        Flag(
            metavar="REGEX", show_default=False, help="On the path inside DATA: equal matches are one shot or subject."
        ),
    ] = None,
    ship: Annotated[str, Flag(metavar="best|network|NAME", help="Which candidate becomes the file.")] = "best",
    margin: Annotated[
        float | None,
        Flag(metavar="X", show_default=False, help="Candidates closer than this are tied: the simplest ships."),
    ] = None,
    sure_at: Annotated[float, Flag(metavar="X", help="Accuracy that answers marked as sure must reach.")] = 0.95,
    small: Annotated[bool, Flag("--small", help="Also write the int8 file, with its measured loss.")] = False,
    network: Annotated[
        str,
        Flag(
            metavar="NETWORK",
            help="auto, pretrained, mlp, cnn, resnet, finetune, a plan FILE.toml, or module:Class of your own.",
        ),
    ] = "auto",
    width: Annotated[
        float | None, Flag(metavar="X", show_default=False, help="Times the usual units or channels of its layers.")
    ] = None,
    depth: Annotated[int | None, Flag(metavar="N", show_default=False, help="Layers of each of its stages.")] = None,
    dropout: Annotated[
        float | None, Flag(metavar="X", show_default=False, help="Share of units left out at random in training.")
    ] = None,
    epochs: Annotated[
        int | None, Flag(metavar="N", show_default=False, help="Passes over the training data, at most.")
    ] = None,
    batch_size: Annotated[int | None, Flag(metavar="N", show_default=False, help="Examples a step.")] = None,
    optimiser: Annotated[
        str | None, Flag(metavar="adamw|adam|sgd", show_default=False, help="How gradients become steps.")
    ] = None,
    learning_rate: Annotated[
        float | None, Flag(metavar="X", show_default=False, help="The highest one; by default a short test finds it.")
    ] = None,
    schedule: Annotated[
        str | None,
        Flag(metavar="one-cycle|cosine|constant|plateau", show_default=False, help="The learning rate over time."),
    ] = None,
    weight_decay: Annotated[float | None, Flag(metavar="X", show_default=False, help="Pull on the weights.")] = None,
    patience: Annotated[
        int | None, Flag(metavar="N", show_default=False, help="Epochs without a better one before it stops.")
    ] = None,
    augment: Annotated[
        str, Flag(metavar="auto|none|NAMES", help="Variations of the training pictures, as in flip,shift.")
    ] = "auto",
    device: Annotated[str, Flag(metavar="auto|cpu|cuda", help="Where a network is trained.")] = "auto",
    seeds: Annotated[int, Flag(metavar="N", help="Train the network with so many seeds, and show the spread.")] = 1,
    cv: Annotated[
        int | None, Flag(metavar="K", show_default=False, help="Judge by K folds instead of one test part.")
    ] = None,
    resume: Annotated[
        str | None, Flag(metavar="RUN", show_default=False, help="Finish the run in this folder; takes no DATA.")
    ] = None,
    no_filter: Annotated[
        bool, Flag("--no-filter", help="Leave the filter of training examples out of the file.")
    ] = False,
    golden: Annotated[
        str, Flag(metavar="made-up|real", help="The examples inside the file that `bottega check` replays.")
    ] = "made-up",
    json: Annotated[bool, Flag("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Train on DATA, judge the result, and ship it as one file."""
    stated = {k: v for k, v in locals().items() if k not in ("data", "no_filter", "json")}
    return _train(data, {**stated, "filter": not no_filter}, as_json=json)


def _train(data: str | None, keywords: dict[str, Any], *, as_json: bool) -> int:
    from bottega.workflow.options import train_options
    from bottega.workflow.threads import calm_threads

    calm_threads()
    options = train_options(data, keywords)  # before torch is imported: a misspelt option needn't wait for it
    from bottega.workflow.train import train as run

    with terminal.live() as progress:
        record = run(data, options, progress=progress)
    if as_json:
        terminal.say_json(record)
    else:
        from bottega.cli.verdict import verdict_lines

        terminal.say(*verdict_lines(record))
    return 0 if record.model_path is not None else 3
