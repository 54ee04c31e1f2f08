"""The answers of one version on validation, ready to be looked through: grouped over seeds, counted by kind, with their rows.

Only validation. Results of the test split, and of a split that nobody has named, stay closed and are only mentioned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.edit_config import config_after
from tools.errors import InputError
from tools.evidence.confusions import FieldErrors, analyse_errors
from tools.read_results import ReadResultsArgs, latest, read_predictions, read_results
from tools.reading.task import load_split, load_task
from tools.results import Prediction, SplitResult
from tools.reviewing.batch import Twin
from tools.reviewing.filtering import answer_words
from tools.reviewing.twins import TwinFinder
from tools.running.recipe import apply_recipe, known_labels
from tools.scoring.answers import expected_answer
from tools.scoring.asking import asked_messages
from tools.scoring.metrics import field_scores
from tools.task import Row, Task
from tools.text import T, Text
from tools.versioning.records import snapshot_text


class AnsweredRow(BaseModel):
    """One validation row with one answer, given by some of the seeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Prediction
    """The answer as the first of those seeds gave it."""
    expected: str
    """As text: a label, or JSON."""
    answered: str | None
    """None when the answer could not be read."""
    seeds: int
    """Seeds that gave this answer."""


class Answers:
    """What a version answered on validation, and what else is known about the rows."""

    def __init__(self, task: Task, version: str | None, result: SplitResult | None, notes: list[Text]) -> None:
        self.task = task
        self.version = version
        self.notes = notes
        """What could not be looked at, and why."""
        path = task.path / result.predictions if result and result.predictions else None
        predictions = read_predictions(path) if path and path.is_file() else []
        self.seeds = len({one.seed for one in predictions}) or 1
        self.rows = _grouped(predictions, self._words)
        self.answers = len(predictions) or (result.rows if result else 0)
        self.counts = self._counted(result)
        """Expected and answered label (None: unreadable) to answers, over all seeds; empty without labels."""
        self.labels = known_labels(task, self.train.values()) if self.counts else []
        self.fields = self._fields(predictions)
        """Worst first; empty for tasks without fields."""

    @cached_property
    def train(self) -> dict[str, Row]:
        """Training rows as the recipe leaves them."""
        rows = apply_recipe(self.task, load_split(self.task, "train").split, oversample=False).rows
        return {row.id: row for row in rows}

    @cached_property
    def valid(self) -> dict[str, Row]:
        """Validation rows by id."""
        return {row.id: row for row in load_split(self.task, "valid").split.rows}

    @cached_property
    def twin_finder(self) -> TwinFinder:
        """Looks for training rows that are much like a validation row."""
        return TwinFinder(list(self.train.values()), "train", other=list(self.valid.values()))

    def twins(self, answered: AnsweredRow) -> list[Twin]:
        """Training rows much like this one."""
        return self.twin_finder.find(self.row(answered))

    def row(self, answered: AnsweredRow) -> Row:
        """The validation row; made of the stored answer where the file has lost it."""
        one = answered.first
        return self.valid.get(one.id) or Row(id=one.id, fields=one.input)

    def prompt(self, answered: AnsweredRow) -> list[dict[str, str]]:
        """The chat turns that the version was asked with; empty when they cannot be made from the row any more."""
        try:
            text = snapshot_text(self.task.path, self.version)
            config = self.task.config if text is None else config_after(self.task, text)
            return asked_messages(self.task.model_copy(update={"config": config}), self.row(answered))
        except InputError:
            return []

    def field_scores(self, answered: AnsweredRow) -> dict[str, float]:
        """Score of each field of one answer."""
        return field_scores(self.task.definition.answer, answered.first.expected, answered.first.parsed)

    def _words(self, value: JsonValue) -> str:
        return answer_words(expected_answer(self.task.definition.answer, value))

    def _counted(self, result: SplitResult | None) -> Mapping[tuple[str, str | None], int]:
        if self.task.definition.task_type != "classification":
            return {}
        if self.rows:
            counted: Counter[tuple[str, str | None]] = Counter()
            for row in self.rows:
                counted[row.expected, row.answered] += row.seeds
            return counted
        confusion = result.confusion if result else {}
        return {
            (want, got or None): number for want, given in confusion.items() for got, number in given.items() if number
        }

    def _fields(self, predictions: list[Prediction]) -> list[FieldErrors]:
        definition = self.task.definition
        if definition.task_type != "extraction" or not predictions:
            return []
        return analyse_errors(definition.task_type, definition.answer, predictions).fields


def read_answers(task_path: Path, version: str | None = None) -> Answers:
    """The answers of a version, by default the newest with a result on validation; `notes` say what is missing."""
    task = load_task(task_path)
    read = read_results(ReadResultsArgs(task_dir=task_path))
    result = latest(read, version, "valid")
    notes = [problem.message for problem in read.problems if problem.about.get("what") == "unknown_split"]
    hints = [problem.hint for problem in read.problems if problem.about.get("what") == "unknown_split" and problem.hint]
    if result is None:
        notes.append(T("There is no result on validation yet, so there are no errors to look at: iterate evaluate"))
    answers = Answers(task, result.version if result else None, result, [*notes, *hints])
    if result is not None and not answers.rows:
        message = T(
            "Its single answers were not kept, so only numbers can be shown. Evaluate it again: iterate evaluate"
        )
        answers.notes.append(message)
    return answers


def _grouped(predictions: Iterable[Prediction], words: Callable[[JsonValue], str]) -> list[AnsweredRow]:
    """The same answer of several seeds as one, in the order of the file."""
    groups: dict[tuple[str, str, str | None, str | None], list[Prediction]] = {}
    for one in predictions:
        answered = None if one.parsed is None else answer_words(one.parsed)
        groups.setdefault((one.id, words(one.expected), answered, one.failure), []).append(one)
    return [
        AnsweredRow(first=same[0], expected=expected, answered=answered, seeds=len(same))
        for (_, expected, answered, _), same in groups.items()
    ]
