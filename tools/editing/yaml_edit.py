"""Changing single keys of a YAML text without touching anything else: comments, order, quotes, indentation, line ends.

Which characters an edit replaces is told by tools/editing/yaml_splices.py. Afterwards the text is parsed again and must
differ from the old document in the intended keys and nothing else, or the edit is refused. It knows nothing of files or of
what the keys mean: that is tools/edit_config.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import NamedTuple

from pydantic import JsonValue
from ruamel.yaml.nodes import MappingNode, Node

from tools.change import Edit
from tools.editing.yaml_document import Document, Replacements, spliced
from tools.editing.yaml_places import Entry, line_number
from tools.editing.yaml_read import Refusal, is_portable, parse, plain, same
from tools.editing.yaml_splices import Change, added, filled, removed, replaced
from tools.editing.yaml_text import flow
from tools.errors import InputError, Problem
from tools.text import T, Text, visible

PAGE = "troubleshooting/configuration"

Order = Callable[[tuple[str, ...]], Sequence[str]]
"""The usual order of the keys of the section at a path; a new key goes behind the nearest one that precedes it."""


def no_order(_path: tuple[str, ...]) -> Sequence[str]:
    """New keys go to the end of their section."""
    return ()


def apply_edits(text: str, edits: Sequence[Edit], order: Order = no_order) -> str:
    """`text` with each edit made and everything else byte for byte as before; raises InputError with every problem."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    writer, wanted = _read(text.removeprefix("\ufeff"), order)
    problems: list[Problem] = []
    for edit in edits:
        try:
            writer.make(edit.path, edit.new)
            _edit_plain(wanted, edit)
        except Refusal as refusal:
            problems.append(_problem(refusal.message, edit, refusal.line))
    body = writer.text
    if not problems and not _matches(body, wanted):
        problems = [_problem(T("It cannot be changed safely in this file."), edit) for edit in edits]
    if problems:
        raise _error(problems)
    return bom + body


def _read(body: str, order: Order) -> tuple[_Writer, dict[str, JsonValue]]:
    """The document to be edited, and as plain data; an empty one is an empty mapping."""
    try:
        document = Document(body)
        value = plain(document.root)
    except Refusal as refusal:
        raise _error([Problem(message=refusal.message, line=refusal.line, page=PAGE)]) from refusal
    if value is not None and not isinstance(value, dict):
        raise _error([Problem(message=T("The file is not a list of keys and values."), line=1, page=PAGE)])
    return _Writer(document, order), value or {}


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
        data[edit.path[-1]] = deepcopy(edit.new)  # a later edit may go into it


def _error(problems: list[Problem]) -> InputError:
    return InputError(
        T("The configuration was not changed."),
        hint=T("Mend the file by hand at the named places, then try again."),
        page=PAGE,
        problems=problems,
    )


def _problem(message: Text, edit: Edit, line: int | None = None) -> Problem:
    return Problem(message=T("{key}: {reason}", key=visible(edit.dotted, 80), reason=message), line=line, page=PAGE)


# making edits


class _Place(NamedTuple):
    """Where an edit applies."""

    mapping: MappingNode | None
    """The deepest section on the way; None when it is empty."""
    owner: Entry | None
    """The key that holds it."""
    depth: int
    """How many names of the path lead to it."""


