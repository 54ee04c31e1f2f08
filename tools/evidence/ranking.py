"""The order of findings: what must be mended first stands first, and a symptom never stands before its cause.

By severity, then what makes the numbers untrustworthy, then the estimated loss of score, then the order below. A fault that
usually brings another one about (a training that never learned also writes broken JSON) is named as its explanation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tools.finding import Finding, FindingKind, Severity

K = FindingKind

UNTRUSTED = (K.unreadable_file, K.no_valid_split, K.no_results, K.unknown_split, K.split_leak, K.not_comparable)
"""Without trust in the numbers, nothing that is read from them can be believed."""

ORDER = (
    *UNTRUSTED,
    K.unstable_training,
    K.truncated,
    K.output_format,
    K.missing_class,
    K.inconsistent_labels,
    K.class_imbalance,
    K.too_few_rows,
    K.underfitting,
    K.overfitting,
    K.weak_class,
    K.low_capacity,
    K.bad_rows,
    K.config_mistyped_value,
    K.config_unknown_key,
    K.config_renamed_key,
    K.config_conflict,
    K.duplicate_rows,
    K.small_evaluation,
    K.low_overall,
    K.confusion,
)
"""Among findings of the same severity and loss: broken before scarce, causes before symptoms."""

_SEVERITIES = (Severity.error, Severity.warning, Severity.info)
_LEARNING = frozenset({K.weak_class, K.low_capacity, K.confusion})
_FITTING = _LEARNING | {K.underfitting, K.overfitting}

EXPLAINS: dict[tuple[FindingKind, str | None], frozenset[FindingKind]] = {
    (K.truncated, "training"): frozenset({K.output_format, *_FITTING}),
    (K.output_format, "train"): frozenset({K.output_format, K.too_few_rows, K.class_imbalance, *_FITTING}),
    (K.unstable_training, None): frozenset({K.output_format, K.truncated, *_FITTING}),
    (K.missing_class, None): frozenset({K.weak_class, K.confusion, K.low_capacity}),
    (K.inconsistent_labels, None): _FITTING,
    (K.too_few_rows, None): frozenset({K.output_format, *_FITTING}),
    (K.underfitting, "high_loss"): frozenset({K.output_format, K.truncated, *_LEARNING}),
    (K.underfitting, None): _LEARNING,
    (K.overfitting, None): frozenset({K.weak_class, K.confusion}),
    (K.class_imbalance, None): frozenset({K.weak_class, K.confusion}),
}
"""What a fault brings about, by its kind and where or how it shows (None: any). Only warnings and errors explain."""

SHOWN_SOMEWHERE = frozenset({K.truncated, K.output_format})
MEASURED = frozenset({"answers", "generation"})
"""Faults of format and length that show in answers can be symptoms; those of the training rows are causes, never symptoms."""


class _Key(NamedTuple):
    """Sorts findings; a symptom takes its cause's key with one more in `depth`."""

    severity: int
    trusted: bool
    lost: float
    order: int
    depth: int = 0


def rank(findings: Sequence[Finding]) -> list[Finding]:
    """Findings in the order in which they should be looked at, symptoms marked with what explains them."""
    keys: dict[int, _Key] = {}
    ranked = [(_key_of(index, findings, keys), finding) for index, finding in enumerate(findings)]
    marked = [(key, _marked(index, findings, keys)) for index, (key, _) in enumerate(ranked)]
    return [finding for _, finding in sorted(marked, key=lambda pair: pair[0])]


def _key_of(index: int, findings: Sequence[Finding], keys: dict[int, _Key]) -> _Key:
    if index not in keys:
        own = _own_key(findings[index])
        causes = [_key_of(cause, findings, keys) for cause in _causes(index, findings)]
        behind = [cause._replace(depth=cause.depth + 1) for cause in causes]
        keys[index] = max([own, *behind])
    return keys[index]


def _marked(index: int, findings: Sequence[Finding], keys: dict[int, _Key]) -> Finding:
    causes = sorted(_causes(index, findings), key=keys.__getitem__)
    return findings[index].model_copy(update={"explained_by": findings[causes[0]].kind}) if causes else findings[index]


def _causes(index: int, findings: Sequence[Finding]) -> list[int]:
    symptom = findings[index]
    return [at for at, cause in enumerate(findings) if at != index and explains(cause, symptom)]


def explains(cause: Finding, symptom: Finding) -> bool:
    """True when the cause is serious and usually brings this symptom about, for the same class if both have one."""
    if cause.severity is Severity.info or not _can_be_symptom(symptom):
        return False
    how = cause.about.get("where" if cause.kind in SHOWN_SOMEWHERE else "sign")
    kinds = EXPLAINS.get((cause.kind, how if isinstance(how, str) else None)) or EXPLAINS.get((cause.kind, None))
    return kinds is not None and symptom.kind in kinds and _same_class(cause, symptom)


def _can_be_symptom(symptom: Finding) -> bool:
    return symptom.kind not in SHOWN_SOMEWHERE or symptom.about.get("where") in MEASURED


def _same_class(cause: Finding, symptom: Finding) -> bool:
    label, of = cause.about.get("label"), symptom.about.get("label", symptom.about.get("expected"))
    return label is None or of is None or label == of


def _own_key(finding: Finding) -> _Key:
    return _Key(
        severity=_SEVERITIES.index(finding.severity),
        trusted=finding.kind not in UNTRUSTED,
        lost=-(finding.lost or 0.0),
        order=ORDER.index(finding.kind),
    )
