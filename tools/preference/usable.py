"""How many pairs a configuration would train on, before anything is written or trained; and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.errors import InputError, NotFound, Problem
from tools.preference.attach import fits, named_pairs, no_pairs
from tools.preference.derived import answers_of, derivable
from tools.preference.pairs import Pair, read_pairs
from tools.reading.task import load_split
from tools.running.recipe import CONFIG_FILE, apply_recipe
from tools.task import Task


@dataclass(frozen=True)
class Usable:
    """The pairs of a configuration that fit its training rows."""

    pairs: list[Pair]
    """Those of the files; a row's own pair, as user data may bring it, has no source and is only counted."""
    own: int
    """Rows that bring a pair themselves and have none in the files."""
    rows: int
    """Training rows after the recipe, without repetitions."""
    stale: int
    """Pairs of the files that do not fit any more."""

    @property
    def count(self) -> int:
        """Pairs that would be trained on."""
        return len(self.pairs) + self.own


def usable_pairs(task: Task) -> Usable:
    """The pairs that training with the task's configuration would use; a derived file need not be written yet.

    Raises InputError for files that are missing or no pairs.
    """

    def read(folder: Path, file: str) -> list[Pair]:
        try:
            return read_pairs(folder, file)
        except NotFound:
            derived = derivable(task, file)
            if derived is None:
                raise
            return derived.pairs

    rows = apply_recipe(task, load_split(task, "train").split, oversample=False).rows
    answers = answers_of(task, rows)
    named = named_pairs(task, read)
    pairs = [pair for row in rows for pair in named.get(row.id, []) if fits(pair, answers.get(row.id, ""))]
    known = {pair.row for pair in pairs}
    own = sum(row.rejected is not None and row.rejected != answers.get(row.id) for row in rows if row.id not in known)
    return Usable(pairs, own, len(rows), sum(len(of_row) for of_row in named.values()) - len(pairs))


def pair_problems(task: Task) -> list[Problem]:
    """Why a preference method could not be trained with the task's configuration; [] for SFT and for one that can."""
    training = task.config.values.training
    if training.method == "sft" or training.command is not None:
        return []
    try:
        if usable_pairs(task).count:
            return []
        reason: InputError = no_pairs(task.name, training.method)
    except InputError as unreadable:
        reason = unreadable
    problem = Problem(
        message=reason.message,
        path=CONFIG_FILE,
        value=", ".join(task.config.values.data.preference) or None,
        hint=reason.hint,
        page=reason.page,
        about={"key": "data.preference"},
    )
    return [problem, *reason.problems]
