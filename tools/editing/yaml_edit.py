"""Changing single keys of a YAML text without touching anything else: comments, order, quotes, indentation, line ends.

ruamel.yaml only tells where things stand; the text is changed by replacing characters. Afterwards the text is parsed
again and must differ from the old document in the intended keys and nothing else, or the edit is refused. It knows
nothing of files or of what the keys mean: that is tools/edit_config.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

from pydantic import JsonValue
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from tools.change import Edit
from tools.editing.yaml_places import (
    Entry,
    column,
    end_of,
    entries,
    line_end,
    line_number,
    line_start,
    newline,
    next_line,
    style,
)
from tools.editing.yaml_read import Refusal, is_portable, parse, plain, same
from tools.editing.yaml_text import Rendered, Style, block, flow, item_line, mapping_lines, string
from tools.errors import InputError, Problem
from tools.text import T, Text, visible

PAGE = "troubleshooting/configuration"

Order = Callable[[tuple[str, ...]], Sequence[str]]
"""The usual order of the keys of the section at a path; a new key goes behind the nearest one that precedes it."""

_LONGEST_LINE = 120
"""A list in brackets is broken into one item a line when its line would become longer."""


def no_order(_path: tuple[str, ...]) -> Sequence[str]:
    """New keys go to the end of their section."""
    return ()


def apply_edits(text: str, edits: Sequence[Edit], order: Order = no_order) -> str:
    """`text` with each edit made and everything else byte for byte as before; raises InputError with every problem."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix("\ufeff")
    wanted = _read(body)
    problems: list[Problem] = []
    for edit in edits:
        try:
            body = _apply(body, edit.path, edit.new, order)
            _edit_plain(wanted, edit)
        except Refusal as refusal:
            problems.append(_problem(refusal.message, edit, refusal.line))
    if not problems and not _matches(body, wanted):
        problems = [_problem(T("It cannot be changed safely in this file."), edit) for edit in edits]
    if problems:
        raise _error(problems)
    return bom + body


def _read(body: str) -> dict[str, JsonValue]:
    """The document as plain data; an empty one is an empty mapping."""
    try:
        value = plain(parse(body))
    except Refusal as refusal:
        raise _error([Problem(message=refusal.message, line=refusal.line, page=PAGE)]) from refusal
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _error([Problem(message=T("The file is not a list of keys and values."), line=1, page=PAGE)])
    return value


def _matches(body: str, wanted: dict[str, JsonValue]) -> bool:
    try:
        return same(plain(parse(body)) or {}, wanted)
    except Refusal:
        return False


def _edit_plain(data: dict[str, JsonValue], edit: Edit) -> None:
    """The edit on plain data: what the new text must parse to."""
    for name in edit.path[:-1]:
        child = data.get(name)
        if child is None:
            if edit.new is None:
                return
            child = data[name] = {}
        assert isinstance(child, dict)  # _apply has refused anything else
        data = child
    if edit.new is None:
        data.pop(edit.path[-1], None)
    else:
        data[edit.path[-1]] = edit.new


def _error(problems: list[Problem]) -> InputError:
    return InputError(
        T("The configuration was not changed."),
        hint=T("Mend the file by hand at the named places, then try again."),
        page=PAGE,
        problems=problems,
    )


def _problem(message: Text, edit: Edit, line: int | None = None) -> Problem:
    return Problem(message=T("{key}: {reason}", key=visible(edit.dotted, 80), reason=message), line=line, page=PAGE)


# finding the place


def _apply(text: str, path: tuple[str, ...], new: JsonValue, order: Order) -> str:
    """One edit: walk down to the deepest section that exists, then set, add or remove there."""
    mapping, owner, depth = _descend(text, path)
    found = [entry for entry in (entries(text, mapping) if mapping else []) if entry.key == path[depth]]
    if new is None:
        return _remove(text, mapping, owner, found[0]) if mapping and found else text
    if found:
        return _set(text, path, found[0], new, order)
    value = new
    for name in reversed(path[depth + 1 :]):
        value = {name: value}
    if mapping is None:
        return _fill(text, owner, {path[depth]: value})
    return _add(text, mapping, path[depth], value, order(path[:depth]))


