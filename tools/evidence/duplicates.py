"""Training rows that stand twice, and rows that ask the same and answer differently.

Rows are the same question when all their input fields agree but for width, case, space and punctuation: a text may rightly
stand twice with different entities.
"""

from __future__ import annotations

import json

from pydantic import JsonValue

from tools.evidence.case import Case, label_of
from tools.evidence.row_keys import Question, Questions
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.task import Row
from tools.text import T

GROUPS = 50
"""Groups named one by one; the rest are counted."""


def duplicate_rows(case: Case) -> list[Finding]:
    """Rows that repeat an earlier question with the same answer; a warning from `max_duplicates` on."""
    repeats = [row.id for group in _groups(case) for same in _by_answer(case, group) for row in same[1:]]
    if not repeats:
        return []
    share = len(repeats) / len(case.train.rows)
    return [
        Finding(
            kind=FindingKind.duplicate_rows,
            severity=Severity.warning if share >= case.limits.max_duplicates else Severity.info,
            title=T("{count} training rows repeat another row", count=len(repeats)),
            detail=T(
                "That is {share:.1%} of train. Repeated rows weigh more than others without anyone having decided so.",
                share=share,
            ),
            facts=[
                Fact(name=T("repeated rows"), value=len(repeats)),
                Fact(name=T("share of training"), value=share, threshold=case.limits.max_duplicates, percent=True),
            ],
            rows=repeats,
            about={"count": len(repeats), "share": share},
            page="troubleshooting/label-noise",
        )
    ]


def inconsistent_labels(case: Case) -> list[Finding]:
    """Rows that ask the same and have different answers; not for free text, where several answers may be right."""
    if case.task.definition.task_type == "generation":
        return []
    groups = [group for group in _groups(case) if len(_by_answer(case, group)) > 1]
    rows = [row.id for group in groups for row in group]
    if not rows:
        return []
    share = len(rows) / len(case.train.rows)
    return [
        Finding(
            kind=FindingKind.inconsistent_labels,
            severity=_conflict_severity(case, share),
            title=T("{count} questions in train have different answers", count=len(groups)),
            detail=T(
                "{rows} training rows ({share:.1%}) contradict another row with the same input, so at least "
                "{wrong} of them are wrong.",
                rows=len(rows),
                share=share,
                wrong=sum(_surely_wrong(case, group) for group in groups),
            ),
            facts=[
                Fact(name=T("contradicting rows"), value=len(rows)),
                Fact(name=T("share of training"), value=share, threshold=case.limits.max_inconsistent, percent=True),
            ],
            rows=rows,
            about={"groups": _group_list(groups), "share": share},
            lost=share / 2,
            page="troubleshooting/label-noise",
        )
    ]


def _group_list(groups: list[list[Row]]) -> JsonValue:
    return [[row.id for row in group] for group in groups[:GROUPS]]


def _conflict_severity(case: Case, share: float) -> Severity:
    if share < case.limits.max_inconsistent:
        return Severity.info
    return Severity.error if share >= case.limits.broken_share else Severity.warning


def _surely_wrong(case: Case, group: list[Row]) -> int:
    """All but the rows of the most frequent answer."""
    return len(group) - max(len(same) for same in _by_answer(case, group))


def _groups(case: Case) -> list[list[Row]]:
    """Training rows with the same question, where there is more than one."""
    questions = Questions(case.train.rows)
    groups: dict[Question, list[Row]] = {}
    for row in case.train.rows:
        groups.setdefault(questions.of(row), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def _by_answer(case: Case, group: list[Row]) -> list[list[Row]]:
    answers: dict[str, list[Row]] = {}
    for row in group:
        answers.setdefault(answer_key(case, row), []).append(row)
    return list(answers.values())


def answer_key(case: Case, row: Row) -> str:
    """The answer as far as it must agree: the label, or the fields that do not condense text; preference pairs whole."""
    if case.is_classification:
        given: JsonValue = label_of(case.answer, row.answer)
    elif isinstance(row.answer, dict):
        given = {name: value for name, value in row.answer.items() if name not in case.answer.long_fields}
    else:
        given = row.answer
    return json.dumps([given, row.chosen, row.rejected], ensure_ascii=False, sort_keys=True)
