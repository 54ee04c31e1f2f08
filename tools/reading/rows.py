"""Reading rows: JSON lines in every shape a task folder may hold, tolerant of odd rows and exact about what is wrong.

It streams, never changes a file, and leaves out only what cannot be used (broken lines, rows that lack an input field).
Which files make a split, and the data recipe, are not its concern (tools/reading/task.py, tools/running/recipe.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.editing.problem_log import ProblemLog
from tools.editing.text_lines import MAX_LINE_BYTES, Line, assumed_encoding, decode, read_lines
from tools.errors import Problem
from tools.reading.row_answers import Fault, read_answer
from tools.reading.row_shapes import take_apart
from tools.task import Row, TaskDefinition
from tools.text import T, Text, visible

_PAGE = "troubleshooting/broken-files"
_MAX_ID = 200
_MAX_DEPTH = 64
_MAX_ARRAY_BYTES = 512_000_000


class RowsRead(BaseModel):
    """The usable rows of one file, and what is wrong with the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: list[Row]
    problems: list[Problem]


def read_rows(
    path: Path, definition: TaskDefinition, *, shown: str | None = None, seen: set[str] | None = None
) -> RowsRead:
    """All rows of one file; raises InputError only when the file cannot be opened.

    `shown` is the file's name in rows and problems. `seen` holds the ids given so far and grows, so that ids stay unique
    over several files of a split. A row whose answer cannot be used has the answer None.
    """
    reader = _Reader(shown or path.as_posix(), definition, set() if seen is None else seen)
    rows = [row for line, item in _items(path, reader.log, reader.name) if (row := reader.row(line, item)) is not None]
    return RowsRead(rows=rows, problems=reader.log.problems())


def read_objects(
    objects: Iterable[tuple[int, dict[str, Any]]], definition: TaskDefinition, *, shown: str, seen: set[str]
) -> RowsRead:
    """Rows from objects with their line numbers, as a table gives them."""
    reader = _Reader(shown, definition, seen)
    rows = [row for line, item in objects if (row := reader.row(line, item)) is not None]
    return RowsRead(rows=rows, problems=reader.log.problems())


def raw_objects(path: Path, limit: int) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The first `limit` objects of a file as they are, and what is wrong with the lines before; raises InputError."""
    log = ProblemLog(path.name)
    objects = [item for _, item in islice(_items(path, log, path.name), limit)]
    return objects, log.problems()


def content_id(fields: dict[str, str], answer: object) -> str:
    """A stable id made of what the row says: the first 10 hex digits of SHA-1 over input fields and answer."""
    said = json.dumps([sorted(fields.items()), answer], ensure_ascii=False, sort_keys=True)
    return hashlib.sha1(said.encode("utf-8", errors="surrogatepass"), usedforsecurity=False).hexdigest()[:10]


class _Reader:
    """Turns the objects of one file into rows, noting what is wrong."""

    def __init__(self, name: str, definition: TaskDefinition, seen: set[str]) -> None:
        self.name = name
        self.log = ProblemLog(name)
        self._definition = definition
        self._seen = seen
        self._times: dict[str, int] = {}
        """Id to the highest number given to it so far, so that the many rows of one id are not counted through each time."""

    def row(self, line: int, item: dict[str, Any]) -> Row | None:
        """The row of an object; None when it lacks what the task asks for."""
        shape = take_apart(item, self._definition.input_fields, self._definition.answer)
        if shape.missing:
            self._note_missing(line, item, shape.missing)
            return None
        if empty := [name for name, value in shape.fields.items() if not value.strip()]:
            self._note("empty_field", line, T("The field {field} is empty.", field=visible(empty[0])))
        answer, fault = read_answer(shape.answer, self._definition.answer)
        if fault is not None and (shape.chosen is None or shape.answer != shape.chosen):
            self._note_answer(line, fault)
        given = self._given_id(line, item.get("id"))
        if given is not None and given in self._seen:
            self._note_duplicate(line, given)
        return Row(
            id=self._unique(given or content_id(shape.fields, answer)),
            fields=shape.fields,
            answer=answer,
            chosen=shape.chosen,
            rejected=shape.rejected,
            meta={str(key): value for key, value in item.items() if key not in shape.used and key != "id"},
            file=self.name,
            line=line,
        )

    def _unique(self, identity: str) -> str:
        """The id itself, or with ~2, ~3 ... behind it when rows before have it."""
        times = self._times.get(identity, 1)
        unique = identity if times == 1 else f"{identity}~{times}"
        while unique in self._seen:
            times += 1
            unique = f"{identity}~{times}"
        self._times[identity] = times
        self._seen.add(unique)
        return unique

    def _given_id(self, line: int, given: object) -> str | None:
        """The row's own id as text; None when it has none or an unusable one."""
        if given is None:
            return None
        if isinstance(given, int) and not isinstance(given, bool):
            return str(given)
        if isinstance(given, str) and 0 < len(given.strip()) <= _MAX_ID:
            return given.strip()
        self._note(
            "odd_id",
            line,
            T("The id {id} is not a short text or a whole number.", id=visible(repr(given), 60)),
            value=visible(repr(given), 60),
            hint=T("The row is kept under an id made from its content."),
        )
        return None

    def _note_missing(self, line: int, item: dict[str, Any], missing: list[str]) -> None:
        self._note(
            "missing_field",
            line,
            T("The row lacks {fields}.", fields=visible(", ".join(missing), 100)),
            value=missing[0],
            choices=sorted(str(key) for key in item)[:20],
            hint=T("The row was left out. Add the field, or change input_format.template in task_definition.yaml."),
        )

    def _note_duplicate(self, line: int, identity: str) -> None:
        self._note(
            "duplicate_id",
            line,
            T("The id {id} is used more than once.", id=visible(identity)),
            value=identity,
            hint=T("All rows are kept; later ones are called {id}~2 and so on.", id=visible(identity)),
        )

    def _note_answer(self, line: int, fault: Fault) -> None:
        self._note(fault.sort, line, fault.message, value=fault.value, choices=fault.choices, hint=fault.hint)

    def _note(self, sort: str, line: int, message: Text, **more: Any) -> None:
        self.log.add(sort, lambda: _row_problem(self.name, line, sort, message, **more))


