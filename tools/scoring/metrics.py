"""Scores of rows and of whole evaluations, by task type. Every number is a fraction in [0, 1].

An unparsed answer is a wrong answer. Each mean therefore splits into format and knowledge: value = parse_rate x value_parsed
holds exactly for accuracy, field_score, exact_object, rouge_l and exact. It does not hold for macro_f1, which is no mean over
rows: there macro_f1_parsed is the macro-F1 of the parsed rows alone, reported to tell the two faults apart.

Comparing versions is not done here (tools/evidence/statistics.py). This source is part of the evaluator hash
(tools/scoring/evaluator.py): it must not contain formatted string literals, whose tokens differ between Python versions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from math import fsum
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from tools.errors import InputError
from tools.results import ClassScore, Prediction, SplitKnown, SplitResult
from tools.task import AnswerFormat, TaskType
from tools.text import T

UNPARSED = ""
"""The confusion column of answers that could not be parsed."""


class Measured(Protocol):
    """What says how answers are scored: a TaskDefinition or a RunSpec."""

    @property
    def task_type(self) -> TaskType:
        """Which metrics apply."""

    @property
    def answer(self) -> AnswerFormat:
        """The declared labels and fields."""


class RowScore(NamedTuple):
    """How good one answer is."""

    correct: bool
    """Label, whole object or text as expected."""
    score: float
    """1 or 0 for classification, the mean over fields for extraction, ROUGE-L for generation."""


class Summary(NamedTuple):
    """One evaluation of one seed."""

    metrics: dict[str, float]
    per_class: dict[str, ClassScore]
    confusion: dict[str, dict[str, int]]


def score_row(task_type: TaskType, answer: AnswerFormat, expected: JsonValue, parsed: JsonValue) -> RowScore:
    """Score one answer; `parsed` is None when it could not be parsed."""
    correct = parsed is not None and same_value(expected, parsed)
    if parsed is None or task_type == "classification":
        return RowScore(correct, float(correct))
    if task_type == "generation":
        return RowScore(correct, text_overlap(expected, parsed))
    return RowScore(correct, _mean(field_scores(answer, expected, parsed).values()))


def score_rows(
    task_type: TaskType, answer: AnswerFormat, expected: Sequence[JsonValue], parsed: Sequence[JsonValue]
) -> list[RowScore]:
    """Score answers in order; both sequences must be equally long."""
    return [score_row(task_type, answer, want, got) for want, got in zip(expected, parsed, strict=True)]


def summarise(task_type: TaskType, answer: AnswerFormat, predictions: Sequence[Prediction]) -> Summary:
    """Metrics of one seed's predictions, from their expected and parsed values; raises InputError when there are none.

    classification: macro_f1, accuracy, parse_rate, accuracy_parsed, macro_f1_parsed, and per class and confusion.
    extraction: field_score, exact_object, parse_rate, field_score_parsed, exact_object_parsed, and field[name] for each field.
    generation: rouge_l, exact, format_correct (the parse rate), parse_rate, rouge_l_parsed, exact_parsed.
    """
    if not predictions:
        raise InputError(
            T("There are no rows to evaluate."),
            hint=T("Add labelled rows to the split, or let a validation split be taken out of the training rows."),
            page="troubleshooting/small-data",
        )
    if task_type == "classification":
        return _classification(answer, predictions)
    metrics = _extraction(answer, predictions) if task_type == "extraction" else _generation(answer, predictions)
    return Summary(metrics, {}, {})


def split_result(
    task: Measured,
    version: str,
    split: SplitKnown,
    by_seed: dict[int, list[Prediction]],
    evaluator_hash: str | None,
    predictions_path: str | None,
) -> SplitResult:
    """One version on one split: means of metrics and class scores over seeds, confusions added up.

    Raises InputError when there is no seed or a seed has no rows.
    """
    summaries = {seed: summarise(task.task_type, task.answer, by_seed[seed]) for seed in sorted(by_seed)}
    if not summaries:
        summarise(task.task_type, task.answer, [])
    return SplitResult(
        version=version,
        split=split,
        metrics=mean_metrics([summary.metrics for summary in summaries.values()]),
        per_class=_mean_classes([summary.per_class for summary in summaries.values()]),
        confusion=_added([summary.confusion for summary in summaries.values()]),
        seeds={str(seed): summary.metrics for seed, summary in summaries.items()},
        rows=max(len(predictions) for predictions in by_seed.values()),
        evaluator_hash=evaluator_hash,
        predictions=predictions_path,
    )


def mean_metrics(by_seed: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each metric over the seeds that have it, in the order of the first seed that names it."""
    names = dict.fromkeys(name for metrics in by_seed for name in metrics)
    return {name: _mean(metrics[name] for metrics in by_seed if name in metrics) for name in names}


