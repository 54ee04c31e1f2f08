"""A LoRA rank that may be too small.

A low rank is named as a mere possibility (specification: lora_rank < 32) unless the loss history shows a model that stopped
learning at a high loss: a training that ended too early looks different, its loss is still falling.
"""

from __future__ import annotations

from tools.evidence.case import Case
from tools.evidence.loss_curve import Curve, curves_of
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.text import T


def low_capacity(case: Case) -> list[Finding]:
    """A low rank, when a target is missed: a warning with a loss that stays high, information otherwise."""
    lora = case.task.config.values.lora
    if not case.is_low or lora is None or lora.r >= case.limits.min_lora_rank:
        return []
    stuck = _stuck(case)
    facts = [Fact(name=T("LoRA rank"), value=lora.r, threshold=case.limits.min_lora_rank)]
    if stuck is not None:
        remaining = Fact(name=T("final training loss / first"), value=stuck.remaining, percent=True)
        facts.append(remaining.model_copy(update={"threshold": case.limits.high_remaining_loss}))
    return [
        Finding(
            kind=FindingKind.low_capacity,
            severity=Severity.info if stuck is None else Severity.warning,
            title=T("The LoRA rank is low: {r}", r=lora.r),
            detail=T("The training loss stopped falling at a high level, so the adapter may be too small.")
            if stuck is not None
            else T("A higher rank may help once other causes are mended; the loss history does not demand it."),
            facts=facts,
            about={"lora_r": lora.r, "lora_alpha": lora.alpha, "wanted": int(case.limits.min_lora_rank)},
            lost=case.gap / 2 if stuck is not None else None,
            page="troubleshooting/underfitting",
        )
    ]


def _stuck(case: Case) -> Curve | None:
    """The first seed whose training loss is flat in its last third and high at its end; None when most seeds are fine."""
    curves = [curve for curve in curves_of(case.history) if curve.losses] if case.history else []
    stuck = [curve for curve in curves if _is_stuck(curve, case.limits.high_remaining_loss)]
    return stuck[0] if stuck and 2 * len(stuck) >= len(curves) else None


def _is_stuck(curve: Curve, limit: float) -> bool:
    return curve.remaining is not None and curve.remaining > limit and len(curve.losses) > 2 and curve.late_fall is None
