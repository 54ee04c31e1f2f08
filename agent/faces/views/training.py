"""A running or ended training as lines: where it stands, the curves in numbers, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

from agent.faces.layout import wrap
from agent.faces.views.blocks import bullet
from agent.faces.views.words import SEVERITIES, minutes, percent
from tools.comparing.words import metric_name
from tools.finding import Severity
from tools.launchers.base import RunHealth
from tools.running.run_alerts import Alert
from tools.text import Speaker, T, Text, visible
from tools.watch_run import Curves, Point, RunView

_HEALTH: dict[RunHealth, Text] = {
    RunHealth.running: T("It is running."),
    RunHealth.queued: T("It waits for its turn."),
    RunHealth.stalled: T("It was interrupted; training the version again goes on from its checkpoint."),
    RunHealth.ended: T("It has ended."),
}


def training_lines(view: RunView, say: Speaker) -> list[str]:
    """Everything the live view shows, as sentences."""
    told = T("Training {run}: version {version}, seed {seed}.", run=view.run_id, version=view.version, seed=view.seed)
    lines = [say(told) + " " + say(_HEALTH[view.health])]
    if view.total_steps:
        step = T("step {step}/{total}", step=view.step, total=view.total_steps)
        lines.append(", ".join([say(step), say(T("epoch {epoch:.1f}", epoch=view.epoch)), *_pace(view, say)]))
    lines += _curve_lines(view, say)
    if view.ending is not None:
        lines += wrap(say(view.ending))
    lines += [line for alert in view.alerts for line in _alert(alert, say)]
    if not view.alerts and view.health is RunHealth.running:
        lines.append(say(T("No alerts: loss, gradients, pace, memory and heartbeat are within their limits.")))
    return lines


def _pace(view: RunView, say: Speaker) -> list[str]:
    parts: list[Text] = []
    if view.tokens_per_second:
        parts.append(T("{speed:.0f} tokens/s", speed=view.tokens_per_second))
    if view.memory_mb:
        parts.append(T("{gb:.1f} GB", gb=view.memory_mb / 1024))
    if view.eta is not None:
        parts.append(T("{time} left ({how})", time=minutes(view.eta.seconds / 60, say), how=view.eta.how))
    return [say(part) for part in parts]


def _curve_lines(view: RunView, say: Speaker) -> list[str]:
    curves, before = view.curves, view.baseline
    name = metric_name(view.primary_metric)
    said = [
        _moved(T("Training loss"), curves.losses),
        _moved(T("Validation loss"), curves.eval_losses),
        _moved(T("{metric} on validation", metric=name), curves.metrics, percent),
    ]
    if curves.best is not None:
        step, value = curves.best
        said.append(T("Best evaluation so far: {value} at step {step}.", value=percent(value), step=step))
    if before is not None and (known := _last_metric(before.curves)) is not None:
        told = T("{version}, from which it started, reached {value}.", version=before.version, value=percent(known))
        said.append(told)
    return [say(one) for one in said if one is not None]


def _moved(name: Text, points: list[Point], shown: Callable[[float], str] = "{:.3f}".format) -> Text | None:
    if not points:
        return None
    (first, start), (last, end) = points[0], points[-1]
    if first == last:
        return T("{name}: {end} at step {last}.", name=name, end=shown(end), last=last)
    return T(
        "{name}: from {start} at step {first} to {end} at step {last}.",
        name=name,
        start=shown(start),
        first=first,
        end=shown(end),
        last=last,
    )


def _last_metric(curves: Curves) -> float | None:
    return curves.best[1] if curves.best is not None else None


def _alert(alert: Alert, say: Speaker) -> list[str]:
    level = Severity.error if alert.level == "error" else Severity.warning
    parts = [say(alert.message), *([say(alert.suggestion)] if alert.suggestion else [])]
    parts += [f"iterate refs {alert.page}"] if alert.page else []
    return bullet(visible(" ".join(parts)), sign=f"[{say(SEVERITIES[level])}] ")
