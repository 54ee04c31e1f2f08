"""What becomes of a reviewed batch: new rows in one file of their own, and lines of the recipe, as one change.

Source files are never edited, and nothing is trained on until the change was approved. The file of new rows is named by its
content, so that planning twice is planning once. Rows that would leak evaluated rows into training are held back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.change import Change, ChangeKind, Edit
from tools.errors import InputError
from tools.evidence.leaks import find_leaks
from tools.evidence.thresholds import read_thresholds
from tools.files import sha256_bytes, write_atomic
from tools.making.first_rows import PAGE, never_divided, next_step
from tools.reading.config import CONFIG_NAMES
from tools.reading.rows import content_id
from tools.reading.task import load_split
from tools.reviewing.batch import Batch, Item, load_batch
from tools.reviewing.row_forms import row_object, row_problems
from tools.task import Row, Task
from tools.text import T, Text

REVIEWED_DIR = "data/reviewed"


class Outcome(BaseModel):
    """What a batch's decisions come to, before anything is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: str
    file: str | None = None
    """Where the new rows go, relative to the task folder; None when there are none."""
    content: str = ""
    """The rows of that file, JSON lines."""
    added: int = 0
    relabelled: dict[str, str] = {}
    """Training row to its new label."""
    left_out: list[str] = []
    """Training rows that are newly excluded, replaced ones included."""
    questions: int = 0
    """Decided validation rows: they change no training data."""
    held_back: dict[str, Text] = {}
    """Candidates that were decided but cannot be used, with the reason."""
    edits: list[Edit] = []
    """Empty when nothing would change."""


def plan(task: Task, batch: Batch) -> Outcome:
    """What the decisions come to; nothing is written."""
    work = _Work(task, batch)
    for item in batch.items:
        if item.decision is not None:
            work.take(item)
    return work.outcome()


def finish(task: Task, name: str) -> Change:
    """Write the file of new rows if there are any, and return the change that puts the outcome into the recipe.

    Raises InputError, with nothing written, when the decisions change nothing, or when there is no train to join yet.
    """
    if never_divided(task):
        raise InputError(
            T("These are the first rows of {task}; they are divided, not added.", task=task.name),
            hint=next_step(task),
            page=PAGE,
        )
    outcome = plan(task, load_batch(task.path, name))
    if not outcome.edits:
        raise InputError(
            T("The decisions of batch {batch} change no training data, so there is nothing to propose.", batch=name),
            hint=T("Accept, edit or relabel a row, or leave one out. Questions about validation rows change nothing."),
            page="troubleshooting/label-noise",
        )
    if outcome.file is not None:
        write_atomic(task.path / outcome.file, outcome.content)
    return Change(kind=ChangeKind.data, summary=summary(outcome), edits=outcome.edits)


def summary(outcome: Outcome) -> Text:
    """The outcome in one line."""
    return T(
        "Reviewed rows of {batch}: {added} added, {relabelled} relabelled, {left_out} left out",
        batch=outcome.batch,
        added=outcome.added,
        relabelled=len(outcome.relabelled),
        left_out=len(outcome.left_out),
    )


