from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.proposing.forecast import Gain, effect, fall, measured_gain, no_gain, prior_basis, prior_gain
from agent.proposing.matrix import PRIORS
from tools.text import T

WHY = T("because")


def test_the_numbers_of_the_specification_are_in_the_table() -> None:
    assert PRIORS["class_weights"][:2] == PRIORS["oversampling"][:2] == (0.03, 0.08)
    assert PRIORS["rank"][:2] == (0.02, 0.05)
    assert PRIORS["base_model"][:2] == (0.03, 0.05)


@pytest.mark.parametrize("name", list(PRIORS))
def test_every_prior_admits_that_the_change_may_do_nothing(name: str) -> None:
    forecast = effect("macro_f1", prior_gain(name), prior_basis(name))
    assert forecast.low <= 0 < forecast.high
    assert 0.5 < forecast.p_better < 0.9
    assert forecast.level == 0.8
    assert str(forecast.basis)


def test_a_counted_loss_is_a_nearly_sure_gain_of_about_its_size() -> None:
    forecast = effect("macro_f1", measured_gain(0.1), WHY, "measured")
    assert 0 < forecast.low < 0.075 < forecast.high <= 0.12
    assert forecast.p_better > 0.9


def test_what_moves_nothing_is_forecast_around_zero_and_a_memorised_score_downwards() -> None:
    still = effect("macro_f1", no_gain(), WHY)
    assert still.low == pytest.approx(-still.high, abs=0.001)
    assert still.p_better == 0.5
    down = effect("macro_f1", fall(0.06), WHY)
    assert down.low < -0.04
    assert down.p_better < 0.3


@settings(max_examples=100, deadline=None)
@given(st.floats(-0.3, 0.3), st.floats(0.005, 0.2), st.floats(0, 1))
def test_the_interval_holds_four_fifths_of_the_mixture(middle: float, spread: float, works: float) -> None:
    gain = Gain(middle, spread, works)
    forecast = effect("m", gain, WHY)
    assert forecast.low <= forecast.high
    assert gain.below(forecast.high + 0.001) - gain.below(forecast.low - 0.001) >= 0.8 - 1e-6
    assert math.isclose(forecast.p_better, 1 - gain.below(0), abs_tol=0.006)
