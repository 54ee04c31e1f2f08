from __future__ import annotations

from math import exp, isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.evidence.loss_curve import curves_of
from tools.results import History, HistoryPoint

wild_loss = st.one_of(st.none(), st.floats(width=32), st.floats(min_value=0, max_value=20))
wild_point = st.builds(
    HistoryPoint,
    seed=st.sampled_from([None, 1, 2]),
    step=st.integers(min_value=0, max_value=120),
    epoch=st.one_of(st.none(), st.floats(min_value=0, max_value=9)),
    loss=wild_loss,
    eval_loss=wild_loss,
    metric=st.one_of(st.none(), st.floats(min_value=0, max_value=1), st.just(float("nan"))),
    learning_rate=st.one_of(st.none(), st.floats(min_value=0, max_value=1e-2), st.just(float("nan"))),
    grad_norm=wild_loss,
    bad=st.booleans(),
)


@settings(deadline=None, max_examples=150)
@given(points=st.lists(wild_point, max_size=100))
def test_any_history_can_be_measured(points):
    for curve in curves_of(History(points=points)):
        assert all(0 <= time <= 1 for time in [*curve.times, *(one.time for one in curve.evals)])
        assert curve.times == sorted(curve.times)
        assert all(isfinite(loss) for loss in curve.losses)
        measures = (curve.start, curve.end, curve.remaining, curve.late_fall, curve.fall, curve.given_back, curve.best)
        assert len(measures) == 7
        assert curve.best_is_last in {True, False}
        assert set(curve.spikes(0.3)) <= set(curve.steps)


def measured(losses, rates=None):
    rates = rates or [1e-4] * len(losses)
    points = [
        HistoryPoint(step=n + 1, loss=loss, learning_rate=rate)
        for n, (loss, rate) in enumerate(zip(losses, rates, strict=True))
    ]
    [curve] = curves_of(History(points=points))
    return curve


@pytest.mark.parametrize("speed", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("points", [12, 99])
def test_the_late_fall_of_an_exponential_is_its_known_factor(speed, points):
    curve = measured([0.2 + 3 * exp(-speed * (n + 0.5) / points) for n in range(points)])
    assert curve.late_fall == pytest.approx(exp(-speed / 3), rel=0.02)


def test_a_straight_line_falls_on_at_full_speed():
    assert measured([3 - n / 50 for n in range(60)]).late_fall == pytest.approx(1, rel=0.01)


def test_a_rate_that_decays_to_zero_does_not_make_an_unfinished_training_look_finished():
    total = 60
    rates = [1e-4 * (1 - n / total) for n in range(total)]
    learned, losses = 0.0, []
    for rate in rates:
        learned += rate
        losses.append(3 - 500 * learned)
    assert measured(losses, rates).late_fall == pytest.approx(1, rel=0.1)
    assert measured(losses).late_fall < 0.5


def test_a_noisy_flat_loss_does_not_fall():
    assert measured([1 + 0.3 * (-1) ** n for n in range(60)]).late_fall is None


@pytest.mark.parametrize("losses", [[], [2.0], [2.0, 1.0]])
def test_one_or_two_points_are_too_few_for_a_slope(losses):
    history = History(points=[HistoryPoint(step=n, loss=loss) for n, loss in enumerate(losses)])
    assert all(curve.late_fall is None for curve in curves_of(history))


def test_seeds_are_measured_apart():
    points = [HistoryPoint(seed=seed, step=n, loss=seed + 1) for n in range(4) for seed in (1, 2)]
    assert [(curve.seed, curve.end) for curve in curves_of(History(points=points))] == [(1, 2.0), (2, 3.0)]


def test_a_point_repeated_after_a_resume_counts_once_and_the_later_one_counts():
    points = [HistoryPoint(step=step, loss=loss) for step, loss in [(1, 3.0), (2, 9.0), (2, 2.0), (3, 1.0)]]
    [curve] = curves_of(History(points=points))
    assert curve.losses == [3.0, 2.0, 1.0]


def test_the_best_evaluation_is_by_metric_even_when_the_loss_says_otherwise():
    points = [
        HistoryPoint(step=1, eval_loss=0.3, metric=0.5),
        HistoryPoint(step=2, eval_loss=0.4, metric=0.8),
        HistoryPoint(step=3, eval_loss=0.5, metric=0.7),
    ]
    [curve] = curves_of(History(points=points))
    assert curve.best.step == 2
    assert not curve.best_is_last


def test_without_metrics_the_lowest_loss_is_best():
    points = [HistoryPoint(step=step, eval_loss=loss) for step, loss in [(1, 0.5), (2, 0.3), (3, 0.4)]]
    [curve] = curves_of(History(points=points))
    assert curve.best.step == 2


def test_the_start_is_not_watered_down_by_the_format_that_is_learned_during_warmup():
    rates = [0.1 * n for n in range(1, 11)] + [1.0] * 80
    losses = [4.0, 4.0, 4.0, 2.0, 1.0, *[0.4] * 85]
    assert measured(losses, rates).start == 4.0
