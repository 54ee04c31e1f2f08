"""Append-only files: lines that a crash or a full disk tore.

Readers pass over a torn line, so nothing fails because of one; but what it said is lost, and it is better to know. Only the
ledger of the test set is different: a line that nobody can read counts as an opening there, and keeps counting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tools.auditing.keeping import Keeper
from tools.auditing.trouble import Trouble
from tools.text import T
from tools.versioning.ledger import LEDGER, unreadable_opening

_FILES = (
    "iterations/*.jsonl",
    "iterations/*/history.jsonl",
    "runs/*/events.jsonl",
    "runs/quick/*/events.jsonl",
    ".iterate/**/*.jsonl",
)


def torn_lines(task: Path) -> Iterator[Trouble]:
    """Lines of a task's append-only files that are no JSON object."""
    kept = task / ".iterate" / "fsck"
    for pattern in _FILES:
        for path in sorted(task.glob(pattern)):
            if not path.is_relative_to(kept):
                yield from torn_in(path, is_ledger=path == task / LEDGER)


def torn_in(path: Path, *, is_ledger: bool = False) -> Iterator[Trouble]:
    """The torn lines of one file, as one trouble."""
    lines = path.read_bytes().splitlines()
    torn = [number for number, line in enumerate(lines, 1) if line.strip() and not _is_whole(line)]
    if not torn:
        return
    why = T("Line {numbers} could not be read.", numbers=", ".join(map(str, torn)))

    def repair(keeper: Keeper) -> None:
        # Read again: lines may have been added since the look.
        present = [line for line in path.read_bytes().splitlines() if line.strip()]
        whole = [_mended(line, number, is_ledger) for number, line in enumerate(present, 1)]
        keeper.replace(path, b"".join(line + b"\n" for line in whole if line), why)

    yield Trouble(
        kind="torn_lines",
        place=path,
        what=T("{count} line(s) cannot be read: {numbers}.", count=len(torn), numbers=", ".join(map(str, torn[:10]))),
        matters=_MATTERS_LEDGER if is_ledger else _MATTERS,
        hint=T("Look at the lines named; what stands in whole lines is not affected."),
        mend=_MEND_LEDGER if is_ledger else _MEND,
        repair=repair,
    )


_MATTERS = T("What such a line said is passed over by every reader, as if it had not happened.")
_MATTERS_LEDGER = T("An opening of the locked test set that is not counted would make later claims too easy.")
_MEND = T("The torn lines are taken out; the file as it was is kept.")
_MEND_LEDGER = T("Each is written as an opening of which nothing is known, so that it still counts; the file is kept.")


def _mended(line: bytes, number: int, is_ledger: bool) -> bytes:
    if _is_whole(line):
        return line
    return unreadable_opening(number).model_dump_json().encode("utf-8") if is_ledger else b""


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
