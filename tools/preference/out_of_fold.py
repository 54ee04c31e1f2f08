"""Pairs of a model's own errors: small trainings on parts of the training rows, each asked about the part it has not seen.

Each row is answered by a model that was not trained on it, so its errors are those that the task's model really makes. That
costs about one training less than there are folds; it is priced before, and nothing of validation or test is touched.

    plan_folds -> prepare and run (tools/launch_training.py) -> collect_folds
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.errors import InputError
from tools.files import sha256_bytes, write_atomic
from tools.preference.pairs import Pair, PairSource, pair_file, pair_lines
from tools.results import Prediction
from tools.running.plan_runs import RunPlan, plan_runs
from tools.runs import Example, RunDir
from tools.scoring.evaluator import evaluator_hash
from tools.task import Task
from tools.text import T, shell_word
from tools.training.estimate import Estimate, Workload, answer_guess, estimate, tokens_guess

FOLDS = 3
LEAST_ROWS = 30
"""Fewer training rows leave folds from which nothing is learned."""


@dataclass(frozen=True)
class FoldPlan:
    """The trainings of all folds."""

    runs: list[RunPlan]
    cost: Estimate
    """Of all of them, one after the other."""
    rows: int


def plan_folds(task: Task, version: str, folds: int = FOLDS) -> FoldPlan:
    """One training by SFT per fold, with the task's own settings and first seed; `version` names whose settings they are.

    Raises InputError for too few rows or folds.
    """
    config = task.config.values
    sft = config.training.model_copy(update={"method": "sft", "start_from": None, "seeds": [], "early_stopping": None})
    alone = task.model_copy(
        update={"config": task.config.model_copy(update={"values": config.model_copy(update={"training": sft})})}
    )
    whole = plan_runs(alone, version)[0]
    examples = [Example.model_validate_json(line) for line in whole.data["train.jsonl"].splitlines()]
    known = {example.id for example in examples}
    sources = {example.id: _source(example.id, known) for example in examples}
    asked = [example for example in examples if sources[example.id] == example.id]
    if not 2 <= folds <= 10 or len(asked) < max(LEAST_ROWS, 3 * folds):
        raise InputError(
            T(
                "{folds} folds need 2 to 10 folds and at least {least} training rows; there are {rows}.",
                folds=folds,
                least=max(LEAST_ROWS, 3 * folds),
                rows=len(asked),
            ),
            hint=T("Pairs without a training: iterate pairs {task} --write", task=shell_word(task.name)),
            page="methods/comparison",
        )
    fold = _folds(asked, folds)
    runs = []
    for number in range(folds):
        train = [example for example in examples if fold[sources[example.id]] != number]
        held_out = [example for example in asked if fold[example.id] == number]
        runs.append(_run(whole, train, held_out, f"{version}-fold{number + 1}of{folds}"))
    return FoldPlan(runs, _price(task, runs, asked), len(asked))


def collect_folds(task: Task, version: str, run_dirs: Sequence[Path]) -> tuple[str, list[Pair]]:
    """Write the pairs of finished fold runs into a file of the task; returns its path and the pairs.

    Raises InputError when no row was answered wrongly, so that there is no pair.
    """
    pairs: list[Pair] = []
    for path in run_dirs:
        run = RunDir(path)
        result, spec = run.result(), run.spec()
        asked = {example.id: example for example in _read(run.file("data") / "valid.jsonl")}
        lines = run.file(result.predictions if result else "").read_bytes().splitlines()
        predictions = [Prediction.model_validate_json(line) for line in lines]
        pairs += _pairs_of(asked, predictions, version, spec.training.base_model)
    if not pairs:
        raise InputError(
            T("Every training row was answered rightly by a model that had not seen it, so there is no pair."),
            hint=T("A preference method has nothing to teach here; look at the errors on validation instead."),
            page="methods/comparison",
        )
    content = pair_lines(pairs)
    file = pair_file(f"{version}-out-of-fold", content)
    write_atomic(task.path / file, content)
    return file, pairs


def _pairs_of(asked: dict[str, Example], predictions: Iterable[Prediction], version: str, model: str) -> Iterable[Pair]:
    for one in predictions:
        chosen = asked[one.id].completion
        said = one.raw.strip()
        if one.correct or not said or said == chosen.strip():
            continue
        source = PairSource.out_of_fold if one.failure is None else PairSource.broken_format
        yield Pair(
            id=f"{one.id}/{source.value}",
            row=one.id,
            chosen=chosen,
            rejected=said,
            source=source,
            version=version,
            model=model,
        )


def _source(name: str, known: set[str]) -> str:
    """The row that a repetition by oversampling repeats, which has the same input; any other row is its own."""
    parent = name.rpartition("#")[0]
    return parent if parent in known else name


def _folds(examples: Sequence[Example], folds: int) -> dict[str, int]:
    """Row id to its fold: labels spread evenly, rows that share a text kept together, since one would give away the other."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(max(example.input.values(), key=len, default=example.id), []).append(example)
    ordered = sorted(groups.items(), key=lambda group: (group[1][0].completion, sha256_bytes(group[0].encode("utf-8"))))
    return {example.id: number % folds for number, (_, group) in enumerate(ordered) for example in group}


def _run(whole: RunPlan, train: list[Example], held_out: list[Example], name: str) -> RunPlan:
    data = {"train.jsonl": _lines(train), "valid.jsonl": _lines(held_out)}
    digest = sha256_bytes(b"\0".join(data.values()))
    short = sha256_bytes(json.dumps([whole.spec.config_hash, digest, whole.spec.seed]).encode("utf-8"))[:8]
    rows = ((example.id, example.expected) for example in held_out)
    update = {
        "run_id": f"{name}-{short}",
        "version": name,
        "data_hash": digest,
        "evaluator_hash": evaluator_hash(whole.spec.task_type, whole.spec.answer, rows),
        "test_evaluator_hash": None,
    }
    return RunPlan(
        whole.spec.model_copy(update=update),
        data,
        {"train": len(train), "valid": len(held_out)},
        {"train": 0, "valid": 0},
    )


def _price(task: Task, runs: Sequence[RunPlan], asked: Sequence[Example]) -> Estimate:
    training = task.config.values.training
    texts = ["".join(turn["content"] for turn in example.messages) + example.completion for example in asked]
    tokens = min(tokens_guess(texts), float(training.max_length))
    rows = sum(run.rows["train"] for run in runs) // len(runs)
    work = Workload(
        base_model=training.base_model,
        rows=rows,
        epochs=training.epochs,
        seeds=len(runs),
        valid_rows=len(asked) // len(runs),
        tokens_per_row=tokens,
        tokens_per_answer=answer_guess([example.completion for example in asked]),
        evals_per_epoch=training.evals_per_epoch,
        micro_batch_size=training.micro_batch_size,
        all_weights=task.config.values.lora is None,
        folder=task.path,
    )
    return estimate(work)


def _lines(examples: Iterable[Example]) -> bytes:
    return "".join(example.model_dump_json() + "\n" for example in examples).encode("utf-8")


def _read(path: Path) -> list[Example]:
    return [Example.model_validate_json(line) for line in path.read_bytes().splitlines() if line.strip()]
