"""Does the program tell beforehand what a split can show?"""

from __future__ import annotations

import numpy as np
import pytest

from tools.evidence.power import (
    disagreement,
    mcnemar_power,
    rows_for_power,
    settling,
    visible,
)
from tools.evidence.statistics import Estimate, mcnemar


def estimate(difference: float, row_error: float, seed_error: float) -> Estimate:
    return Estimate(old=0.7, new=0.7 + difference, low=-1, high=1, p=0.5, row_error=row_error, seed_error=seed_error)


@pytest.mark.parametrize(
    ("rows", "effect", "power"), [(300, 0.02, 0.14), (1000, 0.02, 0.48), (2000, 0.02, 0.79), (300, 0.05, 0.745)]
)
def test_the_power_of_exact_mcnemar_at_ten_percent_disagreement_is_as_published(rows, effect, power):
    assert mcnemar_power(rows, 0.10, effect) == pytest.approx(power, abs=0.008)


def test_the_power_agrees_with_simulation():
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(1500):
        discordant = rng.binomial(200, 0.2)
        fixed = int(rng.binomial(discordant, (0.2 + 0.08) / 0.4))
        seen += fixed > discordant - fixed and mcnemar(fixed, discordant - fixed).p <= 0.05
    assert mcnemar_power(200, 0.2, 0.08) == pytest.approx(seen / 1500, abs=0.04)


def test_nothing_can_be_seen_without_rows_or_without_disagreement():
    assert mcnemar_power(0, 0.1, 0.05) == 0
    assert mcnemar_power(300, 0.0, 0.05) == 0


def test_the_rows_that_are_asked_for_give_the_power_that_is_promised():
    rows = rows_for_power(0.10, 0.05)
    assert rows is not None
    assert 300 < rows < 400
    assert mcnemar_power(rows, 0.10, 0.05) >= 0.8
    assert rows_for_power(0.10, 0.00001) is None


def test_more_rows_show_smaller_differences():
    few, many = visible(100), visible(1000)
    assert few.smallest is not None
    assert many.smallest is not None
    assert many.smallest < few.smallest
    assert list(many.powers.values()) == sorted(many.powers.values())


def test_a_handful_of_rows_shows_nothing_at_all():
    assert visible(4).smallest is None


def test_disagreement_is_measured_over_pairs_of_trainings():
    assert disagreement([[True, True, False, False], [True, False, False, True]]) == 0.5
    assert disagreement([[True, True]]) is None
    assert disagreement([[True, True]], [[True, False], [False, False]]) == 0.75


def test_an_undecided_difference_is_settled_by_the_rows_it_says():
    needed = settling(estimate(0.03, row_error=0.02, seed_error=0.0), rows=300, old_seeds=1, new_seeds=1)
    assert needed.rows == pytest.approx(300 * (2.8016 * 0.02 / 0.03) ** 2, abs=2)
    assert needed.seeds is None
    assert needed.smallest == pytest.approx(2.8016 * 0.02, rel=0.01)


def test_seeds_settle_what_seeds_make_uncertain():
    needed = settling(estimate(0.03, row_error=0.005, seed_error=0.02), rows=300, old_seeds=1, new_seeds=1)
    assert needed.rows is None
    assert needed.seeds == pytest.approx(2 * 0.02**2 / ((0.03 / 2.8016) ** 2 - 0.005**2), abs=1)


def test_no_difference_at_all_is_settled_by_nothing():
    needed = settling(estimate(0.0, row_error=0.02, seed_error=0.02), rows=300, old_seeds=3, new_seeds=3)
    assert (needed.rows, needed.seeds) == (None, None)
