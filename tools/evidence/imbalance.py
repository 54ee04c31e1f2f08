"""Classes that are missing from train or too scarce there.

Scarcity alone is no fault: a scarce class that is recognised well needs nothing. A warning needs a weak class.
"""

from __future__ import annotations

from math import sqrt

from tools.evidence.case import Case, label_of, shares
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.text import T, visible

PAGE = "troubleshooting/class-imbalance"
LISTED = 3
"""Findings of one kind; a task with 77 classes gets its worst, not a list of 40."""


def missing_classes(case: Case) -> list[Finding]:
    """Labels that are declared or stand in valid, and that no training row has."""
    if not case.is_classification or not case.train_labels:
        return []
    absent = [label for label in case.labels if label not in case.train_labels]
    return [_missing(case, label) for label in absent]


def scarce_classes(case: Case) -> list[Finding]:
    """Classes that are scarce in train and weak in the result; before any result, scarce classes as information."""
    if not case.is_classification or (case.result is not None and not case.is_low):
        return []
    weights = effective_shares(case)
    scarce = [label for label in weights if _is_scarce(case, label, weights[label])]
    weak = [label for label in scarce if case.result is None or case.is_weak(label)]
    return [_scarce(case, label, weights[label]) for label in sorted(weak, key=weights.__getitem__)[:LISTED]]


def effective_shares(case: Case) -> dict[str, float]:
    """Share of each label in what the loss sees: rows, repeated by oversampling, times class weight."""
    values = case.task.config.values
    rows = {label: max(count, values.data.oversample.get(label, 0)) for label, count in case.train_labels.items()}
    seen = {label: count * values.training.class_weights.get(label, 1.0) for label, count in rows.items()}
    total = sum(seen.values())
    return {label: value / total for label, value in seen.items()} if total else {}


def _is_scarce(case: Case, label: str, share: float) -> bool:
    if len(case.train_labels) < 2:
        return False
    if share < case.limits.scarce_share / len(case.train_labels):
        return True
    expected = shares(case.valid_labels).get(label, 0.0)
    return share < expected * case.limits.scarce_against_valid and _differs(case, share, expected)


def _differs(case: Case, train_share: float, valid_share: float) -> bool:
    """Two-proportion z test at |z| > 1.96, so that a small validation split does not raise an alarm by chance."""
    train_rows, valid_rows = sum(case.train_labels.values()), sum(case.valid_labels.values())
    pooled = (train_share * train_rows + valid_share * valid_rows) / (train_rows + valid_rows)
    error = sqrt(pooled * (1 - pooled) * (1 / train_rows + 1 / valid_rows))
    return error > 0 and (valid_share - train_share) / error > 1.96


def _missing(case: Case, label: str) -> Finding:
    needed = case.valid_labels.get(label, 0)
    facts = [
        Fact(name=T("training rows"), value=0),
        Fact(name=T("validation rows"), value=needed),
    ]
    return Finding(
        kind=FindingKind.missing_class,
        severity=Severity.error if needed else Severity.info,
        title=T("No training row has the label {label}", label=visible(label, 40)),
        detail=T(
            "A class without training rows cannot be learned; {needed} validation rows expect it.",
            needed=needed,
        ),
        facts=facts,
        rows=[row.id for row in case.valid.rows if label_of(case.answer, row.answer) == label][:20],
        about={"label": label, "train_rows": 0, "valid_rows": needed},
        lost=case.missing_f1(label) or (1 / len(case.labels) if needed else None),
        page=PAGE,
    )


def _scarce(case: Case, label: str, share: float) -> Finding:
    f1 = case.class_f1.get(label)
    count = case.train_labels[label]
    largest = next(iter(case.train_labels))
    ratio = case.train_labels[largest] / count
    valid_share = shares(case.valid_labels).get(label)
    return Finding(
        kind=FindingKind.class_imbalance,
        severity=Severity.info if f1 is None else Severity.warning,
        title=T("Class imbalance: {label} has too few training rows", label=visible(label, 40)),
        detail=T(
            "{label} has {count} of {total} training rows ({share:.0%}); {largest} has {ratio:.1f} times as many. "
            "Classes that are seen rarely are predicted rarely.",
            label=visible(label, 40),
            count=count,
            total=sum(case.train_labels.values()),
            share=shares(case.train_labels)[label],
            largest=visible(largest, 40),
            ratio=ratio,
        ),
        facts=_scarce_facts(case, label, share, ratio),
        about={
            "label": label,
            "f1": f1,
            "train_rows": count,
            "train_share": shares(case.train_labels)[label],
            "effective_share": share,
            "valid_share": valid_share,
            "largest_label": largest,
            "largest_rows": case.train_labels[largest],
            "ratio": ratio,
        },
        lost=case.missing_f1(label) if f1 is not None else None,
        page=PAGE,
    )


def _scarce_facts(case: Case, label: str, share: float, ratio: float) -> list[Fact]:
    limit = case.limits.scarce_share / len(case.train_labels)
    facts = [
        Fact(name=T("training rows"), value=case.train_labels[label]),
        Fact(name=T("share of training (with oversampling and weights)"), value=share, threshold=limit, percent=True),
        Fact(name=T("largest class against this one"), value=ratio),
    ]
    if label in case.valid_labels:
        facts.append(Fact(name=T("share of validation"), value=shares(case.valid_labels)[label], percent=True))
    if label in case.class_f1:
        facts.append(Fact(name=T("F1"), value=case.class_f1[label], threshold=case.limits.min_class_f1, percent=True))
    return facts
