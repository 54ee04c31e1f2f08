"""Which errors a version makes on validation: confused labels, missed fields, unparsed answers, and typical cases.

Only validation predictions come here. Everything in an ErrorAnalysis is ready to be shown: texts of rows and answers have
passed `visible`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.evidence.case import Case
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.results import Prediction
from tools.scoring.metrics import field_scores
from tools.task import AnswerFormat, TaskType
from tools.text import T, visible

SHOWN_CHARACTERS = 300
CASES = 5
MIN_PAIR = 5
"""A pair of labels confused fewer times than this is no pattern."""
MIN_PAIR_SHARE = 0.2
"""Nor is one that makes up less than this share of the errors."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorPair(_Model):
    """One kind of error: what was expected, what came instead, how often."""

    expected: str
    predicted: str | None
    """None for answers that could not be parsed."""
    count: int
    """Wrong answers, over all seeds."""
    share: float
    """Of all errors."""


class FieldErrors(_Model):
    """How well one field of an object is read."""

    field: str
    wrong: int
    """Answers in which the field is not exactly right, over all seeds."""
    lost: float
    """Mean score lost in this field, as a fraction."""


class ErrorCase(_Model):
    """One typical error."""

    row: str
    """Row id."""
    input: dict[str, str]
    expected: str
    predicted: str | None
    """None when the answer could not be parsed."""
    raw: str
    failure: str | None
    seeds_wrong: int
    """Number of seeds that got this row wrong."""


class ErrorAnalysis(_Model):
    """The errors of one version on validation."""

    answers: int
    """Evaluated answers, over all seeds."""
    errors: int
    """Answers that are not right."""
    pairs: list[ErrorPair]
    """Most frequent first; empty for tasks without labels."""
    fields: list[FieldErrors]
    """Worst first; empty for tasks without fields."""
    failures: dict[str, int]
    """Unparsed answers by reason, most frequent first."""
    cases: list[ErrorCase]
    """One of each frequent kind of error first."""


def analyse_errors(task_type: TaskType, answer: AnswerFormat, predictions: Sequence[Prediction]) -> ErrorAnalysis:
    """Count errors by kind and choose typical cases: the rows that most seeds get wrong, spread over the kinds."""
    wrong = [row for row in predictions if not row.correct]
    return ErrorAnalysis(
        answers=len(predictions),
        errors=len(wrong),
        pairs=_pairs(wrong) if task_type == "classification" else [],
        fields=_fields(answer, predictions) if task_type == "extraction" else [],
        failures=dict(Counter(row.failure for row in wrong if row.failure is not None).most_common()),
        cases=_cases(task_type, wrong),
    )


def confusion_findings(case: Case) -> list[Finding]:
    """The most frequent confusion, or the weakest field, as information; only when a target is missed."""
    if not case.is_low or not case.predictions:
        return []
    errors = analyse_errors(case.task.definition.task_type, case.answer, case.predictions)
    pairs = [pair for pair in errors.pairs if pair.predicted is not None]
    if pairs and pairs[0].count >= MIN_PAIR and pairs[0].share >= MIN_PAIR_SHARE:
        return [_confused(case, pairs[0], errors)]
    return [_weak_field(case, errors.fields[0], errors)] if errors.fields and errors.fields[0].wrong else []


def _confused(case: Case, pair: ErrorPair, errors: ErrorAnalysis) -> Finding:
    rows = [row.id for row in case.predictions if not row.correct and _pair(row) == (pair.expected, pair.predicted)]
    return Finding(
        kind=FindingKind.confusion,
        severity=Severity.info,
        title=T("{expected} is often taken for {predicted}", expected=pair.expected, predicted=pair.predicted),
        detail=T(
            "{count} of {errors} errors ({share:.0%}) are of this kind.",
            count=pair.count,
            errors=errors.errors,
            share=pair.share,
        ),
        facts=[
            Fact(name=T("errors of this kind"), value=pair.count),
            Fact(name=T("share of errors"), value=pair.share, threshold=MIN_PAIR_SHARE, percent=True),
        ],
        rows=list(dict.fromkeys(rows))[:20],
        about={"expected": pair.expected, "predicted": pair.predicted, "count": pair.count, "share": pair.share},
        lost=pair.count / errors.answers,
        page="troubleshooting/low-accuracy",
    )


def _weak_field(case: Case, worst: FieldErrors, errors: ErrorAnalysis) -> Finding:
    return Finding(
        kind=FindingKind.confusion,
        severity=Severity.info,
        title=T("The field {field} costs most", field=worst.field),
        detail=T("It is not exactly right in {wrong} of {answers} answers.", wrong=worst.wrong, answers=errors.answers),
        facts=[Fact(name=T("mean score of the field"), value=1 - worst.lost, percent=True)],
        about={"field": worst.field, "lost": worst.lost},
        lost=worst.lost / len(errors.fields),
        page="troubleshooting/low-accuracy",
    )


def _pairs(wrong: Sequence[Prediction]) -> list[ErrorPair]:
    counts = Counter(map(_pair, wrong)).most_common()
    return [ErrorPair(expected=want, predicted=got, count=n, share=n / len(wrong)) for (want, got), n in counts]


def _pair(row: Prediction) -> tuple[str, str | None]:
    return _shown(row.expected), None if row.parsed is None else _shown(row.parsed)


def _fields(answer: AnswerFormat, predictions: Sequence[Prediction]) -> list[FieldErrors]:
    documents = [field_scores(answer, row.expected, row.parsed) for row in predictions]
    names = dict.fromkeys(name for document in documents for name in document)
    scores = {name: [document[name] for document in documents if name in document] for name in names}
    fields = [
        FieldErrors(field=visible(name, 60), wrong=sum(s < 1 for s in given), lost=1 - sum(given) / len(given))
        for name, given in scores.items()
    ]
    return sorted(fields, key=lambda field: field.lost, reverse=True)


def _cases(task_type: TaskType, wrong: Sequence[Prediction]) -> list[ErrorCase]:
    """Kinds in order of frequency, one case of each in turn; within a kind, rows that more seeds get wrong come first."""
    seeds = Counter(row.id for row in wrong)
    kinds: dict[object, dict[str, Prediction]] = {}
    for row in sorted(wrong, key=lambda row: (-seeds[row.id], row.score)):
        kind = _pair(row) if task_type == "classification" else row.failure
        kinds.setdefault(kind, {}).setdefault(row.id, row)
    queues = [list(rows.values()) for rows in sorted(kinds.values(), key=len, reverse=True)]
    turns = [queue[turn] for turn in range(CASES) for queue in queues if turn < len(queue)]
    return [_case(row, seeds[row.id]) for row in {row.id: row for row in reversed(turns)}.values()][::-1][:CASES]


def _case(row: Prediction, seeds_wrong: int) -> ErrorCase:
    return ErrorCase(
        row=row.id,
        input={name: visible(value, SHOWN_CHARACTERS) for name, value in row.input.items()},
        expected=_shown(row.expected),
        predicted=None if row.parsed is None else _shown(row.parsed),
        raw=visible(row.raw, SHOWN_CHARACTERS),
        failure=row.failure,
        seeds_wrong=seeds_wrong,
    )


def _shown(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return visible(text, SHOWN_CHARACTERS)
