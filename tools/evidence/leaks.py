"""Training rows that stand in validation or test as well: exactly, but for punctuation, or nearly.

A machine comparing train with test is no opening of the test split: only training row ids and counts leave this file, never a
test row's text or id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.evidence.case import Case
from tools.evidence.duplicates import answer_key
from tools.evidence.row_keys import NearIndex, Questions
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.task import Row, Split
from tools.text import T

NEAR_ROWS = 50_000
"""Training rows that are compared for near copies (some 10 s); exact copies are looked for in all."""


@dataclass(frozen=True)
class Leak:
    """A training row with a copy in an evaluation split."""

    row: str
    """Training row id."""
    how: str
    """exact, normalised or near."""
    copy: int
    """Position of the evaluation row in its split."""


def split_leaks(case: Case) -> list[Finding]:
    """Copies of validation and of test rows in train; always."""
    return [
        finding
        for split in (case.valid, case.test)
        if split.rows and case.train.rows
        for finding in _leak_finding(case, split)
    ]


def find_leaks(
    train: list[Row], evaluated: list[Row], similarity: float, same_answer: Callable[[Row, Row], bool] | None = None
) -> Iterator[Leak]:
    """Each training row that has a copy among the evaluated rows, with how alike they are.

    A near copy must have the same answer: letters that differ in a date and ask for that date are different questions.
    """
    exact = {row.key: number for number, row in enumerate(evaluated)}
    questions = Questions(train, evaluated)
    asked = [questions.of(row) for row in evaluated]
    normalised = {question: number for number, question in enumerate(asked)}
    index = NearIndex(asked, similarity)
    for position, row in enumerate(train):
        question = questions.of(row)
        if row.key in exact:
            yield Leak(row.id, "exact", exact[row.key])
        elif question in normalised:
            yield Leak(row.id, "normalised", normalised[question])
        elif position < NEAR_ROWS:
            accept = _accepting(row, evaluated, same_answer)
            if (number := index.nearest(question, accept)) is not None:
                yield Leak(row.id, "near", number)


def _accepting(row: Row, evaluated: list[Row], same: Callable[[Row, Row], bool] | None) -> Callable[[int], bool]:
    return lambda number: same is None or same(row, evaluated[number])


def _same_answer(case: Case) -> Callable[[Row, Row], bool] | None:
    """How answers are compared; free text is not."""
    if case.task.definition.task_type == "generation":
        return None
    return lambda first, second: answer_key(case, first) == answer_key(case, second)


def _leak_finding(case: Case, split: Split) -> list[Finding]:
    leaks = list(find_leaks(case.train.rows, split.rows, case.limits.near_duplicate, _same_answer(case)))
    if not leaks:
        return []
    hit = len({leak.copy for leak in leaks})
    share = hit / len(split.rows)
    kinds = Counter(leak.how for leak in leaks)
    return [
        Finding(
            kind=FindingKind.split_leak,
            severity=_severity(case, share, kinds),
            title=T("{hit} rows of {split} stand in train as well", hit=hit, split=split.name),
            detail=T(
                "That is {share:.1%} of {split}. A model is praised there for what it has memorised, so scores are too high.",
                share=share,
                split=split.name,
            ),
            facts=[
                Fact(name=T("training rows with a copy"), value=len(leaks)),
                Fact(name=T("share of the split"), value=share, threshold=case.limits.max_leak, percent=True),
                Fact(name=T("exact copies"), value=kinds["exact"]),
                Fact(name=T("copies but for punctuation, case or width"), value=kinds["normalised"]),
                Fact(name=T("near copies"), value=kinds["near"], threshold=case.limits.near_duplicate),
            ],
            rows=[leak.row for leak in leaks],
            about={"split": split.name, "hit": hit, "share": share, "kinds": dict(kinds)},
            lost=share * (1 - (case.score or 0.0)),
            page="troubleshooting/data-leak",
        )
    ]


def _severity(case: Case, share: float, kinds: Counter[str]) -> Severity:
    if share >= case.limits.broken_share:
        return Severity.error
    named = kinds["exact"] + kinds["normalised"] > 0 or share >= case.limits.max_leak
    return Severity.warning if named else Severity.info
