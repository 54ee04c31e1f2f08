"""The plain face: linear labelled lines for terminals, pipes and screen readers. It only shows; person.py asks."""

from __future__ import annotations

from tools.compare_report import markdown

from agent.events import (
    Adopted,
    Compared,
    Decided,
    Diagnosed,
    Event,
    Notice,
    Progress,
    Proposed,
    RolledBack,
    SessionEnded,
    SessionStarted,
    TaskLoaded,
    TestOpened,
    VersionBegun,
)
from agent.faces.console import out
from agent.faces.layout import wrap
from agent.faces.views.diagnosis import diagnosis_lines
from agent.faces.views.opened import opened_lines
from agent.faces.views.progress import ProgressLines
from agent.faces.views.proposal import summary_line
from agent.faces.views.status import status_lines
from agent.faces.views.words import minutes
from tools.change import Proposal, Verb
from tools.text import Speaker, T, Text

_STEPS = {
    1: T("Step 1 of 5: the task"),
    2: T("Step 2 of 5: diagnosis"),
    3: T("Step 3 of 5: proposals"),
    4: T("Step 4 of 5: training"),
    5: T("Step 5 of 5: comparison"),
}
_VERBS: dict[Verb, Text] = {
    Verb.approve: T("approved"),
    Verb.edit: T("approved as edited"),
    Verb.reject: T("rejected"),
    Verb.defer: T("left for later"),
}


class PlainFace:
    """Prints every event of a session as lines."""

    def __init__(self, say: Speaker) -> None:
        self._say = say
        self._progress = ProgressLines(say)

    def watch(self, event: Event) -> None:
        """Show one event."""
        for line in self._lines(event):
            out(line)

    def _lines(self, event: Event) -> list[str]:
        match event:
            case TaskLoaded():
                return [*self._heading(1), *status_lines(event.status, self._say)]
            case Diagnosed():
                return [*self._heading(2), *diagnosis_lines(event.diagnosis, self._say)]
            case Proposed():
                return [*self._heading(3), *self._proposed(event.proposals)]
            case VersionBegun():
                return [*self._heading(4), *self._begun(event)]
            case Progress():
                return self._progress.lines(event)
            case Compared():
                report = T("Report: {path}", path=event.report)
                return [*self._heading(5), markdown(event.comparison, self._say), self._say(report)]
            case TestOpened():
                return opened_lines(event.opened, self._say)
            case _:
                return self._short(event)

    def _short(self, event: Event) -> list[str]:
        match event:
            case SessionStarted():
                text = (
                    T("Session {id} on task {task}, taken up again.", id=event.session, task=event.task)
                    if event.resumed
                    else T("Session {id} on task {task}.", id=event.session, task=event.task)
                )
                return [self._say(text)]
            case Notice():
                return ["", *wrap(self._say(event.message))]
            case Decided():
                return [self._say(T("-> {verb}: {title}", verb=_VERBS[event.decision.decision], title=event.title)), ""]
            case Adopted():
                return self._adopted(event)
            case RolledBack():
                text = T(
                    "{version} was not kept; the configuration of {restored} is restored.",
                    **event.model_dump(exclude={"type"}),
                )
                return [self._say(text)]
            case SessionEnded():
                return self._ended(event)
            case _:
                return []

    def _heading(self, step: int) -> list[str]:
        return ["", "== " + self._say(_STEPS[step]) + " =="]

    def _proposed(self, proposals: list[Proposal]) -> list[str]:
        lines = [f"  {number}. {summary_line(one, self._say)}" for number, one in enumerate(proposals, start=1)]
        return [*lines, ""] if lines else lines

    def _begun(self, event: VersionBegun) -> list[str]:
        memory = T("about {gb:.1f} GB of memory", gb=event.memory_gb) if event.memory_gb else T("memory unknown")
        text = T(
            "{version}: {title}. Expected: {time}, {memory}. You can leave: the training goes on without this terminal.",
            version=event.version,
            title=event.title,
            time=minutes(event.minutes, self._say),
            memory=memory,
        )
        return wrap(self._say(text))

    def _adopted(self, event: Adopted) -> list[str]:
        return [
            self._say(T("{version} is now the version in use (models/current.json).", version=event.record.version))
        ]

    def _ended(self, event: SessionEnded) -> list[str]:
        lines = ["", self._say(event.message)]
        if event.resume:
            lines.append(self._say(T("Continue with: {command}", command=event.resume)))
        return lines
