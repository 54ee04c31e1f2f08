"""Underfitting and overfitting, read from the loss history and the validation scores during training.

A finding is made when at least half of a version's seeds show it; its numbers are those of the seed that shows it most.
The measures and their formulae are in tools/evidence/loss_curve.py, the limits in thresholds.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from tools.evidence.case import Case, row_noise, shares
from tools.evidence.loss_curve import Curve, curves_of
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.text import T, Text

BALANCED = 0.6
"""With a training class above this share, always giving one answer is what imbalance teaches, not underfitting."""
LEARNED = 0.05
"""A training loss below this part of its start means that the training rows are known: after the answer format alone is
learned, a small model on three labels still has a tenth of it."""
MOSTLY_PARSED = 0.9
"""With fewer parsed answers than this, a low accuracy is a matter of format."""
FOREIGN = "trainer_state.json"
"""In a history of another trainer the loss may cover the prompt too, so its height says nothing."""


@dataclass(frozen=True)
class Sign:
    """One way in which one seed shows a fault."""

    name: str
    """For code: high_loss, still_falling, no_gap, still_rising, chance, loss_rise, metric_drop."""
    curve: Curve
    detail: Text
    fact: Fact
    lost: float


def underfitting(case: Case) -> list[Finding]:
    """Training that ended before the rows were learned; only when a target is missed."""
    signs = _shown_by_half(case, _underfit_sign) if case.is_low else []
    if not signs:
        return []
    sign = max(signs, key=lambda sign: sign.lost)
    title = T("Underfitting: the training rows are not learned yet")
    if sign.name == "still_rising":
        title = T("Training ended while validation was still getting better")
    return [_curve_finding(case, FindingKind.underfitting, sign, title)]


def overfitting(case: Case) -> list[Finding]:
    """Training that went on after validation had stopped getting better; only when a target is missed."""
    signs = _shown_by_half(case, _overfit_sign) if case.is_low else []
    if not signs:
        return []
    sign = max(signs, key=lambda sign: sign.lost)
    return [
        _curve_finding(
            case, FindingKind.overfitting, sign, T("Overfitting: validation gets worse while train gets better")
        )
    ]


def _shown_by_half(case: Case, look: Callable[[Case, Curve], Sign | None]) -> list[Sign]:
    curves = [curve for curve in curves_of(case.history) if curve.losses or curve.evals] if case.history else []
    signs = [sign for curve in curves if (sign := look(case, curve)) is not None]
    return signs if 2 * len(signs) >= len(curves) else []


def _underfit_sign(case: Case, curve: Curve) -> Sign | None:
    """The first of five signs, most certain first."""
    looks = (_high_loss, _at_chance, _still_falling, _no_gap, _still_rising)
    return next((sign for look in looks if (sign := look(case, curve)) is not None), None)


def _high_loss(case: Case, curve: Curve) -> Sign | None:
    """The loss hardly fell. Only for SFT on short answers: free text keeps a high loss, preference losses are other numbers."""
    training, limit = case.task.config.values.training, case.limits.high_remaining_loss
    foreign = training.command is not None or bool(case.history and (case.history.file or "").endswith(FOREIGN))
    if training.method != "sft" or foreign or case.task.definition.task_type == "generation":
        return None
    if curve.remaining is None or curve.remaining <= limit:
        return None
    detail = T(
        "At the end of training the loss is still {share:.0%} of what it was at the start.", share=curve.remaining
    )
    fact = Fact(name=T("final training loss / first"), value=curve.remaining, threshold=limit, percent=True)
    return Sign("high_loss", curve, detail, fact, case.gap)


def _at_chance(case: Case, curve: Curve) -> Sign | None:
    """Not better than always giving the most frequent label, although no label rules the training rows."""
    accuracy = case.result.metrics.get("accuracy") if case.result else None
    majority = max(shares(case.valid_labels).values(), default=0.0)
    ruled = max(shares(case.train_labels).values(), default=1.0) > BALANCED
    unlearned = curve.remaining is not None and curve.remaining > LEARNED
    if accuracy is None or not majority or ruled or not unlearned:
        return None
    limit = majority + 2 * sqrt(majority * (1 - majority) / max(1, len(case.valid.rows)))
    if accuracy > limit or case.result is None or case.result.metrics.get("parse_rate", 1.0) < MOSTLY_PARSED:
        return None
    detail = T(
        "The accuracy of {accuracy:.1%} is not clearly better than always answering with the most frequent label "
        "({majority:.1%}).",
        accuracy=accuracy,
        majority=majority,
    )
    return Sign(
        "chance", curve, detail, Fact(name=T("accuracy"), value=accuracy, threshold=limit, percent=True), case.gap
    )


def _still_falling(case: Case, curve: Curve) -> Sign | None:
    fall = curve.late_fall
    if fall is None or fall < case.limits.still_falling or not curve.best_is_last:
        return None
    detail = T("The training loss was still falling at the end, and the last evaluation was the best one.")
    fact = Fact(
        name=T("fall in the last third / in the third before"),
        value=min(fall, 1e3),
        threshold=case.limits.still_falling,
    )
    return Sign("still_falling", curve, detail, fact, _gain_ahead(case, curve))


def _no_gap(case: Case, curve: Curve) -> Sign | None:
    """Train is about as hard as validation: nothing is memorised, so more training is safe and probably useful."""
    evals = curve.losses_at_evals
    if curve.method != "sft" or not evals or not evals[-1].loss or curve.end is None or not curve.best_is_last:
        return None
    ratio = curve.end / evals[-1].loss
    if not case.limits.no_train_valid_gap <= ratio <= case.limits.noisy_train_loss:
        return None
    detail = T(
        "Training ended with the same loss on train as on validation, and the last evaluation was the best one: "
        "there was more to learn."
    )
    fact = Fact(name=T("final training loss / validation loss"), value=ratio, threshold=case.limits.no_train_valid_gap)
    return Sign("no_gap", curve, detail, fact, _gain_ahead(case, curve))


def _still_rising(case: Case, curve: Curve) -> Sign | None:
    """The last evaluation beat all earlier ones by more than the noise of its rows: a few epochs more are a cheap try."""
    scores = [point.metric for point in curve.metrics_at_evals if point.metric is not None]
    if len(scores) < 3 or not curve.best_is_last:
        return None
    gain = scores[-1] - max(scores[:-1])
    limit = max(case.limits.metric_drop, row_noise(len(case.valid.rows)))
    if gain <= limit:
        return None
    detail = T(
        "The validation score rose by {gain:.1f} points in the last stretch, and the last evaluation was the best one: "
        "training stopped while it still got better.",
        gain=gain * 100,
    )
    fact = Fact(name=T("gain of the last evaluation"), value=gain, threshold=limit, percent=True)
    return Sign("still_rising", curve, detail, fact, _gain_ahead(case, curve))


def _gain_ahead(case: Case, curve: Curve) -> float:
    """What more training may bring: the gain of the last stretch, at least a quarter of the gap and never more than it."""
    scores = [point.metric for point in curve.metrics_at_evals if point.metric is not None]
    last_gain = scores[-1] - scores[-2] if len(scores) > 1 else case.gap / 2
    return min(case.gap, max(last_gain, case.gap / 4))


def _overfit_sign(case: Case, curve: Curve) -> Sign | None:
    return _loss_rise(case, curve) or _metric_drop(case, curve)


def _loss_rise(case: Case, curve: Curve) -> Sign | None:
    """Validation loss well above its minimum, train loss lower than there, and no better score since."""
    found = curve.worsening
    if found is None or found.rise < case.limits.eval_loss_rise:
        return None
    lowest, rise = found.lowest, found.rise
    detail = T(
        "The validation loss was lowest at step {step} and ended {rise:.0%} higher, while the training loss went on falling.",
        step=lowest.step,
        rise=rise,
    )
    fact = Fact(name=T("rise of the validation loss"), value=rise, threshold=case.limits.eval_loss_rise, percent=True)
    return Sign("loss_rise", curve, detail, fact, max(_drop(curve), case.gap * min(1.0, rise) / 2))


def _metric_drop(case: Case, curve: Curve) -> Sign | None:
    """Without validation losses: the score ended below an early best, and the training rows are known."""
    known = curve.remaining is not None and curve.remaining < LEARNED
    best, limit = curve.best, max(case.limits.metric_drop, 2 * row_noise(len(case.valid.rows)))
    if curve.losses_at_evals or len(curve.metrics_at_evals) < 3 or best is None or not known:
        return None
    if best.time > 0.5 or _drop(curve) < limit:
        return None
    detail = T(
        "The best score came at step {step}; training on lost {drop:.1%} of it.", step=best.step, drop=_drop(curve)
    )
    fact = Fact(name=T("fall of the validation score"), value=_drop(curve), threshold=limit, percent=True)
    return Sign("metric_drop", curve, detail, fact, _drop(curve))


def _drop(curve: Curve) -> float:
    scores = [point.metric for point in curve.metrics_at_evals if point.metric is not None]
    return max(scores) - scores[-1] if scores else 0.0


def _curve_finding(case: Case, kind: FindingKind, sign: Sign, title: Text) -> Finding:
    curve, training = sign.curve, case.task.config.values.training
    lora = case.task.config.values.lora
    best = curve.best
    about = {
        "sign": sign.name,
        "epochs": training.epochs,
        "learning_rate": training.learning_rate,
        "lora_r": lora.r if lora else None,
        "lora_dropout": lora.dropout if lora else None,
        "best_step": best.step if best else None,
        "best_epoch": best.epoch if best else None,
        "best_is_last": curve.best_is_last,
    }
    source = case.history.file if case.history else None
    facts = [sign.fact, *_loss_facts(curve), Fact(name=T("epochs"), value=training.epochs)]
    return Finding(
        kind=kind,
        severity=Severity.warning,
        title=title,
        detail=sign.detail,
        facts=[fact.model_copy(update={"source": source}) for fact in facts],
        about=about,
        lost=sign.lost,
        page=f"troubleshooting/{kind.value}",
    )


def _loss_facts(curve: Curve) -> list[Fact]:
    facts = []
    if curve.start is not None and curve.end is not None:
        facts += [
            Fact(name=T("first training loss"), value=curve.start),
            Fact(name=T("final training loss"), value=curve.end),
        ]
    if curve.losses_at_evals:
        facts.append(
            Fact(name=T("lowest validation loss"), value=min(point.loss or 0.0 for point in curve.losses_at_evals))
        )
        facts.append(Fact(name=T("final validation loss"), value=curve.losses_at_evals[-1].loss))
    if curve.best is not None:
        facts.append(Fact(name=T("best evaluation at step"), value=curve.best.step))
    return facts
