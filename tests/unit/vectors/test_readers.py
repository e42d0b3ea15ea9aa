import gzip
import zipfile

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.vectors.readers import Met, read_blocks
from bottega.vectors.sources import open_source
from word_material import as_binary, as_text, planted

WORDS, ROWS = planted(n_noise=40)


def read(path, limit=None, n_in_block=16):
    met = Met()
    blocks = list(read_blocks(open_source(path), limit, n_in_block, met))
    assert all(len(block.words) == n_in_block for block in blocks[:-1])
    return [w.decode() for block in blocks for w in block.words], np.concatenate([b.rows for b in blocks]), met


def written(tmp_path, data, name="vectors"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        as_text(WORDS, ROWS),
        as_text(WORDS, ROWS, header=False),
        as_text(WORDS, ROWS, header=False).replace(b"\n", b" \n"),  # fastText leaves a space at the end
        as_text(WORDS, ROWS).replace(b"\n", b"\r\n"),
        as_text(WORDS, ROWS, header=False).replace(b" ", b"\t") + b"\n\n",
        as_binary(WORDS, ROWS),
        as_binary(WORDS, ROWS, line_ends=True),
    ],
    ids=["word2vec text", "GloVe", "spaces at the end", "CRLF", "tabs", "binary", "binary with line ends"],
)
def test_every_format_gives_the_same_words_and_numbers(tmp_path, data):
    words, rows, met = read(written(tmp_path, data))
    assert words == WORDS
    assert np.array_equal(rows, ROWS)
    assert (met.n_bad_utf8, met.n_with_space) == (0, 0)


def test_gz_and_zip(tmp_path):
    text = as_text(WORDS, ROWS, header=False)
    assert read(written(tmp_path, gzip.compress(text), "v.txt.gz"))[0] == WORDS
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.txt", text)
        archive.writestr("b.bin", as_binary(WORDS, ROWS))
    assert np.array_equal(read(tmp_path / "two.zip" / "b.bin")[1], ROWS)
    with pytest.raises(BottegaError, match=r"a zip of 2 files.*\n.*'a.txt', 'b.bin'.*\n.*two.zip/a.txt"):
        open_source(tmp_path / "two.zip")
    with pytest.raises(BottegaError, match="cannot be unpacked"):
        read(written(tmp_path, gzip.compress(text)[:-20], "cut.gz"))


def test_a_limit_reads_the_first_words_whatever_follows(tmp_path):
    whole = as_binary(WORDS, ROWS)
    words, rows, _ = read(written(tmp_path, whole[: len(whole) // 2]), limit=20)
    assert words == WORDS[:20]
    assert np.array_equal(rows, ROWS[:20])


def test_words_with_spaces_and_bytes_that_are_no_utf8(tmp_path):
    text = as_text(WORDS, ROWS, header=False).replace(b"noise0 ", b". . . ").replace(b"noise1 ", b"caf\xe9 ")
    words, rows, met = read(written(tmp_path, text))
    assert ". . ." in words
    assert "caf\\xe9" in words
    assert np.array_equal(rows, ROWS)
    assert (met.n_bad_utf8, met.examples, met.n_with_space) == (1, ["caf\\xe9"], 1)


def lines(**changed):
    rows = as_text(WORDS, ROWS).split(b"\n")
    for number, line in changed.items():
        rows[int(number[1:]) - 1] = line
    return b"\n".join(rows)


N = len(WORDS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"hello world this is prose\nand more of it\n", "a first line that begins 'hello world"),
        (b"\x89PNG\r\n\x1a\n" + bytes(5000), "found: a first line"),
        (as_text(WORDS[:1], ROWS[:1]), "found: 1 word "),
        (as_text([], ROWS[:0]), "0 words"),
        (lines(l1=b"5 24"), r"more behind the 5 words.*\n.*\n.*--limit 5"),
        (lines(l1=b"999 24"), rf"the file ends after {N} of 999 words.*\n.*\n.*--limit {N}"),
        (as_binary(WORDS, ROWS)[:-10], rf"breaks off after {N - 1} of {N} words.*\n.*\n.*--limit {N - 1}"),
        (b"3" + as_binary(WORDS, ROWS)[1:], "more behind the 3"),
        (lines(l5=b"short 1 2 3"), r"3 numbers .*line 5\)\n.*24, as the first line says"),
        (lines(l5=b"long" + b" 1.5" * 25), r"25 numbers .*line 5"),
        (lines(l5=b"odd" + b" 1" * 23 + b" x"), r"'x' where a number should be .*line 5"),
        (b"2000000000 300\nx " + bytes(5000), "a header of 2,000,000,000 words"),
        (b"20 99999\nx " + bytes(5000), "99,999 numbers each"),
        (b"3 1500\n" + b"x" * 20000, "without a space"),
        (as_binary(WORDS, ROWS).replace(b" 24", b" 23", 1), "letters and numbers are mixed up"),
        (as_binary(WORDS, ROWS).replace(b" 24", b" 25", 1), "13 of 16 rows where letters and numbers"),
        (lines(l2=b"short 1 2 3"), r"3 numbers .*line 2\)\n.*24, as the first line says\n.*mend the line$"),
    ],
)
def test_damaged_files_are_refused(tmp_path, data, message):
    with pytest.raises(BottegaError, match=message):
        read(written(tmp_path, data))


@pytest.mark.parametrize("header", [True, False])
def test_the_mark_that_some_editors_write_is_no_part_of_the_first_word(tmp_path, header):
    words, rows, _ = read(written(tmp_path, b"\xef\xbb\xbf" + as_text(WORDS, ROWS, header=header)))
    assert words == WORDS
    assert np.array_equal(rows, ROWS)


def test_a_file_that_is_not_there(tmp_path):
    written(tmp_path, b"x", "glove.txt")
    with pytest.raises(BottegaError, match=r"did you mean '.*glove.txt'"):
        open_source(tmp_path / "glvoe.txt")
    with pytest.raises(BottegaError, match="the folder"):
        open_source(tmp_path)
