"""The rows that a person wants answered: a table or JSON lines, standard input, or one text from the command line.

A row only needs the fields of the task's template; everything wrong with a file is said at once, before a model is loaded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from tools.errors import InputError, Problem
from tools.exporting.version import UsedVersion
from tools.making.table import read_table
from tools.reading.row_shapes import take_apart
from tools.runs import Example
from tools.task import Row
from tools.text import T, visible

_SHOWN = 20
_USUAL_TEXT = ("text", "sentence", "content", "input")
_USUAL_TARGET = ("target", "entity", "aspect", "topic")


def rows_of_file(used: UsedVersion, source: Path) -> list[Example]:
    """The rows of a CSV, TSV, JSON, JSONL or Parquet file; raises InputError with all rows that cannot be asked."""
    table = read_table(source)
    return _examples(used, table.rows, source.name, table.problems)


def rows_of_stream(used: UsedVersion, stream: BinaryIO) -> list[Example]:
    """The rows of JSON lines that come on a stream, read to its end."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as copy:
        while block := stream.read(1 << 20):
            copy.write(block)
        copy.flush()
        table = read_table(Path(copy.name))
    problems = [one.model_copy(update={"path": "-"}) for one in table.problems]
    return _examples(used, table.rows, "-", problems)


def single_row(used: UsedVersion, text: str | None, target: str | None, fields: dict[str, str]) -> list[Example]:
    """One row out of the words of a command line; raises InputError when they do not fill the task's fields."""
    names = used.task.definition.input_fields
    values = filled(names, text, target, fields)
    missing = [name for name in names if name not in values]
    unknown = [name for name in values if name not in names]
    if missing or unknown:
        raise InputError(
            T("A row of this task has the fields {fields}.", fields=visible(", ".join(names), 200)),
            hint=T(
                "Give each one: --text ... --target ..., or --field NAME=VALUE; missing: {missing}.",
                missing=visible(", ".join(missing), 200) or "-",
            ),
        )
    return _examples(used, [values], "--text", [])


def filled(names: list[str], text: str | None, target: str | None, fields: dict[str, str]) -> dict[str, str]:
    """The fields with a text and a target put where they belong; raises InputError where every field has its value already."""
    values = dict(fields)
    for given, usual in ((target, _USUAL_TARGET), (text, _USUAL_TEXT)):
        if given is None:
            continue
        free = [name for name in names if name not in values]
        if not free:
            raise InputError(
                T("Every field has its value already, so there is no place for {text}.", text=repr(visible(given, 80))),
                hint=T("A row of this task has the fields {fields}.", fields=visible(", ".join(names), 200)),
            )
        values[next((name for name in usual if name in free), free[-1])] = given
    return values


def _examples(used: UsedVersion, items: Iterable[dict[str, Any]], name: str, problems: list[Problem]) -> list[Example]:
    examples: list[Example] = []
    found = list(problems)
    for number, item in enumerate(items, start=1):
        shape = take_apart(item, used.task.definition.input_fields, used.task.definition.answer)
        if shape.missing:
            found.append(_lacks(name, number, shape.missing, item))
            continue
        given = item.get("id")
        row = Row(id=str(given) if isinstance(given, str | int) else str(number), fields=shape.fields)
        examples.append(used.example(row))
    if found:
        raise InputError(
            T("{count} rows of {name} cannot be asked, so nothing was.", count=len(found), name=visible(name, 120)),
            hint=T("Mend these rows, or take them out of the file."),
            problems=found[:_SHOWN],
            page="troubleshooting/broken-files",
        )
    return examples


def _lacks(name: str, number: int, missing: list[str], item: dict[str, Any]) -> Problem:
    return Problem(
        message=T("Row {number} lacks {fields}.", number=number, fields=visible(", ".join(missing), 100)),
        path=name,
        choices=sorted(visible(str(key), 40) for key in item)[:20],
    )
