"""The price of a proposal: minutes and memory on this machine, for all seeds of the version."""

from __future__ import annotations

from agent.proposing.view import TaskRows
from tools.change import Change, ChangeKind, Cost
from tools.config import TrainingConfig
from tools.read_task import load_split
from tools.recipe import apply_recipe
from tools.task import ConfigFile
from tools.text import T

SECONDS_PER_ROW = 0.25
"""Forward and backward pass of one short row, for a model of 270 million parameters on two processor cores; a rule of thumb
for when nothing better is known."""
SECONDS_PER_ANSWER = 0.3
"""Generating one short answer, on the same machine."""


def price(rows: TaskRows, changes: list[Change], after: ConfigFile) -> Cost:
    """What changes take, with the rows and settings that the version would have."""
    if changes and after.values == rows.task.config.values:
        return Cost(minutes=0.0, trainings=0, basis=T("Only the file is edited; nothing is trained."))
    seeds = len(after.values.training.all_seeds)
    if changes and all(change.kind is ChangeKind.decoding for change in changes):
        return _evaluation(rows.valid_count, seeds)
    return _training(after.values, training_rows(rows, after), rows.valid_count)


def training_rows(rows: TaskRows, after: ConfigFile) -> int:
    """Rows per epoch under another configuration."""
    task = rows.task.model_copy(update={"config": after})
    same_files = after.values.data.train == rows.task.config.values.data.train
    return len(apply_recipe(task, rows.train if same_files else load_split(task, "train").split).rows)


def _evaluation(rows: int, seeds: int) -> Cost:
    minutes = round(max(0.1, seeds * rows * SECONDS_PER_ANSWER / 60), 1)
    return Cost(minutes=minutes, trainings=0, basis=T("Only answers are generated again; a rule of thumb."))


def _training(values: TrainingConfig, rows: int, evaluated: int) -> Cost:
    training = values.training
    seeds = len(training.all_seeds)
    evaluations = 1 + training.epochs * training.evals_per_epoch
    seconds = rows * training.epochs * SECONDS_PER_ROW + evaluated * evaluations * SECONDS_PER_ANSWER
    return Cost(
        minutes=round(max(0.5, seeds * seconds / 60), 1),
        trainings=seeds,
        basis=T("A rule of thumb: no training was measured on this machine yet."),
    )
