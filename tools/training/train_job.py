"""One training from spec to result: load, train or resume, keep the best, predict valid, seal test.

Worker side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import set_seed

from tools.errors import InputError, MissingPart
from tools.files import now
from tools.runs import EvalEvent, Example, RunResult, RunSpec
from tools.text import T, visible
from tools.training.checkpoints import Checkpoint, newest_checkpoint
from tools.training.evaluation import Evaluator
from tools.training.examples import read_examples
from tools.training.job import Job, primary
from tools.training.kept_answers import keep_answers, kept_answers
from tools.training.methods import REFERENCED, Setup, make_plan, make_trainer, trainable
from tools.training.models import add_lora, load_model, load_tokenizer, load_weights, save_adapter
from tools.training.pilot import Pilot, best_evaluation, out_of_patience
from tools.training.plan import Plan
from tools.training.precision import Precision, choose_precision
from tools.training.prepare_model import prepare_base_model
from tools.training.rows import Encoded
from tools.training.scoring import Evaluation
from tools.training.short_memory import affordable
from tools.training.speeds import Speed, add_speed

_LOSS_SHARE = 1e-6
"""The validation loss decides only between equal metrics: it enters the selection with this small weight."""


@dataclass
class _Prepared:
    """What training needs, loaded."""

    tokenizer: Any
    model: Any
    precision: str
    rows: list[Encoded]
    valid: list[Example]
    evaluator: Evaluator
    complete: bool = False
    """True when each evaluation finds out all that is stored of the best one."""
    answered: dict[int, Evaluation] = field(default_factory=dict)
    """The newest evaluation by its step, until its checkpoint is written."""


def train(job: Job) -> RunResult:
    """Run the training of `job.spec`; raises what tools/training/failures.py describes, or Cancelled."""
    ready = _prepare(job)
    trainer, best = _fit(job, ready)
    model = trainer.model
    job.cancel.check()
    adapter_sha256 = save_adapter(model, ready.tokenizer, job.spec.training.base_model, job.run.file("adapter"))
    valid = _answers_of_the_best(job, ready, model, best, adapter_sha256)
    predictions = job.write_predictions(valid.predictions)
    _remember_speed(job, valid)
    sealed = seal_test(job, ready.evaluator, model, read_examples(job.data("test")))
    return RunResult(
        run_id=job.spec.run_id,
        version=job.spec.version,
        seed=job.spec.seed,
        metrics=valid.metrics,
        best_step=best.step,
        best_epoch=best.epoch,
        stopped_early=best.stopped_early,
        predictions=predictions,
        sealed_test=sealed[0],
        sealed_sha256=sealed[1],
        adapter="adapter",
        adapter_sha256=adapter_sha256,
        history=job.history(),
        rows_truncated=sum(row.cut for row in ready.rows),
        minutes=round(job.seconds / 60, 2),
        tokens_per_second=job.memory.tokens_per_second,
        peak_memory_mb=round(job.recorder.peak_memory_mb, 1),
        precision=ready.precision,
        reason_precision=job.memory.reason_precision,
        resumed=job.memory.attempts,
        rows_at_once=job.rows_at_once,
    )


def _prepare(job: Job) -> _Prepared:
    spec = job.spec
    job.recorder.phase("loading", T("Loading the base model {name}.", name=spec.training.base_model))
    folder = prepare_base_model(
        spec.training.base_model, lambda text: job.recorder.phase("loading", text), spec.task_folder
    )
    precision = remembered_precision(job)
    tokenizer = load_tokenizer(folder)
    examples = read_examples(job.data("train"))
    if not examples:
        raise InputError(
            T("There are no training rows."),
            hint=T("Add labelled rows to data/train.jsonl, or widen the data recipe."),
            page="troubleshooting/small-data",
        )
    rows = trainable(spec, tokenizer, examples)
    _warn_about_cuts(job, rows)
    _warn_about_pairs(job, rows, len(examples))
    set_seed(spec.seed)
    model = load_model(folder, precision.name, all_weights=spec.lora is None)
    if spec.lora is not None:
        model = add_lora(model, spec.lora)
    if spec.start_from is not None:
        load_weights(model, _kept(spec.start_from))
    evaluator = Evaluator(spec, tokenizer, precision.name, max(len(row.completion) for row in rows))
    return _Prepared(tokenizer, model, precision.name, rows, read_examples(job.data("valid")), evaluator)


def remembered_precision(job: Job) -> Precision:
    """The precision this run began with, else the choice for this machine."""
    precision = choose_precision(job.spec.training.precision)
    if job.memory.precision is None:
        job.remember(precision=precision.name, reason_precision=str(precision.reason))
    return Precision.model_validate({"name": job.memory.precision, "reason": precision.reason})


def _warn_about_cuts(job: Job, rows: list[Encoded]) -> None:
    cut = sum(row.cut for row in rows)
    if not cut:
        return
    job.recorder.warn(
        T(
            "{cut} of {rows} training rows are longer than max_length {limit} and were cut; {answers} lost a part of "
            "their answer.",
            cut=cut,
            rows=len(rows),
            limit=job.spec.training.max_length,
            answers=sum(row.answer_cut for row in rows),
        ),
        page="troubleshooting/truncation",
    )


def _warn_about_pairs(job: Job, rows: list[Encoded], examples: int) -> None:
    """Say what a preference method leaves aside."""
    method = job.spec.training.method
    pairs = sum(row.rejected is not None for row in rows)
    if method == "sft":
        return
    if pairs < examples:
        left = (
            T("{left} training rows without a pair are left out.", left=examples - pairs)
            if method in REFERENCED
            else T("{left} training rows without a pair are learned as in SFT.", left=examples - pairs)
        )
        job.recorder.warn(left, page=f"methods/{method}")
    if method in REFERENCED and job.spec.start_from is None and job.spec.training.start_from is None:
        job.recorder.warn(
            T("No weights of a parent version are kept here, so {method} starts from the base model.", method=method),
            page=f"methods/{method}",
        )
    if _ignored(job.spec):
        job.recorder.warn(
            T("training.class_weights and lora.dropout have no effect with {method}.", method=method),
            page=f"methods/{method}",
        )


def _ignored(spec: RunSpec) -> bool:
    """True when the configuration sets something that the method does not use."""
    dropout = spec.lora is not None and spec.lora.dropout > 0
    return spec.training.method in REFERENCED and bool(dropout or spec.training.class_weights)


def _kept(folder: str) -> Path:
    """The weights that the training starts from; raises MissingPart when they have gone since it was planned."""
    if not Path(folder).is_dir():
        raise MissingPart(
            T("The weights {path} that this training starts from are not there any more.", path=visible(folder)),
            hint=T("Set training.start_from to base, or train the parent version again."),
            page="methods/dpo",
        )
    return Path(folder)


def _remember_speed(job: Job, valid: Evaluation) -> None:
    """For the estimates of later runs; a run that only finished an interrupted one has measured nothing."""
    if job.spec.training.method == "sft" and job.memory.tokens_per_second > 0 and valid.predictions:
        add_speed(
            job.spec.training.base_model,
            Speed(train=job.memory.tokens_per_second, answer=round(valid.tokens / valid.seconds, 1)),
        )


@dataclass(frozen=True)
class _Best:
    """Where the best weights came from."""

    step: int
    epoch: float
    stopped_early: bool


def _fit(job: Job, ready: _Prepared) -> tuple[Any, _Best]:
    """Train, or continue from the newest whole checkpoint, and put the best weights into the model."""
    spec, checkpoints = job.spec, job.run.file("checkpoints")
    plan = affordable(job, make_plan(spec, ready.rows))
    pilot = Pilot(plan, job, timed=spec.lora is not None)
    setup = Setup(
        spec=spec,
        model=ready.model,
        tokenizer=ready.tokenizer,
        rows=ready.rows,
        folder=checkpoints,
        precision=ready.precision,
        pilot=pilot,
        between=job.watch(len(ready.rows) * (2 if spec.training.method == "kto" else 1)),
    )
    if spec.training.method in REFERENCED:
        job.recorder.phase(
            "loading", T("Scoring both answers of each pair with the model that the training starts from.")
        )
    trainer: Any = make_trainer(setup, plan)
    pilot.trainer = trainer
    ready.complete = ready.evaluator.scoring_pays(ready.valid, len(plan.eval_steps))
    trainer.evaluate_now = lambda step: _evaluate(job, ready, trainer, pilot, step)
    pilot.saved = lambda step: _keep(job, ready, trainer, step)
    start = newest_checkpoint(checkpoints)
    job.recorder.phase("training", _training_message(plan, ready.precision, start))
    if start is not None:
        job.recorder.resumed(start.step, plan.total_steps)
    if start is None or not _is_finished(start, plan, spec):
        trainer.train(resume_from_checkpoint=None if start is None else str(start.path))
        log, step = trainer.state.log_history, trainer.state.global_step
    else:
        log, step = start.log_history, start.step
    return trainer, _load_best(job, trainer.model, log, step, plan)


def _is_finished(start: Checkpoint, plan: Plan, spec: RunSpec) -> bool:
    """True when nothing is left to train: all steps done, or stopped early, before the worker was killed."""
    return start.step >= plan.total_steps or out_of_patience(start.log_history, spec.training.early_stopping)


def _load_best(job: Job, model: Any, log: list[dict[str, Any]], last_step: int, plan: Plan) -> _Best:
    best = best_evaluation(log)
    step = last_step if best is None else int(best["step"])
    load_weights(model, _checkpoint(job, step))
    return _Best(step, round(step / plan.steps_per_epoch, 4), stopped_early=last_step < plan.total_steps)


def _training_message(plan: Plan, precision: str, start: Checkpoint | None) -> Any:
    if start is not None:
        return T("Continuing from step {step} of {total}.", step=start.step, total=plan.total_steps)
    return T(
        "Training {total} steps of {rows} rows in {precision}.",
        total=plan.total_steps,
        rows=plan.micro * plan.accumulation,
        precision=precision,
    )


def _evaluate(job: Job, ready: _Prepared, trainer: Any, pilot: Pilot, step: int) -> dict[str, float]:
    """Answer the validation rows now; {} without any."""
    if not ready.valid:
        return {}
    found = ready.evaluator.evaluate(
        trainer.model, ready.valid, label_scores=ready.complete, between=lambda done: job.cancel.check()
    )
    ready.answered = {step: found}
    pilot.eval_seconds = found.seconds
    selection = (primary(job.spec, found.metrics) or 0.0) - _LOSS_SHARE * min(found.loss or 0.0, 1e3)
    before = best_evaluation(trainer.state.log_history)
    job.recorder.evaluated(
        EvalEvent(
            at=now(),
            step=step,
            epoch=round(trainer.state.epoch or 0.0, 4),
            eval_loss=found.loss,
            metrics=found.metrics,
            best=before is None or selection > before["eval_selection"],
        )
    )
    return {"loss": found.loss or 0.0, "selection": selection, **found.metrics}


def _keep(job: Job, ready: _Prepared, trainer: Any, step: int) -> None:
    """Put the answers of the best evaluation so far beside the weights that gave them, when those have just been saved."""
    best, found = best_evaluation(trainer.state.log_history), ready.answered.get(step)
    if ready.complete and found is not None and best is not None and best["step"] == step:
        keep_answers(_checkpoint(job, step), job.data("valid"), found)


def _answers_of_the_best(job: Job, ready: _Prepared, model: Any, best: _Best, adapter_sha256: str) -> Evaluation:
    """What the saved weights answered when they were evaluated; they answer again where that was not kept."""
    kept = kept_answers(
        _checkpoint(job, best.step), adapter_sha256, job.data("valid"), spec=job.spec, examples=ready.valid
    )
    if kept is not None:
        job.recorder.phase("evaluating", T("Keeping what the best weights answered to the validation rows."))
        return kept
    job.recorder.phase("evaluating", T("Answering the validation rows with the best weights."))
    return ready.evaluator.evaluate(model, ready.valid, label_scores=True, between=job.watch(len(ready.valid)))


def _checkpoint(job: Job, step: int) -> Path:
    return job.run.file("checkpoints") / f"checkpoint-{step}"


def seal_test(job: Job, evaluator: Evaluator, model: Any, examples: list[Example]) -> tuple[str | None, str | None]:
    """Answer the test rows and seal the answers unread; returns path and hash, or nothing without test rows."""
    if not examples:
        return None, None
    job.recorder.phase("sealing", T("Answering the test rows; the answers are sealed unread."))
    found = evaluator.evaluate(model, examples, loss=False, between=job.watch(len(examples)))
    return job.seal_test(found.predictions)
