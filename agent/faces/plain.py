"""The plain face: linear labelled lines for terminals, pipes and screen readers. It only shows; person.py asks."""

from __future__ import annotations

from functools import singledispatchmethod

from agent.approval import ConfirmQuestion, DecideQuestion, Question
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
from agent.faces.layout import aligned, wrap
from agent.faces.views.diagnosis import diagnosis_lines
from agent.faces.views.opened import opened_lines
from agent.faces.views.progress import ProgressLines
from agent.faces.views.proposal import summary_line
from agent.faces.views.status import status_lines
from agent.faces.views.words import minutes
from tools.change import Verb
from tools.comparing.report import markdown
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
        self._shown: set[str] = set()

    def watch(self, event: Event) -> None:
        """Show one event."""
        self._shown.add(event.type)
        for line in self._lines(event):
            out(line)

    def show_before(self, question: Question) -> None:
        """Show what a question is about, unless this process has shown it just now: a session may begin with a question."""
        match question:
            case DecideQuestion() if "compared" not in self._shown:
                out(aligned(markdown(question.comparison, self._say)))
            case ConfirmQuestion() if "test_opened" not in self._shown:
                for line in opened_lines(question.opened, self._say):
                    out(line)
        self._shown.clear()

    @singledispatchmethod
    def _lines(self, event: Event) -> list[str]:
        """The lines of an event, by its type."""
        raise TypeError(type(event).__name__)

    @_lines.register
    def _(self, event: SessionStarted) -> list[str]:
        again = T("Session {id} on task {task}, taken up again.", id=event.session, task=event.task)
        anew = T("Session {id} on task {task}.", id=event.session, task=event.task)
        return [self._say(again if event.resumed else anew)]

    @_lines.register
    def _(self, event: Notice) -> list[str]:
        lines = ["", *wrap(self._say(event.message))]
        return [*lines, "iterate refs " + event.page] if event.page else lines

    @_lines.register
    def _(self, event: TaskLoaded) -> list[str]:
        return [*self._heading(1), *status_lines(event.status, self._say)]

    @_lines.register
    def _(self, event: Diagnosed) -> list[str]:
        return [*self._heading(2), *diagnosis_lines(event.diagnosis, self._say)]

    @_lines.register
    def _(self, event: Proposed) -> list[str]:
        summaries = [summary_line(one, self._say) for one in event.proposals]
        lines = [line for n, text in enumerate(summaries, start=1) for line in wrap(f"{n}. {text}", indent="  ")]
        return [*self._heading(3), *lines, ""]

    @_lines.register
    def _(self, event: Decided) -> list[str]:
        return [self._say(T("-> {verb}: {title}", verb=_VERBS[event.decision.decision], title=event.title)), ""]

    @_lines.register
    def _(self, event: VersionBegun) -> list[str]:
        memory = T("about {gb:.1f} GB of memory", gb=event.memory_gb) if event.memory_gb else T("memory unknown")
        text = T(
            "{version}: {title}. Expected: {time}, {memory}. You can leave: the training goes on without this terminal.",
            version=event.version,
            title=event.title,
            time=minutes(event.minutes, self._say),
            memory=memory,
        )
        return [*self._heading(4), *wrap(self._say(text))]

    @_lines.register
    def _(self, event: Progress) -> list[str]:
        return self._progress.lines(event)

    @_lines.register
    def _(self, event: Compared) -> list[str]:
        report = self._say(T("Report: {path}", path=event.report))
        return [*self._heading(5), aligned(markdown(event.comparison, self._say)), report, ""]

    @_lines.register
    def _(self, event: TestOpened) -> list[str]:
        return opened_lines(event.opened, self._say)

    @_lines.register
    def _(self, event: Adopted) -> list[str]:
        return [
            self._say(T("{version} is now the version in use (models/current.json).", version=event.record.version))
        ]

    @_lines.register
    def _(self, event: RolledBack) -> list[str]:
        text = T(
            "{version} was not kept; the configuration of {restored} is restored.",
            version=event.version,
            restored=event.restored,
        )
        return [self._say(text)]

    @_lines.register
    def _(self, event: SessionEnded) -> list[str]:
        lines = ["", self._say(event.message)]
        if event.resume:
            lines.append(self._say(T("Continue with: {command}", command=event.resume)))
        return lines

    def _heading(self, step: int) -> list[str]:
        return ["", "== " + self._say(_STEPS[step]) + " =="]
