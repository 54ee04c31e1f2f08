"""Answers that do not parse, and training rows whose answers do not have the declared shape.

Score = parse rate x score given parsed: what is lost by format is never booked as missing knowledge, and never "mended" by more
data. Generations that merely ended too early are truncation.py's.
"""

from __future__ import annotations

import json
from collections import Counter

from pydantic import JsonValue

from tools.errors import Problem
from tools.evidence.case import Case
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.results import Prediction
from tools.scoring.answers import ParseFailure
from tools.text import T, Text, visible

PAGE = "troubleshooting/output-format"
FEWEST_READ = 10
"""Parsed answers; from fewer nothing is said about what the model knows."""
_NOT_KNOWN = 0.5
"""The score of answers that nobody could read, where a guess has no score either: the middle of all there is."""
EXAMPLES = 3
EXAMPLE_CHARACTERS = 160
WRONG_SHAPES = frozenset({"answer_shape", "answer_field"})
"""What reading calls a training answer that is not of the declared shape, or lacks a declared field."""


def unparsed_answers(case: Case) -> list[Finding]:
    """Answers on validation that do not parse, by reason; always."""
    failed = [row for row in case.predictions if row.failure not in (None, ParseFailure.cut_off.value)]
    answers = len(case.predictions)
    rate = len(failed) / answers if answers else _reported_failures(case)
    if rate <= case.limits.max_parse_failures or (answers and len(failed) < 2):
        return []
    lost = rate * score_given_parsed(case)
    is_known = not answers or _read(case) >= FEWEST_READ
    reasons = Counter(row.failure or "" for row in failed)
    return [
        Finding(
            kind=FindingKind.output_format,
            severity=Severity.error if max(rate, lost) >= case.limits.broken_share else Severity.warning,
            title=T("{rate:.1%} of the answers do not have the declared format", rate=rate),
            detail=_detail(case, lost, is_known),
            facts=[
                Fact(
                    name=T("unparsed answers"),
                    value=rate,
                    threshold=case.limits.max_parse_failures,
                    percent=True,
                    source=case.result.predictions or case.result.file if case.result else None,
                ),
                *[Fact(name=T("answers with {reason}", reason=reason), value=n) for reason, n in reasons.most_common()],
                *_examples(failed),
            ],
            rows=list(dict.fromkeys(row.id for row in failed))[:20],
            about={
                "where": "answers",
                "parse_rate": 1 - rate,
                "failures": dict(reasons),
                "constrained": case.task.config.values.decoding.constrained,
                "is_known": is_known,
            },
            lost=lost,
            page=PAGE,
        )
    ]


def _detail(case: Case, lost: float, is_known: bool) -> Text:
    if is_known:
        return T(
            "They count as wrong whatever the model knows: about {lost:.1%} of the score is lost through format alone.",
            lost=lost,
        )
    return T(
        "They count as wrong whatever the model knows, and {count} that could be read are too few to say how much that is. "
        "A guess would score {lost:.1%}.",
        count=_read(case),
        lost=lost,
    )


def _read(case: Case) -> int:
    return sum(row.failure is None for row in case.predictions)


def score_given_parsed(case: Case) -> float:
    """The primary metric among parsed answers; the metric over the parse rate where it is not reported.

    Where hardly an answer was read it is what a guess would score, if that is more.
    """
    metrics = case.result.metrics if case.result else {}
    primary = case.task.definition.primary_metric
    parsed = metrics.get(f"{primary}_parsed")
    if case.predictions and _read(case) < FEWEST_READ:
        labels = len(case.task.definition.answer.labels)
        return max(parsed or 0.0, 1 / labels if labels else _NOT_KNOWN)
    if parsed is not None:
        return parsed
    rate = metrics.get("parse_rate", 1.0)
    return min(1.0, metrics.get(primary, 0.0) / rate) if rate else 1.0


def _reported_failures(case: Case) -> float:
    """The share of unparsed answers by the result alone, when there is no predictions file."""
    return 1 - case.result.metrics.get("parse_rate", 1.0) if case.result else 0.0


def _examples(failed: list[Prediction]) -> list[Fact]:
    """One raw answer of each reason, most frequent reason first."""
    reasons = [reason for reason, _ in Counter(row.failure for row in failed).most_common(EXAMPLES)]
    firsts = [next(row for row in failed if row.failure == reason) for reason in reasons]
    return [
        Fact(name=T("raw answer to row {id}", id=visible(row.id, 60)), value=visible(row.raw, EXAMPLE_CHARACTERS))
        for row in firsts
    ]


def mixed_training_answers(case: Case) -> list[Finding]:
    """Training answers that do not have the declared shape, or free text of which only a part is JSON; always."""
    wrong = [
        problem
        for problem in case.problems
        if problem.about.get("what") in WRONG_SHAPES and _in_train(case, problem.path)
    ]
    more = [extra for problem in wrong if isinstance(extra := problem.about.get("more"), int)]
    count = len(wrong) - len(more) + sum(more) or _minority_of_shapes(case)
    rows = len(case.train.rows) + (count if wrong else 0)
    share = count / rows if rows else 0.0
    if count < 2 or share < case.limits.max_parse_failures:
        return []
    first = wrong[0] if wrong else None
    facts = [
        Fact(name=T("training rows"), value=count),
        Fact(name=T("share of training"), value=share, threshold=case.limits.max_parse_failures, percent=True),
    ]
    if first is not None:
        facts.append(Fact(name=T("for example, in line {line}", line=first.line), value=first.value, source=first.path))
    return [
        Finding(
            kind=FindingKind.output_format,
            severity=Severity.error if share >= case.limits.broken_share else Severity.warning,
            title=T("{count} training answers have another shape than the rest", count=count),
            detail=T(
                "Rows whose answer is not of the declared shape cannot be learned from, or teach a second format; "
                "mend them in the source, or change output_format in task_definition.yaml."
            ),
            facts=facts,
            rows=[],
            about={"where": "train", "count": count, "share": share, "lines": _lines(wrong)},
            lost=share,
            page=PAGE,
        )
    ]


def _in_train(case: Case, path: str | None) -> bool:
    return path is not None and path in case.train.files


def _lines(problems: list[Problem]) -> list[JsonValue]:
    return [f"{problem.path}:{problem.line}" for problem in problems if problem.line is not None]


def _minority_of_shapes(case: Case) -> int:
    """For free text: rows of the rarer kind, when some answers are JSON objects and others are not."""
    if case.answer.type != "text":
        return 0
    shapes = Counter(_is_object(row.answer) for row in case.train.rows if isinstance(row.answer, str))
    return min(shapes.values()) if len(shapes) > 1 else 0


def _is_object(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
