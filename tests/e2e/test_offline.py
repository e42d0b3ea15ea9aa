"""With the network cut off, from a cold cache: nothing asks for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REFUSE = '''"""Stands in for a machine without a network where namespaces aren't to be had."""
import socket


class Refused(socket.socket):
    def connect(self, address):
        raise RuntimeError(f"asked the network for {address!r}")

    connect_ex = sendto = connect


def refused(*args, **keywords):
    raise RuntimeError(f"asked the network for {args!r}")


socket.socket = Refused
socket.create_connection = socket.getaddrinfo = refused
'''


def _has_namespaces() -> bool:
    return shutil.which("unshare") is not None and subprocess.run(["unshare", "-rn", "true"]).returncode == 0


@pytest.fixture
def cut_off(tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """Words to put before a command, and its environment, so that it has no network."""
    home = {"BOTTEGA_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    if _has_namespaces():
        return ["unshare", "-rn"], os.environ | home
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(REFUSE)
    return [], os.environ | home | {"PYTHONPATH": str(tmp_path / "site")}


def test_it_is_cut_off(cut_off: tuple[list[str], dict[str, str]]) -> None:
    before, environment = cut_off
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)"
    result = subprocess.run([*before, sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert result.returncode != 0
    assert "unreachable" in result.stderr or "asked the network" in result.stderr


def test_refusal_without_namespaces(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REFUSE)
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "asked the network for" in result.stderr


def test_train_and_predict(digits_dir: Path, tmp_path: Path, cut_off: tuple[list[str], dict[str, str]]) -> None:
    before, environment = cut_off

    def bottega(*words: str) -> str:
        command = [*before, sys.executable, "-m", "bottega.cli.main", *words]
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
        return result.stdout

    bottega("look", str(digits_dir))
    bottega("train", str(digits_dir), "--name", "alone")
    assert "3" in bottega("predict", "runs/alone/model.onnx", str(digits_dir / "3" / "0002.png"))
    bottega("evaluate", "runs/alone/model.onnx", str(digits_dir))
    bottega("check", "runs/alone/model.onnx")
