"""`bottega train --features` on a table with a column of texts: its words are read where that is proved to help."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import bottega
from bottega.shipping.model_file import read
from command import Trained, run_bottega

GOOD, BAD = ["bright", "quiet", "renovated", "garden"], ["dark", "noisy", "damp", "attic"]
PLAIN = ["flat", "rooms", "with", "near", "the", "station", "and", "kitchen", "third", "floor"]
TYPES = ("--type", "advert=text")


def frame_of_flats(n: int = 800) -> pl.DataFrame:
    """Rents that hang on the size, and on words of the advert."""
    rng = np.random.default_rng(0)
    size = rng.uniform(20, 120, n).round(1)
    quality = rng.normal(size=n)
    adverts = []
    for one in quality:
        telling = rng.choice(GOOD if one > 0 else BAD, 2, replace=False)
        adverts.append(" ".join(rng.permutation([*rng.choice(PLAIN, 6), *telling])).capitalize() + "!")
    rent = 8 * size + 150 * np.sign(quality) + 30 * rng.normal(size=n)
    texts = [None if i % 50 == 7 else advert for i, advert in enumerate(adverts)]
    return pl.DataFrame({"size": size, "advert": texts, "rent": rent.round(2)})


def trained(home: Path, frame: pl.DataFrame) -> Trained:
    """On given parts, with a validation part that is large enough for a single search."""
    parts = {"flats": frame[:200], "val": frame[200:720], "test": frame[720:]}
    for name, part in parts.items():
        part.write_csv(home / f"{name}.csv")
    words = ("--val", "val.csv", "--test", "test.csv", "--target", "rent", *TYPES, "--features", "--json")
    outcome = run_bottega("train", "flats.csv", *words, cwd=home)
    assert outcome.status == 0, outcome.err
    return Trained(home, outcome.document)


@pytest.fixture(scope="module")
def flats(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(tmp_path_factory.mktemp("flats"), frame_of_flats())


def test_what_the_words_say_is_found_and_told(flats: Trained) -> None:
    kept = [one["words"] for one in flats.record["features"]["kept"]]
    assert kept[0] == "what the words of advert say of rent"
    assert "what the words of advert say of rent" in (flats.run_dir / "report.html").read_text("utf-8")
    card, _ = read(flats.model)
    assert [(one.column, one.kind) for one in card.inputs] == [("size", "number"), ("advert", "text")]
    assert card.table is not None
    assert card.table.unused == ()
    assert card.recipe["preparation"]["left_out"] == {}


def test_the_file_reads_words_whatever_their_case_and_none_at_all(flats: Trained) -> None:
    model = bottega.load(flats.model)
    good, shouted, bad, unknown, none = model(
        [
            {"size": 60.0, "advert": advert}
            for advert in ("quiet flat, renovated", "QUIET flat... RENOVATED", "dark flat, damp", "zzz", None)
        ]
    )
    assert good.value == pytest.approx(shouted.value, rel=1e-5)
    assert good.value > bad.value + 100
    assert unknown.value < good.value - 50
    assert np.isfinite(none.value)
    assert run_bottega("check", str(flats.model), "--json", cwd=flats.home).document["passed"] is True


def test_evaluate_and_explain_take_the_column(flats: Trained) -> None:
    found = run_bottega("evaluate", str(flats.model), "flats.csv", "--json", cwd=flats.home)
    assert found.document["seen_in_training"] == 1.0
    new = run_bottega("evaluate", str(flats.model), "test.csv", "--json", cwd=flats.home)
    assert new.document["seen_in_training"] == 0.0
    assert new.document["score"] == pytest.approx(flats.record["test"]["score"])
    said = run_bottega("explain", str(flats.model), "flats.csv", cwd=flats.home)
    assert "advert" in said.out
    one = run_bottega("explain", str(flats.model), "flats.csv", "--row", "17", cwd=flats.home)
    assert (one.status, "advert" in one.out) == (0, True)


def test_a_file_that_lacks_the_column_is_refused(flats: Trained) -> None:
    frame_of_flats(5).drop("advert").write_csv(flats.home / "bare.csv")
    outcome = run_bottega("predict", str(flats.model), "bare.csv", cwd=flats.home)
    assert (outcome.status, outcome.error_lines[0]) == (2, "found:    no column 'advert' (bare)")


def test_words_that_say_nothing_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    frame = frame_of_flats()
    frame = frame.with_columns(advert=frame["advert"].shuffle(seed=1))
    run = trained(tmp_path, frame)
    assert run.record["features"]["kept"] == []
    card, _ = read(run.model)
    assert [one.column for one in card.inputs] == ["size"]
    assert card.recipe["preparation"]["left_out"]["advert"].endswith("nothing made of its words is proved to help")
