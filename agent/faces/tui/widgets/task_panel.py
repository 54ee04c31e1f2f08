"""The panel at the right: metrics against targets, classes with warnings, and the training while one runs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from agent.events import Progress
from agent.faces.layout import clip
from agent.faces.tui.widgets.blocks import row_lines, share_width
from agent.faces.tui.widgets.flow import Flow, fold
from agent.faces.views.words import minutes, percent, points
from tools.comparing.words import metric_name
from tools.outcomes.status import ClassLine, MetricLine, TaskStatus
from tools.runs import EndEvent, EvalEvent, PhaseEvent, StepEvent
from tools.text import Speaker, T, Text, visible

SHOWN_CLASSES = 12

Line = Content | str


class TaskPanel(Flow):
    """Facts of the task under discussion; nothing here can be answered."""

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self._say = say
        self._status: TaskStatus | None = None
        self._version = ""
        self._run = RunGlimpse()

    def show(self, status: TaskStatus | None) -> None:
        """Change the task or its numbers."""
        self._status = status
        self.changed()

    def begin(self, version: str) -> None:
        """A training of this version begins."""
        self._version, self._run = version, RunGlimpse()
        self.changed()

    def progress(self, progress: Progress) -> None:
        """An event of a training run."""
        if self._run.take(progress):
            self.changed()

    def end_training(self) -> None:
        """No training is under way any more."""
        self._version = ""
        self.changed()

    def lay_out(self, width: int) -> Sequence[Line]:
        """Task, scores, classes, training; without a task a line that says so."""
        if self._status is None:
            told = self._say(T("No task yet: say `improve` and the name of one."))
            return [told[span.start : span.end].rstrip() for span in fold(told, width)]
        lines = [_strong(clip(visible(self._status.name), width)), *self._scores(self._status, width)]
        lines += self._class_lines(self._status, width)
        return lines + (self._training(width) if self._version else [])

    def _scores(self, status: TaskStatus, width: int) -> list[Line]:
        title = T("{version} on valid", version=status.version) if status.version else T("not trained yet")
        lines: list[Line] = [Content.styled(self._say(title), "$text-muted")]
        for line in status.metrics:
            if line.target is not None:
                lines += self._target(line, width)
        others = [line for line in status.metrics if line.target is None and line.value is not None]
        rows = [["", self._say(metric_name(line.metric)), percent(line.value or 0)] for line in others]
        if status.settled is not None:
            rows.append(["", self._say(T("settled labels")), percent(status.settled.value)])
        return lines + [text for texts in _table(rows, width) for text in texts]

    def _target(self, line: MetricLine, width: int) -> list[Line]:
        """A metric with its target: the sign says whether it is reached, the colour only repeats it."""
        sign = {True: "✓", False: "✗", None: " "}[line.reached]
        value = self._say(T("unknown")) if line.value is None else percent(line.value)
        told = T("{value} of {target}", value=value, target=percent(line.target or 0))
        gap = "" if line.gap is None else f"  ({points(line.gap)})"
        tone = {True: "$text-success", False: "$text-error", None: ""}[line.reached]
        texts = [f"{sign} {self._say(metric_name(line.metric))}", f"  {self._say(told)}{gap}"]
        return [
            Content.styled(text[span.start : span.end].rstrip(), tone) for text in texts for span in fold(text, width)
        ]

    def _class_lines(self, status: TaskStatus, width: int) -> list[Line]:
        if not status.classes:
            return []
        weakest = sorted(status.classes, key=lambda one: one.f1)[:SHOWN_CLASSES]
        title = self._say(T("Classes, weakest first"))
        rows = [self._class(line) for line in weakest]
        lines: list[Line] = ["", _strong(title)]
        for line, texts in zip(weakest, _table(rows, width), strict=True):
            lines += [Content.styled(text, "$text-warning") if line.weak else text for text in texts]
        more = len(status.classes) - len(weakest)
        return [*lines, self._say(T("... and {count} more.", count=more))] if more else lines

    def _class(self, line: ClassLine) -> list[str]:
        rows = "" if line.train_rows is None else self._say(T("{count} rows", count=line.train_rows))
        return ["⚠" if line.weak else " ", visible(line.label, 40), percent(line.f1), rows]

    def _training(self, width: int) -> list[Line]:
        title = self._say(T("Training {version}", version=self._version))
        lines: list[Line] = ["", _strong(title)]
        for text in self._run.lines(width, self._say):
            lines += [text[span.start : span.end].rstrip() for span in fold(text, width)]
        return lines


class RunGlimpse:
    """The newest numbers of a run."""

    def __init__(self) -> None:
        self._phase: Text | None = None
        self._step: StepEvent | None = None
        self._eval: EvalEvent | None = None

    def take(self, progress: Progress) -> bool:
        """Keep an event; True when what is shown changes."""
        match progress.event:
            case PhaseEvent() as event:
                self._phase, self._step = event.message, None
            case StepEvent() as event:
                self._step = event
            case EvalEvent() as event:
                self._eval = event
            case EndEvent() as event:
                self._phase, self._step = event.message, None
            case _:
                return False
        return True

    def lines(self, width: int, say: Speaker) -> list[str]:
        """A bar, the numbers, the last evaluation."""
        lines = []
        if self._step is not None:
            step = self._step
            lines.append(bar(step.step, step.total_steps, min(width - 12, 24)) + f" {step.step}/{step.total_steps}")
            if step.loss is not None:
                lines.append(say(T("loss {loss:.3f}", loss=step.loss)))
            if step.eta_seconds is not None:
                lines.append(say(T("{time} left", time=minutes(step.eta_seconds / 60, say))))
        elif self._phase is not None:
            lines.append(say(self._phase))
        if self._eval is not None:
            numbers = ", ".join(
                f"{say(metric_name(name))} {percent(value)}" for name, value in self._eval.metrics.items()
            )
            lines.append(say(T("after epoch {epoch:.1f}", epoch=self._eval.epoch)) + ": " + numbers)
        return lines


def bar(done: int, total: int, cells: int) -> str:
    """A share as full and empty blocks."""
    full = round(cells * done / total) if total else 0
    return "█" * full + "░" * (cells - full)


def _table(rows: list[list[str]], width: int) -> list[list[str]]:
    """The lines of each row; the name gives way where the width is short."""
    if not rows:
        return []
    widths = share_width([max(map(cell_len, column)) for column in zip(*rows, strict=True)], width)
    numeric = [False, False, True, *[False] * (len(widths) - 3)]
    return [row_lines(row, widths, numeric) for row in rows]


def _strong(text: str) -> Content:
    return Content.styled(text, "bold")
