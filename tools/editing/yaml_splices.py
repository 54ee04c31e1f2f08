"""What adding, setting or removing one key replaces in a YAML document, as splices; comments, quotes and layout stay.

ruamel.yaml only tells where things stand; the text is changed by replacing characters. Which key is meant, and whether the
result is what was wanted, is decided in tools/editing/yaml_edit.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from pydantic import JsonValue
from ruamel.yaml.nodes import MappingNode, SequenceNode

from tools.editing.yaml_document import Document, Splice
from tools.editing.yaml_places import Entry, column, end_of, line_end, line_number, line_start, next_line
from tools.editing.yaml_read import Refusal, plain
from tools.editing.yaml_text import Rendered, Style, block, flow, item_line, mapping_lines, string
from tools.text import T

_LONGEST_LINE = 120
"""A list in brackets is broken into one item a line when its line would become longer."""


class Change(NamedTuple):
    """What one edit replaces."""

    splices: list[Splice]
    shares: bool = False
    """True when it reads and writes nothing but its own lines, so that others may be made in the same text."""


# adding


def _lines_below(document: Document, position: int, lines: Sequence[str]) -> list[Splice]:
    """New lines below the line that `position` is in."""
    end = line_end(document.text, position)
    return [Splice(end, end, "".join(document.newline + line for line in lines))] if lines else []


def filled(document: Document, owner: Entry | None, value: dict[str, JsonValue]) -> Change:
    """Put the first key into an empty section, or into an empty document when there is no owner."""
    if owner is not None:
        return Change(_replaced(document, owner, value))
    end = len(document.text)
    separator = "" if not end or document.text.endswith("\n") else document.newline
    lines = mapping_lines(value, 0, Style())
    return Change([Splice(end, end, separator + "".join(line + document.newline for line in lines))])


def added(document: Document, mapping: MappingNode, name: str, value: JsonValue, order: Sequence[str]) -> Change:
    """A new key in a section that has keys (or is {})."""
    text, present = document.text, document.section(mapping).present
    if mapping.flow_style:
        item = f"{string(name, flow=True)}: {flow(value)}"
        position = present[-1].end if present else text.index("{", mapping.start_mark.index) + 1
        return Change([Splice(position, position, (", " if present else "") + item)], shares=bool(present))
    indent = column(text, present[0].start)
    end = line_end(text, _predecessor(present, name, order).end)
    lines = mapping_lines({name: value}, indent, document.style)
    airy = indent == 0 and isinstance(value, dict) and re.search(r"\n[ \t]*\r?\n", text)
    splices = _lines_below(document, _behind_own_comments(text, end, indent), ["", *lines] if airy else lines)
    # A key of a usual order goes behind one that may be new itself; a section or several lines depend on the layout.
    return Change(splices, shares=name not in order and len(lines) == 1 and not isinstance(value, dict))


def _predecessor(present: list[Entry], name: str, order: Sequence[str]) -> Entry:
    """The existing key behind which `name` belongs: the last one that precedes it in the usual order, else the last."""
    before = set(order[: order.index(name)]) if name in order else set()
    known = [entry for entry in present if entry.key in before]
    return known[-1] if known else present[-1]


def _behind_own_comments(text: str, position: int, indent: int) -> int:
    """Skip comment lines that are indented deeper than the key: they belong to the section above."""
    comments = re.compile(rf"(?:(?:\r?\n[ \t]*(?=\r?\n))*\r?\n {{{indent + 1},}}#[^\r\n]*)+")
    match = comments.match(text, position)
    return match.end() if match else position


# setting


def replaced(document: Document, entry: Entry, new: JsonValue) -> Change:
    """Another value for an existing key; of a list with one item a line, those that stay are not touched."""
    node = entry.node
    items = None
    if isinstance(node, SequenceNode) and isinstance(new, list) and not entry.alias:
        items = _items_replaced(document, node, new)
    splices = _replaced(document, entry, new) if items is None else items
    return Change(splices, shares=items is None and len(splices) == 1 and splices[0].start < splices[0].end)


def _items_replaced(document: Document, node: SequenceNode, new: list[JsonValue]) -> list[Splice] | None:
    """Remove and insert single lines of a block list; None when nothing of it would stay or an item is no scalar."""
    text = document.text
    old = [plain(item) for item in node.value]
    spans = [(int(item.start_mark.index), end_of(text, item)) for item in node.value]
    shared = any(start < node.start_mark.index for start, _ in spans)
    if node.flow_style or shared or any(isinstance(item, list | dict) for item in [*old, *new]):
        return None
    matcher = SequenceMatcher(None, [repr(item) for item in old], [repr(item) for item in new], autojunk=False)
    codes = matcher.get_opcodes()
    if not any(code[0] == "equal" for code in codes):
        return None
    dash = _dash(text, spans[0][0])
    splices: list[Splice] = []
    for tag, low, high, first, last in codes:
        if tag != "equal":
            splices += _item_lines(document, spans, (low, high), [item_line(item, dash) for item in new[first:last]])
    return splices


def _item_lines(
    document: Document, spans: list[tuple[int, int]], place: tuple[int, int], lines: list[str]
) -> list[Splice]:
    """Replace the lines of the items from place[0] up to place[1] of a block list."""
    low, high = place
    if low == len(spans):
        return _lines_below(document, spans[-1][1], lines)
    start = line_start(document.text, spans[low][0])
    end = start if low == high else next_line(document.text, spans[high - 1][1])
    return [Splice(start, end, "".join(line + document.newline for line in lines))]


def _replaced(document: Document, entry: Entry, new: JsonValue) -> list[Splice]:
    """Write another value behind the colon of a key."""
    text, rendered = document.text, _render(document, entry, new)
    if entry.colon is None:
        if not entry.in_flow:
            raise Refusal(T("The key is written with a question mark."), line_number(text, entry.start))
        return [Splice(entry.value_start, entry.value_end, f": {rendered.head}")]
    written = entry.value_start < entry.value_end
    below = written and "\n" in text[entry.colon : entry.value_start]
    behind = entry.value_end if written and not below else entry.colon
    lines = _lines_below(document, behind, rendered.lines)
    if written and not below and rendered.head:
        return [Splice(entry.value_start, entry.value_end, rendered.head), *lines]
    gone = [_own_lines(text, entry)] if below else []
    head = f" {rendered.head}" if rendered.head else ""
    return [Splice(entry.colon, behind, head), *lines, *gone]


def _render(document: Document, entry: Entry, new: JsonValue) -> Rendered:
    """The value in the manner of the one it replaces: quotes stay quotes, brackets stay brackets, dashes stay dashes."""
    text = document.text
    quote = None if entry.alias else entry.quote
    if entry.in_flow:
        return Rendered(flow(new, quote=quote), [])
    if isinstance(new, list) and new and entry.dashed:
        return Rendered("", [item_line(item, _dash(text, entry.value_start)) for item in new])
    if isinstance(new, list | dict) and entry.bracketed:
        shown = flow(new)
        if entry.value_start - line_start(text, entry.value_start) + len(shown) <= _LONGEST_LINE:
            return Rendered(shown, [])
    return block(new, column(text, entry.start), document.style, quote)


def _dash(text: str, position: int) -> int:
    """The column of the dash on the line of a list item."""
    return text[line_start(text, position) : position + 1].index("-")


def _own_lines(text: str, entry: Entry) -> Splice:
    """Nothing in place of the lines of a value that begins below its key; the key's own line and comment stay."""
    start, end = line_start(text, entry.value_start), next_line(text, entry.value_end)
    if end == len(text) and not text.endswith("\n"):
        start -= 2 if text[:start].endswith("\r\n") else 1
    return Splice(start, end, "")


