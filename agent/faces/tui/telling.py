"""Session events as blocks of the transcript: the wording of the plain face, in compact form, with links to what is behind."""

from __future__ import annotations

from functools import singledispatchmethod

from agent.conversation.said import Order
from agent.events import (
    Adopted,
    Analysed,
    Compared,
    Decided,
    Diagnosed,
    ErrorPattern,
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
from agent.faces.tui.widgets.blocks import Diff, Entry, Fold, Grid, Link, Note, entries_of
from agent.faces.views.diagnosis import fact_line
from agent.faces.views.proposal import cost_line, effect_line, goal_line, summary_line
from agent.faces.views.sentences import sentence, step_heading
from agent.faces.views.words import SEVERITIES, percent, points
from tools.change import Proposal
from tools.comparing.report import markdown, valid_and_test
from tools.comparing.words import metric_name
from tools.evidence.confusions import ErrorAnalysis
from tools.finding import Finding
from tools.outcomes.status import TaskStatus
from tools.runs import EndEvent, EvalEvent, PhaseEvent, WarningEvent
from tools.text import Speaker, T, visible

SHOWN_PAIRS = 5
SHOWN_ROWS = 12
_TONES = {"error": "error", "warning": "warning", "info": "muted"}
_SIGNS = {"error": "✗ ", "warning": "⚠ ", "info": "· "}


class Telling:
    """Turns events into entries; a training's steps are in the task panel and leave no line here."""

    def __init__(self, say: Speaker) -> None:
        self._say = say

    def entries(self, event: Event) -> list[Entry]:
        """The blocks of one event; often none."""
        return self._entries(event)

    @singledispatchmethod
    def _entries(self, event: Event) -> list[Entry]:
        raise TypeError(type(event).__name__)

    @_entries.register(SessionStarted)
    @_entries.register(Decided)
    @_entries.register(VersionBegun)
    @_entries.register(Adopted)
    @_entries.register(RolledBack)
    def _(self, event: SessionStarted | Decided | VersionBegun | Adopted | RolledBack) -> list[Entry]:
        lines: list[Entry] = [self._heading(4)] if isinstance(event, VersionBegun) else []
        return [*lines, Note(self._say(sentence(event, self._say)), "muted" if event.type == "session_started" else "")]

    @_entries.register
    def _(self, event: Notice) -> list[Entry]:
        note = Note(self._say(event.message), _TONES[event.level], sign=_SIGNS[event.level])
        return [note, self._page(event.page)] if event.page else [note]

    @_entries.register
    def _(self, event: TaskLoaded) -> list[Entry]:
        return [self._heading(1), *self._status(event.status)]

    @_entries.register
    def _(self, event: Diagnosed) -> list[Entry]:
        diagnosis = event.diagnosis
        nothing = T("Nothing to fix: no rule found a problem. Notes, if any, follow.")
        entries: list[Entry] = [self._heading(2)]
        if diagnosis.healthy:
            entries.append(Note(self._say(nothing), "success", sign="✓ "))
        entries += [self._finding(number, one) for number, one in enumerate(diagnosis.findings, start=1)]
        return entries + (self._errors(diagnosis.errors) if diagnosis.errors else [])

    @_entries.register
    def _(self, event: Analysed) -> list[Entry]:
        title = T("What {model} sees in the wrong answers (an opinion):", model=visible(event.model, 60))
        entries: list[Entry] = [Note(self._say(title), "strong", gap=True), Note(event.summary)]
        return [*entries, *(self._pattern(one) for one in event.patterns)]

    @_entries.register
    def _(self, event: Proposed) -> list[Entry]:
        return [self._heading(3), *(self._proposal(n, one) for n, one in enumerate(event.proposals, start=1))]

    @_entries.register
    def _(self, event: Progress) -> list[Entry]:
        match event.event:
            case WarningEvent(message=message, page=page):
                told = Note(self._say(T("Warning: {message}", message=message)), "warning", sign="⚠ ")
                return [told, self._page(page)] if page else [told]
            case PhaseEvent(message=message) | EndEvent(message=message):
                return [Note(self._say(message), "muted", sign="· ")]
            case EvalEvent():
                return [Note(self._evaluation(event.event), "muted", sign="· ")]
            case _:
                return []

    @_entries.register
    def _(self, event: Compared) -> list[Entry]:
        told = Note(self._say(T("Report: {path}", path=event.report)), "muted")
        return [self._heading(5), *self.report(markdown(event.comparison, self._say)), told]

    @_entries.register
    def _(self, event: TestOpened) -> list[Entry]:
        opened = event.opened
        if not opened.scores:
            return [Note(self._say(note)) for note in opened.notes]
        title = T("The locked test set was opened (opening {number} of this task)", number=opened.ordinal or 0)
        return [Note(self._say(title), "strong", gap=True), *entries_of(valid_and_test(opened, self._say))]

    @_entries.register
    def _(self, event: SessionEnded) -> list[Entry]:
        return [Note(self._say(event.message), "muted", gap=True)]

    def report(self, text: str) -> list[Entry]:
        """A comparison report: its title, and the rest below a line that folds."""
        first, *rest = entries_of(text)
        return [first, Fold(self._say(T("the whole report")), tuple(rest), opened=True)]

    def _heading(self, step: int) -> Entry:
        return Note(self._say(step_heading(step)), "strong", gap=True)

    def _page(self, page: str) -> Entry:
        return Link(self._say(T("read: {page}", page=page)), Order(command="refs", args={"page": page}))

    def _status(self, status: TaskStatus) -> list[Entry]:
        if status.version is None:
            return [Note(self._say(T("No version has been trained and evaluated yet.")))]
        header = [T("Metric"), T("Score"), T("Target"), T("Gap")]
        rows = []
        for line in status.metrics:
            value = self._say(T("unknown")) if line.value is None else percent(line.value)
            target = "" if line.target is None else percent(line.target)
            gap = "" if line.gap is None else points(line.gap) + (" ✓" if line.reached else " ✗")
            rows.append([self._say(metric_name(line.metric)), value, target, gap])
        title = T("Scores of {version} on valid", version=status.version)
        return [Grid([self._say(one) for one in header], rows, self._say(title))]

    def _finding(self, number: int, finding: Finding) -> Entry:
        severity = finding.severity.value
        title = f"{_SIGNS[severity]}{number}. [{self._say(SEVERITIES[finding.severity])}] {self._say(finding.title)}"
        body: list[Entry] = [Note(self._say(finding.detail))]
        body += [Note(fact_line(fact, self._say), sign="• ") for fact in finding.facts]
        if finding.rows:
            shown = ", ".join(visible(row, 40) for row in finding.rows[:SHOWN_ROWS])
            more = len(finding.rows) - SHOWN_ROWS
            rest = self._say(T(" and {count} more", count=more)) if more > 0 else ""
            body.append(Note(self._say(T("rows: {rows}", rows=shown)) + rest, "muted"))
        return Fold(title, (*body, self._page(finding.page)), _TONES[severity])

    def _errors(self, errors: ErrorAnalysis) -> list[Entry]:
        entries: list[Entry] = []
        if errors.pairs:
            entries.append(Note(self._say(T("Main kinds of errors")), "strong", gap=True))
        for pair in errors.pairs[:SHOWN_PAIRS]:
            got = self._say(T("not parsed")) if pair.predicted is None else visible(pair.predicted, 40)
            label = f"{visible(pair.expected, 40)} → {got}  {pair.count} ({pair.share:.0%})"
            asked = (
                {"pair": [pair.expected, pair.predicted]} if pair.predicted is not None else {"label": pair.expected}
            )
            entries.append(Link(label, Order(command="errors", args=asked)))
        return entries

    def _pattern(self, pattern: ErrorPattern) -> Entry:
        rows = ", ".join(visible(row, 40) for row in pattern.row_ids[:SHOWN_ROWS])
        told = self._say(T("rows: {rows}", rows=rows))
        return Fold(visible(pattern.name, 120), (Note(pattern.explanation), Note(told, "muted")))

    def _proposal(self, number: int, proposal: Proposal) -> Entry:
        facts = [
            (T("Why"), self._say(proposal.problem)),
            (T("Goal"), goal_line(proposal.goal, self._say)),
            (T("Expect"), effect_line(proposal.effect, self._say)),
            (T("Cost"), cost_line(proposal, self._say)),
        ]
        body: list[Entry] = [Note(f"{self._say(label)}: {value}") for label, value in facts]
        if proposal.caution:
            body.append(Note(self._say(proposal.caution), "warning", sign="⚠ "))
        if proposal.diff:
            body.append(Diff(proposal.diff))
        return Fold(f"{number}. {summary_line(proposal, self._say)}", (*body, self._page(proposal.page)))

    def _evaluation(self, event: EvalEvent) -> str:
        numbers = ", ".join(f"{self._say(metric_name(name))} {percent(value)}" for name, value in event.metrics.items())
        best = self._say(T(" (best so far)")) if event.best else ""
        return self._say(T("after epoch {epoch:.1f}", epoch=event.epoch)) + ": " + numbers + best


def spoken(order: Order) -> str:
    """An order as the slash command that a person would type."""
    words = []
    for value in order.args.values():
        words += [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return " ".join(["/" + order.command, *words])
