"""Alerts while a training runs: silent on the real healthy runs at every moment, and each planted fault found by its name."""

from __future__ import annotations

import pytest

from tests.support.run_dirs import bundled_histories
from tools.evidence.thresholds import Thresholds
from tools.results import HistoryPoint
from tools.running.run_alerts import Pulse, curve_alerts, pace_alerts, pauses_between, pulse_alerts

LIMITS = Thresholds()


def kinds(points, limits=LIMITS):
    return [alert.kind for alert in curve_alerts(points, limits)]


def training(losses, evals=(), norms=None):
    """A run with one logged loss for each step, and evaluations (step, loss, metric) among them."""
    norms = norms or [2.0] * len(losses)
    points = [
        HistoryPoint(step=step, loss=loss, grad_norm=norm, bad=loss is None)
        for step, (loss, norm) in enumerate(zip(losses, norms, strict=True), start=1)
    ]
    points += [HistoryPoint(step=step, eval_loss=loss, metric=metric) for step, loss, metric in evals]
    return sorted(points, key=lambda point: (point.step, point.loss is None))


def falling(steps=60, floor=0.1):
    return [floor + 2.0 * 0.93**step for step in range(steps)]


@pytest.mark.parametrize("task", ["stance", "entity-sentiment", "official-doc"])
def test_a_healthy_real_run_raises_no_alert_at_any_moment(task):
    runs = bundled_histories(task).values()
    moments = [points[:end] for points in runs for end in range(len(points) + 1)]
    assert moments and [found for moment in moments if (found := kinds(moment))] == []


def test_a_validation_loss_that_rises_while_the_training_loss_falls_is_overfitting_and_names_the_best_step():
    evals = [(10, 0.50, 0.70), (20, 0.51, 0.70), (30, 0.53, 0.69), (40, 0.56, 0.70)]
    (alert,) = curve_alerts(training(falling(), evals), LIMITS)
    assert (alert.kind, alert.value, alert.limit, alert.page) == ("overfitting", 3, 3, "troubleshooting/overfitting")
    assert "3 evaluations in a row" in str(alert.message) and "step 10" in str(alert.suggestion)


def test_two_rises_are_not_enough_unless_they_are_large():
    small = [(10, 0.50, 0.70), (20, 0.51, 0.70), (30, 0.53, 0.70)]
    large = [(10, 0.50, 0.70), (20, 0.58, 0.70), (30, 0.75, 0.70)]
    assert kinds(training(falling(), small)) == []
    assert kinds(training(falling(), large)) == ["overfitting"]


def test_a_rising_validation_loss_with_a_rising_score_is_no_alert():
    evals = [(10, 0.50, 0.60), (20, 0.55, 0.65), (30, 0.60, 0.70), (40, 0.65, 0.75)]
    assert kinds(training(falling(), evals)) == []


def test_a_validation_loss_above_its_lowest_is_no_alert_when_the_score_still_rose_as_in_a_real_run():
    evals = [(22, 0.547, 0.186), (44, 0.362, 0.435), (66, 0.428, 0.464), (88, 0.401, 0.593)]
    points = training(falling(88), evals)
    assert [found for end in range(len(points) + 1) if (found := kinds(points[:end]))] == []


def test_a_loss_that_is_not_a_number_is_an_error_at_its_step():
    (alert,) = curve_alerts(training([2.0, 1.5, None]), LIMITS)
    assert (alert.kind, alert.level, alert.value) == ("nan", "error", 3)


def test_a_loss_that_climbs_back_has_diverged():
    losses = [*falling(30), *[0.4 + 0.1 * step for step in range(30)]]
    (alert,) = curve_alerts(training(losses), LIMITS)
    assert (alert.kind, alert.level, alert.limit) == ("diverged", "error", LIMITS.loss_given_back)


def test_one_spike_is_weather_and_two_are_an_alert():
    losses = falling(60)
    losses[30] = 1.9
    assert kinds(training(losses)) == []
    losses[40] = 1.9
    assert kinds(training(losses)) == ["spikes"]


def test_a_gradient_that_stands_out_is_named_with_its_step_and_a_large_start_is_not():
    norms = [13.0, 9.0, 6.0, *[2.0] * 57]
    assert kinds(training(falling(), norms=norms)) == []
    norms[40] = 90.0
    (alert,) = curve_alerts(training(falling(), norms=norms), LIMITS)
    assert alert.kind == "gradient" and "90.0 at step 41" in str(alert.message) and "45 times" in str(alert.message)


def test_limits_of_the_task_decide():
    evals = [(10, 0.50, 0.70), (20, 0.51, 0.70), (30, 0.53, 0.70)]
    assert kinds(training(falling(), evals), Thresholds(eval_loss_rises=2)) == ["overfitting"]


def test_a_pace_below_half_of_the_usual_is_slow_and_whole_seconds_of_the_clock_are_not():
    assert [alert.kind for alert in pace_alerts([4.0] * 20 + [9.5] * 5, LIMITS)] == ["slow"]
    assert pace_alerts([4.0] * 20 + [6.0] * 5, LIMITS) == []
    assert pace_alerts([0.0, 1.0] * 15 + [1.0] * 5, LIMITS) == []
    assert pace_alerts([4.0] * 24 + [400.0], LIMITS) == []


def test_an_interruption_is_no_pause_of_training():
    assert pauses_between([10.0, 14.0, None, 9000.0, 9004.0]) == [4.0, 4.0]


@pytest.mark.parametrize(
    ("pulse", "expected"),
    [
        (Pulse(memory_mb=15_000, machine_mb=16_000), ["memory"]),
        (Pulse(memory_mb=14_000, machine_mb=16_000), []),
        (Pulse(memory_mb=15_000), []),
        (Pulse(silent_seconds=601, heartbeat_seconds=2), ["silent"]),
        (Pulse(silent_seconds=599, heartbeat_seconds=2), []),
        (Pulse(silent_seconds=4000, heartbeat_seconds=61), ["heartbeat"]),
        (Pulse(), []),
    ],
)
def test_signs_of_life_and_load(pulse, expected):
    assert [alert.kind for alert in pulse_alerts(pulse, [4.0], LIMITS)] == expected


def test_a_run_of_long_steps_may_be_silent_for_longer():
    assert pulse_alerts(Pulse(silent_seconds=1500, heartbeat_seconds=1), [600.0], LIMITS) == []


def test_every_alert_says_what_to_do_and_where_to_read():
    evals = [(10, 0.50, 0.70), (20, 0.58, 0.70), (30, 0.75, 0.70)]
    norms = [*[2.0] * 59, 90.0]
    found = curve_alerts(training(falling(), evals, norms), LIMITS) + pace_alerts([4.0] * 20 + [9.5] * 5, LIMITS)
    found += pulse_alerts(Pulse(1e5, 1.0, 15e3, 16e3), [], LIMITS) + pulse_alerts(Pulse(1e5, 1e5), [], LIMITS)
    assert len(found) == 6
    assert all(alert.suggestion and alert.page and alert.limit is not None for alert in found)
