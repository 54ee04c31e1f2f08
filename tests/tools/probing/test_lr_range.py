"""What is read from the losses of a range test."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from tools.errors import InputError
from tools.probing.lr_range import plan_range, rate_change, reading_of
from tools.reading.task import load_task
from tools.results import HistoryPoint
from tools.runs import RateRange


def curve(
    loss: Callable[[float], float | None], *, low: float = 1e-6, high: float = 0.1, steps: int = 80, noise: float = 0.0
):
    drawn = random.Random(1)
    rates = [low * (high / low) ** (n / (steps - 1)) for n in range(steps)]
    return [
        HistoryPoint(
            step=n + 1,
            learning_rate=rate,
            loss=None if (value := loss(rate)) is None else value + drawn.gauss(0, noise),
        )
        for n, rate in enumerate(rates)
    ]


def typical(rate: float) -> float:
    """Flat, then a fall whose middle is at 1e-3, then a rise from 1e-2 on."""
    fall = 2.0 / (1 + math.exp(-4 * (math.log10(rate) + 3)))
    return 3.0 - fall + max(0.0, math.log10(rate) + 2) ** 2 * 8


def test_the_steepest_fall_and_the_divergence_are_found_where_they_are() -> None:
    found = reading_of(curve(typical))
    assert 7e-4 <= found.steepest <= 1.4e-3
    assert 1.5e-2 <= found.diverges <= 6e-2
    assert found.steepest < found.lowest < found.diverges
    assert found.most == pytest.approx(found.diverges / 3, rel=0.05)


@pytest.mark.parametrize("noise", [0.05, 0.15])
def test_noisy_batches_move_the_steepest_fall_by_less_than_a_factor_of_four(noise: float) -> None:
    found = reading_of(curve(typical, noise=noise))
    assert 2.5e-4 <= found.steepest <= 4e-3


def test_a_loss_that_breaks_off_ends_the_range_and_usable_rates_keep_away_from_it() -> None:
    found = reading_of(curve(lambda rate: None if rate > 2e-3 else typical(rate)))
    assert found.diverges == pytest.approx(2e-3, rel=0.3)
    assert found.instead_of(0.05) == found.most <= found.diverges / 3 * 1.05


def test_a_loss_that_hardly_falls_says_nothing_about_any_rate(claim_task: Callable[..., object]) -> None:
    found = reading_of(curve(lambda rate: 3.0, noise=0.01))
    assert (found.steepest, found.instead_of(1e-6), found.instead_of(0.1)) == (None, None, None)
    assert rate_change(load_task(claim_task(9).path), found) is None


def test_a_rate_outside_of_the_range_is_moved_to_its_nearest_end_and_one_inside_stays(
    claim_task: Callable[..., object],
) -> None:
    made = claim_task(9)
    reading = reading_of(curve(typical))
    for rate, wanted in ((1e-5, reading.steepest), (0.09, reading.most), (3e-3, None), (reading.steepest / 1.1, None)):
        made.write("configs/training_config.yaml", f"training: {{learning_rate: {rate:.7f}}}\n")
        change = rate_change(load_task(made.path), reading)
        assert [(edit.dotted, edit.new) for edit in (change.edits if change else [])] == (
            [("training.learning_rate", wanted)] if wanted else []
        )


def test_a_model_that_first_learns_the_form_of_an_answer_is_given_no_low_rate_for_it() -> None:
    """As measured on a real task: the loss falls from 4.1 to 0.5 between 1e-5 and 5e-5, and stays there up to 1e-3."""

    def form_first(rate: float) -> float:
        return 0.55 + 3.6 / (1 + math.exp(6 * (math.log10(rate) + 4.75))) + max(0.0, math.log10(rate) + 2.5) ** 2 * 4

    found = reading_of(curve(form_first, noise=0.15))
    assert found.steepest < 4e-5 and found.instead_of(5e-4) is None


def test_a_range_that_does_not_rise_is_refused_before_anything_is_written(claim_task: Callable[..., object]) -> None:
    made = claim_task(9)
    with pytest.raises(InputError, match="must rise"):
        plan_range(load_task(made.path), RateRange(low=0.1, high=0.01, steps=20))
    assert not (made.path / "runs").exists()
