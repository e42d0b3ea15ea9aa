"""What was aimed at beside frozen features on pictures: networks of one's own, tables, texts, words."""

import statistics
from collections.abc import Callable, Sequence

from targets import Record, Row, latest, percent

__all__ = ["other_rows"]

Say = Callable[[], tuple[str, bool]]
TEXTS = {  # the least accuracy, and the most seconds of a whole process with an empty cache
    "sms_spam": (0.990, 10.0),
    "trec": (0.94, None),
    "mr_polarity": (0.81, None),
    "sst2": (0.86, None),
    "sst5": (0.45, None),
    "banking77": (0.92, None),
}
SPEEDS = ("adult_income", "titanic")  # tables of which one row is asked
BEATEN = ("fine_foods", "tweets_4_languages_a")  # the rival, TF-IDF of words, by a paired test


def other_rows(records: Sequence[Record]) -> list[Row]:
    """One row for each target."""
    return [*_mnist(records), _digits(records), *_tables(records), *_texts(records), *_words(records), _soak(records)]


def _mnist(records: Sequence[Record]) -> list[Row]:
    by_method = {record["method"]: [record] for record in records if record["task"] == "mnist"}  # the latest of each

    def accurate(method: str) -> Say:
        def say() -> tuple[str, bool]:
            (found,) = by_method[method]
            wanted, score, seconds = found["wanted"], found["median_accuracy"], found["median_seconds"]
            said = f"{100 * score:.2f} % in {seconds:.1f} s (median of {len(found['seconds'])} seeds)"
            return said, score >= wanted["test_accuracy"] and (
                wanted["seconds"] is None or seconds <= wanted["seconds"]
            )

        return say

    def rivals() -> tuple[str, bool]:
        ours = by_method["quick"][0]["median_seconds"]
        bare, keras = (by_method[name][0]["seconds"] for name in ("bare", "keras"))
        return f"{ours / bare:.2f} of a bare loop's {bare:.0f} s, {ours / keras:.2f} of Keras' {keras:.0f} s", True

    def overhead() -> tuple[str, bool]:
        ratio = by_method["overhead"][0]["median_ratio"]
        return f"{100 * (ratio - 1):+.1f} %", ratio <= 1.05

    def busy() -> tuple[str, bool]:
        ratio = by_method["busy"][0]["over_fair_share"]
        return f"{ratio:.2f}", ratio <= 1.3

    def resumed() -> tuple[str, bool]:
        seconds = by_method["resume"][0]["median_resumed_step_seconds"]
        return f"{seconds:.2f} s", seconds <= 2

    def begun() -> tuple[str, bool]:
        found = by_method["resume"][0]
        imports, first = found["median_import_seconds"], found["median_first_step_seconds"]
        return f"{first:.2f} s after {imports:.2f} s", first <= 1 and imports <= 2

    return [
        _row("MNIST, quick recipe", "≥ 99.0 % in ≤ 13 s of training", by_method.get("quick"), accurate("quick")),
        _row("MNIST, 15 epochs", "≥ 99.5 % in ≤ 69 s", by_method.get("good"), accurate("good")),
        _row("MNIST, `--preset accurate`", "≥ 99.6 %", by_method.get("accurate"), accurate("accurate")),
        _row("MNIST to 99.0 %, beside others", "told", by_method.get("keras") and by_method.get("bare"), rivals),
        _row("the training loop over a bare one", "≤ +5 %", by_method.get("overhead"), overhead),
        _row("a training beside a busy core, over its fair share", "≤ 1.3", by_method.get("busy"), busy),
        _row("MNIST, a stopped training to its next step", "≤ 2 s", by_method.get("resume"), resumed),
        _row("MNIST, the first step; the imports", "≤ 1 s after ≤ 2 s", by_method.get("resume"), begun),
    ]


def _digits(records: Sequence[Record]) -> Row:
    found = latest(records, "digits")

    def say() -> tuple[str, bool]:
        last = found[-1]
        score, seconds, rival = (last[f"mean_{name}"] for name in ("test_accuracy", "seconds", "svc_accuracy"))
        right = score >= last["wanted"]["test_accuracy"] and max(last["seconds"]) <= last["wanted"]["seconds"]
        n, most = len(last["seconds"]), max(last["seconds"])
        said = f"{100 * score:.1f} % in {seconds:.1f} s (at most {most:.1f}); support vectors {100 * rival:.1f} %"
        return f"{said}, {n} splits", right

    return _row("digits, a network of one's own", "≥ 98.5 % in ≤ 5 s each", found, say)


