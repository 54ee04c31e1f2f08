"""The price of a proposal: minutes and memory on this machine, for all seeds of the version."""

from __future__ import annotations

from collections.abc import Sequence

from agent.proposing.view import TaskRows
from tools.change import Change, Cost
from tools.errors import InputError
from tools.preference.usable import usable_pairs
from tools.reading.task import load_split
from tools.running.answers_only import answers_only
from tools.running.recipe import apply_recipe
from tools.running.start_weights import CONTINUING
from tools.scoring.asking import Asker
from tools.task import ConfigFile, Row, Task
from tools.text import T
from tools.training.estimate import Workload, answer_guess, estimate, tokens_guess

SAMPLED = 200
"""Rows whose length is looked at; more would not change an estimate."""
USUAL_TOKENS = 100.0
"""Tokens of a row that cannot be put as a prompt."""
SECONDS_PER_ROW = 0.3
"""Training on one short row or answering it, on two processor cores with a small model: a rule of thumb for a base model of
unknown size."""


def price(rows: TaskRows, changes: list[Change], after: ConfigFile) -> Cost:
    """What changes take, with the rows and settings that the version would have; no changes is the baseline."""
    if changes and after.values == rows.task.config.values:
        return Cost(minutes=0.0, trainings=0, basis=T("Only the file is edited; nothing is trained."))
    untrained = answers_only(rows.task.path, rows.version, changes)
    work = _workload(rows, after, epochs=0.0 if untrained else after.values.training.epochs)
    trainings = 0 if untrained else work.seeds
    try:
        found = estimate(work)
    except InputError:
        return _rule_of_thumb(work, trainings)
    basis = T("{basis}.", basis=found.basis)
    return Cost(minutes=found.minutes, memory_gb=found.memory_gb, trainings=trainings, basis=basis)


def _workload(rows: TaskRows, after: ConfigFile, epochs: float) -> Workload:
    task = rows.task.model_copy(update={"config": after})
    same_files = after.values.data.train == rows.task.config.values.data.train
    train = apply_recipe(task, rows.train if same_files else load_split(task, "train").split).rows
    sample = train[:: max(1, len(train) // SAMPLED)]
    lengths = _lengths(task, sample)
    training = after.values.training
    return Workload(
        base_model=training.base_model,
        rows=_trained(task, len(train)),
        epochs=epochs,
        seeds=len(training.all_seeds),
        valid_rows=rows.valid_count,
        test_rows=rows.test_count,
        tokens_per_row=sum(lengths) / len(lengths) if lengths else USUAL_TOKENS,
        tokens_per_answer=_answer_tokens(task, sample),
        longest_row=min(training.max_length, round(max(lengths, default=USUAL_TOKENS))),
        evals_per_epoch=training.evals_per_epoch,
        micro_batch_size=training.micro_batch_size,
        all_weights=after.values.lora is None,
        folder=task.path,
        method=training.method,
    )


def _lengths(task: Task, rows: Sequence[Row]) -> list[float]:
    """Tokens of prompt and answer of each row, at most what max_length leaves of them."""
    try:
        asker = Asker(task)
    except InputError:
        return [USUAL_TOKENS] * len(rows)
    return [_tokens(task, asker, row) for row in rows]


def _answer_tokens(task: Task, rows: Sequence[Row]) -> float:
    """Tokens that are written for a row, where that is known."""
    try:
        return answer_guess([Asker(task).completion(row) for row in rows])
    except InputError:
        return 1.0


def _tokens(task: Task, asker: Asker, row: Row) -> float:
    try:
        text = "".join(turn["content"] for turn in asker.messages(row)) + asker.completion(row)
    except InputError:
        return USUAL_TOKENS
    return min(tokens_guess([text]), float(task.config.values.training.max_length))


def _trained(task: Task, rows: int) -> int:
    """Rows that are trained on: for DPO and KTO the pairs."""
    if task.config.values.training.method not in CONTINUING:
        return rows
    try:
        return usable_pairs(task).count
    except InputError:
        return rows


def _rule_of_thumb(work: Workload, trainings: int) -> Cost:
    answered = work.valid_rows * max(1, work.epochs * work.evals_per_epoch) + work.test_rows
    seconds = work.seeds * SECONDS_PER_ROW * (work.rows * work.epochs + answered)
    basis = T("A rule of thumb, since the size of this base model is not known.")
    return Cost(minutes=round(max(0.5, seconds / 60), 1), trainings=trainings, basis=basis)
