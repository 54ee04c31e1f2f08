"""A batch of written rows on disk, and the vocabulary of what came of it.

    <task>/data/generated/<batch>/plan.json         what it is to hold; written before the first question
    <task>/data/generated/<batch>/raw.jsonl         every answer as it came (tools/generating/record.py); only grows
    <task>/data/generated/<batch>/rows.jsonl        rows that passed every check, with where they come from
    <task>/data/generated/<batch>/quarantine.jsonl  the others, each with its reason
    <task>/data/generated/<batch>/report.json       the numbers

The last three follow from the first two and are written again each time.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from tools.errors import InputError
from tools.files import write_atomic, write_model
from tools.generating.checks import Quarantined, Why
from tools.generating.diversity import Diversity
from tools.generating.looking import Unusable
from tools.generating.plan import Plan
from tools.reviewing.batch import Candidate, candidates_file, load_batch
from tools.reviewing.row_forms import row_object
from tools.task import Row, Task
from tools.text import T, visible

GENERATED_DIR = "data/generated"
_M = TypeVar("_M", bound=BaseModel)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuarantinedRow(_Model):
    """A row that cannot be used, as it may be shown: control characters visible, cut, a copy of a test row without its text."""

    id: str
    fields: dict[str, str] = {}
    label: str = ""
    fault: Quarantined


class Weak(_Model):
    """One of the rows that passed and is most like a row there was already."""

    id: str
    fields: dict[str, str]
    alike: float
    """Similarity to the nearest training row or other row that passed, 0 to 1."""


class Judged(_Model):
    """How far the second answer can be believed: training rows whose label it was asked for as well."""

    right: int
    asked: int


class Report(_Model):
    """A batch in numbers."""

    batch: str
    label: str
    model: str
    wanted: int
    finished: bool
    """False while questions are left to ask."""
    questions: int
    """Asked for rows, with a final answer."""
    failed: dict[str, int] = {}
    """Trouble of questions that never had a usable answer to their number."""
    written: int
    """Rows that came."""
    passed: int
    quarantined: dict[Why, int] = {}
    """Most frequent first."""
    judge: Judged
    diversity: Diversity | None = None
    real: Diversity | None = None
    """Of as many training rows of the label."""
    weakest: list[Weak] = []
    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = True
    """False: the server did not count, the tokens are guessed."""
    cost: float | None = None
    """US dollars; None when the price is not known."""
    unusable: Unusable | None = None
    """The answers of this model while none of them held a usable row."""
    file: str | None = None
    """Of the rows that passed, relative to the task folder; None for a dry run."""


class Generated(_Model):
    """What came of a batch, row by row."""

    report: Report
    rows: list[Candidate]
    """Passed every check and wait for a person."""
    quarantined: list[QuarantinedRow]


def batch_folder(task_path: Path, batch: str) -> Path:
    """Where a batch lies; raises InputError for a name that is no plain word."""
    candidates_file(task_path, batch)
    return task_path / GENERATED_DIR / batch


def read_plan(task_path: Path, batch: str) -> Plan | None:
    """The plan of a batch; None when there is no such batch."""
    return _read(batch_folder(task_path, batch) / "plan.json", Plan)


def read_report(task_path: Path, batch: str) -> Report | None:
    """What came of a batch so far; None before the first writing."""
    return _read(batch_folder(task_path, batch) / "report.json", Report)


def read_finished(task_path: Path, batch: str) -> Generated | None:
    """A batch that is whole, as it was then; None for any other. What became of its rows is in the review batch."""
    report = read_report(task_path, batch)
    if report is None or not report.finished:
        return None
    lines = (batch_folder(task_path, batch) / "quarantine.jsonl").read_bytes().splitlines()
    rows = [item.candidate for item in load_batch(task_path, batch).items] if report.passed else []
    return Generated(report=report, rows=rows, quarantined=[QuarantinedRow.model_validate_json(line) for line in lines])


def free_name(task_path: Path, label: str) -> str:
    """The name of the unfinished batch of a label, else of a new one."""
    plain = "generated-" + (re.sub(r"\W+", "-", label).strip("-")[:40] or "rows")
    number = 1
    while True:
        name = plain if number == 1 else f"{plain}-{number}"
        report, plan = read_report(task_path, name), read_plan(task_path, name)
        # Labels such as C and C++ make one name.
        other = candidates_file(task_path, name).exists() if plan is None else plan.label != label
        taken = other or (report is not None and report.finished)
        if not taken:
            return name
        number += 1


def write_plan(task: Task, plan: Plan) -> None:
    """Begin a batch; raises InputError when its name or its output is taken by something else."""
    if candidates_file(task.path, plan.batch).exists():
        raise InputError(
            T("There is another batch called {batch} to review.", batch=plan.batch),
            hint=T("Choose another name with --batch."),
        )
    if plan.output is not None and (task.path / plan.output).exists():
        raise InputError(
            T("{file} exists already, and source data is never overwritten.", file=visible(plan.output, 200)),
            hint=T("Name a new file with --output."),
        )
    write_model(batch_folder(task.path, plan.batch) / "plan.json", plan)


def write_results(task: Task, plan: Plan, done: Generated) -> None:
    """Write the three files that follow from the record; of a finished batch the output as well."""
    folder = batch_folder(task.path, plan.batch)
    rows = "".join(_line(task, one) for one in done.rows)
    write_atomic(folder / "rows.jsonl", rows)
    write_atomic(folder / "quarantine.jsonl", "".join(one.model_dump_json() + "\n" for one in done.quarantined))
    if plan.output is not None and done.report.finished:
        write_atomic(task.path / plan.output, rows)
    write_model(folder / "report.json", done.report)


def rows_elsewhere(task_path: Path, batch: str) -> list[Row]:
    """The rows that passed in other batches."""
    rows = []
    for file in sorted((task_path / GENERATED_DIR).glob("*/rows.jsonl")):
        if file.parent.name != batch:
            items = [json.loads(line) for line in file.read_bytes().splitlines() if line.strip()]
            rows += [Row(id=f"{file.parent.name}:{item.get('id')}", fields=_texts(item)) for item in items]
    return rows


def _texts(item: dict[str, object]) -> dict[str, str]:
    return {name: value for name, value in item.items() if isinstance(value, str) and name != "id"}


def _line(task: Task, one: Candidate) -> str:
    meta: dict[str, JsonValue] = {"source": "generated", "generated_by": one.source, "provenance": one.provenance}
    row = row_object(task.definition, one.id, one.fields, one.answer, meta)
    return json.dumps(row, ensure_ascii=False) + "\n"


def shown(fields: dict[str, str]) -> dict[str, str]:
    """Fields as they may stand in a file or on a screen."""
    return {name: visible(text, 500) for name, text in fields.items()}


def _read(file: Path, model: type[_M]) -> _M | None:
    try:
        return model.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