def _row_problem(name: str, line: int, sort: str, message: Text, **more: Any) -> Problem:
    return Problem(
        message=message, path=name, line=line or None, page=_PAGE, kind="bad_rows", about={"what": sort}, **more
    )


def _items(path: Path, log: ProblemLog, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with their lines; what is not an object is noted and passed over."""
    is_first = True
    for line in _noting_encoding(read_lines(path), log, name):
        text = line.text.strip() if line.text is not None else None
        # Only the first line with text can open one list of all: the whole file is parsed for it, once.
        if text and is_first and text.startswith("[") and (array := _whole_array(path)) is not None:
            yield from _array_objects(array, log, name)
            return
        is_first = is_first and not text
        if text is None:
            log.add("long_line", partial(_overlong, name, line.number))
        elif text:
            yield from _line_object(text, line.number, log, name)


def _noting_encoding(lines: Iterable[Line], log: ProblemLog, name: str) -> Iterator[Line]:
    noted = False
    for line in lines:
        if not noted and not line.encoding.startswith("utf-8"):
            log.add("encoding", partial(assumed_encoding, name, line.encoding, line.number))
            noted = True
        yield line


def _line_object(text: str, line: int, log: ProblemLog, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The object on a line, or nothing after noting why there is none."""
    try:
        value = json.loads(text)
        _check_storable(text, value)
    except (ValueError, RecursionError) as reason:
        log.add("broken_json", partial(_broken, text, line, name, reason))
        return
    if isinstance(value, dict):
        yield line, value
    else:
        log.add("not_object", partial(_not_object, value, line, name))


def _array_objects(array: list[Any], log: ProblemLog, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file that is one list; its items have numbers but no lines."""
    for number, item in enumerate(array, start=1):
        if isinstance(item, dict):
            yield 0, item
        else:
            log.add("not_object", partial(_not_object, item, 0, name, number))


def _check_storable(text: str, value: Any) -> None:
    """Raise ValueError for JSON that could not be written again: half a surrogate pair, or nesting beyond all use."""
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    if text.count("[") + text.count("{") > _MAX_DEPTH and _depth(value) > _MAX_DEPTH:
        raise RecursionError


def _overlong(name: str, line: int) -> Problem:
    message = T("The line is longer than {limit} bytes.", limit=MAX_LINE_BYTES)
    return _row_problem(name, line, "long_line", message, hint=T("The line was left out."))


def _not_object(value: Any, line: int, name: str, item: int | None = None) -> Problem:
    shown = visible(json.dumps(value, ensure_ascii=False)[:200], 60)
    where = T("Item {number} of the list", number=item) if item else T("The line")
    message = T("{where} is not a JSON object but {value}.", where=where, value=shown)
    return _row_problem(name, line, "not_object", message, value=shown, hint=T("It was left out."))


def _broken(text: str, line: int, name: str, reason: Exception) -> Problem:
    """The problem of a line that is not usable JSON, with the place where it breaks."""
    column, why = 1, T("it is nested too deeply, or holds a number or character that cannot be stored")
    if isinstance(reason, json.JSONDecodeError):
        column, why = reason.colno, T("{reason} at column {column}", reason=reason.msg, column=reason.colno)
    return _row_problem(
        name,
        line,
        "broken_json",
        T("The line is not usable JSON: {why}.", why=why),
        value=visible(text[max(0, column - 20) : column + 20], 60),
        hint=T("Mend or remove the line; it was left out."),
    )


def _depth(value: Any) -> int:
    """Nesting of lists and objects, looked at without recursion."""
    deepest, level = 0, [value]
    while level:
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        deepest += bool(level)
    return deepest


def _whole_array(path: Path) -> list[Any] | None:
    """The items of a file that is one JSON list of objects; None when it is not."""
    if path.stat().st_size > _MAX_ARRAY_BYTES:
        return None
    try:
        value = json.loads(decode(path.read_bytes())[0].removeprefix("\ufeff"))
    except (ValueError, RecursionError, OSError):
        return None
    if not isinstance(value, list) or not any(isinstance(item, dict) for item in value) or _depth(value) > _MAX_DEPTH:
        return None
    return value
