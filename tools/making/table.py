"""Reading a table of examples from a local file: CSV, TSV, JSON lines, JSON or Parquet. Nothing is interpreted here."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tools.editing.problem_log import ProblemLog
from tools.editing.text_lines import assumed_encoding, read_text
from tools.errors import InputError, MissingPart, NotFound, Problem
from tools.reading.rows import raw_objects
from tools.text import T, visible

FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
_PAGE = "troubleshooting/broken-files"
_MAX_FIELD = 16_000_000
_MAX_ROWS = 5_000_000
_DELIMITERS = ",;\t|"


class Table(NamedTuple):
    """Rows as mappings from column to value, and what was wrong while reading."""

    columns: list[str]
    rows: list[dict[str, Any]]
    problems: list[Problem]


def read_table(source: Path) -> Table:
    """The table in a file; raises NotFound without the file, InputError when it holds no table."""
    if not source.is_file():
        raise NotFound(
            T("There is no file {path}.", path=visible(str(source))),
            hint=T("Give the path of a CSV, TSV, JSON, JSONL or Parquet file on this machine."),
        )
    suffix = source.suffix.lower()
    if suffix == ".parquet":
        table = _parquet(source)
    elif suffix in {".jsonl", ".ndjson", ".json"}:
        table = _json(source)
    elif suffix in {".csv", ".tsv", ".txt"}:
        table = _csv(source)
    else:
        raise InputError(
            T("{path} has no known format.", path=visible(source.name)),
            hint=T("Valid formats are {formats}.", formats=", ".join(FORMATS)),
            page=_PAGE,
        )
    if not table.rows or not table.columns:
        raise InputError(
            T("{path} holds no rows.", path=visible(source.name)),
            hint=T("The first line of a CSV must name the columns; every line of a JSONL must be an object."),
            page=_PAGE,
            problems=table.problems,
        )
    return table


def _csv(source: Path) -> Table:
    text, encoding = read_text(source)
    log = ProblemLog(source.name)
    if not encoding.startswith("utf-8"):
        log.add("encoding", lambda: assumed_encoding(source.name, encoding))
    text = text.removeprefix("\ufeff").replace("\x00", "")
    delimiter = "\t" if source.suffix.lower() == ".tsv" else _delimiter(text)
    csv.field_size_limit(_MAX_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[dict[str, Any]] = []
    try:
        columns = _columns(next(reader, []))
        for cells in reader:
            if len(cells) != len(columns) and any(cells):
                log.add("ragged", partial(_ragged, source.name, reader.line_num, len(cells), len(columns)))
            elif any(cells):
                rows.append(dict(zip(columns, cells, strict=True)))
    except csv.Error as reason:
        raise InputError(
            T("{path}, line {line}: {reason}.", path=visible(source.name), line=reader.line_num, reason=str(reason)),
            hint=T("Save the table as CSV again, with quotes around texts."),
            page=_PAGE,
        ) from reason
    return Table(columns, rows, log.problems())


def _ragged(name: str, line: int, found: int, wanted: int) -> Problem:
    return Problem(
        message=T(
            "The line has {found} cells where the header has {wanted}; it was left out.", found=found, wanted=wanted
        ),
        path=name,
        line=line,
        hint=T("Put quotes around texts that hold the separator."),
        page=_PAGE,
        kind="bad_rows",
        about={"what": "ragged"},
    )


def _delimiter(text: str) -> str:
    """The separator that occurs most in the header line."""
    counts = Counter(char for char in text.split("\n", 1)[0] if char in _DELIMITERS)
    return counts.most_common(1)[0][0] if counts else ","


def _columns(header: list[str]) -> list[str]:
    """Column names, those that are empty or stand twice made different."""
    names: list[str] = []
    for place, raw in enumerate(header, start=1):
        name = raw.strip() or f"column_{place}"
        names.append(name if name not in names else f"{name}_{place}")
    return names


def _json(source: Path) -> Table:
    rows, problems = raw_objects(source, _MAX_ROWS)
    if not rows:
        rows = _wrapped(source)
    return Table(_keys(rows), rows, problems if rows else [])


def _wrapped(source: Path) -> list[dict[str, Any]]:
    """The rows of a file that is one object with a list of objects in it, such as {"data": [...]}."""
    try:
        value = json.loads(read_text(source)[0].removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return []
    lists = [held for held in value.values() if isinstance(held, list)] if isinstance(value, dict) else []
    return [row for row in max(lists, key=len, default=[]) if isinstance(row, dict)]


def _keys(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(key) for row in rows for key in row))


def _parquet(source: Path) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as reason:
        raise MissingPart(
            T("Reading Parquet needs the package pyarrow."),
            hint=T("Install it with: pip install pyarrow"),
            page="troubleshooting/installation",
        ) from reason
    try:
        rows: list[dict[str, Any]] = parquet.read_table(source).to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as reason:
        raise InputError(
            T(
                "{path} is no readable Parquet file: {reason}.",
                path=visible(source.name),
                reason=visible(str(reason), 200),
            ),
            page=_PAGE,
        ) from reason
    return Table(_keys(rows[:1]), rows, [])