def _tables(records: Sequence[Record]) -> list[Row]:
    def one(what: str, target: str, size: str, seconds: float, peak_bytes: float) -> Row:
        found = latest(records, "tables_look", size=size)

        def say() -> tuple[str, bool]:
            last = found[-1]
            took, peak = last["median_seconds"], last["peak_bytes"]
            return f"{took:.1f} s, {peak / 1e9:.2f} GB", took <= seconds and peak <= peak_bytes

        return _row(what, target, found, say)

    found = [one for one in latest(records, "tables") if one["limit"]]
    alone = [one for one in latest(records, "tables", data="adult_income") if not one["limit"]]
    adult = alone or [one for one in found if one["data"] == "adult_income"]  # 26 s is of a training without a limit

    def trained() -> tuple[str, bool]:
        score, rival = (statistics.mean(one["test"]["score"] for one in some) for some in (adult, _rivals(adult)))
        seconds, n_bytes = (max(one[what] for one in adult) for what in ("seconds", "bytes"))
        tied = not any(beaten(one) for one in adult)
        said = f"{100 * score:.2f} %, the best rival {100 * rival:.2f} %, {seconds:.0f} s, {n_bytes / 1e6:.1f} MB"
        return f"{said}, splits: {len(adult)}", tied and seconds <= 26 and n_bytes <= 5e6

    def beaten(one: Record) -> bool:
        """Whether the best of scikit-learn's models is better beyond the interval of the paired difference."""
        gap = one["rival"]["difference"]
        return gap is not None and (gap["high"] < 0 if gap["higher_is_better"] else gap["low"] > 0)

    def kind(metric: str, most_better: int) -> Row:
        some = [one for one in found if one["metric"] == metric and one["data"] != "adult_income"]
        names = sorted({one["data"] for one in some})

        def say() -> tuple[str, bool]:
            worse = sorted({one["data"] for one in some if beaten(one)})
            better = [name for name in names if _mean_gain([one for one in some if one["data"] == name]) > 0]
            said = f"worse: {', '.join(worse) or 'none'}; better: {', '.join(better) or 'none'}; of {len(names)}"
            return said, not worse and len(better) >= most_better

        what = "values" if metric == "rmse" else "classes"
        target = f"never worse beyond the interval than the best of scikit-learn's, better on {most_better}"
        return _row(f"tables of {what}, mean over splits", target, some, say)

    def covered() -> tuple[str, bool]:
        shares = [one["metrics"]["coverage"]["score"] for one in found if "coverage" in one["metrics"]]
        return f"{percent(shares)} of {len(shares)} trainings", abs(statistics.mean(shares) - 0.9) <= 0.02

    of_values = [one for one in found if "coverage" in one["metrics"]]
    return [
        _row("adult_income", "tied with the best of scikit-learn's, ≤ 26 s, ≤ 5 MB", adult, trained),
        kind("rmse", 3),
        kind("accuracy", 3),
        _row("coverage of 90 % intervals", "90 ± 2 %", of_values, covered),
        _ranks(found),
        _limit_kept(found),
        *_tables_speed(records),
        one("look at 32,561 rows of 14 columns", "≤ 2 s", "as it is", 2.0, float("inf")),
        one("look at a million rows of 20 columns", "≤ 20 s, ≤ 2 GB", "a million rows", 20.0, 2e9),
    ]


def _ranks(found: Sequence[Record]) -> Row:
    """Beside AutoGluon, on the mean over splits of each table."""
    beside = [one for one in found if "autogluon" in one]
    names = sorted({one["data"] for one in beside})

    def say() -> tuple[str, bool]:
        gains = [_gain_on_autogluon([one for one in beside if one["data"] == name]) for name in names]
        ranks = [1.0 if gain > 0 else 2.0 if gain < 0 else 1.5 for gain in gains]
        ours, theirs = statistics.mean(ranks), 3 - statistics.mean(ranks)
        return f"{ours:.2f}, AutoGluon {theirs:.2f}; {len(names)} tables", ours <= theirs

    return _row("tables, mean rank beside AutoGluon at the same limit", "≤ AutoGluon's", beside, say)


def _gain_on_autogluon(records: Sequence[Record]) -> float:
    sign = 1 if records[0]["test"]["higher_is_better"] else -1
    return statistics.mean(sign * float(one["test"]["score"] - one["autogluon"]["score"]) for one in records)


def _limit_kept(found: Sequence[Record]) -> Row:
    timed = [one for one in found if float(one["limit"].removesuffix("s")) >= 30]

    def say() -> tuple[str, bool]:
        shares = [one["seconds"] / float(one["limit"].removesuffix("s")) for one in timed]
        said = f"{100 * min(shares):.0f} … {100 * max(shares):.0f} % of it, {len(timed)} trainings"
        return said, max(shares) <= 1.1

    return _row("tables, `--time` of 30 s or more", "≤ 110 % of it used", timed, say)


def _tables_speed(records: Sequence[Record]) -> list[Row]:
    rows = []
    for name in SPEEDS:
        found = latest(records, "tables_speed", data=name)

        def asked(found: list[Record] = found) -> tuple[str, bool]:
            last = found[-1]
            cold, bare = (last["median_seconds"][what] for what in ("predict", "bare engine"))
            said = (
                f"{last['loaded_ms']:.2f} ms (the bare engine {last['engine_ms']:.2f}), {cold:.2f} s (it {bare:.2f}), "
                f"{last['bytes'] / 1e6:.1f} MB ({last['chosen']})"
            )
            return said, last["loaded_ms"] <= 0.3 and cold <= 0.6 and last["bytes"] <= 5e6

        rows.append(_row(f"one row of {name}, loaded; cold; its file", "≤ 0.3 ms; ≤ 0.6 s; ≤ 5 MB", found, asked))
    return rows


