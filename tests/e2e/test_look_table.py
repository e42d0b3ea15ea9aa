import io
import json
import sys

import numpy as np
import polars as pl
import pytest

import bottega
from bottega.cli.look import look as look_command
from bottega.errors import BottegaError
from bottega.problem.table import TableChoices
from bottega.workflow.look import look
from command import run_bottega
from look_material import bundled

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(capsys, data, **options):
    assert look_command(data, **options) == 0
    return capsys.readouterr().out


def test_the_command_finds_copies_unprompted_and_is_one_page(folder):
    frame = bundled("wine")
    pl.concat([frame, frame.head(50)]).write_csv(folder / "wine.csv")
    done = run_bottega("look", "wine.csv", cwd=folder)
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0] == "228 rows, 14 columns, to predict 'target'"
    assert "the target because its name says so" in done.out
    assert "50 of 228 rows (21.9 %) repeat an earlier one" in " ".join(done.out.split())
    assert lines[-1] == "Next         bottega train wine.csv"
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80


def test_prices_and_their_windows_are_told_as_what_they_are(folder, capsys):
    """The demo of a talk: next day's close from a window; its networks lost to yesterday's value."""
    close = np.round(np.exp(RNG.normal(0, 0.01, 900).cumsum()) * 1000, 4)
    day = pl.date_range(pl.date(2015, 1, 1), pl.date(2015, 1, 1) + pl.duration(days=899), eager=True)
    low, high = close * (1 - 0.01 * RNG.random(900)), close * (1 + 0.01 * RNG.random(900))
    prices = pl.DataFrame({"Date": day, "Low": low, "High": high, "Close": close, "Adj Close": close})
    prices.reverse().write_csv("prices.csv")
    said = " ".join(shown(capsys, "prices.csv", target="Close", everything=True).split())
    assert "'Adj Close' rises and falls with 'Close'" in said
    assert "'Low' alone explains 99" in said
    assert "newest first, and 'same as last time' explains 99" in said
    assert "--time-column Date" in said
    width = 10
    windows = pl.DataFrame({f"day_{k}": close[k : 900 - width + k] for k in range(width + 1)})
    windows = windows.with_columns(
        up=pl.when(pl.col("day_10") > pl.col("day_9")).then(pl.lit("yes")).otherwise(pl.lit("no"))
    )
    windows.sample(fraction=1, shuffle=True, seed=0).write_csv("windows.csv")
    kinds = {suspect.kind: suspect for suspect in look("windows.csv", "up").suspects}
    assert "overlapping windows" in kinds["windows"].evidence
    assert kinds["leak"].evidence == "'day_9' minus 'day_10' tells 'up' in every row"
    goes_on = look("windows.csv", choices=TableChoices(target="day_10", ignore=("up",))).suspects[0]
    assert "saying 'day_9' again explains 99 % of 'day_10'" in goes_on.evidence


def test_json_is_one_document_with_the_keys_of_docs(folder, capsys):
    bundled("iris").write_csv("iris.csv")
    document = json.loads(shown(capsys, "iris.csv", json=True))
    assert document["task"]["kind"] == "classification"
    assert document["n_examples"] == 150
    assert document["facts"]["reading"]["delimiter"] == ","
    column = document["facts"]["columns"][0]
    assert {"name", "kind", "why", "role", "n_missing", "missing", "link", "quantiles", "histogram"} <= set(column)
    assert document["twins"] == [{"kind": "exact", "members": ["row 103", "row 144"], "labels": ["virginica"] * 2}]


def test_choices_are_kept_from_look_to_look(folder, capsys):
    bundled("iris").write_csv("iris.csv")
    shown(capsys, "iris.csv", ignore=["petal width (cm)"], type=["petal length (cm)=category"], write=True)
    assert (folder / "look.html").stat().st_size > 10_000
    record = look("iris.csv")
    used = {column["name"]: (column["role"], column["kind"]) for column in record.facts["columns"]}
    assert used["petal width (cm)"][0] == "ignored"
    assert used["petal length (cm)"] == ("feature", "category")


def test_the_python_verb(folder):
    bundled("iris").rename({"target": "kind"}).write_parquet("iris.parquet")
    assert bottega.look("iris.parquet", "kind").task.classes == ("setosa", "versicolor", "virginica")
    assert bottega.look("iris.parquet").task.kind is None


