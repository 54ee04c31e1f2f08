"""What cannot be known yet: no result, no validation rows, results of an unknown split, an evaluation too small to see by."""

from __future__ import annotations

from math import sqrt

from tools.evidence.case import DISAGREEMENT, Case
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.making.first_rows import next_step
from tools.text import T, visible

PAGE = "methods/comparing-versions"
Z_TWO_SIDED = 1.96
Z_POWER = 0.84
"""Normal quantiles of a two-sided test at 5 % and of 80 % power."""
SMALL_STEP = 0.05
"""An improvement of 5 points is what most single changes are hoped to bring (specification, step 3)."""


def no_results(case: Case) -> list[Finding]:
    """There is no result on validation to judge by."""
    if case.result is not None:
        return []
    return [
        Finding(
            kind=FindingKind.no_results,
            severity=Severity.warning,
            title=T("There is no result on the validation split yet"),
            detail=T(
                "Train a first version, or evaluate the one there is; until then only rows and configuration can be judged."
            ),
            about={"locked": list(case.locked)},
            page="troubleshooting/results-files",
        )
    ]


def unknown_split(case: Case) -> list[Finding]:
    """Result files that stay closed, because they are of the test split or do not say of which."""
    if not case.locked:
        return []
    return [
        Finding(
            kind=FindingKind.unknown_split,
            severity=Severity.info if case.result is not None else Severity.warning,
            title=T("{count} result files were not read: test split, or split not known", count=len(case.locked)),
            detail=T(
                "Scores of the test split stay closed until a version is to be adopted. If a file is of the validation split, "
                "say so in configs/benchmark_config.yaml, under results: the file's name, and valid."
            ),
            facts=[Fact(name=T("file"), value=visible(path, 200)) for path in case.locked[:10]],
            about={"files": list(case.locked)},
            page="troubleshooting/results-files",
        )
    ]


def no_rows_yet(case: Case) -> list[Finding]:
    """The splits are blank: what comes first is said instead of everything that follows from it."""
    return [
        Finding(
            kind=FindingKind.too_few_rows,
            severity=Severity.error,
            title=T("This task has no rows yet"),
            detail=next_step(case.task),
            about={"rows": 0},
            page="methods/labelling",
        )
    ]


def validation_split(case: Case) -> list[Finding]:
    """No validation rows at all, or some that had to be carved out of train."""
    if case.valid.rows and not case.valid.carved:
        return []
    rows = len(case.valid.rows)
    carved = T("{rows} rows were carved out of train, stratified and always the same ones.", rows=rows)
    missing = T("Without validation rows no version can be judged or compared. Label some, or add training rows.")
    return [
        Finding(
            kind=FindingKind.no_valid_split,
            severity=Severity.info if rows else Severity.error,
            title=T("There is no validation file") if rows else T("There are no validation rows"),
            detail=carved if rows else missing,
            facts=[Fact(name=T("validation rows"), value=rows)],
            about={"carved": case.valid.carved, "rows": rows},
            page="methods/comparing-versions",
        )
    ]


def small_evaluation(case: Case) -> list[Finding]:
    """Validation rows too few to see a usual improvement; the number says what can be seen."""
    rows = len(case.valid.rows)
    visible_step = smallest_visible(rows)
    if not rows or visible_step <= SMALL_STEP:
        return []
    tiny = rows < case.limits.tiny_evaluation_rows
    return [
        Finding(
            kind=FindingKind.small_evaluation,
            severity=Severity.warning if tiny else Severity.info,
            title=T(
                "{rows} validation rows show only improvements of {step:.0%} or more", rows=rows, step=visible_step
            ),
            detail=T(
                "With {rows} rows, a smaller gain is found less than 4 times in 5. {wanted} rows would show {small:.0%}.",
                rows=rows,
                wanted=rows_to_see(SMALL_STEP),
                small=SMALL_STEP,
            ),
            facts=[
                Fact(name=T("validation rows"), value=rows, threshold=case.limits.tiny_evaluation_rows),
                Fact(name=T("smallest visible improvement"), value=visible_step, threshold=SMALL_STEP, percent=True),
            ],
            about={"rows": rows, "visible": visible_step, "wanted": rows_to_see(SMALL_STEP)},
            page=PAGE,
        )
    ]


def unseen_classes(case: Case) -> list[Finding]:
    """Classes that train has and validation has not, so that nothing is known of them."""
    absent = [label for label in case.train_labels if label not in case.valid_labels] if case.valid_labels else []
    return [
        Finding(
            kind=FindingKind.small_evaluation,
            severity=Severity.info,
            title=T("No validation row has the label {label}", label=visible(label, 40)),
            detail=T("How well this class is recognised cannot be measured."),
            facts=[Fact(name=T("training rows"), value=case.train_labels[label])],
            about={"label": label, "valid_rows": 0},
            page=PAGE,
        )
        for label in absent[:3]
    ]


def smallest_visible(rows: int) -> float:
    """Smallest difference in accuracy that a paired test on so many rows finds with 80 % power, as a fraction.

    Normal approximation of McNemar's test (Connor 1987) with 10 % of the rows decided differently:
    difference = (1.96 + 0.84) sqrt(0.10 / rows). At 300 rows 5.1 points; the exact test needs a little more.
    """
    return min(1.0, (Z_TWO_SIDED + Z_POWER) * sqrt(DISAGREEMENT / rows)) if rows > 0 else 1.0


def rows_to_see(difference: float) -> int:
    """Rows on which `smallest_visible` is that difference."""
    return round(DISAGREEMENT * ((Z_TWO_SIDED + Z_POWER) / difference) ** 2)
