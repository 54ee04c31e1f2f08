"""What happens around the steps of a training: events, evaluations, checkpoints, early stopping, cancelling.

Worker side: a callback of the Trainer. It changes no weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback

from tools.files import now
from tools.runs import StepEvent
from tools.training.job import Job
from tools.training.plan import Plan
from tools.training.recorder import finite
from tools.training.steered import Steered

_SAVE_SECONDS = 120.0
"""Between evaluations a LoRA checkpoint is written this often, so that a kill costs at most two minutes."""


class Pilot(TrainerCallback):  # type: ignore[misc]
    """Speaks to the recorder and decides when to evaluate, save and stop."""

    def __init__(self, plan: Plan, job: Job, *, timed: bool) -> None:
        self._plan = plan
        self._job = job
        self._timed = timed
        """Save between evaluations as well: yes for adapters, no for whole models."""
        self._saved_at = time.monotonic()
        self._step_start = 0.0
        self._train_seconds = 0.0
        self._steps = 0
        self.eval_seconds = 0.0
        """Of the newest evaluation, for the time left."""
        self.trainer: Steered | None = None
        self.saved: Callable[[int], None] = lambda step: None
        """Called with the step when its checkpoint is whole."""

    @property
    def tokens_per_second(self) -> float:
        """Of this process's training steps, without evaluations."""
        tokens = self.trainer.tokens_seen if self.trainer else 0
        return round(tokens / self._train_seconds, 1) if self._train_seconds else 0.0

    def on_step_begin(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """Start the clock."""
        self._step_start = time.monotonic()

    def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop the clock; say whether to evaluate and save now."""
        self._train_seconds += time.monotonic() - self._step_start
        self._steps += 1
        self._job.recorder.at_step(state.global_step, round(state.epoch or 0.0, 4))
        due = state.global_step in self._plan.eval_steps
        late = self._timed and time.monotonic() - self._saved_at > _SAVE_SECONDS
        cancelled = self._job.cancel.requested
        if due and cancelled:
            # A checkpoint of this step without its evaluation would skip that for good when the run is taken up again.
            self._job.cancel.check()
        control.should_evaluate = due
        control.should_save = due or late or cancelled

    def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """One event per logged step."""
        if not logs or "loss" not in logs:
            return
        self._job.recorder.step(
            StepEvent(
                at=now(),
                step=state.global_step,
                total_steps=self._plan.total_steps,
                epoch=round(state.epoch or 0.0, 4),
                loss=finite(logs["loss"]),
                learning_rate=logs.get("learning_rate"),
                grad_norm=finite(logs.get("grad_norm")),
                tokens_per_second=self.tokens_per_second,
                memory_mb=self._job.recorder.memory_mb(),
                eta_seconds=self._seconds_left(state.global_step),
            )
        )

    def on_evaluate(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop early when the validation metric has not risen for too long."""
        control.should_training_stop = control.should_training_stop or out_of_patience(
            state.log_history, self._job.spec.training.early_stopping
        )

    def on_save(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """A checkpoint is whole: the moment to stop when asked to."""
        self.saved(state.global_step)
        self._saved_at = time.monotonic()
        self._job.remember(tokens_per_second=self.tokens_per_second)
        self._job.cancel.check()

    def _seconds_left(self, step: int) -> float | None:
        if not self._steps:
            return None
        evals = sum(due > step for due in self._plan.eval_steps)
        per_step = self._train_seconds / self._steps
        return round((self._plan.total_steps - step) * per_step + evals * self.eval_seconds, 1)


def best_evaluation(log_history: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first of the best evaluations in a Trainer's log."""
    evaluations = [entry for entry in log_history if "eval_selection" in entry]
    return max(evaluations, key=lambda entry: float(entry["eval_selection"]), default=None)


def out_of_patience(log_history: list[dict[str, Any]], patience: int | None) -> bool:
    """True when the newest `patience` evaluations were all no better than an earlier one."""
    evaluations = [entry for entry in log_history if "eval_selection" in entry]
    best = best_evaluation(log_history)
    if patience is None or best is None:
        return False
    return len(evaluations) - 1 - evaluations.index(best) >= patience
