"""The numbers in the docs are those of the records."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "benchmarks" / "make_tables.py"


def check(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, timeout=60)


def test_docs_give_what_the_records_say() -> None:
    result = check(SCRIPT)
    assert result.returncode == 0, f"run `python benchmarks/make_tables.py`:\n{result.stdout}{result.stderr}"


def test_another_number_in_a_record_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "README.md", tmp_path)
    copied = tmp_path / "benchmarks" / "make_tables.py"
    assert check(copied).returncode == 0
    path = max((tmp_path / "benchmarks" / "results").glob("*-cold_start.jsonl"))
    *others, last = path.read_text("utf-8").splitlines()
    record = json.loads(last)
    record["median_seconds"]["predict"] += 1
    path.write_text("\n".join([*others, json.dumps(record)]) + "\n", encoding="utf-8")
    result = check(copied)
    assert result.returncode == 1
    assert "one prediction from a cold start" in result.stdout


def test_records_name_no_place_of_a_machine() -> None:
    for path in (ROOT / "benchmarks" / "results").glob("*.jsonl"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            record = json.loads(line)
            assert record["task"] in path.name or record["task"] == "install", f"{path.name}:{number}"
            absolute = re.findall(r'["= ](/[\w.-]+/)', line)
            assert not absolute, f"{path.name}:{number}"
