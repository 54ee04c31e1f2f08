"""A run without training: existing weights, or the bare base model, on given rows.

Worker side. The run directory is like any other, with `train` false in its spec; `adapter_from` names the weights, and without
it the base model answers as it is (zero-shot). Run: python -m tools.training.evaluate RUN_DIR
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tools.errors import MissingPart
from tools.runs import Example, RunResult
from tools.text import T, visible
from tools.training.checkpoints import weights_sha256
from tools.training.evaluation import Evaluator
from tools.training.examples import read_examples
from tools.training.job import Job
from tools.training.models import add_adapter, load_model, load_tokenizer
from tools.training.prepare_model import prepare_base_model
from tools.training.rows import encode
from tools.training.train_job import remembered_precision, seal_test
from tools.training.worker import main


def evaluate(job: Job) -> RunResult:
    """Answer the validation rows and seal the answers to the test rows; raises MissingPart when the weights are gone."""
    spec = job.spec
    job.recorder.phase("loading", T("Loading the base model {name}.", name=spec.training.base_model))
    folder = prepare_base_model(
        spec.training.base_model, lambda text: job.recorder.phase("loading", text), spec.task_folder
    )
    precision = remembered_precision(job)
    tokenizer = load_tokenizer(folder)
    adapter = _adapter(spec.adapter_from)
    model: Any = load_model(folder, precision.name, all_weights=adapter is not None and spec.lora is None)
    if adapter is not None:
        model = add_adapter(model, adapter)
    valid, test = read_examples(job.data("valid")), read_examples(job.data("test"))
    evaluator = Evaluator(spec, tokenizer, precision.name, _longest_answer(job, tokenizer, valid))
    job.recorder.phase("evaluating", T("Answering the validation rows."))
    found = evaluator.evaluate(model, valid, label_scores=True, between=job.watch(len(valid)))
    predictions = job.write_predictions(found.predictions)
    sealed = seal_test(job, evaluator, model, test)
    return RunResult(
        run_id=spec.run_id,
        version=spec.version,
        seed=spec.seed,
        metrics=found.metrics,
        best_step=0,
        best_epoch=0.0,
        stopped_early=False,
        predictions=predictions,
        sealed_test=sealed[0],
        sealed_sha256=sealed[1],
        adapter=str(adapter or ""),
        adapter_sha256="" if adapter is None else weights_sha256(adapter),
        history=[],
        rows_truncated=0,
        minutes=round(job.seconds / 60, 2),
        tokens_per_second=0.0,
        peak_memory_mb=round(job.recorder.peak_memory_mb, 1),
        precision=precision.name,
        reason_precision=job.memory.reason_precision,
        resumed=job.memory.attempts,
    )


def _adapter(path: str | None) -> Path | None:
    if path is None:
        return None
    if not Path(path).is_dir():
        raise MissingPart(
            T("The trained weights {path} are not there any more.", path=visible(path)),
            hint=T("Train the version again; its record holds the configuration and data it was trained with."),
        )
    return Path(path)


def _longest_answer(job: Job, tokenizer: Any, valid: list[Example]) -> int:
    """Tokens of the longest training answer, so that answers are cut where the version's own evaluation cut them."""
    examples = read_examples(job.data("train")) or valid
    limit = job.spec.training.max_length
    return max((len(encode(tokenizer, example, limit).completion) for example in examples), default=1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
