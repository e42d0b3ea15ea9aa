"""The page: what it says, that it stays itself whatever the names are, and its size."""

import random
import re
import runpy
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bottega.errors import BottegaError
from bottega.evaluation.evidence import Confusion, Evidence, Member, Thumbnail
from bottega.evaluation.page import stylesheet
from bottega.evaluation.report import LIMIT_BYTES, render, write_report
from bottega.problem.records import Rejected, Score, Suspect

HOSTILE = [
    "<script>alert(1)</script>",
    'x" onmouseover="alert(1)',
    "a\nb",
    "\u202egpj.exe",
    "שלום",
    "\x1b[2J",
    "\udcff",
    "=cmd|' /C calc'!A0",
    "</style><img src=x onerror=alert(1)>",
    "y" * 3000,
]
VOID = {"meta", "img", "input", "br"}


class Page(HTMLParser):
    """What a browser would make of it: tags, attributes, text; and whether each element is closed."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "title"):
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def demo():
    return runpy.run_path(str(Path(__file__).with_name("demo_report.py")))["demo"]()


def test_the_page_says_what_the_run_found(demo):
    record, evidence = demo
    page = Page(render(record, evidence))
    assert not page.open
    text = page.text
    order = [
        record.verdict,
        "true value between",
        "You may believe",
        "It beats the best rival",
        "Where it goes wrong",
        "The surest mistakes",
        "How far its percentages",
        "The data",
        "Use it",
        "Make it again",
        "own affairs",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    wrong = sum(evidence.confusion.wrong.values())
    assert re.search(rf"(\w+) of {record.test['n']} are wrong", text)
    assert wrong == round(record.test["n"] * (1 - record.test["score"]))
    for words in ("style sheet (CSS)", "9/copy of 4.png", "off the scale", "naive", *evidence.snippets, "sha256"):
        assert words in text


def test_equal_input_gives_equal_bytes_and_no_draft_is_left(demo, tmp_path):
    write_report(*demo, tmp_path / "a.html")
    write_report(*demo, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_a_place_that_cannot_be_written_is_told(demo, tmp_path):
    with pytest.raises(BottegaError, match="the report could not be written"):
        write_report(*demo, tmp_path / "nowhere" / "report.html")


def test_it_asks_nobody_for_anything(demo):
    page = Page(render(*demo))
    assert "script" not in page.tags
    policy = next(value for tag, key, value in page.attributes if tag == "meta" and value.startswith("default-src"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    for _, key, value in page.attributes:
        assert not key.startswith("on")
        if key in ("src", "href"):
            assert value.startswith(("data:image/", "#"))
    ids = [value for _, key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    targets = {value[1:] for _, key, value in page.attributes if key == "href"}
    assert targets <= set(ids)
    assert "url(" not in stylesheet()
    assert "@import" not in stylesheet()


def test_every_chart_and_picture_says_what_it_shows(demo):
    page = render(*demo)
    for svg in re.findall(r"<svg[^>]*>", page):
        assert 'aria-hidden="true"' in svg or re.search(r'role="img" aria-label="[^"]{20,}"', svg)
    for picture in re.findall(r"<img[^>]*>", page):
        assert re.search(r'alt="[^"]+"', picture)


def hostile(demo):
    record, evidence = demo
    names = tuple(HOSTILE)
    members = tuple(Member(None, name, name) for name in names)
    record = replace(
        record,
        verdict=" ".join(names),
        believe=names,
        next_steps=names,
        rejected=tuple(Rejected(name, name) for name in names),
        suspects=tuple(Suspect(name, name, name, name) for name in names),
        candidates=tuple(
            replace(one, name=name, dropped=name) for one, name in zip(record.candidates, names, strict=False)
        ),
        per_class={name: next(iter(record.per_class.values())) for name in names},
        seconds={names[0]: 1.0},
        split={names[1]: names},
    )
    mistakes = tuple(
        replace(one, truth=n, answer=n, name=n, nearest_label=n)
        for one, n in zip(evidence.mistakes, names, strict=False)
    )
    return record, replace(
        evidence,
        data_name=names[0],
        n_per_class={name: i for i, name in enumerate(names)},
        confusion=replace(evidence.confusion, labels=names),
        mistakes=mistakes,
        conflicts=(members,),
        twins=(members,),
        snippets={name: name for name in names[:5]},
        reproduce=names,
        versions={name: name for name in names},
        recipe="\n".join(names),
        model_file={name: name for name in names},
        prepared=names[0],
        curve=replace(evidence.curve, sentence=names[0], x_name=names[1], kept_words=names[8]),
    )


def test_no_name_becomes_markup(demo):
    plain, attacked = Page(render(*demo)), Page(render(*hostile(demo)))
    assert set(attacked.tags) <= set(plain.tags) | {"ul", "ol", "li"}
    assert not attacked.open
    known = {key for _, key, _ in plain.attributes}
    assert {key for _, key, _ in attacked.attributes} <= known
    shown = attacked.text
    assert "<script>alert(1)</script>" in shown  # as text
    assert "\\u202egpj.exe" in shown
    assert not re.search("[\u202a-\u202e\x1b\ud800-\udfff]", render(*hostile(demo)))


def test_names_are_isolated_from_the_direction_around_them(demo):
    page = render(*hostile(demo))
    for found in re.finditer("שלום", page):
        before = page[: found.start()]
        inside_bdi = before.rfind("<bdi>") > before.rfind("</bdi>")
        in_svg_or_attribute = before.rfind("<") > before.rfind(">") or before.rfind("<text") > before.rfind("</text>")
        in_code = before.rfind("<pre") > before.rfind("</pre>")
        assert inside_bdi or in_svg_or_attribute or in_code


def many_classes(demo, n):
    record, evidence = demo
    chance = random.Random(n)
    picture = evidence.mistakes[0].picture
    labels = tuple(f"class {i}" for i in range(n))
    counts = {(i, i): chance.randint(5, 30) for i in range(n)}
    counts |= {(i, (i + chance.randint(1, n - 1)) % n): chance.randint(1, 7) for i in range(0, n, 2)}
    confusion = Confusion(labels, counts, {cell: picture for cell in counts if cell[0] != cell[1]})
    row = next(iter(record.per_class.values()))
    return replace(record, per_class=dict.fromkeys(labels, row)), replace(evidence, confusion=confusion)


@pytest.mark.parametrize("n", [2, 20])
def test_few_classes_are_a_matrix_with_pictures(demo, n):
    page = render(*many_classes(demo, n))
    assert 'aria-label="Confusion matrix"' in page
    assert '<details name="cell">' in page
    assert "heat map" not in page.lower().split("</style>")[1]


@pytest.mark.parametrize("n", [21, 77, 1000])
def test_many_classes_are_a_list_of_pairs_and_a_heat_map(demo, n):
    start = time.perf_counter()
    page = render(*many_classes(demo, n))
    assert time.perf_counter() - start < 2
    assert len(page.encode()) < LIMIT_BYTES
    assert 'aria-label="Confusion matrix"' not in page
    assert f"Heat map of {n} classes" in page
    assert "The pairs of classes that are confused most" in page


def test_what_is_empty_says_so(demo):
    record, _ = demo
    bare = replace(
        record,
        model_path=None,
        candidates=(),
        findings=(),
        rejected=(),
        suspects=(),
        twins=(),
        per_class={},
        believe=(),
        doubt=(),
        next_steps=(),
        seconds={},
        metrics={},
    )
    text = Page(render(bare, Evidence("nothing", 0))).text
    for words in (
        "No model file was made",
        "No rival was run",
        "there is no curve to read",
        "no mistakes to show",
        "percentages were not checked",
        "every file could be read",
        "no picture stands under two classes",
        "no two pictures are nearly the same",
        "nothing gives the answer away",
        "No file was made",
    ):
        assert words in text


def test_no_mistake_is_said_with_what_it_leaves_open(demo):
    record, evidence = demo
    right = {(i, i): n for (i, j), n in evidence.confusion.counts.items() if i == j}
    record = replace(record, metrics={"accuracy": Score(500, 1.0, 0.992, 1.0)})
    text = Page(
        render(record, replace(evidence, confusion=Confusion(evidence.confusion.labels, right), mistakes=()))
    ).text
    assert (
        re.search(r"None of \d+ test pictures was answered wrong\. .* up to 0\.8\u202f%", text) or "up to 0.8" in text
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [("held-out", "it had never seen"), ("given", "the test part that came with the data"), ("cv", "cross-validation")],
)
def test_where_the_score_comes_from_is_said(demo, source, words):
    record, evidence = demo
    assert words in Page(render(replace(record, test=record.test | {"source": source}), evidence)).text


@pytest.mark.parametrize("source", ["held-out", "given"])
def test_given_parts_are_not_said_to_keep_twins_apart(demo, source):
    record, evidence = demo
    said = Page(render(replace(record, test=record.test | {"source": source}), evidence)).text
    n_kept = said.count("kept on one side of the split")
    n_left = said.count("left where they were, since the parts were given")
    assert (n_kept > 1, n_left > 1) == (source == "held-out", source == "given")
    assert min(n_kept, n_left) == 0


def test_a_rival_that_did_better_is_told(demo):
    record, evidence = demo
    ours, rival, *rest = record.candidates
    rival = replace(rival, test=Score(539, 0.99, 0.98, 0.995), difference=Score(539, -0.02, -0.03, -0.01))
    text = Page(render(replace(record, candidates=(ours, rival, *rest)), evidence)).text
    assert "A rival did better on the test part" in text
    assert "was better by 2.0 points" in text


def test_a_loss_is_better_when_it_is_smaller(demo):
    record, evidence = demo
    ours = replace(record.candidates[0], test=Score(539, 0.1, 0.08, 0.12, False))
    rival = replace(
        record.candidates[1], test=Score(539, 0.3, 0.27, 0.33, False), difference=Score(539, -0.2, -0.25, -0.15, False)
    )
    record = replace(
        record,
        metric="log_loss",
        candidates=(rival, ours),
        test=record.test | {"score": 0.1, "low": 0.08, "high": 0.12},
    )
    text = Page(render(record, replace(evidence, naive=None))).text
    assert "It beats each of its rivals" in text
    assert "by 0.20 (0.15 … 0.25)" in text


def test_too_many_pictures_leave_the_least_important_ones_out(demo):
    record, evidence = demo
    noise = random.Random(0)
    big = [Thumbnail(b"\x89PNG" + noise.randbytes(42_000), 96, 96, f"big {i}") for i in range(200)]
    groups = tuple(tuple(Member(one, "a", "x.png") for one in big[i : i + 4]) for i in range(0, 60, 4))
    twins = tuple(tuple(Member(one, "a", "x.png") for one in big[i : i + 4]) for i in range(60, 200, 4))
    page = render(record, replace(evidence, conflicts=groups, twins=twins))
    assert 4_000_000 < len(page.encode()) <= LIMIT_BYTES
    assert 'alt="big 0"' in page
    assert 'alt="big 150"' not in page
    assert "of the less important pictures were left out" in page
    assert all(f'alt="{one.picture.alt}"' in page for one in evidence.mistakes)


def test_the_page_of_500_test_pictures_takes_less_than_half_a_second(demo):
    start = time.perf_counter()
    page = render(*demo)
    assert time.perf_counter() - start < 0.5
    assert len(page.encode()) < 1_000_000


# Contrast, computed from the style sheet itself (WCAG 2.2, relative luminance).


def colours():
    css = stylesheet()
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9A-F]{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)[:2]
    )
    return [light, light | dark]


def channels(colour):
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", colours(), ids=["light", "dark"])
def test_text_has_contrast(theme):
    for ground in ("page", "card", "wash"):
        for text in ("ink", "soft", "accent", "counter", "good", "watch"):
            assert contrast(channels(theme[text]), channels(theme[ground])) >= 4.5, (text, ground)
    mixes = re.findall(r"color-mix\(in srgb, var\(--(\w+)\) (\d+)%, var\(--(\w+)\)\)", stylesheet())
    assert len(mixes) == 5
    for colour, share, ground in mixes:
        part = int(share) / 100
        mixed = [
            part * a + (1 - part) * b for a, b in zip(channels(theme[colour]), channels(theme[ground]), strict=True)
        ]
        assert contrast(channels(theme["ink"]), mixed) >= 4.5, (colour, share)
