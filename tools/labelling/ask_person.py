"""Filling the batch `labelling` with rows whose labels would help most; a person then labels them like any reviewed rows.

    read_pool -> scores of the version, where it is here -> choose -> tools/samples.py (batch "labelling")

What is labelled becomes one file and one line of the recipe through tools.samples.finish, and is trained and compared like
any other change. Nobody's label is invented here: a row without a person's decision never reaches training.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.labelling.agreement import Guess, keep_guesses
from tools.labelling.choose import Choice, choose, confused_pairs
from tools.labelling.pool import Pool, read_pool
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.rows import content_id
from tools.reviewing.batch import Candidate, list_batches, load_batch
from tools.samples import add
from tools.task import Row, Task
from tools.text import T, Text

LABELLING = "labelling"
"""Name of the batch."""
USUAL_COUNT = 50
"""Rows asked about at once: half an hour of a person's time."""


class Filled(BaseModel):
    """What was put into the batch, and why the rest was not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    added: int
    waiting: int
    """Rows of the batch without a label, the new ones included."""
    pool: Pool
    at_random: int
    """Of the added ones, those that chance chose."""
    version: str
    """Whose scores chose the others; "" when all were drawn at random."""


def open_pool(task: Task, file: Path | None = None) -> Pool:
    """The pool without the rows that the batch has already."""
    pool = read_pool(task, file)
    asked = _asked(task.path)
    rows = [row for row in pool.rows if _name(row) not in asked]
    return pool.model_copy(update={"rows": rows, "known": pool.known + len(pool.rows) - len(rows)})


def fill_batch(
    task: Task, pool: Pool, count: int, *, version: str = "", scores: Mapping[str, Mapping[str, float]] | None = None
) -> Filled:
    """Choose up to `count` rows of the pool and add them to the batch; without scores of `version` by chance alone."""
    known = scores or {}
    chosen = choose(pool.rows, known, count, confused=_confused(task, version))
    add(task.path, LABELLING, [_candidate(one) for one in chosen])
    keep_guesses(
        task.path, LABELLING, [_guess(one, known[one.row.id], version) for one in chosen if one.row.id in known]
    )
    waiting = load_batch(task.path, LABELLING).counts.open if LABELLING in list_batches(task.path) else 0
    return Filled(
        added=len(chosen),
        waiting=waiting,
        pool=pool,
        at_random=sum(one.at_random for one in chosen),
        version=version if known else "",
    )


def _confused(task: Task, version: str) -> dict[frozenset[str], int]:
    """Errors on validation per pair of labels, of this version or the newest with a result."""
    result = latest(read_results(ReadResultsArgs(task_dir=task.path)), version or None, "valid")
    return confused_pairs(result.confusion) if result is not None else {}


def _asked(task_path: Path) -> set[str]:
    if LABELLING not in list_batches(task_path):
        return set()
    return {item.candidate.id for item in load_batch(task_path, LABELLING).items}


def _name(row: Row) -> str:
    """By content, so that a row keeps its name when the pool is sorted or cut."""
    return f"pool:{content_id(row.fields, None)}"


def _candidate(choice: Choice) -> Candidate:
    row = choice.row
    chosen = "at random" if choice.at_random else "by uncertainty"
    return Candidate(
        id=_name(row),
        origin="new",
        fields=row.fields,
        why=_why(choice),
        source="person",
        provenance={"file": row.file, "line": row.line, "pool_id": row.id, "chosen": chosen},
    )


def _why(choice: Choice) -> Text:
    """Why it is asked about; never which label was thought of, which would lead the person."""
    if choice.at_random or choice.margin is None:
        return T("It was drawn at random.")
    return T(
        "The model hesitates: its two likeliest labels are {margin:.1%} apart. What it answers is not shown before you do.",
        margin=choice.margin,
    )


def _guess(choice: Choice, scores: Mapping[str, float], version: str) -> Guess:
    best = max(scores, key=lambda label: scores[label])
    return Guess(item=_name(choice.row), label=best, scores=dict(scores), version=version, at_random=choice.at_random)
