"""Classes whose F1 lags behind, and the score as a whole when nothing more precise explains it."""

from __future__ import annotations

from tools.evidence.case import Case, shares, weak_classes
from tools.evidence.imbalance import LISTED, PAGE
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.text import T, visible


def weak_class_findings(case: Case) -> list[Finding]:
    """Weak classes, those that cost most first; only when a target is missed (specification, step 2).

    None while most answers cannot be read: every class fails then, and that tells nothing about any of them.
    """
    if not case.is_low or _mostly_unread(case):
        return []
    weak = sorted(weak_classes(case.class_f1, case.limits), key=case.missing_f1, reverse=True)
    return [_weak(case, label) for label in weak[:LISTED]]


def _mostly_unread(case: Case) -> bool:
    return case.result is not None and case.result.metrics.get("parse_rate", 1.0) < 0.5


def _weak(case: Case, label: str) -> Finding:
    f1, support = case.class_f1[label], _support(case, label)
    macro = sum(case.class_f1.values()) / len(case.class_f1)
    train_share = shares(case.train_labels).get(label, 0.0)
    return Finding(
        kind=FindingKind.weak_class,
        severity=_severity(case, label, support),
        title=T("{label} is weak: F1 {f1:.1%}", label=visible(label, 40), f1=f1),
        detail=T(
            "The mean of all classes is {macro:.1%}. If {label} were as good as the others, "
            "macro-F1 would be {lost:.1f} points higher.",
            macro=macro,
            label=visible(label, 40),
            lost=case.missing_f1(label) * 100,
        ),
        facts=[
            Fact(name=T("F1"), value=f1, threshold=case.limits.min_class_f1, percent=True, source=_file(case)),
            Fact(name=T("macro-F1"), value=macro, percent=True, source=_file(case)),
            Fact(name=T("validation rows"), value=support),
            Fact(name=T("training rows"), value=case.train_labels.get(label, 0)),
            Fact(name=T("share of training"), value=train_share, percent=True),
        ],
        rows=_failed_rows(case, label),
        about={
            "label": label,
            "f1": f1,
            "support": support,
            "train_rows": case.train_labels.get(label, 0),
            "train_share": train_share,
        },
        lost=case.missing_f1(label),
        page=PAGE,
    )


def _severity(case: Case, label: str, support: int) -> Severity:
    """A class that is hardly measured, or no worse than the rest, is information: the cause lies elsewhere."""
    others = len(case.class_f1) - 1
    lag = case.missing_f1(label) * len(case.class_f1)
    enough = support >= case.limits.min_class_support and others > 0
    return Severity.warning if enough and lag >= case.limits.class_gap else Severity.info


def _support(case: Case, label: str) -> int:
    """Evaluated rows of the class; foreign result files may not say, then the validation split does."""
    given = case.result.per_class[label].support if case.result else 0
    return given or case.valid_labels.get(label, 0)


def _failed_rows(case: Case, label: str) -> list[str]:
    wrong = (row.id for row in case.predictions if row.expected == label and not row.correct)
    return list(dict.fromkeys(wrong))[:20]


def _file(case: Case) -> str | None:
    return case.result.file if case.result else None


def low_overall(case: Case) -> list[Finding]:
    """The missed target itself, for a task where no rule names a cause."""
    if not case.missed or case.result is None:
        return []
    target = case.missed[0]
    value = case.result.metrics[target.metric]
    return [
        Finding(
            kind=FindingKind.low_overall,
            severity=Severity.warning,
            title=T(
                "{metric} is {value:.1%}, its target {target:.1%}",
                metric=target.metric,
                value=value,
                target=target.threshold,
            ),
            detail=T("No single cause stands out in scores, rows, configuration or loss history."),
            facts=[
                Fact(
                    name=T("score on validation"),
                    value=value,
                    threshold=target.threshold,
                    percent=True,
                    source=case.result.file,
                )
            ],
            about={"metric": target.metric, "value": value, "target": target.threshold, "gap": case.gap},
            lost=case.gap,
            page="troubleshooting/low-accuracy",
        )
    ]