# removing


def removed(document: Document, mapping: MappingNode, owner: Entry | None, entry: Entry) -> Change:
    """Take a key and its value out; a section that becomes empty stays as {}."""
    text, present = document.text, document.section(mapping).present
    if mapping.flow_style:
        return Change([_out_of_flow(text, present, present.index(entry))])
    if len(present) == 1 and owner is not None:
        return Change(_replaced(document, owner, {}))
    column(text, entry.start)  # refuses an explicit "? key", whose line holds more than the key
    return Change([Splice(line_start(text, entry.start), next_line(text, entry.end), "")], shares=len(present) > 1)


def _out_of_flow(text: str, present: list[Entry], place: int) -> Splice:
    """Take `key: value` and one comma out of {...}; comments between its lines stay."""
    entry = present[place]
    if place + 1 < len(present):
        following = present[place + 1].start
        return Splice(entry.start, following, _gap(text[entry.end : following]))
    if place > 0:
        previous = present[place - 1].end
        return Splice(previous, entry.end, _gap(text[previous : entry.start]))
    trailing_comma = re.compile(r"\s*,").match(text, entry.end)
    return Splice(entry.start, trailing_comma.end() if trailing_comma else entry.end, "")


def _gap(between: str) -> str:
    """What stays of the text between two items of {...} when one of them goes: line breaks and comments."""
    return between.replace(",", "", 1) if "#" in between or "\n" in between else ""