def _descend(text: str, path: tuple[str, ...]) -> tuple[MappingNode | None, Entry | None, int]:
    """The deepest mapping on the way to `path` (None when it is empty), the entry that holds it, and its depth."""
    node: Node | None = parse(text)
    owner: Entry | None = None
    depth = 0
    while isinstance(node, MappingNode):
        found = [entry for entry in entries(text, node) if entry.key == path[depth]]
        if not found or depth == len(path) - 1:
            return node, owner, depth
        owner = found[0]
        _require_section(text, owner)
        node, depth = owner.node, depth + 1
    return None, owner, depth


def _require_section(text: str, entry: Entry) -> None:
    """Refuse to go into a value that is no section of its own."""
    line, key = line_number(text, entry.start), visible(entry.key, 80)
    if entry.alias:
        raise Refusal(
            T("{key} is shared through an anchor (*), so a change would reach other keys too.", key=key), line
        )
    value = plain(entry.node)
    if value is not None and not isinstance(value, dict):
        raise Refusal(T("{key} holds {value}, not a section.", key=key, value=visible(flow(value), 40)), line)


# adding


def _insert_lines(text: str, position: int, lines: Sequence[str]) -> str:
    """New lines below the line that `position` is in."""
    end = line_end(text, position)
    return text[:end] + "".join(newline(text) + line for line in lines) + text[end:]


def _fill(text: str, owner: Entry | None, value: dict[str, JsonValue]) -> str:
    """Put the first key into an empty section, or into an empty document when there is no owner."""
    if owner is not None:
        return _replace(text, owner, value)
    separator = "" if not text or text.endswith("\n") else newline(text)
    lines = mapping_lines(value, 0, Style())
    return text + separator + "".join(line + newline(text) for line in lines)


def _add(text: str, mapping: MappingNode, name: str, value: JsonValue, order: Sequence[str]) -> str:
    """A new key in a section that has keys (or is {})."""
    present = entries(text, mapping)
    if mapping.flow_style:
        item = f"{string(name, flow=True)}: {flow(value)}"
        position = present[-1].end if present else text.index("{", mapping.start_mark.index) + 1
        return text[:position] + (", " if present else "") + item + text[position:]
    indent = column(text, present[0].start)
    end = line_end(text, _predecessor(present, name, order).end)
    lines = mapping_lines({name: value}, indent, style(text, parse(text)))
    airy = indent == 0 and isinstance(value, dict) and re.search(r"\n[ \t]*\r?\n", text)
    return _insert_lines(text, _behind_own_comments(text, end, indent), ["", *lines] if airy else lines)


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


def _set(text: str, path: tuple[str, ...], entry: Entry, new: JsonValue, order: Order) -> str:
    """Give an existing key another value, changing as little of a collection as possible."""
    if entry.alias:
        return _replace(text, entry, new)
    node = entry.node
    old = plain(node)
    if same(old, new) and is_portable(node):
        return text
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        for name in dict.fromkeys([*new, *old]):
            text = _apply(text, (*path, name), new.get(name), order)
        return text
    items = _set_items(text, node, new) if isinstance(node, SequenceNode) and isinstance(new, list) else None
    return _replace(text, entry, new) if items is None else items


def _set_items(text: str, node: SequenceNode, new: list[JsonValue]) -> str | None:
    """Remove and insert single lines of a block list; None when nothing of it would stay or an item is no scalar."""
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
    for tag, low, high, first, last in reversed(codes):
        if tag != "equal":
            text = _splice_items(text, spans, (low, high), [item_line(item, dash) for item in new[first:last]])
    return text


