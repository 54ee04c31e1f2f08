"""Text from outside is never markup: what the full screen may not write, found in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCREEN = sorted((ROOT / "agent" / "faces" / "tui").rglob("*.py"))
PARSING = frozenset({"Static", "Label", "Button", "Markdown", "Option"})
"""Widgets that parse the string they are given, unless they are told not to."""
PARSERS = frozenset({"from_markup", "Text.from_markup", "Content.from_markup", "render_markup"})


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def is_false(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def own_sentence(value: ast.expr) -> bool:
    """True for T("...") without fields, or with a count: a sentence of ours and nothing else."""
    return isinstance(value, ast.Call) and name_of(value) == "T" and {each.arg for each in value.keywords} <= {"count"}


def made_of_values(value: ast.expr) -> bool:
    """True for a string that is put together: an f-string with fields, a format call, an addition, a name."""
    if isinstance(value, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in value.values)
    if (
        isinstance(value, ast.Call)
        and len(value.args) == 1
        and isinstance(value.args[0], ast.Call)
        and own_sentence(value.args[0])
    ):
        return False
    return isinstance(value, ast.BinOp) or (
        isinstance(value, ast.Call) and name_of(value) in {"format", "say", "_say", "join", "str"}
    )


def faults(source: str) -> list[str]:
    """What a module of the full screen may not do, line by line."""
    found = []
    for call in calls(ast.parse(source)):
        name = name_of(call)
        markup = keyword(call, "markup")
        if markup is not None and not is_false(markup):
            found.append(f"{call.lineno}: {name}(markup=...)")
        if name in PARSERS:
            found.append(f"{call.lineno}: {name}")
        if name == "notify" and not is_false(markup):
            found.append(f"{call.lineno}: notify without markup=False")
        if name in PARSING and call.args and made_of_values(call.args[0]) and not is_false(markup):
            found.append(f"{call.lineno}: {name}({ast.unparse(call.args[0])})")
    return found


@pytest.mark.parametrize("path", SCREEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_is_parsed_as_markup(path: Path):
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        'Static(f"row {row.text}")',
        'self.app.notify(f"saved {name}")',
        'Label("Task " + name)',
        "Static(self._say(text))",
        'Label(self._say(T("Row {row}", row=row)))',
        "Text.from_markup(answer)",
        'Static("x", markup=True)',
    ],
)
def test_each_way_of_parsing_is_noticed(source: str):
    assert faults(source)


@pytest.mark.parametrize(
    "source", ['Static("")', "Static(markup=False)", "self.app.notify(text, markup=False)", "PlainText(row)"]
)
def test_what_parses_nothing_is_left_alone(source: str):
    assert faults(source) == []
