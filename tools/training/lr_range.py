"""A range test of the learning rate: a short training whose rate rises exponentially until the loss diverges.

Smith (2017), Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186, section 3.3; exponential steps as is usual
since. Worker side: it only records loss against rate; what follows from them is tools/probing/lr_range.py. Nothing is
evaluated and no weights are kept.
"""

from __future__ import annotations

import math
from collections import deque
from functools import partial
from typing import Any

from torch.optim.lr_scheduler import LambdaLR
from transformers import TrainerCallback, set_seed

from tools.files import now
from tools.runs import RateRange, RunResult, StepEvent
from tools.text import T
from tools.training.examples import read_examples
from tools.training.failures import NonFiniteLoss
from tools.training.job import Job
from tools.training.methods import Setup, make_plan, make_trainer, trainable
from tools.training.models import add_lora, load_model, load_tokenizer
from tools.training.plan import Plan
from tools.training.prepare_model import prepare_base_model
from tools.training.recorder import finite
from tools.training.train_job import remembered_precision

DIVERGED = 4.0
"""The test ends when the mean loss is this many times its lowest value so far (the rule of the fastai library)."""
AVERAGED = 5
"""Steps of that mean: one hard batch alone ended a test at four times the loss of one easy batch."""


def find_range(job: Job, wanted: RateRange) -> RunResult:
    """Take up to `wanted.steps` optimizer steps with rising rates; raises what tools/training/failures.py describes."""
    spec = job.spec
    job.recorder.phase("loading", T("Loading the base model {name}.", name=spec.training.base_model))
    folder = prepare_base_model(
        spec.training.base_model, lambda text: job.recorder.phase("loading", text), spec.task_folder
    )
    precision = remembered_precision(job)
    tokenizer = load_tokenizer(folder)
    rows = trainable(spec, tokenizer, read_examples(job.data("train")))
    set_seed(spec.seed)
    model = load_model(folder, precision.name, all_weights=spec.lora is None)
    if spec.lora is not None:
        model = add_lora(model, spec.lora)
    plan = make_plan(spec, rows)
    plan = Plan(plan.micro, plan.accumulation, plan.steps_per_epoch, wanted.steps, 0, frozenset())
    watcher = _Watcher(job, wanted)
    setup = Setup(
        spec=spec,
        model=model,
        tokenizer=tokenizer,
        rows=rows,
        folder=job.run.file("checkpoints"),
        precision=precision.name,
        pilot=watcher,
        between=job.watch(len(rows)),
    )
    trainer: Any = make_trainer(setup, plan)
    trainer.args.logging_steps = 1
    trainer.state.logging_steps = 1
    trainer.create_scheduler = partial(_rising, trainer, wanted)
    job.recorder.phase(
        "training",
        T("Raising the learning rate from {low:.1e} to {high:.1e} in {steps} steps.", **wanted.model_dump()),
    )
    try:
        trainer.train()
    except NonFiniteLoss as end:
        watcher.note(end.step, None)
    return _result(job, precision.name)


def _rising(trainer: Any, wanted: RateRange, num_training_steps: int, optimizer: Any = None) -> Any:
    """The schedule in the place of the Trainer's: a step's rate is a multiple of the one that the optimizer was made with."""
    ratio = (wanted.high / wanted.low) ** (1 / (wanted.steps - 1))
    start = wanted.low / trainer.args.learning_rate
    trainer.lr_scheduler = LambdaLR(optimizer or trainer.optimizer, lambda step: start * ratio**step)
    return trainer.lr_scheduler


class _Watcher(TrainerCallback):  # type: ignore[misc]
    """Records each step and ends the test at the first loss that has diverged."""

    def __init__(self, job: Job, wanted: RateRange) -> None:
        self._job = job
        self._wanted = wanted
        self._lowest = math.inf
        self._last: deque[float] = deque(maxlen=AVERAGED)

    def on_log(self, _args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """A step was taken."""
        if not logs or "loss" not in logs:
            return
        loss = finite(logs["loss"])
        self.note(state.global_step, loss)
        control.should_training_stop = control.should_training_stop or loss is None or self._diverged(loss)

    def _diverged(self, loss: float) -> bool:
        self._last.append(loss)
        if len(self._last) < AVERAGED:
            return False
        mean = sum(self._last) / AVERAGED
        self._lowest = min(self._lowest, mean)
        return mean > DIVERGED * self._lowest

    def on_step_end(self, _args: Any, _state: Any, control: Any, **_: Any) -> None:
        """Nothing is saved or evaluated; a wish to stop ends it at once."""
        control.should_evaluate = control.should_save = False
        control.should_log = True
        self._job.cancel.check()

    def note(self, step: int, loss: float | None) -> None:
        """Write the loss down with the rate that led to the weights it was measured with."""
        wanted = self._wanted
        rate = wanted.low * (wanted.high / wanted.low) ** ((step - 1) / (wanted.steps - 1))
        self._job.recorder.step(
            StepEvent(at=now(), step=step, total_steps=wanted.steps, epoch=0.0, loss=loss, learning_rate=rate)
        )


def _result(job: Job, precision: str) -> RunResult:
    return RunResult(
        run_id=job.spec.run_id,
        version=job.spec.version,
        seed=job.spec.seed,
        metrics={},
        best_step=0,
        best_epoch=0.0,
        stopped_early=False,
        predictions="",
        sealed_test=None,
        sealed_sha256=None,
        adapter="",
        adapter_sha256="",
        history=job.history(),
        rows_truncated=0,
        minutes=round(job.seconds / 60, 2),
        tokens_per_second=0.0,
        peak_memory_mb=round(job.recorder.peak_memory_mb, 1),
        precision=precision,
        reason_precision=job.memory.reason_precision,
        resumed=job.memory.attempts,
    )
