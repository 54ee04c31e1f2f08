"""The plain face: linear labelled lines for terminals, pipes and screen readers. It only shows; person.py asks."""

from __future__ import annotations

from functools import singledispatchmethod

from agent.approval import ConfirmQuestion, DecideQuestion, Question
from agent.events import (
    Adopted,
    Analysed,
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
from agent.faces.views.diagnosis import analysis_lines, diagnosis_lines
from agent.faces.views.opened import opened_lines
from agent.faces.views.progress import ProgressLines
from agent.faces.views.proposal import summary_line
from agent.faces.views.sentences import sentence, step_heading
from agent.faces.views.status import status_lines
from tools.comparing.report import markdown
from tools.text import Speaker, T


class PlainFace:
    """Prints every event of a session as lines."""

    def __init__(self, say: Speaker) -> None:
        self._say = say
        self._progress = ProgressLines(say)
        self._shown: set[str] = set()
        self._blank = True

    def watch(self, event: Event) -> None:
        """Show one event."""
        self._shown.add(event.type)
        for line in self._lines(event):
            if line or not self._blank:
                out(line)
            self._blank = not line

    def show_before(self, question: Question) -> None:
        """Show what a question is about, unless this process has shown it just now: a session may begin with a question."""
        match question:
            case DecideQuestion() if "compared" not in self._shown:
                out(aligned(markdown(question.comparison, self._say)))
            case ConfirmQuestion() if "test_opened" not in self._shown:
                for line in opened_lines(question.opened, self._say):
                    out(line)
        self._shown.clear()
        self._blank = False

    @singledispatchmethod
    def _lines(self, event: Event) -> list[str]:
        """The lines of an event, by its type."""
        raise TypeError(type(event).__name__)

    @_lines.register(SessionStarted)
    @_lines.register(Adopted)
    @_lines.register(RolledBack)
    def _(self, event: SessionStarted | Adopted | RolledBack) -> list[str]:
        return [self._say(sentence(event, self._say))]

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
    def _(self, event: Analysed) -> list[str]:
        return ["", *analysis_lines(event, self._say)]

    @_lines.register
    def _(self, event: Proposed) -> list[str]:
        summaries = [summary_line(one, self._say) for one in event.proposals]
        lines = [line for n, text in enumerate(summaries, start=1) for line in wrap(f"{n}. {text}", indent="  ")]
        return [*self._heading(3), *lines, ""]

    @_lines.register
    def _(self, event: Decided) -> list[str]:
        return [self._say(sentence(event, self._say)), ""]

    @_lines.register
    def _(self, event: VersionBegun) -> list[str]:
        return [*self._heading(4), *wrap(self._say(sentence(event, self._say)))]

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
    def _(self, event: SessionEnded) -> list[str]:
        lines = ["", self._say(event.message)]
        if event.resume:
            lines.append(self._say(T("Continue with: {command}", command=event.resume)))
        return lines

    def _heading(self, step: int) -> list[str]:
        return ["", "== " + self._say(step_heading(step)) + " =="]
