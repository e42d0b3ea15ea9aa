"""`train`: from raw examples to one proved file, a report and a record."""

from typing import TYPE_CHECKING, Any

from bottega.errors import BottegaError
from bottega.problem.records import Progress, TargetsRecord, TrainRecord
from bottega.workflow.options import TrainOptions, refuse_networks_of_rows
from bottega.workflow.recipe import Recipe
from bottega.workflow.record_file import read_record
from bottega.workflow.run_folder import RECORD, RunFolder
from bottega.workflow.training_run import Training

if TYPE_CHECKING:
    from bottega.workflow.train_targets import TargetsTraining

__all__ = ["train", "train_recipe"]


def train(
    data: str | None, options: TrainOptions, *, progress: Progress | None = None, network: Any = None
) -> TrainRecord | TargetsRecord:
    """Train on labelled pictures, on a table or on texts, judge the result, write the run folder.

    Args:
        data: as `data.sources.open_source` takes it, or a table; None to resume `options.resume`.
        progress: called as the work goes on.
        network: a torch class or module of the user's own, for `options.network` of the form module:Class.
    Returns:
        The record, `model_path` None where a stated bar was not met; of several targets one that holds theirs.
    Raises:
        BottegaError: the data or a choice cannot be used; nothing was left half written.
        StoppedError: the user stopped between candidates: the best so far has shipped, the run can be resumed.
        KeyboardInterrupt: stopped before any candidate was fitted; vectors are kept, the run can be resumed.
    """
    if options.resume is None:
        if data is None:
            raise BottegaError(found="no data", expected="a folder of pictures or a table", fix="bottega train FOLDER")
        return _training(data, options, progress, network=network).run(None)
    folder = RunFolder.open(options.resume)
    recipe = folder.recipe()
    if folder.file(RECORD).exists():
        return read_record(folder.file(RECORD))
    folder.hold().tidy()
    return train_recipe(recipe, folder, progress=progress)


def train_recipe(recipe: Recipe, folder: RunFolder, *, progress: Progress | None = None) -> TrainRecord | TargetsRecord:
    """Train as a recipe says, into a folder that holds it.

    Raises:
        BottegaError: the data have changed since.
    """
    return _training(recipe.source, recipe.options(), progress, begun=recipe).run(folder)


def _training(
    data: str, options: TrainOptions, progress: Progress | None, *, begun: Recipe | None = None, network: Any = None
) -> "Training[Any] | TargetsTraining":
    """The training that suits the data; its imports are paid for by who needs them."""
    if options.table is not None:
        from bottega.workflow.several_targets import targets_of

        if targets := targets_of(data, options.table):
            from bottega.workflow.train_targets import TargetsTraining

            return TargetsTraining(data, options, progress, targets=targets, begun=begun)
        from bottega.workflow.text_reading import holds_texts
        from bottega.workflow.train_table import TableTraining

        if holds_texts(data, options.table):
            from bottega.workflow.train_texts import TextTraining

            _refuse_of_rows(options)
            return TextTraining(data, options, progress, begun=begun)
        refuse_networks_of_rows(options)
        return TableTraining(data, options, progress, begun=begun)
    from bottega.workflow.train_pictures import PictureTraining

    return PictureTraining(data, options, progress, begun=begun, network=network)


def _refuse_of_rows(options: TrainOptions) -> None:
    """Costs, weights and features belong to tables so far; texts are told so rather than trained without them."""
    stated = options.table
    has_weight = stated is not None and stated.choices.weight is not None
    if stated is not None and stated.features:
        raise BottegaError(
            found="--features for texts",
            expected="a table of numbers, categories and dates: features are made of its columns",
            fix="leave it out",
        )
    if stated is not None and (stated.costs is not None or has_weight):
        raise BottegaError(
            found=f"{'--weight' if has_weight else 'costs of wrong answers'} for texts",
            expected="a table of numbers, categories and dates; texts are trained without them so far",
            fix="leave it out",
        )
