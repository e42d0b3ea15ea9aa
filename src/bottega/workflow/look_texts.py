"""`look` at texts: the task, the lengths and scripts, what stands twice, what may make a score untrue."""

import unicodedata
from collections import Counter
from typing import Any

import numpy as np

from bottega.data.text_characters import MAX_CHARACTERS
from bottega.data.text_checks import text_suspects, words_of
from bottega.data.text_languages import language_shares
from bottega.data.texts import TextSet, digests, text_groups
from bottega.data.twins import twin_records
from bottega.problem.records import LookRecord, Task

__all__ = ["text_record"]

SAMPLE = 2_000  # texts whose letters tell the scripts
MAX_TWINS = 1_000  # groups that the record lists; the facts count them all


def text_record(texts: TextSet, also: tuple[str, ...] = ()) -> LookRecord:
    """The record of texts that were read already.

    Args:
        also: columns that are learned from beside them.
    """
    hashes, groups = digests(texts.texts), text_groups(texts.texts)
    counts = Counter(label for label in texts.labels if label is not None)
    return LookRecord(
        task=_task(texts, counts),
        n_examples=sum(counts.values()) if texts.target is not None else len(texts),
        n_per_class=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        rejected=texts.rejected,
        twins=tuple(twin_records(texts.names, texts.labels, hashes, groups)[:MAX_TWINS]) if len(texts) else (),
        suspects=text_suspects(texts, groups, hashes) if len(texts) else (),
        estimate_seconds=None,
        n_per_part=dict(Counter(part or "train" for part in texts.parts)) if any(texts.parts) else {},
        facts={**_facts(texts, groups), "also": list(also)},
    )


def _task(texts: TextSet, counts: Counter[str]) -> Task:
    classes = tuple(sorted(counts))
    where = f"texts in {', '.join(map(repr, texts.columns))}" if texts.columns else "a folder of texts for each class"
    n = sum(counts.values())
    if texts.target is None:
        return Task(None, "texts", None, (), "undecided: no target; name the column of the labels with --target")
    if len(classes) < 2:
        return Task(None, "texts", texts.target, classes, f"undecided: {len(classes)} class in {texts.target!r}")
    if len(classes) > n / 2:
        why = f"undecided: {len(classes):,} different labels for {n:,} texts in {texts.target!r}"
        return Task(None, "texts", texts.target, (), why)
    return Task("classification", "texts", texts.target, classes, f"{len(classes)} classes; {where}")


def _facts(texts: TextSet, groups: Any) -> dict[str, Any]:
    characters = np.array([len(text) for text in texts.texts] or [0])
    words = np.array(
        [len(words_of(text[:MAX_CHARACTERS])) for text in texts.texts[:: max(1, len(texts) // SAMPLE)]] or [0]
    )
    return {
        "name": texts.name,
        "source": texts.source,
        "text_columns": list(texts.columns),
        "characters": _quantiles(characters),
        "words": _quantiles(words),
        "scripts": _scripts(texts),
        "languages": language_shares(texts.texts[:: max(1, len(texts) // SAMPLE)]),
        "n_groups": len(np.unique(groups)),
        "n_empty": sum(not text.strip() for text in texts.texts),
        "notes": list(texts.notes),
    }


def _quantiles(lengths: Any) -> dict[str, int]:
    low, middle, high = np.quantile(lengths, [0.01, 0.5, 0.99], method="nearest").tolist()
    return {"low": int(low), "median": int(middle), "high": int(high), "longest": int(lengths.max())}


def _scripts(texts: TextSet) -> dict[str, float]:
    """Share of the letters by script, of texts spread over the whole: LATIN, ARABIC, CJK, ..."""
    counts: Counter[str] = Counter()
    for text in texts.texts[:: max(1, len(texts) // SAMPLE)]:
        for letter, n in Counter(text[:1000]).items():
            if letter.isalpha():
                counts[unicodedata.name(letter, "UNNAMED").split()[0]] += n
    total = sum(counts.values())
    return {name: round(n / total, 4) for name, n in counts.most_common(5)}
