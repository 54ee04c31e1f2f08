"""Quick checks that somebody asked for and that are not over, written down so that whoever comes back takes them up.

    .iterate/quick/<change id>.json   QuickPlan

    want_quick -> follow_quick (again after leaving) -> QuickResult, on record in iterations/quick_checks.jsonl

The runs are detached workers, one after the other: the one that works goes on when nobody follows, the next begins when
somebody follows again. Nothing here approves anything.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from tools.errors import RunFailed
from tools.files import write_model
from tools.launch_training import cancel
from tools.probing.quick_check import QuickCheckArgs, QuickPlan, QuickResult, plan_quick_check, run_quick_check
from tools.runs import RunDir, RunEvent

WANTED_DIR = ".iterate/quick"
"""Beside the sessions: what this machine is about to do, not a record."""


def want_quick(args: QuickCheckArgs) -> QuickPlan:
    """Plan a quick check and write down that it is wanted; raises InputError when it cannot be made."""
    plan = plan_quick_check(args)
    write_model(_file(args.task_dir, args.change_id), plan)
    return plan


def wanted_quick(task_path: Path, change_id: str) -> QuickPlan | None:
    """The quick check of a change that was asked for and is not over; None without one whose runs are here."""
    try:
        plan = QuickPlan.model_validate_json(_file(task_path, change_id).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    runs = (*plan.base, *plan.changed)
    return plan if all(path.joinpath("spec.json").exists() for path in runs) else None


def follow_quick(
    plan: QuickPlan,
    on_event: Callable[[Path, RunEvent], None] = lambda path, event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> QuickResult | None:
    """Carry a wanted quick check on to its result; None when it was cancelled, or left because `should_stop` said so.

    One that is left stays wanted. Raises RunFailed; it is not wanted any more then.
    """
    try:
        result = run_quick_check(plan, on_event, should_stop)
    except RunFailed:
        _forget(plan)
        raise
    if result is not None or not should_stop():
        _forget(plan)
    return result


def drop_quick(plan: QuickPlan) -> None:
    """Stop a quick check: its worker is cancelled, and it is not wanted any more. Raises Busy when that does not stop."""
    _forget(plan)
    for path in (*plan.base, *plan.changed):
        status = RunDir(path).status()
        if status is not None and not status.state.ended:
            cancel(path)


def _file(task_path: Path, change_id: str) -> Path:
    assert change_id.isalnum()  # Proposal.id: it becomes a file name
    return task_path / WANTED_DIR / f"{change_id}.json"


def _forget(plan: QuickPlan) -> None:
    _file(plan.args.task_dir, plan.args.change_id).unlink(missing_ok=True)
