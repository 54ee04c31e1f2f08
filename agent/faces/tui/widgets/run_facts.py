"""Where a run stands, in three lines: which it is and how it is, how far it is, and at what pace and price."""

from __future__ import annotations

from textual.content import Content

from agent.faces.layout import clip
from agent.faces.tui.following import Followed
from agent.faces.tui.widgets.flow import Flow, fold
from agent.faces.views.words import minutes
from tools.launchers.base import RunHealth
from tools.runs import RunState
from tools.text import Speaker, T, Text, visible
from tools.watch_run import RunView

_BAR = 24
_PHASES = {
    "queued": T("waiting"),
    "loading": T("loading the model"),
    "training": T("training"),
    "evaluating": T("evaluating"),
    "sealing": T("sealing the test predictions"),
    "done": T("done"),
}
_ENDS = {
    RunState.succeeded: T("finished"),
    RunState.failed: T("failed"),
    RunState.cancelled: T("cancelled"),
}


class RunFacts(Flow):
    """The head of the training screen."""

    def __init__(self, task: str, say: Speaker) -> None:
        super().__init__()
        self._task_name = visible(task, 60)
        self._say = say
        self._followed: Followed | None = None
        self.ascii_only = False

    def show(self, followed: Followed) -> None:
        """Replace the run."""
        self._followed = followed
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        """The lines; one when there is nothing to show."""
        if self._followed is None:
            return [Content(self._say(T("Looking for trainings of {task} …", task=self._task_name)))]
        view = self._followed.view
        if view is None:
            none = T(
                "{task} has no training on record here yet. Approve a proposal to start one.", task=self._task_name
            )
            return [Content(clip(self._say(none), width))]
        title = self._say(_title(self._task_name, self._followed, view))
        told = " · ".join(self._say(part) for part in (_standing(view), *_cost_parts(view, self._say)))
        below = [Content(told[span.start : span.end].rstrip()) for span in fold(told, width)]
        return [Content.styled(clip(title, width), "bold"), self._progress(view, width), *below]

    def _progress(self, view: RunView, width: int) -> Content:
        full, empty = ("#", "-") if self.ascii_only else ("█", "░")
        share = min(1.0, view.step / view.total_steps) if view.total_steps else 0.0
        cells = round(share * _BAR)
        said = T("step {step} of {total}, epoch {epoch:.1f}", step=view.step, total=view.total_steps, epoch=view.epoch)
        if not view.total_steps:
            said = T("no step yet")
        bar = f"[{full * cells}{empty * (_BAR - cells)}] {share:4.0%}  "
        return Content.assemble((bar, "$primary"), clip(self._say(said), max(1, width - len(bar))))


def run_name(view: RunView) -> Text:
    """Version, seed and attempt."""
    if view.attempt > 1:
        return T("{version}, seed {seed}, attempt {n}", version=view.version, seed=view.seed, n=view.attempt)
    return T("{version}, seed {seed}", version=view.version, seed=view.seed)


def _title(task: str, followed: Followed, view: RunView) -> Text:
    if followed.total > 1:
        return T(
            "Training of {task}: {run} (run {number} of {total} of this version)",
            task=task,
            run=run_name(view),
            number=followed.number,
            total=followed.total,
        )
    return T("Training of {task}: {run}", task=task, run=run_name(view))


def _standing(view: RunView) -> Text:
    phase = _PHASES.get(view.phase, T("{name}", name=visible(view.phase, 40)))
    match view.health:
        case RunHealth.running:
            return T("Running: {phase}", phase=phase)
        case RunHealth.queued:
            return T("Waiting for its turn")
        case RunHealth.stalled:
            return T("Interrupted while {phase}; starting it again continues it", phase=phase)
        case RunHealth.ended:
            end = _ENDS.get(view.state, T("ended")) if view.state else T("ended")
            return T("No training is running. This is the newest one: {end}", end=end)


def _cost_parts(view: RunView, say: Speaker) -> list[Text]:
    parts = []
    if view.eta is not None:
        parts.append(T("{time} left ({how})", time=minutes(view.eta.seconds / 60, say), how=view.eta.how))
    if view.tokens_per_second:
        parts.append(T("{speed:.0f} tokens/s", speed=view.tokens_per_second))
    if view.memory_mb and view.machine_mb:
        parts.append(T("{gb:.1f} of {total:.1f} GB", gb=view.memory_mb / 1e3, total=view.machine_mb / 1e3))
    elif view.memory_mb:
        parts.append(T("{gb:.1f} GB", gb=view.memory_mb / 1e3))
    if view.resumed_from is not None:
        parts.append(T("continued from step {step}", step=view.resumed_from))
    return parts