def _classification(answer: AnswerFormat, predictions: Sequence[Prediction]) -> Summary:
    pairs = [(_label(row.expected), _label(row.parsed)) for row in predictions]
    parsed = [(want, got) for want, got in pairs if got is not None]
    right = sum(want == got for want, got in pairs)
    metrics = {
        "macro_f1": macro_f1(answer.labels, pairs),
        "accuracy": _share(right, len(pairs)),
        "parse_rate": _share(len(parsed), len(pairs)),
        "accuracy_parsed": _share(right, len(parsed)),
        "macro_f1_parsed": macro_f1(answer.labels, parsed),
    }
    return Summary(metrics, class_scores(answer.labels, pairs), _confusion(answer.labels, pairs))


def macro_f1(labels: Sequence[str], pairs: Sequence[tuple[str | None, str | None]]) -> float:
    """Unweighted mean of F1 over the labels that occur among the expected ones of (expected, predicted) pairs.

    A label that is only predicted has no F1 of its own; predicting it costs the recall of the expected label. 0 without rows.
    """
    return _mean(score.f1 for score in class_scores(labels, pairs).values())


def class_scores(labels: Sequence[str], pairs: Sequence[tuple[str | None, str | None]]) -> dict[str, ClassScore]:
    """Precision, recall and F1 of each expected label, declared labels first and in their order; 0 / 0 counts as 0.

    F1 = 2 TP / (2 TP + FP + FN), as in scikit-learn with zero_division=0.
    """
    hits = Counter(want for want, got in pairs if want == got)
    support = Counter(want for want, _ in pairs)
    predicted = Counter(got for _, got in pairs if got is not None)
    return {
        label: ClassScore(
            precision=_share(hits[label], predicted[label]),
            recall=_share(hits[label], support[label]),
            f1=_share(2 * hits[label], support[label] + predicted[label]),
            support=support[label],
        )
        for label in _occurring(labels, pairs)
    }


def _occurring(labels: Sequence[str], pairs: Sequence[tuple[str | None, str | None]]) -> list[str]:
    expected = {want for want, _ in pairs if want is not None}
    return [label for label in dict.fromkeys(labels) if label in expected] + sorted(expected.difference(labels))


def _confusion(labels: Sequence[str], pairs: Sequence[tuple[str | None, str | None]]) -> dict[str, dict[str, int]]:
    counts = Counter(pairs)
    columns: dict[str, str | None] = {
        label: label for label in (*labels, *sorted({g for _, g in pairs if g is not None}))
    }
    columns[UNPARSED] = None
    return {want: {column: counts[want, got] for column, got in columns.items()} for want in _occurring(labels, pairs)}


