"""What a person orders, and the plan of the batch that is meant by it: a new one, or the one that was begun.

Nothing is asked of a model here, and nothing is written.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveInt

from tools.errors import InputError
from tools.files import now, sha256_bytes
from tools.generating.facts import Facts
from tools.generating.plan import Plan, choose_label, confusions_of, rows_in_request
from tools.generating.store import free_name, read_plan
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import inside
from tools.text import T, visible

USUAL_ROWS = 200
"""The specification's number."""


class Order(BaseModel):
    """What is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str | None = None
    """None: the label with the fewest training rows, or that of the batch."""
    wanted: PositiveInt | None = None
    """Rows that pass every check; None: those of the batch, else USUAL_ROWS."""
    batch: str | None = None
    """None: the unfinished batch of the label, else a new one."""
    output: str | None = None
    """A new file for the rows that pass, relative to the task folder."""
    dry_run: bool = False
    """Ask once, show what comes, write nothing."""
    close: bool = False
    """Ask nothing more: take what is there."""
    keep_going: bool = False
    """Go on although no answer of the model held a usable row so far."""


def plan_of(facts: Facts, order: Order, model: str) -> Plan:
    """The plan of the batch that the order means; raises InputError where they differ."""
    path = facts.task.path
    label = None if order.label is None else choose_label(facts, order.label)
    name = order.batch or free_name(path, label or choose_label(facts, None))
    known = None if order.dry_run else read_plan(path, name)
    if known is not None:
        _require_same(known, order)
        return known
    label = label or choose_label(facts, None)
    wanted = order.wanted or USUAL_ROWS
    result = latest(read_results(ReadResultsArgs(task_dir=path)))
    return Plan(
        batch=name,
        label=label,
        wanted=wanted,
        per_request=rows_in_request(facts, wanted),
        seed=int(sha256_bytes(name.encode("utf-8"))[:8], 16),
        confusions=confusions_of(label, result),
        version=result.version if result else None,
        model=model,
        output=_output(path, order.output),
        created_at=now(),
    )


def _output(path: Path, file: str | None) -> str | None:
    if file is None:
        return None
    whole = inside(path, file)
    if whole is None or whole.suffix != ".jsonl":
        raise InputError(
            T("{file} is no place for new rows.", file=visible(file, 200)),
            hint=T("Name a .jsonl file inside the task folder, such as data/raw/generated.jsonl."),
        )
    return file


def _require_same(plan: Plan, order: Order) -> None:
    asked = {"label": order.label, "wanted": order.wanted, "output": order.output}
    kept = {"label": plan.label, "wanted": plan.wanted, "output": plan.output}
    other = [name for name, value in asked.items() if value is not None and value != kept[name]]
    if other:
        raise InputError(
            T(
                "Batch {batch} was begun for {wanted} rows of {label}.",
                batch=plan.batch,
                wanted=plan.wanted,
                label=visible(plan.label, 60),
            ),
            hint=T("Go on with it without further options, close it (--close), or begin another one (--batch NAME)."),
        )
