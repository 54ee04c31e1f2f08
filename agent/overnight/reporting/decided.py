"""Decisions of a night: those that wait for a person, and those that were taken alone, with what covered them.

Read from the night's record and the journals of its tasks; a journal that cannot be read leaves out only what it would add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from agent.journal import Entry, Journal
from agent.overnight.records import Chosen, NightAdopted, NightLine, NightPlan, Waiting
from agent.overnight.reporting.shapes import AloneFacts, WaitingFacts
from tools.change import Decision, Verb
from tools.text import T, Words, sayable
from tools.versioning.adopt import current


def waiting_facts(plan: NightPlan, lines: Sequence[NightLine]) -> list[WaitingFacts]:
    """What waits for a person, numbered from 1: the decisions in the order in which they came, then what is offered besides."""
    waiting = sorted((line for line in lines if isinstance(line, Waiting)), key=lambda line: not line.is_decision)
    folders = {Path(path).name: Path(path) for path in plan.tasks}
    decided = {name: _decisions(path) for name, path in folders.items()} if waiting else {}
    return [
        WaitingFacts(
            number=number,
            task=line.task,
            what=line.what,
            reason=line.reason,
            title=line.proposal.title if line.proposal else None,
            version=line.version,
            proposal=line.proposal,
            command=line.command,
            settled=_is_settled(line, folders, decided),
            is_decision=line.is_decision,
        )
        for number, line in enumerate(waiting, 1)
    ]


def _is_settled(line: Waiting, folders: Mapping[str, Path], decided: Mapping[str, Sequence[Decision]]) -> bool:
    """True when a person has answered since: the version is in use, or the proposal was approved or rejected."""
    folder = folders.get(line.task)
    if folder is None:
        return False
    if line.what == "adoption":
        pointer = current(folder)
        return pointer is not None and pointer.version == line.version
    return line.proposal is not None and any(
        one.proposal_id == line.proposal.id
        and one.by == "person"
        and one.at > line.at
        and one.decision is not Verb.defer
        for one in decided.get(line.task, ())
    )


def alone_facts(plan: NightPlan, lines: Sequence[NightLine]) -> list[AloneFacts]:
    """What was decided without a person, oldest first."""
    found = [line for line in lines if isinstance(line, Chosen | NightAdopted)]
    folders = {Path(path).name: Path(path) for path in plan.tasks}
    decided = {name: _decisions(path) for name, path in folders.items()} if found else {}
    return [_alone(line, plan, decided.get(line.task, ())) for line in found]


def _alone(line: Chosen | NightAdopted, plan: NightPlan, decided: Sequence[Decision]) -> AloneFacts:
    if isinstance(line, NightAdopted):
        subject = (
            T("{version} adopted in place of {before}", version=line.version, before=line.before)
            if line.before
            else T("{version} adopted, the first in use", version=line.version)
        )
        named = f"{plan.rules.get('source', '')} adopt: {plan.rules.get('adopt', '')}".strip()
        return AloneFacts(at=line.at, task=line.task, what="adoption", subject=subject, rule=named)
    covered: Words = next(
        (
            one.who
            for one in decided
            if one.proposal_id == line.proposal.id and one.by != "person" and one.at >= plan.started_at
        ),
        "",
    )
    kinds = sorted({change.kind.value for change in line.proposal.changes}) or ["baseline"]
    rule: Words = sayable(covered, 160) or f"{plan.rules.get('source', '')} ({', '.join(kinds)})".strip()
    return AloneFacts(at=line.at, task=line.task, what="proposal", subject=line.proposal.title, rule=rule)


def _decisions(task: Path) -> list[Decision]:
    try:
        entries = Journal(task).entries()
    except (OSError, ValueError):
        return []
    return [found for entry in entries if (found := _decision(entry)) is not None]


def _decision(entry: Entry) -> Decision | None:
    if entry.event != "decision":
        return None
    try:
        return Decision.model_validate(entry.data.get("decision"))
    except ValidationError:
        return None
