"""The batch `suspects`: rows whose label the diagnosis, or the model's own answers, give reason to doubt.

    train   contradicts a row with the same text; stands in an evaluation split as well; is much like a validation row that the
            model gets wrong, and has another label
    valid   the model is sure of another answer, or every seed gives one: a question about a label, which changes no data

Nothing is decided here, and no text of the test split is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from pydantic import JsonValue

from tools.diagnose import Diagnosis
from tools.finding import FindingKind
from tools.read_results import ReadResultsArgs, latest, read_predictions, read_results
from tools.reading.task import load_split
from tools.results import Prediction
from tools.reviewing.batch import Candidate
from tools.reviewing.twins import TwinFinder
from tools.running.recipe import apply_recipe
from tools.scoring.answers import expected_answer
from tools.task import Row, Task
from tools.text import T, Text

SUSPECTS = "suspects"
"""Name of the batch; the errors screen adds to it as well."""
SURE = 0.8
"""Probability from which a model's answer is held against a label."""
MOST_QUESTIONS = 30
"""Validation rows that are asked about, surest first; more is nobody's afternoon."""


def suspects_batch(task: Task, diagnosis: Diagnosis) -> list[Candidate]:
    """The candidates that the diagnosis of a version gives, each row once, surest reasons first."""
    evidence = _Evidence(task, diagnosis)
    found: dict[str, Candidate] = {}
    for candidate in (*_contradictions(evidence), *_leaks(evidence), *_wrong_twins(evidence), *_questions(evidence)):
        found.setdefault(candidate.id, candidate)
    return list(found.values())


def train_candidate(row: Row, source: str, **more: object) -> Candidate:
    """A training row as a candidate."""
    given = {"id": f"train:{row.id}", "origin": "train", "row": row.id, "fields": row.fields, "answer": row.answer}
    return Candidate.model_validate({**given, "source": source, "provenance": _place(row), **more})


def valid_candidate(prediction: Prediction, source: str, **more: object) -> Candidate:
    """A wrongly answered validation row as a question about its label."""
    given = {
        "id": f"valid:{prediction.id}",
        "origin": "valid",
        "row": prediction.id,
        "fields": prediction.input,
        "answer": prediction.expected,
        "answered": prediction.parsed,
        "scores": prediction.scores,
    }
    return Candidate.model_validate({**given, "source": source, **more})


def _place(row: Row) -> dict[str, JsonValue]:
    return {"file": row.file, "line": row.line} if row.file else {}


class _Evidence:
    """What the rules look at, read when it is first needed."""

    def __init__(self, task: Task, diagnosis: Diagnosis) -> None:
        self.task = task
        self.diagnosis = diagnosis

    @cached_property
    def train(self) -> dict[str, Row]:
        """Training rows as the recipe leaves them."""
        rows = apply_recipe(self.task, load_split(self.task, "train").split, oversample=False).rows
        return {row.id: row for row in rows}

    @cached_property
    def valid(self) -> dict[str, Row]:
        return {row.id: row for row in load_split(self.task, "valid").split.rows}

    @cached_property
    def wrong(self) -> list[Prediction]:
        """Wrong validation answers of the version, all seeds."""
        result = latest(read_results(ReadResultsArgs(task_dir=self.task.path)), self.diagnosis.version, "valid")
        path = self.task.path / result.predictions if result and result.predictions else None
        return [one for one in read_predictions(path) if not one.correct] if path and path.is_file() else []

    @cached_property
    def valid_twins(self) -> TwinFinder:
        return TwinFinder(list(self.valid.values()), "valid", other=list(self.train.values()))

    @cached_property
    def train_twins(self) -> TwinFinder:
        return TwinFinder(list(self.train.values()), "train", other=list(self.valid.values()))

    def rows_of(self, kind: FindingKind) -> Iterator[str]:
        """Training rows that findings of a kind name."""
        for finding in self.diagnosis.findings:
            if finding.kind is kind:
                yield from finding.rows


def _contradictions(evidence: _Evidence) -> Iterator[Candidate]:
    """Rows with the same text and another answer than most of their kind; all of them where there is no majority."""
    for finding in evidence.diagnosis.findings:
        groups = finding.about.get("groups")
        if finding.kind is not FindingKind.inconsistent_labels or not isinstance(groups, list):
            continue
        for group in groups:
            rows = (
                [evidence.train[str(name)] for name in group if str(name) in evidence.train]
                if isinstance(group, list)
                else []
            )
            yield from _of_group(evidence, rows)


