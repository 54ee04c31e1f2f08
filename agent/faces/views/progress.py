"""A training run as lines: phases, one line per share of the steps, evaluations, warnings, the end."""

from __future__ import annotations

from agent.events import Progress
from agent.faces.layout import wrap
from agent.faces.views.words import minutes, percent
from tools.comparing.words import metric_name
from tools.runs import EndEvent, EvalEvent, PhaseEvent, StepEvent, WarningEvent
from tools.text import Speaker, T

LINES_PER_RUN = 20
"""Step lines shown in one run: enough to see the loss move, few enough for a log."""


class ProgressLines:
    """Turns run events into lines and leaves out most step events."""

    def __init__(self, say: Speaker) -> None:
        self._say = say
        self._shown: dict[str, int] = {}

    def lines(self, progress: Progress) -> list[str]:
        """The lines for one event; often none."""
        event = progress.event
        match event:
            case PhaseEvent():
                return wrap(f"[{progress.run_id}] " + self._say(event.message))
            case StepEvent():
                return self._step(progress.run_id, event)
            case EvalEvent():
                return [self._eval(progress.run_id, event)]
            case WarningEvent():
                lines = wrap(f"[{progress.run_id}] " + self._say(T("Warning: {message}", message=event.message)))
                return [*lines, "  iterate refs " + event.page] if event.page else lines
            case EndEvent():
                return wrap(f"[{progress.run_id}] " + self._say(event.message))

    def _step(self, run_id: str, event: StepEvent) -> list[str]:
        share = event.step * LINES_PER_RUN // max(1, event.total_steps)
        if share <= self._shown.get(run_id, -1) and event.step != event.total_steps:
            return []
        self._shown[run_id] = share
        parts = [
            T("step {step}/{total}", step=event.step, total=event.total_steps),
            T("epoch {epoch:.1f}", epoch=event.epoch),
        ]
        parts.append(T("loss {loss:.3f}", loss=event.loss) if event.loss is not None else T("loss is not a number"))
        if event.tokens_per_second:
            parts.append(T("{speed:.0f} tokens/s", speed=event.tokens_per_second))
        if event.memory_mb:
            parts.append(T("{gb:.1f} GB", gb=event.memory_mb / 1024))
        if event.eta_seconds is not None:
            parts.append(T("{time} left", time=minutes(event.eta_seconds / 60, self._say)))
        return [f"[{run_id}] " + ", ".join(self._say(part) for part in parts)]

    def _eval(self, run_id: str, event: EvalEvent) -> str:
        numbers = ", ".join(f"{self._say(metric_name(name))} {percent(value)}" for name, value in event.metrics.items())
        best = self._say(T(" (best so far)")) if event.best else ""
        loss = self._say(T("valid loss {loss:.3f}", loss=event.eval_loss)) + ", " if event.eval_loss is not None else ""
        epoch = self._say(T("after epoch {epoch:.1f}", epoch=event.epoch))
        return f"[{run_id}] {epoch}: {loss}{numbers}{best}"
