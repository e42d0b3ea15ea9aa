import numpy as np
import polars as pl

from bottega.workflow.look_table import table_record
from look_material import bundled, table_of


def suspects(frame, folder, **choices):
    return table_record(table_of(frame, folder, **choices)).suspects


def kinds(frame, folder, **choices):
    return {suspect.kind: suspect for suspect in suspects(frame, folder, **choices)}


def shuffled(name):
    return bundled(name).sample(fraction=1, shuffle=True, seed=0)


def test_copies_and_contradictions_are_told_unprompted(tmp_path):
    wine = shuffled("wine")
    turned = wine.head(6).with_columns(target=pl.lit("class_0"))
    found = kinds(pl.concat([wine, wine.head(40), turned]), tmp_path, target="target")
    assert "of 224 rows" in found["duplicates"].evidence
    assert "repeat an earlier one (rows" in found["duplicates"].evidence
    assert "no model can be more than" in found["conflict"].evidence


def test_every_suspect_says_what_to_do(tmp_path):
    frame = bundled("breast_cancer").with_row_index("id").with_columns(one=pl.lit("x"))
    for suspect in suspects(frame, tmp_path, target="target"):
        assert suspect.kind
        assert suspect.where
        assert suspect.evidence
        assert suspect.fix


def test_columns_that_teach_nothing(tmp_path):
    frame = shuffled("wine").with_row_index("id").with_columns(one=pl.lit("x"))
    found = kinds(frame, tmp_path, target="target")
    assert found["identifier"].evidence == "'id' names the rows: nothing to learn for new ones"
    assert found["constant"].evidence == "'one' has one value in every row, or none"


def test_odd_cells_are_told_by_row(tmp_path):
    cells = [f"{i / 7:.3f}" for i in range(300)]
    cells[17], cells[40] = "abc", "inf"
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": cells, "b": rng.normal(size=300), "y": rng.choice(["no", "yes"], 300)})
    found = kinds(frame, tmp_path, target="y")
    assert "1 cell is no number: row 19 'abc'; counted as missing" in found["mixed"].evidence
    assert "'a' is infinite in 1 row: 42" in found["infinite"].evidence


def test_numbers_with_different_units_are_told(tmp_path):
    cells = [f"{i % 30 + 1} {'kg' if i % 3 else 'g'}" for i in range(120)]
    frame = pl.DataFrame({"weight": cells, "y": ["no", "no", "yes"] * 40})
    assert "different units (kg 80, g 40)" in kinds(frame, tmp_path, target="y")["units"].evidence


def test_a_ceiling_is_told_and_kept(tmp_path):
    rng = np.random.default_rng(0)
    gain = np.where(rng.random(600) < 0.05, 99999, rng.integers(0, 5000, 600))
    frame = pl.DataFrame({"gain": gain, "y": rng.choice(["no", "yes"], 600)})
    found = kinds(frame, tmp_path, target="y")
    assert "'gain' is 99999 in" in found["code"].evidence
    assert found["code"].fix.endswith("--missing 'gain=99999'")


def test_whole_numbers_that_a_model_cannot_tell_apart(tmp_path):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"account": 2**40 + rng.permutation(400), "y": rng.choice(["no", "yes"], 400)})
    assert "beyond 2^24" in kinds(frame, tmp_path, target="y")["precision"].evidence


def test_scarce_and_unequal_classes(tmp_path):
    frame = pl.DataFrame({"a": [i % 13 * 1.5 for i in range(600)], "y": ["common"] * 560 + ["rare"] * 40})
    found = kinds(frame.sample(fraction=1, shuffle=True, seed=0), tmp_path, target="y")
    assert found["few"].evidence == "'rare' has 40 rows, about 6 to test on"
    assert "always saying 'common' is 93 % right" in found["imbalance"].evidence


def test_a_target_that_is_missing_in_part(tmp_path):
    frame = shuffled("wine").with_row_index("row")
    frame = frame.with_columns(target=pl.when(pl.col("row") < 9).then(None).otherwise(pl.col("target"))).drop("row")
    assert "9 of 178 rows have no 'target'" in kinds(frame, tmp_path, target="target")["target"].evidence


def test_an_honest_table_has_no_suspect_but_its_size(tmp_path):
    assert set(kinds(shuffled("wine"), tmp_path, target="target")) <= {"few"}
    assert set(kinds(shuffled("diabetes"), tmp_path, target="target")) == set()


def test_rows_that_weigh_nothing(tmp_path):
    frame = shuffled("wine").with_columns(n=pl.when(pl.col("target") == "class_1").then(0.0).otherwise(1.5))
    found = kinds(frame, tmp_path, target="target", weight="n")["weight"]
    assert found.evidence.startswith("71 of 178 rows weigh 0 in 'n'")
    assert found.evidence.endswith("and with them every row of 'class_1'")
    assert "weight" not in kinds(frame.with_columns(n=pl.lit(2.0)), tmp_path, target="target", weight="n")


def test_a_number_beyond_32_bits_is_infinite(tmp_path):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": np.where(np.arange(99) == 4, -1e308, rng.random(99)), "target": rng.random(99)})
    assert kinds(frame, tmp_path, target="target")["infinite"].evidence == "'a' is infinite in 1 row: 6"
