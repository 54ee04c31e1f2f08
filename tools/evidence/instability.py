"""Trainings that broke or wandered: NaN, divergence and spikes of the loss, and seeds that end far apart."""

from __future__ import annotations

from tools.evidence.case import Case, row_noise
from tools.evidence.loss_curve import Curve, curves_of
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.text import T, Text


def instability(case: Case) -> list[Finding]:
    """NaN, divergence and spikes of the loss, and seeds that end far apart; always."""
    curves = curves_of(case.history) if case.history else []
    found = [finding for curve in curves if (finding := _unstable(case, curve)) is not None]
    worst = sorted(found, key=lambda finding: finding.severity is not Severity.error)[:1]
    return worst or _seed_spread(case)


def _unstable(case: Case, curve: Curve) -> Finding | None:
    spikes = curve.spikes(case.limits.loss_spike)
    lost = case.gap or None
    if curve.bad_steps:
        detail = T(
            "The loss was not a number at {count} logged steps, first at step {step}.",
            count=len(curve.bad_steps),
            step=curve.bad_steps[0],
        )
        return _unstable_finding(
            case, "nan", Severity.error, detail, [Fact(name=T("first such step"), value=curve.bad_steps[0])], lost
        )
    if curve.given_back > case.limits.loss_given_back:
        detail = T("The training loss rose again: {share:.0%} of its fall was lost by the end.", share=curve.given_back)
        fact = Fact(
            name=T("share of the fall lost again"),
            value=curve.given_back,
            threshold=case.limits.loss_given_back,
            percent=True,
        )
        return _unstable_finding(case, "diverged", Severity.error, detail, [fact], lost)
    if len(spikes) > 1:
        detail = T("The training loss jumped {count} times, first at step {step}.", count=len(spikes), step=spikes[0])
        return _unstable_finding(
            case, "spikes", Severity.warning, detail, [Fact(name=T("spikes"), value=len(spikes), threshold=1)], None
        )
    return None


def _unstable_finding(
    case: Case, sign: str, severity: Severity, detail: Text, facts: list[Fact], lost: float | None
) -> Finding:
    training = case.task.config.values.training
    return Finding(
        kind=FindingKind.unstable_training,
        severity=severity,
        title=T("The training was unstable"),
        detail=detail,
        facts=facts,
        about={
            "sign": sign,
            "learning_rate": training.learning_rate,
            "warmup": training.warmup,
            "max_grad_norm": training.max_grad_norm,
        },
        lost=lost,
        page="troubleshooting/unstable-training",
    )


def _seed_spread(case: Case) -> list[Finding]:
    metric = case.task.definition.primary_metric
    seeds = case.result.seeds if case.result else {}
    scores = [metrics[metric] for metrics in seeds.values() if metric in metrics]
    limit = max(case.limits.seed_spread, 3 * row_noise(len(case.valid.rows)))
    if len(scores) < 2 or max(scores) - min(scores) <= limit:
        return []
    spread = max(scores) - min(scores)
    detail = T(
        "{count} seeds of this version lie {spread:.1%} apart; that is more than {rows} validation rows explain.",
        count=len(scores),
        spread=spread,
        rows=len(case.valid.rows),
    )
    fact = Fact(name=T("best seed minus worst"), value=spread, threshold=limit, percent=True)
    mean = sum(scores) / len(scores)
    return [_unstable_finding(case, "seeds", Severity.warning, detail, [fact], max(scores) - mean)]
