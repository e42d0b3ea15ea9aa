import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.vectors.convert import open_vectors
from bottega.vectors.maps import draw, planes
from bottega.workflow.words_map import map_words
from word_material import CAPITALS, as_text, planted

WORDS, ROWS = planted()


@pytest.fixture
def file(tmp_path):
    (tmp_path / "v.txt").write_bytes(as_text([*WORDS, "<b>&"], np.concatenate([ROWS, ROWS[:1]])))
    return open_vectors(tmp_path / "v.txt")


def test_the_pca_keeps_what_it_says(file):
    units = file.units(np.arange(12))
    plane = planes(units, seed=0)
    centred = units - units.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False) ** 2
    assert plane.variance == pytest.approx(tuple(values[:2] / values.sum()))
    assert plane.tsne.shape == plane.pca.shape == (12, 2)
    assert np.array_equal(planes(units, seed=0).tsne, plane.tsne)
    assert planes(units[:4], seed=0).tsne.shape == (0, 2)


def test_words_are_escaped_and_drawn(file, tmp_path):
    words = [*CAPITALS.values(), *CAPITALS, "<b>&"]
    (tmp_path / "w.txt").write_text("\n".join(words) + "\n\nRome\n")
    for name in ("m.html", "m.svg"):
        record = map_words(file, tmp_path / "w.txt", tmp_path / name)
        text = (tmp_path / name).read_text()
        assert "&lt;b&gt;&amp;" in text
        assert "<b>&" not in text
        assert "variance" in text
        assert record.words == tuple(words)
        assert len(record.tsne) == 13
    assert 0 < sum(record.variance) <= 1
    assert record.notes[0].startswith(f"The PCA keeps {100 * sum(record.variance):.0f} %")


def test_labels_do_not_run_into_each_other():
    rng = np.random.default_rng(0)
    plane = planes(rng.standard_normal((60, 5)), seed=0)
    svg = draw([f"word{i}" for i in range(60)], plane, seed=0, warning="w")
    assert svg.count("<circle") == 120
    assert 40 < svg.count(">word") - 120 < 120  # every dot has its title, not every one has room for its word


@pytest.mark.parametrize(
    ("text", "message"),
    [("Rome\n", "found: one word"), ("Rome\nItaly\nItlay\n", r"'Itlay' .*line 3\)\n.*\n.*Italy"), ("", "0 diff")],
)
def test_bad_lists(file, tmp_path, text, message):
    (tmp_path / "w.txt").write_text(text)
    with pytest.raises(BottegaError, match=message):
        map_words(file, tmp_path / "w.txt", tmp_path / "m.svg")


def test_another_ending(file, tmp_path):
    with pytest.raises(BottegaError, match="fix: -o m.html"):
        map_words(file, tmp_path / "w.txt", tmp_path / "m.png")
