"""A training that is not finished when the time of its night has passed: how long it may still go on, and what ends it.

The loop begins nothing that does not fit, but an estimate may be wrong. Whoever waits for a run asks `stops`; past the grace it
writes the line that ends the night, and waits no longer. That line is the decision: it is on disk before anything is cancelled,
so that neither a kill nor a clock that is set back changes what becomes of the night. Cancelling is done at its end (night.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.overnight.context import Night
from agent.overnight.records import Guarded
from agent.overnight.rules import grace_minutes
from tools.launch_training import list_runs
from tools.runs import RunDir
from tools.text import T, Text

_PAGE = "methods/overnight"


def stops(night: Night, path: Path, planned: float, going: Callable[[], bool]) -> Callable[[], bool]:
    """What a step that waits for a training of a task asks: True once it should wait no longer.

    `planned` are the minutes of that training; `going` tells, once it is too late, whether it really is not finished.
    """

    def ask() -> bool:
        night.meter.ran()  # what is used is written down in a training that says nothing, too
        if night.leaving():
            return True
        return not night.ending and (night.standing().cut is not None or _cuts(night, path, planned, going))

    return ask


def is_going(path: Path, version: str, seed: int | None = None) -> bool:
    """True while a training of a version is not finished, whether it was begun or not: of one seed, or of any it has."""
    ended: dict[int, bool] = {}
    for run in map(RunDir, list_runs(path, version)):  # the newest attempt of a seed counts
        status = run.status()
        ended[run.spec().seed] = status is not None and status.state.ended
    return not ended.get(seed, False) if seed is not None else not (ended and all(ended.values()))


def _cuts(night: Night, path: Path, planned: float, going: Callable[[], bool]) -> bool:
    grace = grace_minutes(night.rules.grace, planned)
    reason = night.overdue(grace)
    if reason is None or not going():
        return False
    message = _message(grace, planned)
    night.add(Guarded, "guarded:time", task=path.name, guard="time", message=message, page=_PAGE, ends=reason)
    return True


def _message(grace: float, planned: float) -> Text:
    if not grace:
        return T(
            "It was not finished when the time of the night was over, so it was cancelled; about {planned:.0f} min had been "
            "planned for it.",
            planned=planned,
        )
    return T(
        "It was not finished {grace:.0f} min after the time of the night had passed, so it was cancelled; about "
        "{planned:.0f} min had been planned for it.",
        grace=grace,
        planned=planned,
    )
