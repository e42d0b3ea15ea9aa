import numpy as np
import polars as pl
import pytest

from bottega.data.table_leaks import find_leaks
from bottega.data.table_links import measure_links
from look_material import bundled, table_of, view_of

RNG = np.random.default_rng(0)


def leaks(frame, folder, **choices):
    view = view_of(table_of(frame, folder, **choices))
    return find_leaks(view, measure_links(view))


def wages(n=400):
    education = RNG.integers(8, 20, n)
    wage = np.round(np.exp(0.08 * education + RNG.normal(0, 0.5, n)) * 10, 2)
    return pl.DataFrame({"education": education, "age": RNG.integers(18, 65, n), "wage": wage})


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_honest_tables_have_none(name, tmp_path):
    assert leaks(bundled(name), tmp_path, target="target") == []


def test_a_function_of_the_target_alone(tmp_path):
    frame = wages().with_columns(logwage=pl.col("wage").log().round(4))
    (suspect,) = leaks(frame, tmp_path, target="wage")
    assert (suspect.kind, suspect.where) == ("leak", "logwage")
    assert "rank correlation 1.0000" in suspect.evidence
    assert "--ignore logwage" in suspect.fix


def test_a_rounding_of_the_target(tmp_path):
    frame = wages()
    edges = np.quantile(frame["wage"], [0.2, 0.4, 0.6, 0.8])
    frame = frame.with_columns(band=pl.Series([f"band {k}" for k in np.searchsorted(edges, frame["wage"])]))
    (suspect,) = leaks(frame, tmp_path, target="wage")
    assert suspect.where == "band"
    assert "each of the 5 values of 'band' has a range of 'wage' of its own" in suspect.evidence


def test_columns_that_define_the_target_together(tmp_path):
    casual, registered = RNG.integers(0, 300, 500), RNG.integers(0, 600, 500)
    frame = pl.DataFrame({"hour": RNG.integers(0, 24, 500), "casual": casual, "registered": registered})
    (suspect,) = leaks(frame.with_columns(cnt=casual + registered), tmp_path, target="cnt")
    assert suspect.evidence == "'cnt' is a weighted sum of 'casual' and 'registered': together they define it"
    prices = pl.DataFrame({"amount": RNG.integers(1, 90, 500), "price": np.round(RNG.uniform(1, 9, 500), 2)})
    prices = prices.with_columns(noise=pl.Series(RNG.normal(size=500)), total=pl.col("amount") * pl.col("price"))
    (suspect,) = leaks(prices, tmp_path, target="total")
    assert "a product of powers of 'amount' and 'price'" in suspect.evidence


def test_a_difference_that_tells_the_class(tmp_path):
    today, yesterday = RNG.normal(size=(2, 300))
    frame = pl.DataFrame({"today": today, "yesterday": yesterday, "up": np.where(today > yesterday, "yes", "no")})
    (suspect,) = leaks(frame, tmp_path, target="up")
    assert suspect.evidence == "'today' minus 'yesterday' tells 'up' in every row"


def test_what_is_filled_in_after_the_event(tmp_path):
    left = RNG.random(400) < 0.3
    reason = np.where(left, RNG.choice(["price", "moved", "service"], 400), None)
    frame = pl.DataFrame(
        {"age": RNG.integers(18, 80, 400), "reason": reason.tolist(), "left": np.where(left, "yes", "no")}
    )
    (suspect,) = leaks(frame, tmp_path, target="left")
    assert "whether 'reason' is filled in explains" in suspect.evidence
    some = [reason if i % 4 else None for i, reason in enumerate(reason.tolist())]
    (suspect,) = leaks(frame.with_columns(reason=pl.Series(some)), tmp_path, target="left")
    assert "if it is filled in after the event: --ignore reason" in suspect.fix
    frame = frame.with_columns(refund_amount=pl.Series(RNG.normal(size=400) + 1.5 * left)).drop("reason")
    (suspect,) = leaks(frame, tmp_path, target="left")
    assert "'refund_amount' is called like something known afterwards" in suspect.evidence


def test_a_text_that_has_the_label_in_it(tmp_path):
    kinds = RNG.choice(["spam mail", "holiday", "invoice"], 300)
    texts = [f"re {i}: this {kind.upper()} came on day {i % 30}" for i, kind in enumerate(kinds)]
    (suspect,) = leaks(pl.DataFrame({"text": texts, "kind": kinds}), tmp_path, target="kind")
    assert suspect.evidence == "'text' has the label written in it in 100 % of the rows"


def test_a_column_that_repeats_the_class(tmp_path):
    frame = bundled("iris").with_columns(
        code=pl.col("target").replace({"setosa": "A", "versicolor": "B", "virginica": "C"})
    )
    (suspect,) = leaks(frame, tmp_path, target="target")
    assert suspect.where == "code"
    assert "'code' alone explains" in suspect.evidence


def test_many_columns_that_each_hold_the_target_share_a_line(tmp_path):
    target = RNG.normal(size=400)
    frame = pl.DataFrame({f"copy_{k}": target + RNG.normal(0, 0.02, 400) for k in range(9)} | {"target": target})
    found = leaks(frame, tmp_path, target="target")
    assert len(found) == 4
    assert "and 1 more alone explain 9" in found[-1].evidence
    assert found[-1].fix.count("--ignore") == 6