def _of_group(evidence: _Evidence, rows: Sequence[Row]) -> Iterator[Candidate]:
    if len(rows) < 2:
        return
    votes = Counter(str(row.answer) for row in rows).most_common(2)
    tied = len(votes) > 1 and votes[0][1] == votes[1][1]
    majority = next((row.answer for row in rows if str(row.answer) == votes[0][0]), None)
    for row in rows:
        if tied or str(row.answer) != votes[0][0]:
            others = {str(one.answer): votes_of(rows, one.answer) for one in rows if one.id != row.id}
            yield train_candidate(
                row,
                "diagnosis",
                suggested=None if tied else majority,
                why=T(
                    "Rows that ask the same: {count}, answered {answers}.",
                    count=len(rows) - 1,
                    answers=_listed(others),
                ),
                twins=evidence.train_twins.find(row),
            )


def votes_of(rows: Sequence[Row], answer: JsonValue) -> int:
    """How many of the rows have this answer."""
    return sum(row.answer == answer for row in rows)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{answer[:40]} ×{count}" for answer, count in counts.items())


def _leaks(evidence: _Evidence) -> Iterator[Candidate]:
    """Training rows that stand in validation or test as well; the twin is shown where it is of validation."""
    for name in evidence.rows_of(FindingKind.split_leak):
        if name in evidence.train:
            row = evidence.train[name]
            why = T("It stands in the evaluated rows as well, so the model is praised there for what it has memorised.")
            yield train_candidate(row, "diagnosis", leave_out=True, why=why, twins=evidence.valid_twins.find(row))


def _wrong_twins(evidence: _Evidence) -> Iterator[Candidate]:
    """Training rows with another label that are much like a validation row which the model gets wrong."""
    if evidence.task.definition.task_type != "classification":
        return
    for prediction in evidence.wrong:
        row = evidence.valid.get(prediction.id)
        if row is None:
            continue
        for twin in evidence.train_twins.find(row, accept=lambda other, own=row: other.answer != own.answer):  # type: ignore[misc]
            mate = evidence.train[twin.row]
            why = T(
                "It is {alike:.0%} like validation row {row}, which says {label} and is answered wrongly.",
                alike=twin.similarity,
                row=row.id,
                label=str(row.answer),
            )
            near = twin.model_copy(update={"row": row.id, "split": "valid", "fields": row.fields, "answer": row.answer})
            yield train_candidate(mate, "diagnosis", suggested=row.answer, why=why, twins=[near])


def _questions(evidence: _Evidence) -> list[Candidate]:
    """Validation rows where the model holds against the label: surely, or in every one of several seeds."""
    if evidence.task.definition.task_type != "classification":
        return []
    seeds = Counter(one.id for one in evidence.wrong if one.parsed is not None)
    most = max(seeds.values(), default=0)
    doubted: dict[str, tuple[float, Prediction]] = {}
    for one in evidence.wrong:
        sure = (one.scores or {}).get(str(one.parsed), 0.0)
        if one.parsed is not None and (sure >= SURE or (most > 1 and seeds[one.id] == most)):
            doubted[one.id] = max(doubted.get(one.id, (0.0, one)), (sure, one), key=lambda pair: pair[0])
    ranked = sorted(doubted.values(), key=lambda pair: (-seeds[pair[1].id], -pair[0]))[:MOST_QUESTIONS]
    return [_question(evidence, prediction, sure, seeds[prediction.id]) for sure, prediction in ranked]


def _question(evidence: _Evidence, prediction: Prediction, sure: float, seeds: int) -> Candidate:
    why: Text = T("The model gives {sure:.0%} to {label}.", sure=sure, label=str(prediction.parsed))
    if seeds > 1:
        why = T("All {seeds} seeds answer otherwise than the label.", seeds=seeds)
    row = Row(id=prediction.id, fields=prediction.input)
    expected = expected_answer(evidence.task.definition.answer, prediction.expected)
    twins = evidence.train_twins.find(row)
    return valid_candidate(prediction, "diagnosis", answer=expected, why=why, twins=twins)
