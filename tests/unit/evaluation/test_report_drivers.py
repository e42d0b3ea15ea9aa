"""What drives answers, in a report: drawn with intervals, told without claims that chance would make."""

from dataclasses import replace

from bottega.evaluation.evidence import Evidence
from bottega.evaluation.markup import NOTHING
from bottega.evaluation.report_drivers import drivers
from bottega.problem.records import Score, Task, TrainRecord
from bottega.problem.understanding_records import Driver, Drivers, Effect, EffectPoint

RECORD = TrainRecord(
    run_dir="runs/houses-1", model_path="m", report_path=None,
    task=Task("regression", "tables", "price", (), "numbers"), chosen="ridge", metric="rmse", verdict="",
    test={"n": 80, "n_groups": 80, "score": 4.9, "low": 4.1, "high": 5.8, "source": "held-out"}, metrics={},
    candidates=(), findings=(), rejected=(), suspects=(), seconds={},
)  # fmt: skip
SIZE = Effect(
    "size", "number", "price", None,
    (EffectPoint(1.0, 10.0, (9.0, 11.0)), EffectPoint(2.0, 20.0, (18.0, 22.0)), EffectPoint(None, 12.0, (12.0, 12.0))),
    2,
)  # fmt: skip
TOWN = Effect(
    "town <b>", "category", "price", None,
    (EffectPoint("Rome", 5.0, (4.0, 6.0)), EffectPoint("Milan", 7.0, (6.0, 8.0))), 2,
)  # fmt: skip
FOUND = Drivers(
    n=80, n_used=80, metric="rmse", score=Score(80, 4.9, 4.1, 5.8, False), n_repeats=5,
    columns=(
        Driver(("size", "rooms"), Score(80, 3.0, 2.0, 4.0), True, 0.9),
        Driver(("town <b>",), Score(80, 1.0, 0.5, 1.5), True),
        Driver(("noise",), Score(80, -0.01, -0.2, 0.2), False),
    ),
    effects=(SIZE, TOWN),
)  # fmt: skip
EVIDENCE = Evidence("houses", 420, noun="row", drivers=FOUND)


def test_the_heading_is_the_finding_and_chance_is_named() -> None:
    page = drivers(RECORD, EVIDENCE)
    assert "&#x27;size&#x27; and &#x27;rooms&#x27; drive its answers most" in page
    assert "grows when a column&#x27;s cells are shuffled among 80 test rows." in page
    assert "The effect of noise cannot be told from chance." in page
    assert "Columns that tell each other were shuffled as one: &#x27;size&#x27; and &#x27;rooms&#x27;." in page
    assert "town <b>" not in page
    assert "−0.2" in page  # an interval may reach below nothing


def test_effects_have_a_line_for_each_row_and_a_dot_for_missing_cells() -> None:
    page = drivers(RECORD, EVIDENCE)
    assert page.count('class="curve rival thin"') == 4  # two rows, drawn for two widths
    assert page.count('class="curve accent"') == 2
    assert ">missing<" in page
    assert "price by size: 10 where it is 1, 20 where it is 2" in page
    assert "Rome 5, Milan 7" in page
    assert "not what would happen if one changed the world" in page


def test_when_nothing_is_beyond_chance_nothing_leads() -> None:
    none = replace(FOUND, columns=FOUND.columns[2:], effects=())
    page = drivers(RECORD, replace(EVIDENCE, drivers=none))
    assert "What drives its answers" in page
    assert "most<" not in page


def test_fewer_rows_and_rows_of_training_are_told() -> None:
    few = replace(FOUND, n_used=50)
    record = replace(RECORD, test={**RECORD.test, "source": "cv"})
    page = drivers(record, replace(EVIDENCE, drivers=few))
    assert "among 50 test rows of 80." in page
    assert "The file was trained on these rows" in page


def test_where_nothing_shipped_there_is_nothing() -> None:
    assert drivers(RECORD, replace(EVIDENCE, drivers=None)) == NOTHING


def test_many_columns_without_effect_are_counted() -> None:
    noise = tuple(Driver((f"noise {i}",), Score(80, 0.0, -0.2, 0.2), False) for i in range(20))
    page = drivers(RECORD, replace(EVIDENCE, drivers=replace(FOUND, columns=(*FOUND.columns[:2], *noise))))
    assert "noise 7 and 12 more cannot be told from chance." in page
    assert "10 more are below." in page
