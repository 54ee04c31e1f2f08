"""The shape of the source tree: what may lie where, how large it may be, and what it may say."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    ".ci",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "README.zh-TW.md",
    "agent",
    "constraints.txt",
    "prompts",
    "pyproject.toml",
    "references",
    "tasks",
    "tests",
    "tools",
}
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
LARGEST_FILE = 2_000_000
"""Bytes; weights do not belong in git."""


def tracked() -> list[str]:
    """Paths that git tracks, relative to the root; outside a checkout the tests that need them are skipped."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("this is not a git checkout")
    return [path for path in done.stdout.split("\0") if path and (ROOT / path).is_file()]


def sources() -> list[Path]:
    return sorted(path for package in ("agent", "tools") for path in (ROOT / package).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_top_level_holds_only_what_was_agreed():
    assert {path.split("/")[0] for path in tracked()} <= TOP_LEVEL
    beside = [path for path in tracked() if path.startswith(".github/") and not path.startswith(".github/images/")]
    assert beside == [".github/screenshots.py"]


def test_no_source_file_is_longer_than_one_can_keep_in_mind():
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{named(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
    }
    assert long == {}


def test_every_package_is_a_real_package():
    folders = {path.parent for path in sources()}
    assert [named(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_every_module_says_what_it_is():
    silent = [named(path) for path in sources() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def interrupts(path: Path) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Each mention of LangGraph's `interrupt` in a module, with the nodes around it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    around: dict[ast.AST, list[ast.AST]] = {tree: []}
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            around[child] = [*around[node], node]
        if isinstance(node, ast.Name) and node.id == "interrupt":
            yield node, around[node]


def test_questions_are_asked_from_one_place_of_the_graph_and_nothing_catches_them():
    """`interrupt` works by an exception that a try block would swallow, and by order where a node asks twice."""
    places = {named(path): found for path in sources() if (found := list(interrupts(path)))}
    assert list(places) == ["agent/graph.py"]
    ((_, parents),) = places["agent/graph.py"]
    assert not [parent for parent in parents if isinstance(parent, ast.Try)]


QUESTIONS = {"agent/steps/review.py": "review", "agent/steps/decide.py": "decide", "agent/steps/adopt.py": "confirm"}


@pytest.mark.parametrize(("file", "function"), QUESTIONS.items())
def test_a_question_node_asks_once_and_does_nothing_else(file: str, function: str):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    node = next(each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == function)
    asks = [each for each in ast.walk(node) if isinstance(each, ast.Call) and ast.unparse(each.func) == "ask"]
    assert len(asks) == 1
    assert [argument.arg for argument in node.args.args] == ["state", "ask"], "no context: it cannot emit or write"
    assert not [each for each in ast.walk(node) if isinstance(each, ast.Try | ast.While | ast.For)]
    last = node.body[-1]
    assert isinstance(last, ast.Return)
    assert asks[0] in ast.walk(last), "nothing may follow the question"


def writes_to_a_stream(path: Path) -> bool:
    """True for code that prints or writes to sys.stdout or sys.stderr (text that holds such code does not count)."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return any(
        re.fullmatch(r"print|sys\.std(out|err)(\.buffer)?\.write(lines)?", ast.unparse(call.func)) for call in calls
    )


def test_only_the_console_writes_to_the_standard_streams():
    own_log = "tools/training/"  # the streams of a worker are its log file
    writers = {named(path) for path in sources() if not named(path).startswith(own_log) and writes_to_a_stream(path)}
    assert writers <= {"agent/faces/console.py"}


def texts() -> Iterator[tuple[str, str]]:
    """Name and content of each tracked file that is text."""
    for name in tracked():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content[:8000]:
            yield name, content.decode("utf-8")


def test_no_tracked_file_names_a_path_of_somebody_s_machine():
    home = re.compile(r"(?<![\w.])/(?:home|Users|root|work|farm|mnt)/[\w.-]+")
    allowed = re.compile(r"/home/(?:user|you|me|alice|bob)\b")
    found = [
        f"{name}: {match.group()}"
        for name, text in texts()
        if not name.startswith("tasks/") or not name.endswith(".jsonl")
        for match in home.finditer(text)
        if not allowed.match(match.group())
    ]
    assert found == []


def test_nothing_unfinished_is_left_in_the_source():
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError")
    assert [named(path) for path in sources() if marks.search(path.read_text(encoding="utf-8"))] == []


def test_no_large_file_is_tracked():
    assert [name for name in tracked() if (ROOT / name).stat().st_size > LARGEST_FILE] == []


def test_no_weights_and_no_run_folders_are_tracked():
    unwanted = re.compile(r"\.(safetensors|gguf|bin|pt|sqlite)$|^tasks/[^/]+/(runs|models|\.iterate)/|^\.workspace/")
    assert [name for name in tracked() if unwanted.search(name)] == []