def _splice_items(text: str, spans: list[tuple[int, int]], place: tuple[int, int], lines: list[str]) -> str:
    """Replace the lines of the items from place[0] up to place[1] of a block list."""
    low, high = place
    if low == len(spans):
        return _insert_lines(text, spans[-1][1], lines)
    start = line_start(text, spans[low][0])
    end = start if low == high else next_line(text, spans[high - 1][1])
    return text[:start] + "".join(line + newline(text) for line in lines) + text[end:]


def _replace(text: str, entry: Entry, new: JsonValue) -> str:
    """Write another value behind the colon of a key."""
    rendered = _render(text, entry, new)
    if entry.colon is None:
        if not entry.in_flow:
            raise Refusal(T("The key is written with a question mark."), line_number(text, entry.start))
        return f"{text[: entry.value_start]}: {rendered.head}{text[entry.value_end :]}"
    written = entry.value_start < entry.value_end
    below = written and "\n" in text[entry.colon : entry.value_start]
    if written and not below and rendered.head:
        text = text[: entry.value_start] + rendered.head + text[entry.value_end :]
        return _insert_lines(text, entry.value_start + len(rendered.head), rendered.lines)
    if below:
        text = _without_lines(text, entry)
    elif written:
        text = text[: entry.colon] + text[entry.value_end :]
    text = text[: entry.colon] + (f" {rendered.head}" if rendered.head else "") + text[entry.colon :]
    return _insert_lines(text, entry.colon + len(rendered.head), rendered.lines)


def _render(text: str, entry: Entry, new: JsonValue) -> Rendered:
    """The value in the manner of the one it replaces: quotes stay quotes, brackets stay brackets, dashes stay dashes."""
    quote = None if entry.alias else entry.quote
    if entry.in_flow:
        return Rendered(flow(new, quote=quote), [])
    if isinstance(new, list) and new and entry.dashed:
        return Rendered("", [item_line(item, _dash(text, entry.value_start)) for item in new])
    if isinstance(new, list | dict) and entry.bracketed:
        shown = flow(new)
        if entry.value_start - line_start(text, entry.value_start) + len(shown) <= _LONGEST_LINE:
            return Rendered(shown, [])
    return block(new, column(text, entry.start), style(text, parse(text)), quote)


def _dash(text: str, position: int) -> int:
    """The column of the dash on the line of a list item."""
    return text[line_start(text, position) : position + 1].index("-")


def _without_lines(text: str, entry: Entry) -> str:
    """The text without the lines of a value that begins below its key; the key's own line and comment stay."""
    rest = text[next_line(text, entry.value_end) :]
    kept = text[: line_start(text, entry.value_start)]
    ends_open = not rest and not text.endswith("\n")
    return kept.removesuffix("\n").removesuffix("\r") if ends_open else kept + rest


# removing


def _remove(text: str, mapping: MappingNode, owner: Entry | None, entry: Entry) -> str:
    """Take a key and its value out; a section that becomes empty stays as {}."""
    present = entries(text, mapping)
    if mapping.flow_style:
        return _remove_in_flow(text, present, present.index(entry))
    if len(present) == 1 and owner is not None:
        return _replace(text, owner, {})
    column(text, entry.start)  # refuses an explicit "? key", whose line holds more than the key
    return text[: line_start(text, entry.start)] + text[next_line(text, entry.end) :]


def _remove_in_flow(text: str, present: list[Entry], place: int) -> str:
    """Take `key: value` and one comma out of {...}; comments between its lines stay."""
    entry = present[place]
    if place + 1 < len(present):
        following = present[place + 1].start
        return text[: entry.start] + _gap(text[entry.end : following]) + text[following:]
    if place > 0:
        previous = present[place - 1].end
        return text[:previous] + _gap(text[previous : entry.start]) + text[entry.end :]
    rest = text[entry.end :]
    trailing_comma = re.match(r"\s*,", rest)
    return text[: entry.start] + (rest[trailing_comma.end() :] if trailing_comma else rest)


def _gap(between: str) -> str:
    """What stays of the text between two items of {...} when one of them goes: line breaks and comments."""
    return between.replace(",", "", 1) if "#" in between or "\n" in between else ""