def _label(value: JsonValue) -> str | None:
    """A label as text; labels that are numbers in a file of another tool are compared as written."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _extraction(answer: AnswerFormat, predictions: Sequence[Prediction]) -> dict[str, float]:
    documents = [field_scores(answer, row.expected, row.parsed) for row in predictions]
    means = [_mean(document.values()) for document in documents]
    exact = [float(row.parsed is not None and same_value(row.expected, row.parsed)) for row in predictions]
    parsed = sum(row.parsed is not None for row in predictions)
    metrics = {
        "field_score": _mean(means),
        "exact_object": _mean(exact),
        "parse_rate": _share(parsed, len(predictions)),
        "field_score_parsed": _share(fsum(means), parsed),
        "exact_object_parsed": _share(fsum(exact), parsed),
    }
    for field in dict.fromkeys(name for document in documents for name in document):
        metrics["field[" + field + "]"] = _mean(document[field] for document in documents if field in document)
    return metrics


def field_scores(answer: AnswerFormat, expected: JsonValue, parsed: JsonValue) -> dict[str, float]:
    """Score of each field of one document: exact match, or character F1 for long fields; all 0 when unparsed."""
    want = expected if isinstance(expected, dict) else {}
    got = parsed if isinstance(parsed, dict) else {}
    scores: dict[str, float] = {}
    for field in answer.fields or want:
        scores[field] = 0.0
        if field in got and field in want:
            compare = character_f1 if field in answer.long_fields else _exact
            scores[field] = compare(want[field], got[field])
    return scores


def _exact(expected: JsonValue, parsed: JsonValue) -> float:
    return float(same_value(expected, parsed))


def same_value(expected: JsonValue, parsed: JsonValue) -> bool:
    """Equal as JSON: text character by character, objects in any key order, and true is not 1."""
    if isinstance(expected, str) or isinstance(parsed, str):
        return expected == parsed
    return json.dumps(expected, sort_keys=True) == json.dumps(parsed, sort_keys=True)


def character_f1(expected: JsonValue, parsed: JsonValue) -> float:
    """F1 of the two texts as bags of characters without whitespace; values that are not text must be equal.

    SQuAD's token F1 (Rajpurkar et al. 2016, section 6.1) on characters, for languages without spaces between words.
    """
    if not isinstance(expected, str) or not isinstance(parsed, str):
        return _exact(expected, parsed)
    want, got = Counter("".join(expected.split())), Counter("".join(parsed.split()))
    if not want or not got:
        return float(want == got)
    return _share(2 * (want & got).total(), want.total() + got.total())


def _generation(answer: AnswerFormat, predictions: Sequence[Prediction]) -> dict[str, float]:
    scores = [score_row("generation", answer, row.expected, row.parsed) for row in predictions]
    parsed = sum(row.parsed is not None for row in predictions)
    rate = _share(parsed, len(predictions))
    overlap, exact = fsum(score.score for score in scores), sum(score.correct for score in scores)
    return {
        "rouge_l": _share(overlap, len(scores)),
        "exact": _share(exact, len(scores)),
        "format_correct": rate,
        "parse_rate": rate,
        "rouge_l_parsed": _share(overlap, parsed),
        "exact_parsed": _share(exact, parsed),
    }


def text_overlap(expected: JsonValue, parsed: JsonValue) -> float:
    """ROUGE-L of two texts, or the mean over the expected keys of two objects; other values must be equal."""
    if isinstance(expected, dict) and isinstance(parsed, dict):
        return _mean(rouge_l(value, parsed.get(field)) for field, value in expected.items())
    return rouge_l(expected, parsed)


def rouge_l(expected: JsonValue, parsed: JsonValue) -> float:
    """F1 of the longest common subsequence of characters, without whitespace (ROUGE-L, Lin 2004, with beta = 1)."""
    if not isinstance(expected, str) or not isinstance(parsed, str):
        return _exact(expected, parsed)
    want, got = "".join(expected.split()), "".join(parsed.split())
    if not want or not got:
        return float(want == got)
    return _share(2 * common_subsequence(want, got), len(want) + len(got))


def common_subsequence(first: str, second: str) -> int:
    """Length of the longest common subsequence, one machine word of columns at a time (Hyyro 2004, bit-parallel LCS)."""
    places: dict[str, int] = {}
    for index, char in enumerate(first):
        places[char] = places.get(char, 0) | 1 << index
    full = (1 << len(first)) - 1
    row = full
    for char in second:
        matches = row & places.get(char, 0)
        row = (row + matches | row - matches) & full
    return len(first) - row.bit_count()


def _mean_classes(by_seed: Sequence[dict[str, ClassScore]]) -> dict[str, ClassScore]:
    means = {}
    for label in dict.fromkeys(label for scores in by_seed for label in scores):
        scores = [classes[label] for classes in by_seed if label in classes]
        means[label] = ClassScore(
            precision=_mean(score.precision or 0.0 for score in scores),
            recall=_mean(score.recall or 0.0 for score in scores),
            f1=_mean(score.f1 for score in scores),
            support=max(score.support for score in scores),
        )
    return means


def _added(confusions: Sequence[dict[str, dict[str, int]]]) -> dict[str, dict[str, int]]:
    total: dict[str, dict[str, int]] = {}
    for confusion in confusions:
        for want, columns in confusion.items():
            row = total.setdefault(want, {})
            for got, count in columns.items():
                row[got] = row.get(got, 0) + count
    return {want: {**{k: n for k, n in row.items() if k}, UNPARSED: row[UNPARSED]} for want, row in total.items()}


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return _share(fsum(listed), len(listed))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
