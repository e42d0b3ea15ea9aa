"""The command `bottega`: finds the verb, imports it alone, and gives the exit status."""

import os
import sys
from collections.abc import Sequence

from bottega.cli import terminal
from bottega.cli.failure import install_bug_report, surroundings
from bottega.errors import BottegaError, nearest_name

__all__ = ["HELP", "main"]

HELP = {  # the first line of each verb's docstring, here so that `bottega --help` imports none of them
    "look": "Say what the data are, and what is wrong with them.",
    "train": "Train on DATA, judge the result, and ship it as one file.",
    "evaluate": "Score a model on labelled examples, with intervals.",
    "predict": "Answer for pictures or rows, and say how sure that is.",
    "explain": "Say which columns or words drive a model's answers.",
    "check": "Replay the examples inside a model file and compare.",
    "summary": "Say what a network is made of and what it costs, layer by layer.",
    "curve": "Say whether more pictures would help, and by how much.",
    "eject": "Write a run's network as a plain PyTorch script that trains it.",
    "diagnose": "Say what a run's training shows, and what to change.",
    "compare": "Say in what runs differ, and which one is better.",
    "reproduce": "Train a run again and compare the two files.",
    "words": "Ask word vectors for sums of words and neighbours, and test them.",
}
FLAGS = ("--help", "--version", "--debug")
INTERRUPTED = 130  # 128 + SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports other programs whose reader left


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: the words after `bottega`; those of the process by default.
    Returns:
        Exit status: 0 done, 2 the user's input, 3 a bar not met, 130 interrupted, 141 the reader of the output left.
        Anything unforeseen leaves as an exception: the process ends with 1 and tells where the log is.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    flags = words[: words.index("--")] if "--" in words else words
    as_json, debug = "--json" in flags, "--debug" in flags
    if debug:
        words.remove("--debug")
    install_bug_report(words, as_json=as_json, debug=debug)
    try:
        status = _dispatch(words)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the flush at exit complains again
        return BROKEN_PIPE
    except KeyboardInterrupt:
        stop = BottegaError(found="interrupted", expected="the work to go on", fix="run the same command again")
        terminal.fail(stop, as_json=as_json, debug=debug)
        return INTERRUPTED
    except (BottegaError, ImportError, OSError, MemoryError) as error:
        known = error if isinstance(error, BottegaError) else surroundings(error)
        if known is None:
            raise
        terminal.fail(known, as_json=as_json, debug=debug)
        return known.exit_status


def _dispatch(words: list[str]) -> int:
    first = words[0] if words else "--help"
    if first in HELP:
        from bottega.cli.parsing import run_verb  # typer takes 50 ms, which the page of all verbs needn't wait for

        return run_verb(first, words[1:])
    if first == "--help":
        terminal.say(*_help_page())
        return 0
    if first == "--version":
        from importlib.metadata import version

        terminal.say(f"bottega {version('bottega')}")
        return 0
    kind, known = ("option", FLAGS) if first.startswith("-") else ("verb", tuple(HELP))
    near = nearest_name(first, known)
    fix = f"did you mean `bottega {near}`?" if near else "bottega --help lists the verbs"
    raise BottegaError(found=f"no {kind} is called {first!r}", expected=f"one of {', '.join(known)}", fix=fix)


def _help_page() -> list[str]:
    return [
        "Usage: bottega VERB ...",
        "",
        "  From your data to one proved file.",
        "",
        "Verbs:",
        *(f"  {verb:<10} {line}" for verb, line in HELP.items()),
        "",
        "Options:",
        "  --help     Show this page; `bottega VERB --help` shows a verb's own.",
        "  --version  Show the version.",
        "  --debug    After a verb: show the traceback when something goes wrong.",
        "",
        "Start with `bottega look FOLDER`, where FOLDER has one sub-folder of pictures a",
        "class, or with `bottega look table.csv`.",
    ]


if __name__ == "__main__":
    sys.exit(main())
