"""What drives the answers of a table's run: its file, asked about the test rows, within a tenth of the run's time."""

from bottega.evaluation.metrics import metric_named
from bottega.problem.table import ColumnSpec
from bottega.problem.understanding_records import Drivers
from bottega.shipping.predictor import open_session
from bottega.shipping.table_predictor import Answered, ask_rows
from bottega.understanding.drivers import find_drivers
from bottega.understanding.rows import FEWEST_ROWS, AskedRows, Cells, most_probable
from bottega.workflow.clock import Clock
from bottega.workflow.explain_table import answers_of
from bottega.workflow.ship import Shipped
from bottega.workflow.table_trial import LookedTable
from bottega.workflow.trial import Trial

__all__ = ["drivers_of_run", "seconds_for_drivers"]

MOST_SECONDS = 5.0
SHARE = 0.1  # of the time that the run took so far
MOST_COLUMNS = 200  # each is shuffled several times and judged in hundreds of draws
KEPT_SECONDS = 1.0  # of a time limit, for the report itself
LEAST_SHARE = 0.03  # ... but even then a glance, which a time limit's own slack can bear


def seconds_for_drivers(clock: Clock) -> float:
    """How long a report may ask the file: a tenth of the run, a few seconds at most, less near a time limit."""
    allowed = min(SHARE * clock.elapsed(), clock.left() - KEPT_SECONDS)
    return min(MOST_SECONDS, max(LEAST_SHARE * clock.elapsed(), allowed))


def drivers_of_run(trial: Trial[LookedTable], shipped: Shipped, seconds: float) -> Drivers | None:
    """Shuffle the columns of the test rows, and ask the file that ships.

    Returns:
        None where there are too few test rows to tell anything, or too many columns to shuffle each in the time.
    """
    tested, looked, costs, weights = trial.judged.tested, trial.looked, trial.material.costs, trial.material.weights
    places = tested.rows[tested.once]
    if len(places) < FEWEST_ROWS:
        return None
    columns = tuple(one for one in shipped.card.inputs if isinstance(one, ColumnSpec))
    if len(columns) > MOST_COLUMNS:
        return None
    session, names = open_session(shipped.data), [one.name for one in shipped.card.outputs]

    def predict(cells: Cells) -> Answered:
        return ask_rows(session, cells, columns, names)

    rows = AskedRows(
        ask=answers_of(predict),
        cells={one.column: looked.taken.everything[one.column][places] for one in columns},
        columns=columns,
        labels=looked.classes,
        target=looked.look.task.target or "",
        groups=trial.material.groups[places],
        y=trial.material.y[places],
        said=most_probable if costs is None else costs.answers,
        weights=None if weights is None else weights[places],
    )
    metric = metric_named(trial.options.metric).under(costs)
    return find_drivers(rows, metric=metric, seconds=seconds, seed=trial.options.seed)
