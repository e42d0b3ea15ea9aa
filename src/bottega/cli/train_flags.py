"""The flags of `bottega train`, each with its help."""

from typing import Annotated

import typer

Flag = typer.Option

Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        show_default=False,
        help="Pictures: a folder with one sub-folder a class; a zip, tar, .npz or CSV of one; or `digits`. "
        "A table: CSV, TSV, Parquet, JSON lines, .xlsx, FILE.db::TABLE, or a folder of train.*, val.*, test.*. "
        "Texts: such a table with texts and labels, or a folder with one sub-folder of .txt files a class.",
    ),
]
Preset = Annotated[str, Flag(metavar="fast|accurate", help="How much is tried: views of a picture, networks, tuning.")]
Time = Annotated[
    str | None,
    Flag(metavar="DURATION", show_default=False, help="Wall time that may be used, as in 90s, 5m or 1h30m."),
]
Name = Annotated[
    str | None,
    Flag(metavar="NAME", show_default=False, help="Of the run folder under runs/; by default <data>-<n>."),
]
Seed = Annotated[int, Flag(metavar="N", help="Drives training.")]
SplitSeed = Annotated[int, Flag(metavar="N", help="Drives the split into train, val and test.")]
Metric = Annotated[
    str | None,
    Flag(
        metavar="METRIC",
        show_default=False,
        help="What is optimised and judged: accuracy for classes and rmse for numbers, unless stated.",
    ),
]
Target = Annotated[
    str | None, Flag(metavar="COL", show_default=False, help="The column to be predicted; a,b for several.")
]
Kinds = Annotated[
    list[str] | None,
    Flag(metavar="COL=KIND", show_default=False, help="State what a column is: number, category, yes/no, date, text."),
]
Ignored = Annotated[list[str] | None, Flag(metavar="COL", show_default=False, help="Leave a column out.")]
Group = Annotated[
    str | None, Flag(metavar="COL", show_default=False, help="Rows with the same value stay in one part.")
]
TimeColumn = Annotated[
    str | None, Flag(metavar="COL", show_default=False, help="Split by time: the latest rows are the test part.")
]
Missing = Annotated[
    list[str] | None,
    Flag(metavar="CODE", show_default=False, help="Stands for a missing value; COL=CODE in that column alone."),
]
Test = Annotated[str | None, Flag(metavar="FILE", show_default=False, help="Rows of a table to be tested on.")]
Val = Annotated[str | None, Flag(metavar="FILE", show_default=False, help="Rows of a table to choose by.")]
SplitColumn = Annotated[
    str | None, Flag(metavar="COL", show_default=False, help="Whose values name the part: train, val, test.")
]
AtLeast = Annotated[
    float | None,
    Flag(metavar="X", show_default=False, help="Ship nothing (exit 3) unless the interval's lower end reaches X."),
]
AtMost = Annotated[
    float | None,
    Flag(metavar="X", show_default=False, help="Ship nothing (exit 3) unless the interval's upper end is X or less."),
]
GroupBy = Annotated[
    str | None,
    Flag(metavar="REGEX", show_default=False, help="On the path inside DATA: equal matches are one shot or subject."),
]
Ship = Annotated[str, Flag(metavar="best|network|NAME", help="Which candidate becomes the file.")]
Margin = Annotated[
    float | None,
    Flag(metavar="X", show_default=False, help="Candidates closer than this are tied: the simplest ships."),
]
SureAt = Annotated[float, Flag(metavar="X", help="Accuracy that answers marked as sure must reach.")]
Small = Annotated[bool, Flag("--small", help="Also write the int8 file, with its measured loss.")]
Network = Annotated[
    str,
    Flag(
        metavar="NETWORK",
        help="auto, pretrained, mlp, cnn, resnet, finetune, a plan FILE.toml, or module:Class of your own; "
        "for texts auto, bag, cnn, lstm, pretrained or finetune.",
    ),
]
Width = Annotated[
    float | None, Flag(metavar="X", show_default=False, help="Times the usual units or channels of its layers.")
]
Depth = Annotated[int | None, Flag(metavar="N", show_default=False, help="Layers of each of its stages.")]
Dropout = Annotated[
    float | None, Flag(metavar="X", show_default=False, help="Share of units left out at random in training.")
]
Epochs = Annotated[int | None, Flag(metavar="N", show_default=False, help="Passes over the training data, at most.")]
BatchSize = Annotated[int | None, Flag(metavar="N", show_default=False, help="Examples a step.")]
Optimiser = Annotated[
    str | None, Flag(metavar="adamw|adam|sgd", show_default=False, help="How gradients become steps.")
]
LearningRate = Annotated[
    float | None, Flag(metavar="X", show_default=False, help="The highest one; by default a short test finds it.")
]
Schedule = Annotated[
    str | None,
    Flag(metavar="one-cycle|cosine|constant|plateau", show_default=False, help="The learning rate over time."),
]
WeightDecay = Annotated[float | None, Flag(metavar="X", show_default=False, help="Pull on the weights.")]
Patience = Annotated[
    int | None, Flag(metavar="N", show_default=False, help="Epochs without a better one before it stops.")
]
Augment = Annotated[str, Flag(metavar="auto|none|NAMES", help="Variations of the training pictures, as in flip,shift.")]
Device = Annotated[str, Flag(metavar="auto|cpu|cuda", help="Where a network is trained.")]
Seeds = Annotated[int, Flag(metavar="N", help="Train the network with so many seeds, and show the spread.")]
Cv = Annotated[int | None, Flag(metavar="K", show_default=False, help="Judge by K folds instead of one test part.")]
Resume = Annotated[
    str | None, Flag(metavar="RUN", show_default=False, help="Finish the run in this folder; takes no DATA.")
]
NoFilter = Annotated[bool, Flag("--no-filter", help="Leave the filter of training examples out of the file.")]
Golden = Annotated[str, Flag(metavar="made-up|real", help="The examples inside the file that `bottega check` replays.")]
Json = Annotated[bool, Flag("--json", help="Print one JSON document on standard output.")]