class _Work:
    """Collects what the decided items ask for."""

    def __init__(self, task: Task, batch: Batch) -> None:
        self._task = task
        self._batch = batch
        self._train = {row.id: row for row in load_split(task, "train").split.rows}
        self._recipe = task.config.values.data
        earlier = _earlier(batch.name)
        self._divided = {row.key for row in self._train.values() if not earlier.fullmatch(row.file)}
        """Questions that train has from elsewhere; the batch's own earlier file is written anew."""
        self._stood_in = {row.meta.get("parent_id") for row in self._train.values() if earlier.fullmatch(row.file)}
        """Training rows that an edited form in that file stands in for, and that were left out for it."""
        self._new: dict[str, dict[str, JsonValue]] = {}
        """Candidate id to the row that is added."""
        self._rows: dict[str, Row] = {}
        self._relabel: dict[str, str] = {}
        self._exclude: list[str] = []
        self._out: set[str] = set()
        """Training rows that the decisions want out, those that are out already included."""
        self._replaced: dict[str, str] = {}
        """Candidate id to the training row that its edited form stands in for."""
        self._held: dict[str, Text] = {}
        self._questions = 0

    def take(self, item: Item) -> None:
        """Turn one decided item into what it asks for."""
        if item.candidate.origin == "valid":
            self._questions += 1
        elif item.candidate.origin == "new":
            if item.state != "rejected":
                self._add(item, None)
        elif item.candidate.row not in self._train:
            self._held[item.candidate.id] = T("Train does not have this row any more.")
        else:
            self._settle(item, self._train[item.candidate.row])

    def _settle(self, item: Item, row: Row) -> None:
        """A training row: out, under another label, in another form, or as it is."""
        if item.state == "rejected":
            self._leave_out(row.id)
        elif row.chosen is not None:
            self._held[item.candidate.id] = T("It is a preference pair, which can only be kept or left out.")
        elif item.fields == row.fields and item.answer == self._recipe.relabel.get(row.id, row.answer):
            return
        elif item.fields == row.fields and self._task.definition.task_type == "classification":
            self._relabel[row.id] = str(item.answer)
        else:
            self._add(item, row)

    def _leave_out(self, row: str) -> None:
        self._out.add(row)
        if row not in self._recipe.exclude and row not in self._exclude:
            self._exclude.append(row)

    def _add(self, item: Item, replaced: Row | None) -> None:
        problems = row_problems(self._task, item.fields, item.answer)
        if problems:
            self._held[item.candidate.id] = problems[0]
            return
        meta: dict[str, JsonValue] = {"review": self._batch.name, "source": item.candidate.source}
        if item.candidate.provenance:
            meta["provenance"] = item.candidate.provenance
        if replaced is None and tuple(sorted(item.fields.items())) in self._divided:
            self._held[item.candidate.id] = T("Train has this row already.")
            return
        if replaced is not None:
            meta["parent_id"] = replaced.id
            self._replaced[item.candidate.id] = replaced.id
        own = content_id(item.fields, item.answer)
        row_id = (item.candidate.row or f"r{own}") if replaced is None else f"{replaced.id}.r{own[:4]}"
        self._new[item.candidate.id] = row_object(self._task.definition, row_id, item.fields, item.answer, meta)
        answer = item.answer if isinstance(item.answer, str | dict) else None
        self._rows[item.candidate.id] = Row(id=item.candidate.id, fields=item.fields, answer=answer)

    def outcome(self) -> Outcome:
        """Everything put together."""
        for candidate in _leaking(self._task, list(self._rows.values())):
            self._held[candidate] = T("It is a copy of an evaluated row, or nearly one.")
            self._new.pop(candidate)
        for candidate, row in self._replaced.items():
            if candidate in self._new:
                self._leave_out(row)
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self._new.values())
        file = f"{REVIEWED_DIR}/{self._batch.name}-{sha256_bytes(content.encode())[:8]}.jsonl" if content else None
        return Outcome(
            batch=self._batch.name,
            file=file,
            content=content,
            added=len(self._new),
            relabelled=self._relabel,
            left_out=self._exclude,
            questions=self._questions,
            held_back=self._held,
            edits=self._edits(file),
        )

    def _edits(self, file: str | None) -> list[Edit]:
        edits: list[Edit] = []
        earlier = _earlier(self._batch.name)
        files: list[JsonValue] = [name for name in self._recipe.train if not earlier.fullmatch(name)]
        files += [file] if file is not None else []
        if set(files) != set(self._recipe.train):
            edits.append(self._edit(("data", "train"), list(self._recipe.train), files))
        now = self._recipe.exclude
        # A row comes back when the edited form that stood in for it does not: with neither, it would be lost.
        kept = [row for row in now if row not in self._stood_in or row in self._out]
        if self._exclude or kept != now:
            edits.append(self._edit(("data", "exclude"), list(now) or None, [*kept, *self._exclude]))
        return [*edits, *self._relabels()]

    def _relabels(self) -> list[Edit]:
        """One edit a row; when the definition gives other rows, they are written down too, since the file's section wins."""
        now: Mapping[str, str] = self._recipe.relabel
        if self._is_ours("data.relabel"):
            return [
                Edit(path=("data", "relabel", row), old=now.get(row), new=label) for row, label in self._relabel.items()
            ]
        both = {**now, **self._relabel} if self._relabel else {}
        return [Edit(path=("data", "relabel", row), new=label) for row, label in both.items()]

    def _edit(self, path: tuple[str, ...], old: JsonValue, new: JsonValue) -> Edit:
        return Edit(path=path, old=old if self._is_ours(".".join(path)) else None, new=new)

    def _is_ours(self, key: str) -> bool:
        """True when the configuration file gives the key, not the definition or a default."""
        return self._task.config.origins.get(key) in CONFIG_NAMES


def _earlier(batch: str) -> re.Pattern[str]:
    """The names of the files that a batch was written to before."""
    return re.compile(rf"{REVIEWED_DIR}/{re.escape(batch)}-[0-9a-f]{{8}}\.jsonl")


def _leaking(task: Task, rows: Sequence[Row]) -> list[str]:
    """Ids of the rows that have a copy in validation or test; the machine compares, nobody is shown the test row."""
    limit = read_thresholds(task.definition.thresholds)[0].near_duplicate
    found = [
        leak.row
        for name in ("valid", "test")
        for leak in find_leaks(list(rows), load_split(task, name).split.rows, limit)
    ]
    return list(dict.fromkeys(found)) if rows else []