def _rivals(records: Sequence[Record]) -> list[Record]:
    return [one["rival"] for one in records]


def _mean_gain(records: Sequence[Record]) -> float:
    """How much better than the best rival on the test part, on average over splits; positive is better."""
    sign = 1 if records[0]["test"]["higher_is_better"] else -1
    return statistics.mean(sign * float(one["test"]["score"] - one["rival"]["test"]["score"]) for one in records)


def _texts(records: Sequence[Record]) -> list[Row]:
    rows = []
    for name, (least, most) in TEXTS.items():
        found = latest(records, "texts", data=name)

        def reached(found: list[Record] = found, least: float = least, most: float | None = most) -> tuple[str, bool]:
            score = statistics.mean(one["test"]["score"] for one in found)
            seconds = statistics.median(one["seconds"] for one in found)
            n = f", {len(found)} {'folds' if 'fold' in found[-1] else 'splits'}" if len(found) > 1 else ""
            said = f"{100 * score:.1f} % ({found[-1]['chosen']}) in {seconds:.0f} s{n}"
            return said, score >= least and (most is None or seconds <= most)

        target = f"≥ {100 * least:.1f} %" + (f" in ≤ {most:.0f} s" if most else "")
        rows.append(_row(f"{name}, accuracy", target, found, reached))
    for name in BEATEN:
        found = latest(records, "texts", data=name)

        def beaten(found: list[Record] = found) -> tuple[str, bool]:
            gap, score, rival = found[-1]["difference"], found[-1]["test"]["score"], found[-1]["rival"]["score"]
            return f"{100 * score:.1f} % against {100 * rival:.1f} %", gap is not None and gap["low"] > 0

        rows.append(_row(f"{name}, beside TF-IDF", "better by a paired test", found, beaten))
    return [*rows, *_texts_speed(records)]


def _texts_speed(records: Sequence[Record]) -> list[Row]:
    found = latest(records, "texts_speed")

    def features() -> tuple[str, bool]:
        last = found[-1]
        over, share = last["features_over_engine"], last["share_of_tokenising"]
        said = f"{last['features_per_second']:.0f} a second, {over:.2f}; cutting {100 * share:.1f} % of the time"
        return said, over >= 0.85 and share <= 0.1

    def asked() -> tuple[str, bool]:
        last = found[-1]
        cold, bare, ms = last["median_seconds"]["predict"], last["median_seconds"]["bare engine"], last["loaded_ms"]
        said = f"{cold:.2f} s (the bare engine {bare:.2f}), {ms:.1f} ms, {last['bytes'] / 1e6:.0f} MB"
        return said, cold <= 0.8 and ms <= 10

    what = "sentence features from strings, over the bare engine"
    return [
        _row(what, "≥ 0.85, cutting into pieces ≤ 10 %", found, features),
        _row("one text through the sentence network, cold; loaded", "≤ 0.8 s; ≤ 10 ms", found, asked),
    ]


def _soak(records: Sequence[Record]) -> Row:
    found = latest(records, "soak")

    def say() -> tuple[str, bool]:
        tests = found[-1]["tests"]
        kills = sum(one.get("passed", 0) for name, one in tests.items() if name.startswith("test_killed"))
        n_passed = sum(one.get("passed", 0) for one in tests.values())
        said = f"{n_passed} passed, {kills} of them killed and resumed; {len(found[-1]['failed'])} failed"
        return said, not found[-1]["failed"]

    return _row("kills, full disks and sweeps (`make soak`)", "the same bytes, nothing lost", found, say)


def _words(records: Sequence[Record]) -> list[Row]:
    """Each speed is that of the quietest run, since gensim loads on one core and ours on two; the others are told."""
    found = [record for record in records if record["task"] == "words"]

    def one(what: str, target: str, key: str, limit: float, *, least: bool = False) -> Row:
        def say() -> tuple[str, bool]:
            values = [record["ratios"][key] for record in found]
            quiet = min(found, key=lambda record: record["machine"]["busy_elsewhere"])["ratios"][key]
            said = f"{quiet:.2g} in the quietest of {len(values)} runs ({min(values):.2g} … {max(values):.2g})"
            return said, quiet >= limit if least else quiet <= limit

        return _row(f"3,000,000 word vectors: {what}", target, found, say)

    return [
        one("conversion ÷ gensim's load", "≤ 0.75", "conversion_over_load", 0.75),
        one("opening ÷ its mapped load", "≤ 0.02", "opening_over_mapped_load", 0.02),
        one("a question, both rules ÷ its one", "≤ 0.6", "question_both_rules_over_most_similar", 0.6),
        one("anonymous memory ÷ its", "≤ 0.2", "anonymous_over_loaded", 0.2),
        one("a batch of 1,000 ÷ the bare product", "≥ 0.5", "batch_over_product", 0.5, least=True),
    ]


def _row(what: str, target: str, found: Sequence[Record] | None, say: Say) -> Row:
    if not found:
        return Row(what, target, "not measured yet", None, "")
    measured, met = say()
    return Row(what, target, measured, met, found[-1]["command"])
