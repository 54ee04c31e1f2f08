"""The nights of a workspace to choose a report from, newest first, and the one that a name means."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.overnight.records import NightRecord, Tried, Waiting, night_records
from agent.overnight.reporting.decided import waiting_facts
from agent.overnight.reporting.facts import read_plan
from agent.overnight.reporting.shapes import NightState
from tools.editing.nearest import nearest
from tools.errors import InputError, NotFound
from tools.text import T, visible

_SHOWN = 8


class NightLineUp(BaseModel):
    """One night in a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    started_at: str
    tasks: list[str]
    state: NightState
    tried: int
    kept: int
    waiting: int
    """Decisions that were left to a person, settled or not."""


def nights(workspace: Path) -> list[NightRecord]:
    """Every night that can be read, newest first."""
    return sorted(night_records(workspace), key=_began, reverse=True)


def find_night(workspace: Path, name: str | None) -> NightRecord:
    """The night of that id or of an id that begins so, the newest without a name; raises NotFound with what there is."""
    found = nights(workspace)
    if not found:
        raise NotFound(
            T("No night is on record in this workspace."),
            hint=T("Start one: iterate overnight TASK --until 07:00 --allow config,recipe"),
        )
    if name is None:
        return found[0]
    meant = [one for one in found if one.id == name] or [one for one in found if name and one.id.startswith(name)]
    if len(meant) == 1:
        return meant[0]
    ids = [one.id for one in meant or found]
    shown = ", ".join(visible(one, 60) for one in ids[:_SHOWN])
    if meant:
        raise InputError(
            T("{name} is the beginning of several nights.", name=repr(visible(name, 60))),
            hint=T("Name one of them: {names}.", names=shown),
        )
    near = nearest(name, ids)
    hint = (
        T("Did you mean {near}? The nights here are: {names}.", near=near, names=shown)
        if near
        else T("The nights here are: {names}.", names=shown)
    )
    raise NotFound(T("There is no night {name}.", name=repr(visible(name, 60))), hint=hint)


def open_decisions(workspace: Path) -> tuple[NightState, int] | None:
    """How the newest night stands and how many of its decisions are open; None without a night."""
    found = nights(workspace)
    if not found:
        return None
    waiting = waiting_facts(read_plan(found[0]), found[0].lines())
    return _state(found[0]), sum(not one.settled and one.is_decision for one in waiting)


def line_up(record: NightRecord) -> NightLineUp:
    """A night in one line."""
    plan, lines = read_plan(record), record.lines()
    tried = [line for line in lines if isinstance(line, Tried)]
    return NightLineUp(
        id=record.id,
        started_at=plan.started_at,
        tasks=[Path(path).name for path in plan.tasks],
        state=_state(record),
        tried=len(tried),
        kept=sum(line.outcome == "kept" for line in tried),
        waiting=sum(isinstance(line, Waiting) and line.is_decision for line in lines),
    )


def _state(record: NightRecord) -> NightState:
    return "over" if record.is_over else "running" if record.is_worked_on else "cut_off"


def _began(record: NightRecord) -> tuple[str, str]:
    return read_plan(record).started_at, record.id
