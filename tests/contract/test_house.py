"""The house rules that a machine can check: sizes, names, who imports what."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "src" / "bottega"
FILES = sorted(PACKAGE.rglob("*.py"))
CODE = sorted(
    path for folder in ("src", "tests", "benchmarks", "scripts", "docs") for path in (ROOT / folder).rglob("*.py")
)
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base2"}
TORCH_MAY_BE_IN = ("models/", "training/", "shipping/export.py", "workflow/train.py", "workflow/reproduce.py")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def n_lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Each module that running the file may import, and whether it does so at once (rather than inside a function)."""
    module = tree(path)
    at_top = {id(node) for node in ast.iter_child_nodes(module)}
    for_types = {id(node) for block in ast.walk(module) if _is_for_types(block) for node in ast.walk(block)}
    for node in ast.walk(module):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in at_top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in at_top


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_sizes_of_files() -> None:
    sizes = {relative(path): n_lines(path) for path in CODE}
    assert {name: n for name, n in sizes.items() if n > 600} == {}
    ours = [n_lines(path) for path in FILES if path.name != "__init__.py"]
    assert median(ours) <= 200
    assert quantiles(ours, n=10)[-1] <= 450


def test_cli_files_are_thin() -> None:
    layout = ("terminal", "overview", "table_overview", "verdict")  # they lay text out, and decide nothing
    sizes = {path.name: n_lines(path) for path in (PACKAGE / "cli").glob("*.py") if path.stem not in layout}
    assert {name: n for name, n in sizes.items() if n > 120} == {}


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_sizes_of_functions(path: Path) -> None:
    for function in functions(path):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        assert length <= 80, f"{function.name} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_numbers_of_arguments(path: Path) -> None:
    for function in functions(path):
        is_verb = path.parent.name == "cli" and function.name == path.stem  # its arguments are the flags
        own = [a for a in function.args.args + function.args.posonlyargs if a.arg not in ("self", "cls")]
        n = len(own) + len(function.args.kwonlyargs)
        assert is_verb or n <= 7, f"{function.name} takes {n} arguments"


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_names_of_files(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES
    assert re.fullmatch(r"_{0,2}[a-z][a-z0-9_]*", path.stem)


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"], ids=relative)
def test_init_files_are_empty(path: Path) -> None:
    assert path.parent == PACKAGE or path.read_text("utf-8") == ""


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_assert_no_catch_all_no_todo(path: Path) -> None:
    for node in ast.walk(tree(path)):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: assert"
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in ("everything", "Exception", "BaseException"), f"line {node.lineno}: except {caught}"
    assert not re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", path.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_torch_stays_on_its_side(path: Path) -> None:
    if not path.relative_to(PACKAGE).as_posix().startswith(TORCH_MAY_BE_IN):
        assert not [module for module, _ in imported(path) if module.partition(".")[0] == "torch"]


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=relative)
def test_cli_imports_workflow_errors_and_records_alone(path: Path) -> None:
    allowed = (
        "bottega.cli",
        "bottega.workflow",
        "bottega.errors",
        "bottega.problem",
    )  # `problem` reads and decides nothing
    for module, at_top in imported(path):
        if module.partition(".")[0] == "bottega":
            assert module.startswith(allowed)
            assert not (at_top and module.startswith("bottega.workflow")), f"{module} slows the help page down"


def test_every_module_has_a_docstring() -> None:
    silent = [relative(path) for path in FILES if path.read_text("utf-8") and not ast.get_docstring(tree(path))]
    assert silent == []


def test_nothing_names_the_place_of_this_checkout() -> None:
    pages = [*CODE, ROOT / "README.md", ROOT / "Makefile", *(ROOT / "docs").rglob("*.md")]
    assert [relative(path) for path in pages if f"{ROOT}/" in path.read_text("utf-8")] == []
