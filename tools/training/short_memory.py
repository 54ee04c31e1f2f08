"""Going on when memory runs out: the same training with fewer rows in one pass and more passes in one step.

Worker side, free of torch. Gradients of the passes are added up, so the batch of a step stays what the configuration says; sums
in another order round differently. Two ways lead here: an allocation that failed in this process, and a worker before this one
that the system killed for memory.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

from tools.runs import RunResult
from tools.text import T, Text
from tools.training.failures import is_memory
from tools.training.job import Job
from tools.training.memory import give_back
from tools.training.plan import Plan

SHRINKS = 2
"""How often one run goes on with at most half the rows; what needs more than a quarter of the memory needs a person."""
_PAGE = "troubleshooting/installation"
_COUNTS = Path("/proc/vmstat")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def train_with_the_memory_there_is(job: Job, train: Callable[[Job], RunResult]) -> RunResult:
    """Train, and go on with fewer rows at once where an allocation fails; raises what `train` raises otherwise."""
    _note_earlier_kill(job)
    while True:
        try:
            return train(job)
        except Exception as error:
            if not is_memory(error) or not job.can_shrink or job.memory.shrinks >= SHRINKS:
                raise
        # Outside the handler, where nothing holds the frames of the failed attempt any more.
        gc.collect()
        give_back()
        job.remember(shrinks=job.memory.shrinks + 1)


def affordable(job: Job, plan: Plan) -> Plan:
    """The plan with as many rows at once as memory has shown room for, said aloud where these are fewer than planned.

    KTO stays as planned: it estimates its reference point from the rows of one pass, so fewer would be another training.
    """
    wanted = plan
    for _ in range(0 if job.spec.training.method == "kto" else job.memory.shrinks):
        plan = plan.with_fewer_rows() or plan
    if plan.micro < wanted.micro:
        job.rows_at_once = plan.micro
        job.recorder.warn(_said(wanted, plan), page=_PAGE)
    job.can_shrink = job.spec.training.method != "kto" and plan.with_fewer_rows() is not None
    return plan


def _said(wanted: Plan, plan: Plan) -> Text:
    return T(
        "Memory ran out with {before} rows at once. Going on with {now} at once and {passes} passes per step: a step still "
        "learns from {batch} rows, and takes longer.",
        before=wanted.micro,
        now=plan.micro,
        passes=plan.accumulation,
        batch=plan.micro * plan.accumulation,
    )


def _note_earlier_kill(job: Job) -> None:
    """Take it for a shortage when a worker before this one is gone, and the system has killed for memory since it began."""
    before, now = job.memory.memory_kills, memory_kills()
    killed = job.memory.attempts > 0 and before is not None and now is not None and _is_later(before, now)
    shrinks = min(SHRINKS, job.memory.shrinks + 1) if killed else job.memory.shrinks
    job.remember(memory_kills=now, shrinks=shrinks)


def memory_kills() -> str | None:
    """Which start of the machine this is, and how many processes it has killed for memory since; None where it does not say."""
    try:
        counts = dict(line.split() for line in _COUNTS.read_text(encoding="ascii").splitlines())
        return f"{_BOOT.read_text(encoding='ascii').strip()} {counts['oom_kill']}"
    except (OSError, KeyError, ValueError):
        return None


def _is_later(before: str, now: str) -> bool:
    return before.split()[0] == now.split()[0] and int(now.split()[1]) > int(before.split()[1])
