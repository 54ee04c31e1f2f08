"""Where the keys and values of a parsed YAML document stand in its text, and how that text is laid out."""

from __future__ import annotations

import re
from typing import NamedTuple

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tools.editing.yaml_read import Refusal
from tools.editing.yaml_text import Style
from tools.text import T

_COLON = re.compile(r"[ \t]*:")
_ALIAS = re.compile(r"\s*(\*[^\s,\[\]{}]+)")


class Entry(NamedTuple):
    """One key of a mapping, as positions in the text."""

    key: str
    start: int
    colon: int | None
    """Position behind the colon; None where there is none, as in {a} or an explicit "? a"."""
    node: Node
    value_start: int
    value_end: int
    alias: bool
    in_flow: bool
    """True inside {...}."""

    @property
    def end(self) -> int:
        """Where the key with its value ends."""
        return max(self.value_end, self.colon or self.start)

    @property
    def quote(self) -> str | None:
        """The quotation mark around a string value."""
        return self.node.style if isinstance(self.node, ScalarNode) and self.node.style in {"'", '"'} else None

    @property
    def bracketed(self) -> bool:
        """True for a value in [...] or {...} of its own."""
        return isinstance(self.node, MappingNode | SequenceNode) and bool(self.node.flow_style) and not self.alias

    @property
    def dashed(self) -> bool:
        """True for a list with one item a line."""
        return isinstance(self.node, SequenceNode) and not self.node.flow_style and not self.alias


def entries(text: str, mapping: MappingNode) -> list[Entry]:
    """The keys written in this mapping itself, in order (not those merged in with <<)."""
    return [_entry(text, key, value, bool(mapping.flow_style)) for key, value in mapping.value]


def _entry(text: str, key: Node, value: Node, in_flow: bool) -> Entry:
    after_key = int(key.end_mark.index)
    match = _COLON.match(text, after_key)
    colon = match.end() if match else None
    alias = value.start_mark.index < key.start_mark.index
    if alias:
        found = _ALIAS.match(text, colon or after_key)
        start, end = found.span(1) if found else (after_key, after_key)
    else:
        start, end = value.start_mark.index, end_of(text, value)
    name = key.value if isinstance(key.value, str) else ""
    return Entry(name, key.start_mark.index, colon, value, start, max(start, end), alias, in_flow)


def end_of(text: str, node: Node) -> int:
    """Where a value really ends: ruamel's mark of a block value lies behind the comments that follow it."""
    if not isinstance(node, MappingNode | SequenceNode):
        return _end_of_scalar(text, node)
    if node.flow_style or not node.value:
        return int(node.end_mark.index)
    if isinstance(node, MappingNode):
        return entries(text, node)[-1].end
    last = node.value[-1]
    is_alias = last.start_mark.index < node.start_mark.index
    return _without_comments(text, node) if is_alias else end_of(text, last)


def _end_of_scalar(text: str, node: Node) -> int:
    raw = text[node.start_mark.index : node.end_mark.index]
    if node.style in {"|", ">"}:
        keeps_blank_lines = "+" in raw.split("\n", 1)[0]
        raw = raw.removesuffix("\n").removesuffix("\r") if keeps_blank_lines else raw.rstrip("\r\n")
    return int(node.start_mark.index) + len(raw)


def _without_comments(text: str, node: Node) -> int:
    """The end of a block list whose last item is an alias, of which ruamel keeps no position."""
    lines = text[node.start_mark.index : node.end_mark.index].splitlines(keepends=True)
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return int(node.start_mark.index) + len("".join(lines).rstrip())


def line_number(text: str, position: int) -> int:
    """1-based line of a position."""
    return text.count("\n", 0, position) + 1


def line_start(text: str, position: int) -> int:
    """Position of the first character of the line."""
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """The end of the line without its line break."""
    found = text.find("\n", position)
    end = len(text) if found < 0 else found
    return end - 1 if end > position and text[end - 1] == "\r" else end


def next_line(text: str, position: int) -> int:
    """Position of the first character of the following line."""
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1


def column(text: str, position: int) -> int:
    """How far a key is indented; raises Refusal when something else stands before it."""
    start = line_start(text, position)
    if text[start:position].strip(" "):
        raise Refusal(T("The key does not begin its line."), line_number(text, position))
    return position - start


def newline(text: str) -> str:
    """The line break that the file uses."""
    return "\r\n" if "\r\n" in text else "\n"


def style(text: str, root: Node | None) -> Style:
    """The indentation the file already uses, from its first nested section and its first list in a section."""
    step: int | None = None
    dash: int | None = None
    for section in entries(text, root) if isinstance(root, MappingNode) else []:
        if section.alias or section.bracketed or not isinstance(section.node, MappingNode):
            continue
        inner = entries(text, section.node)
        step = step or column(text, inner[0].start)
        lists = [entry for entry in inner if entry.dashed]
        if dash is None and lists:
            dash = lists[0].value_start - line_start(text, lists[0].value_start) - column(text, lists[0].start)
    step = step or Style().step
    return Style(step, step if dash is None else max(dash, 0))
