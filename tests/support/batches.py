"""Batches of new rows by hand: started, gone on with, and what they left on disk."""

from __future__ import annotations

from typing import Any

from tests.support.writers import writer_of
from tools.errors import EndpointFailed
from tools.generating.asking import Limits
from tools.generating.order import Order
from tools.generating.run import Progress, generate_rows
from tools.generating.store import Generated
from tools.task import Task
from tools.text import T

QUICK = Limits(parallel=2, pause=0)


def failed(trouble: str) -> EndpointFailed:
    return EndpointFailed(T("It failed."), trouble=trouble)  # type: ignore[arg-type]


def told(_: Progress) -> None:
    pass


def run(task: Task, complete: Any, limits: Limits = QUICK, **order: Any) -> Generated:
    given = {"label": "中立", "wanted": 10, **order}
    return generate_rows(task, Order(**given), writer_of(complete), limits, told)


def files(task: Task) -> dict[str, bytes]:
    return {str(path.relative_to(task.path)): path.read_bytes() for path in task.path.rglob("*") if path.is_file()}


def said(done: Generated) -> list[tuple[str, dict[str, str]]]:
    return [(row.id, row.fields) for row in done.rows]
