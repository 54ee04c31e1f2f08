"""Any edit of any document, drawn by hypothesis: the intended keys change, and no other byte does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tools.change import Edit
from tools.editing.yaml_edit import apply_edits
from tools.editing.yaml_read import parse, plain
from tools.editing.yaml_text import flow
from tools.errors import InputError

KEYS = st.one_of(
    st.sampled_from(["r", "alpha", "epochs", "中立", "yes", "1.0", "a.b", "x y"]), st.text(min_size=0, max_size=5)
)
NUMBERS = st.one_of(st.integers(-1000, 10**6), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
SCALARS = st.one_of(NUMBERS, st.text(max_size=12), st.sampled_from(["a\nb", "a\n\n b\n", "x: y", "# no", "on"]))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=4), st.dictionaries(KEYS, SCALARS, max_size=3))
TREES = st.dictionaries(KEYS, st.one_of(VALUES, st.dictionaries(KEYS, VALUES, max_size=4)), max_size=4)


COMMENT = "\0comment"  # stands for a comment line in the path of a section; no edit ever names it


class Writer:
    """Writes a tree as YAML with a comment on every line it can, and knows which lines belong to which path."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.step = draw(st.sampled_from([1, 2, 4]))
        self.lines: list[tuple[str, tuple[str, ...]]] = []
        self.count = 0

    def comment(self) -> str:
        self.count += 1
        return self.draw(st.sampled_from(["", f"  # c{self.count}", f" # c{self.count} é, [{{: \"'"]))

    def between(self, path: tuple[str, ...], indent: int) -> None:
        for line in self.draw(
            st.sampled_from([[], [], [""], [f"{' ' * indent}# b{self.count}"], [f"# t{self.count}", ""]])
        ):
            self.lines.append((line, (*path, COMMENT)))

    def mapping(self, tree: dict[str, Any], path: tuple[str, ...], indent: int) -> None:
        for key, value in tree.items():
            self.between(path, indent)
            head, here = f"{' ' * indent}{flow({key: 0})[1:-4]}:", (*path, key)
            block = isinstance(value, dict | list) and value and self.draw(st.booleans())
            self.lines.append((head + ("" if block else " " + flow(value)) + self.comment(), here))
            if block and isinstance(value, dict):
                self.mapping(value, here, indent + self.step)
            elif block:
                self.items(value, here, indent)

    def items(self, value: list[Any], path: tuple[str, ...], indent: int) -> None:
        column = indent + self.draw(st.sampled_from([0, self.step]))
        for item in value:
            self.lines.append((f"{' ' * column}- {flow(item)}{self.comment()}", path))


@st.composite
def documents(draw: Any) -> tuple[dict[str, Any], list[tuple[str, tuple[str, ...]]], str, str]:
    tree = draw(TREES)
    writer = Writer(draw)
    writer.mapping(tree, (), 0)
    writer.between((), 0)
    return tree, writer.lines, draw(st.sampled_from(["\n", "\r\n"])), draw(st.sampled_from(["", "\ufeff"]))


@st.composite
def cases(draw: Any) -> tuple[Any, list[Edit]]:
    document = draw(documents())
    edits = []
    for _ in range(draw(st.integers(1, 3))):
        path: list[str] = []
        here: Any = document[0]
        while isinstance(here, dict) and len(path) < 3:
            name = draw(st.one_of(st.sampled_from(sorted(here)), KEYS)) if here else draw(KEYS)
            path.append(name)
            here = here.get(name)
            if not isinstance(here, dict) or draw(st.booleans()):
                break
        new = draw(st.one_of(st.none(), VALUES))
        edits.append(Edit(path=tuple(path), new=new))
    return document, edits


def edited(tree: dict[str, Any], edit: Edit) -> None:
    *parents, last = edit.path
    for name in parents:
        if not isinstance(tree.get(name), dict):
            if edit.new is None:
                return
            assert tree.get(name) is None
            tree[name] = {}
        tree = tree[name]
    if edit.new is None:
        tree.pop(last, None)
    else:
        tree[last] = copy.deepcopy(edit.new)


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in part)


def touches(path: tuple[str, ...], edits: list[Edit]) -> bool:
    """True when a line of `path` may change: an edit at, above or (for a section on one line or emptied) below it."""
    return any(path == e.path[: len(path)] or e.path == path[: len(e.path)] for e in edits)


def key_lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_any_edit_of_any_document_changes_the_intended_keys_and_no_other_byte(case: Any) -> None:
    (tree, lines, newline, bom), edits = case
    text = bom + "".join(line + newline for line, _ in lines)
    wanted = copy.deepcopy(tree)
    try:
        for one in edits:
            edited(wanted, one)
    except AssertionError:
        with pytest.raises(InputError):
            apply_edits(text, edits)
        return
    result = apply_edits(text, edits)
    assert plain(parse(result.removeprefix("\ufeff"))) in ([wanted] if wanted else [None, {}])
    assert result.startswith("\ufeff") == bool(bom)
    if newline == "\r\n" and lines:
        assert "\n" not in result.replace("\r\n", "")
    untouched = [line for line, path in lines if not touches(path, edits)]
    assert is_subsequence(untouched, key_lines(result))


@settings(max_examples=60, deadline=None)
@given(documents(), st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")), st.integers(0, 400))
def test_a_damaged_document_is_edited_correctly_or_refused(document: Any, junk: str, place: int) -> None:
    text = "".join(line + "\n" for line, _ in document[1])
    text = text[:place] + junk + text[place:]
    try:
        result = apply_edits(text, [Edit(path=("training", "epochs"), new=7)])
    except InputError:
        return
    assert YAML(typ="safe", pure=True).load(result.removeprefix("\ufeff"))["training"]["epochs"] == 7