class _Writer:
    """Makes edits one after the other; those that cannot touch each other are made in one text, which is parsed once."""

    def __init__(self, document: Document, order: Order) -> None:
        self._document: Document | None = document
        self._text, self._order = document.text, order
        self._begin()

    @property
    def text(self) -> str:
        """The text with every edit made."""
        self._write()
        return self._text

    def make(self, path: tuple[str, ...], new: JsonValue) -> None:
        """One edit: walk down to the deepest section that exists, then set, add or remove there; raises Refusal."""
        place = self._place(path)
        if self._depends(place, path, new):
            self._write()
            place = self._place(path)
        parts = self._parts(place, path, new)
        if parts is not None:
            for name, value in parts.items():
                self.make((*path, name), value)
            return
        change = self._change(place, path, new)
        if self._shares(place, path, new, change):
            return
        if self._pending:
            self._write()
            place = self._place(path)
            change = self._change(place, path, new)
        if not self._shares(place, path, new, change):
            self._text, self._document = spliced(self._text, change.splices), None

    def _begin(self) -> None:
        self._pending = Replacements()
        self._touched: set[tuple[int, str]] = set()
        self._removed: Counter[int] = Counter()

    def _write(self) -> None:
        """Make what was put off."""
        if self._pending:
            self._text, self._document = spliced(self._text, self._pending.all()), None
            self._begin()

    def _parsed(self) -> Document:
        if self._document is None:
            self._document = Document(self._text)
        return self._document

    def _place(self, path: tuple[str, ...]) -> _Place:
        """The deepest section on the way to `path` that exists, once nothing on the way waits to be written."""
        document = self._parsed()
        node: Node | None = document.root
        owner: Entry | None = None
        depth = 0
        while isinstance(node, MappingNode):
            if (id(node), path[depth]) in self._touched:
                self._write()
                return self._place(path)
            found = document.section(node).by_key.get(path[depth])
            if found is None or depth == len(path) - 1:
                return _Place(node, owner, depth)
            owner = found
            _require_section(document.text, owner)
            node, depth = owner.node, depth + 1
        return _Place(None, owner, depth)

    def _depends(self, place: _Place, path: tuple[str, ...], new: JsonValue) -> bool:
        """True when an edit that was put off decides what this one does: inside its key, or of all keys beside it."""
        if place.mapping is None or not self._pending:
            return False
        found, gone = self._found(place, path), self._removed[id(place.mapping)]
        is_last = new is None and gone + 1 >= len(self._parsed().section(place.mapping).present)
        is_section = found is not None and isinstance(found.node, MappingNode)
        return is_last or is_section

    def _found(self, place: _Place, path: tuple[str, ...]) -> Entry | None:
        return self._parsed().section(place.mapping).by_key.get(path[place.depth]) if place.mapping else None

    def _parts(self, place: _Place, path: tuple[str, ...], new: JsonValue) -> dict[str, JsonValue] | None:
        """The keys of a section that gets other keys, so that little of it is changed; None for anything else."""
        found = self._found(place, path)
        if found is None or found.alias or not isinstance(new, dict) or not new:
            return None
        old = plain(found.node)
        if not isinstance(old, dict) or not old or same(old, new):
            return None
        return {name: new.get(name) for name in dict.fromkeys([*new, *old])}

    def _change(self, place: _Place, path: tuple[str, ...], new: JsonValue) -> Change:
        document, found = self._parsed(), self._found(place, path)
        if new is None:
            return removed(document, place.mapping, place.owner, found) if place.mapping and found else Change([])
        if found is not None:
            kept = not found.alias and same(plain(found.node), new) and is_portable(found.node)
            return Change([]) if kept else replaced(document, found, new)
        name, value = path[place.depth], new
        for inner in reversed(path[place.depth + 1 :]):
            value = {inner: value}
        if place.mapping is None:
            return filled(document, place.owner, {name: value})
        return added(document, place.mapping, name, value, self._order(path[: place.depth]))

    def _shares(self, place: _Place, path: tuple[str, ...], new: JsonValue, change: Change) -> bool:
        """True when the change is put off, to be made in one text with others; nothing is to be done for an empty one."""
        if not change.splices:
            return True
        if not change.shares or place.mapping is None or not self._pending.take(change.splices[0], place.mapping):
            return False
        self._touched.add((id(place.mapping), path[place.depth]))
        self._removed[id(place.mapping)] += new is None
        return True


def _require_section(text: str, entry: Entry) -> None:
    """Refuse to go into a value that is no section of its own."""
    key = visible(entry.key, 80)
    if entry.alias:
        raise Refusal(
            T("{key} is shared through an anchor (*), so a change would reach other keys too.", key=key),
            line_number(text, entry.start),
        )
    if isinstance(entry.node, MappingNode):
        return
    value = plain(entry.node)
    if value is not None:
        told = visible(flow(value), 40)
        raise Refusal(T("{key} holds {value}, not a section.", key=key, value=told), line_number(text, entry.start))
