"""What is wrong with a training while it runs: alerts with a number, a limit and what to do about it.

The measures and limits are those of the diagnosis (tools/evidence/loss_curve.py, thresholds.py), read from the part of the
history that is there. It looks at numbers only; reading a run directory is tools/watch_run.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Literal

from tools.evidence.loss_curve import Curve, curves_of
from tools.evidence.thresholds import Thresholds
from tools.results import History, HistoryPoint
from tools.text import T, Text

AlertKind = Literal[
    "overfitting",
    "nan",
    "diverged",
    "spikes",
    "gradient",
    "slow",
    "memory",
    "silent",
    "heartbeat",
    "gone",
    "failed",
    "worker",
]
_UNSTABLE = "troubleshooting/unstable-training"
_LOCKS = "troubleshooting/sessions-and-locks"
_EARLIEST = 20
"""Logged steps before a rise of the loss is called divergence: a warm-up wanders."""
_BEFORE = 10
"""Gradient norms that a jump is compared with."""
_RECENT = 5
"""Pauses between steps that are the present pace."""
_USUAL = 15
"""Pauses needed to know a pace."""
_LOWER_RATE = T("If it goes on: stop, and try a lower learning rate or a longer warm-up.")


@dataclass(frozen=True)
class Alert:
    """One thing that is wrong, and what may be done."""

    kind: AlertKind
    level: Literal["warning", "error"]
    message: Text
    """With the number."""
    suggestion: Text | None = None
    value: float | None = None
    limit: float | None = None
    """The threshold that `value` went beyond."""
    page: str | None = None
    """Id of the reference page."""


@dataclass(frozen=True)
class Pulse:
    """Signs of life and of load at the moment of looking."""

    silent_seconds: float | None = None
    """Since the worker last said anything."""
    heartbeat_seconds: float | None = None
    """Since its last heartbeat."""
    memory_mb: float | None = None
    machine_mb: float | None = None
    """Memory of the machine the worker runs on; None when it is another one."""


def curve_alerts(points: Sequence[HistoryPoint], limits: Thresholds, method: str = "sft") -> list[Alert]:
    """What the losses, scores and gradient norms of one run show so far; `method` says what its training loss is."""
    curves = curves_of(History(points=list(points)))
    if not curves:
        return []
    curve = replace(curves[0], method=method)
    found = [*_not_finite(curve), *_diverged(curve, limits), *_spikes(curve, limits)]
    return [*found[:1], *_overfitting(curve, limits), *_gradient(points, limits)]


def pace_alerts(pauses: Sequence[float], limits: Thresholds) -> list[Alert]:
    """Whether the seconds between logged steps have grown; clocks that count whole seconds are allowed for."""
    if len(pauses) < _USUAL:
        return []
    recent, usual = median(pauses[-_RECENT:]), median(pauses)
    share = usual / recent if recent else 1.0
    if share >= limits.slow_share or recent - 1 <= usual / max(limits.slow_share, 0.01):
        return []
    message = T(
        "Training goes at {share:.0%} of its usual pace: {recent:.0f} s between logged steps, usually {usual:.0f} s.",
        share=share,
        recent=recent,
        usual=usual,
    )
    advice = T("See what else uses this machine. Stopping keeps the newest checkpoint, to go on from later.")
    return [Alert("slow", "warning", message, advice, share, limits.slow_share, "troubleshooting/installation")]


def pulse_alerts(pulse: Pulse, pauses: Sequence[float], limits: Thresholds) -> list[Alert]:
    """What the signs of life of a running worker show."""
    return [*_memory(pulse, limits), *(_heartbeat(pulse, limits) or _silent(pulse, pauses, limits))]


def gone_alert() -> Alert:
    """The worker was killed or its machine went down."""
    return Alert(
        "gone",
        "error",
        T("The training process is gone without a word: it was killed."),
        T("Start the same training again: it continues from its newest checkpoint."),
        page=_LOCKS,
    )


def _not_finite(curve: Curve) -> Iterator[Alert]:
    if curve.bad_steps:
        message = T("The loss is not a number since step {step}.", step=curve.bad_steps[0])
        advice = T("Stop: nothing is learned any more. Try a lower learning rate.")
        yield Alert("nan", "error", message, advice, curve.bad_steps[0], None, _UNSTABLE)


def _diverged(curve: Curve, limits: Thresholds) -> Iterator[Alert]:
    share = curve.given_back if len(curve.losses) >= _EARLIEST else 0.0
    if share > limits.loss_given_back:
        message = T(
            "The training loss rose again: {share:.0%} of its fall is lost (limit {limit:.0%}).",
            share=share,
            limit=limits.loss_given_back,
        )
        yield Alert("diverged", "error", message, _LOWER_RATE, share, limits.loss_given_back, _UNSTABLE)


def _spikes(curve: Curve, limits: Thresholds) -> Iterator[Alert]:
    steps = curve.spikes(limits.loss_spike)
    if len(steps) > 1:
        message = T("The training loss jumped {count} times, last at step {step}.", count=len(steps), step=steps[-1])
        yield Alert("spikes", "warning", message, _LOWER_RATE, len(steps), 1, _UNSTABLE)


def _overfitting(curve: Curve, limits: Thresholds) -> Iterator[Alert]:
    found = curve.worsening
    if found is None:
        return
    advice = T(
        "The weights of step {step} are what will be kept. Stopping now saves time; next, try fewer epochs or more data.",
        step=found.lowest.step,
    )
    if found.in_a_row >= limits.eval_loss_rises:
        message = T(
            "The validation loss rose {count} evaluations in a row while the training loss fell (limit {limit:.0f}).",
            count=found.in_a_row,
            limit=limits.eval_loss_rises,
        )
        value, limit = float(found.in_a_row), limits.eval_loss_rises
    elif found.rise >= limits.eval_loss_rise:
        message = T(
            "The validation loss is {rise:.0%} above its lowest, at step {step}, while the training loss falls "
            "(limit {limit:.0%}).",
            rise=found.rise,
            step=found.lowest.step,
            limit=limits.eval_loss_rise,
        )
        value, limit = found.rise, limits.eval_loss_rise
    else:
        return
    yield Alert("overfitting", "warning", message, advice, value, limit, "troubleshooting/overfitting")


def _gradient(points: Sequence[HistoryPoint], limits: Thresholds) -> Iterator[Alert]:
    """The largest gradient norm of the run so far, when it stands out from those just before it."""
    norms = [(point.step, point.grad_norm) for point in points if point.grad_norm is not None]
    if len(norms) <= _BEFORE:
        return
    at = max(range(len(norms)), key=lambda index: norms[index][1])
    usual = median(norm for _, norm in norms[max(0, at - _BEFORE) : at]) if at >= _BEFORE else 0.0
    step, norm = norms[at]
    if usual <= 0 or norm <= limits.grad_norm_jump * usual:
        return
    message = T(
        "The gradient norm jumped to {norm:.1f} at step {step}, {times:.0f} times what it was (limit {limit:.0f}).",
        norm=norm,
        step=step,
        times=norm / usual,
        limit=limits.grad_norm_jump,
    )
    yield Alert("gradient", "warning", message, _LOWER_RATE, norm / usual, limits.grad_norm_jump, _UNSTABLE)


def _memory(pulse: Pulse, limits: Thresholds) -> Iterator[Alert]:
    if not pulse.memory_mb or not pulse.machine_mb:
        return
    share = pulse.memory_mb / pulse.machine_mb
    if share > limits.memory_share:
        message = T(
            "The training holds {share:.0%} of this machine's memory (limit {limit:.0%}).",
            share=share,
            limit=limits.memory_share,
        )
        advice = T("Close other programs; next time, try a smaller micro_batch_size or max_length.")
        yield Alert("memory", "warning", message, advice, share, limits.memory_share, "troubleshooting/installation")


def _heartbeat(pulse: Pulse, limits: Thresholds) -> list[Alert]:
    seconds = pulse.heartbeat_seconds
    if seconds is None or seconds <= limits.heartbeat_seconds:
        return []
    message = T(
        "No heartbeat for {minutes:.0f} min (limit {limit:.0f} min): the process is suspended or the machine is overloaded.",
        minutes=seconds / 60,
        limit=limits.heartbeat_seconds / 60,
    )
    advice = T("See whether the machine slept or is out of memory. If it does not come back, stop and start again.")
    return [Alert("heartbeat", "warning", message, advice, seconds, limits.heartbeat_seconds, _LOCKS)]


def _silent(pulse: Pulse, pauses: Sequence[float], limits: Thresholds) -> list[Alert]:
    allowed = max(60 * limits.silent_minutes, 3 * max(pauses, default=0.0))
    if pulse.silent_seconds is None or pulse.silent_seconds <= allowed:
        return []
    message = T(
        "The process lives but has said nothing for {minutes:.0f} min (limit {limit:.0f} min).",
        minutes=pulse.silent_seconds / 60,
        limit=allowed / 60,
    )
    advice = T("Read the end of the log. Stopping keeps the newest checkpoint.")
    return [Alert("silent", "warning", message, advice, pulse.silent_seconds / 60, allowed / 60, _LOCKS)]


def pauses_between(times: Sequence[float | None]) -> list[float]:
    """Seconds between neighbouring logged steps; a None in `times` marks an interruption, which is no pause of training."""
    return [after - before for before, after in pairwise(times) if before is not None and after is not None]
