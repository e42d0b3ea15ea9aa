"""The command as a user meets it: help, misspellings, exit statuses, odd terminals."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from command import run_bottega

VERBS = ("look", "train", "evaluate", "predict", "check", "reproduce")


def fastest(*words: str, n: int = 20) -> float:
    """The quickest of some runs in seconds of processor time: what the machine's other work cannot explain away."""
    return min(_seconds(*words) for _ in range(n))


def _seconds(*words: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_answers_at_once() -> None:
    assert fastest("-m", "bottega.cli.main", "--help") <= 0.15


def test_import_costs_next_to_nothing() -> None:
    assert fastest("-c", "import bottega") - fastest("-c", "pass") <= 0.05


def test_help_of_every_verb_imports_no_engine(tmp_path: Path) -> None:
    heavy = ("torch", "onnxruntime", "sklearn", "PIL", "numpy", "rich", "matplotlib")
    code = (
        "import sys\nfrom bottega.cli.main import main\n"
        f"main([sys.argv[1], '--help'])\nprint([m for m in {heavy!r} if m in sys.modules])"
    )
    for verb in VERBS:
        shown = subprocess.run([sys.executable, "-c", code, verb], capture_output=True, text=True, check=True).stdout
        assert shown.splitlines()[-1] == "[]", verb


def test_no_words_show_the_verbs(tmp_path: Path) -> None:
    outcome = run_bottega(cwd=tmp_path)
    assert outcome.status == 0
    for verb in VERBS:
        assert f"  {verb} " in outcome.out


@pytest.mark.parametrize(
    ("words", "found", "fix"),
    [
        (["trian", "x"], "no verb is called 'trian'", "did you mean `bottega train`?"),
        (["--versoin"], "no option is called '--versoin'", "did you mean `bottega --version`?"),
        (["train", "x", "--presett", "fast"], "train has no option '--presett'", "did you mean --preset?"),
        (["train", "x", "--seed", "seven"], "--seed 'seven'", "bottega train --help says what each takes"),
        (["train", "x", "--preset", "fsat"], "preset 'fsat'", "--preset fast"),
        (["train", "x", "--at-least", "90"], "--at-least 90.0", "--at-least 0.9"),
        (["train"], "no data to train on", "bottega train FOLDER"),
        (["reproduce"], "Missing argument 'RUN'", "bottega reproduce --help says what each takes"),
    ],
)
def test_wrong_words_get_three_lines(words: list[str], found: str, fix: str, tmp_path: Path) -> None:
    outcome = run_bottega(*words, cwd=tmp_path)
    assert outcome.status == 2
    assert outcome.out == ""
    first, second, third = outcome.err.splitlines()
    assert first == f"found:    {found}"
    assert second.startswith("expected: ")
    assert third == f"fix:      {fix}"


@pytest.mark.parametrize("words", [["trian", "--json"], ["train", "x", "--nope", "--json"], ["train", "--json"]])
def test_json_errors_are_one_document(words: list[str], tmp_path: Path) -> None:
    outcome = run_bottega(*words, cwd=tmp_path)
    assert outcome.status == 2
    assert set(outcome.document) == {"error", "rejected", "suspects"}
    assert set(outcome.document["error"]) == {"found", "expected", "fix", "where"}
    assert outcome.err == ""


def test_json_after_two_dashes_is_a_name(tmp_path: Path) -> None:
    outcome = run_bottega("trian", "--", "--json", cwd=tmp_path)
    assert outcome.out == ""
    assert "found:" in outcome.err


BUG = (
    "import sys, bottega.cli.parsing as parsing\nfrom bottega.cli.main import main\n"
    "def run_verb(verb, words): raise LookupError('what nobody foresaw\\nsecond line')\n"
    "parsing.run_verb = run_verb\nsys.exit(main())"
)


def run_code(code: str, *words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | environment
    return subprocess.run([sys.executable, "-c", code, *words], cwd=cwd, env=env, capture_output=True, text=True)


def test_our_bug_leaves_a_log(tmp_path: Path) -> None:
    result = run_code(BUG, "look", "x", cwd=tmp_path, BOTTEGA_CACHE=str(tmp_path / "cache"))
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "found:    a bug of ours: LookupError: what nobody foresaw"
    log = Path(lines[2].rpartition(" ")[2])
    assert log.parent == tmp_path / "cache" / "logs"
    assert "what nobody foresaw" in log.read_text()
    assert "Traceback" not in result.stderr


def test_our_bug_where_the_cache_cannot_be_written(tmp_path: Path) -> None:
    result = run_code(BUG, "look", "x", cwd=tmp_path, BOTTEGA_CACHE="/dev/null")
    assert result.returncode == 1
    log = Path(result.stderr.splitlines()[2].rpartition(" ")[2])
    assert "LookupError" in log.read_text()
    log.unlink()


def test_our_bug_with_debug_and_json(tmp_path: Path) -> None:
    result = run_code(BUG, "look", "x", "--debug", "--json", cwd=tmp_path)
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert json.loads(result.stdout)["error"]["found"] == "a bug of ours: LookupError: what nobody foresaw"


RAISES = (
    "import sys, bottega.cli.parsing as parsing\nfrom bottega.cli.main import main\n"
    "def run_verb(verb, words): raise {error}\n"
    "parsing.run_verb = run_verb\nsys.exit(main())"
)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        ("KeyboardInterrupt", 130, "interrupted"),
        ("OSError(28, 'No space left on device', 'runs/a')", 2, "No space left on device (runs/a)"),
        ("PermissionError(13, 'Permission denied', 'runs')", 2, "Permission denied (runs)"),
        ("MemoryError", 2, "memory ran out"),
        ("ModuleNotFoundError('no', name='torch')", 2, "the package 'torch' is not installed"),
        ("__import__('bottega').UnmetBarError(found='a', expected='b', fix='c')", 3, "a"),
    ],
)
def test_exit_statuses(error: str, status: int, said: str, tmp_path: Path) -> None:
    result = run_code(RAISES.format(error=error), "look", cwd=tmp_path)
    assert result.returncode == status
    assert result.stderr.splitlines()[0] == f"found:    {said}"
    as_json = run_code(RAISES.format(error=error), "look", "--json", cwd=tmp_path)
    assert as_json.returncode == status
    assert "error" in json.loads(as_json.stdout)


def test_missing_extra_names_the_command(tmp_path: Path) -> None:
    result = run_code(RAISES.format(error="ModuleNotFoundError('no', name='torch')"), "train", cwd=tmp_path)
    assert result.stderr.splitlines()[2] == "fix:      pip install 'bottega[train]'"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_terminals_without_unicode(encoding: str, tmp_path: Path) -> None:
    name = "日本\u202e\n…"
    outcome = run_bottega("train", "x", "--time", name, cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 3
    assert "\\u202e\\n" in outcome.err


def test_reader_that_leaves_early(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bottega.cli.main", "--help"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_to_a_full_disk(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "bottega.cli.main", "--help"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == "found:    No space left on device"


@pytest.mark.parametrize("verb", ["look", "train"])
def test_a_name_that_no_system_can_hold_is_no_bug_of_ours(verb: str, tmp_path: Path) -> None:
    outcome = run_bottega(verb, "x" * 300, cwd=tmp_path)
    assert outcome.status == 2
    assert outcome.error_lines[0].startswith("found:    File name too long")
    assert list(tmp_path.iterdir()) == []