def test_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bundled("iris").write_csv().encode())))
    assert "150 rows, 5 columns" in shown(capsys, "-")


@pytest.mark.parametrize(
    "rows",
    [
        "a,b\n1,2\n",
        "a,b\n,\n,\n",
        "a,y\n1,x\n2,x\n3,x\n",
        "a\n1\n2\n3\n",
        "y\nx\n",
        "a,y\n1,inf\n2,3\n",
        "a,y\ninf,1\ninf,2\n",
    ],
)
def test_whatever_opens_is_told(folder, capsys, rows):
    (folder / "x.csv").write_text(rows)
    assert "Next" in shown(capsys, "x.csv")
    for name in rows.splitlines()[0].split(","):
        shown(capsys, "x.csv", target=name, everything=True)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a,b\n1,2\n3\n", "row 3 has 1 cell"),
        (b'a,b\n1,"2\n3,4\n', "a lone quote"),
        (b"a,a\n1,2\n", "the name 'a' stands over"),
        (b"a,b\n1,\x002\n", "a NUL byte"),
        (b"", "no row"),
    ],
)
def test_what_cannot_be_read_is_the_users_error_in_three_lines(folder, content, found):
    (folder / "x.csv").write_bytes(content)
    done = run_bottega("look", "x.csv", cwd=folder)
    assert done.status == 2
    assert found in done.error_lines[0]
    assert [line.partition(":")[0] for line in done.error_lines] == ["found", "expected", "fix"]
    assert (folder / "x.csv").read_bytes() == content


def test_no_cell_can_redraw_the_screen_or_run_in_a_page(folder, capsys):
    frame = bundled("iris").rename({"sepal length (cm)": "\x1b[2Jred"})
    frame = frame.with_columns(target=pl.col("target").replace("setosa", "=cmd|' /C calc'!A0\u202e"))
    frame.write_csv("iris.csv")
    said = shown(capsys, "iris.csv", everything=True)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert r"\x1b[2Jred" in said


def test_columns_of_what_is_no_table(folder):
    (folder / "pictures").mkdir()
    with pytest.raises(BottegaError, match="which is no table"):
        look(folder / "pictures", "price")
    with pytest.raises(BottegaError, match="nothing at 'gone.csv'"):
        look("gone.csv")


def test_pandas_is_not_needed_and_polars_is_named(folder):
    bundled("iris").write_csv("iris.csv")
    hidden = folder / "hidden"
    (hidden / "polars").mkdir(parents=True)
    (hidden / "polars/__init__.py").write_text("raise ModuleNotFoundError('no', name='polars')")
    done = run_bottega("look", "iris.csv", cwd=folder, PYTHONPATH=str(hidden))
    assert done.status == 2
    assert done.error_lines[2].endswith("pip install 'bottega[tables]'")


@pytest.mark.parametrize("seed", range(8))
def test_random_tables_never_end_in_a_bug(folder, capsys, seed):
    """Columns of every kind, with gaps, twins and odd cells: each one as the target."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([3, 21, 60, 250]))
    made = {
        "id": [f"k{i}" for i in rng.permutation(n)],
        "count": list(range(n)),
        "text": [" ".join(rng.choice(["red", "blue", "wine", "old"], 5)) + str(i) for i in range(n)],
        "word": rng.choice(["a", "b", "?", ""], n).tolist(),
        "flag": rng.choice(["yes", "no"], n).tolist(),
        "number": [str(x) for x in rng.choice([1.5, -999, 3, float("inf"), 2e9], n)],
        "money": [f"${x:,.2f}" for x in rng.uniform(0, 1e5, n)],
        "day": [f"{rng.integers(1, 28)}/{rng.integers(1, 12)}/20{rng.integers(10, 24)}" for _ in range(n)],
        "empty": [""] * n,
        "same": ["x"] * n,
    }
    frame = pl.DataFrame(
        {name: made[name] for name in rng.permutation(list(made)).tolist()[: int(rng.integers(2, 11))]}
    )
    pl.concat([frame, frame.head(2)]).write_csv("x.csv")
    for name in frame.columns:
        shown(capsys, "x.csv", target=name, everything=True, write=True)
