"""Write `bottega --help` and every verb's `--help` to docs/help, one page each; `make docs` calls it."""

import os
import subprocess
import sys
from pathlib import Path

from bottega.cli.main import HELP

FOLDER = Path(__file__).parent / "help"
COLUMNS = "80"


def help_pages() -> dict[str, str]:
    """Give the text of each page by its file name, as the command prints it now."""
    pages = {"bottega.md": _page("bottega")}
    return pages | {f"{verb}.md": _page("bottega", verb) for verb in HELP}


def _page(*words: str) -> str:
    command = [sys.executable, "-m", "bottega.cli.main", *words[1:], "--help"]
    plain = os.environ | {"COLUMNS": COLUMNS, "TERMINAL_WIDTH": COLUMNS, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    shown = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env=plain).stdout
    return f"# {' '.join(words)}\n\n```console\n$ {' '.join(words)} --help\n{shown.rstrip()}\n```\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in help_pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
