"""Do the paired statistics say what they should, and agree with brute force?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.evidence import statistics
from tools.evidence.statistics import (
    UNPARSED,
    f1_measure,
    holm,
    mcnemar,
    mean_measure,
    noise_floor,
    paired_bootstrap,
    ratio_measure,
    seed_spread,
)

rows_of_codes = st.integers(5, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
        st.lists(st.integers(-1, 3), min_size=n, max_size=n),
        st.lists(st.integers(0, 5), min_size=n, max_size=n),
    )
)


def right(share: float, rows: int, seed: int, seeds: int = 1) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    return [[float(value) for value in rng.random(rows) < share] for _ in range(seeds)]


@given(rows_of_codes)
@settings(deadline=None, max_examples=60)
def test_macro_f1_of_any_resample_equals_that_of_sklearn_on_the_repeated_rows(codes):
    from sklearn.metrics import f1_score

    expected, predicted, times = (np.array(part) for part in codes)
    drawn = np.repeat(np.arange(len(expected)), times)
    labels = sorted(set(expected[drawn]))
    if not labels:
        return
    measured = f1_measure(expected, [predicted], sorted(set(expected))).values(times[None, :].astype(float))[0, 0]
    wanted = f1_score(expected[drawn], predicted[drawn], labels=labels, average="macro", zero_division=0)
    assert measured == pytest.approx(wanted)


def test_the_bootstrap_interval_of_macro_f1_agrees_with_a_loop_over_sklearn():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(3)
    expected = rng.integers(0, 3, 80)
    old = np.where(rng.random(80) < 0.5, expected, rng.integers(0, 3, 80))
    new = np.where(rng.random(80) < 0.8, expected, rng.integers(0, 3, 80))
    found = paired_bootstrap(
        {"m": (f1_measure(expected, [old], [0, 1, 2]), f1_measure(expected, [new], [0, 1, 2]))}, resamples=2000
    )["m"]
    draws = []
    for _ in range(400):
        rows = rng.integers(0, 80, 80)
        scores = [f1_score(expected[rows], side[rows], average="macro", zero_division=0) for side in (old, new)]
        draws.append(scores[1] - scores[0])
    assert found.row_error == pytest.approx(np.std(draws), rel=0.15)
    assert found.old == pytest.approx(f1_score(expected, old, average="macro"))
    assert found.difference == pytest.approx(f1_score(expected, new, average="macro") - found.old)


def test_an_unparsed_answer_costs_recall_and_is_nobodys_false_positive():
    measure = f1_measure([0, 0, 1], [[0, UNPARSED, 1]], [0, 1])
    assert measure.now() == [pytest.approx((2 / 3 + 1) / 2)]


@given(st.integers(0, 60), st.integers(0, 60))
@settings(deadline=None, max_examples=50)
def test_mcnemar_is_symmetric_and_equals_the_binomial_sum(fixed, broken):
    n, k = fixed + broken, min(fixed, broken)
    tail = sum(math.comb(n, i) for i in range(k + 1)) / 2**n
    assert mcnemar(fixed, broken).p == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(fixed, broken).p == mcnemar(broken, fixed).p


def test_no_discordant_rows_are_no_evidence():
    assert mcnemar(0, 0).p == 1.0


def test_the_same_predictions_twice_differ_by_nothing():
    same = mean_measure(right(0.7, 100, 1))
    found = paired_bootstrap({"accuracy": (same, same)})["accuracy"]
    assert found.difference == 0
    assert found.low < 0 < found.high
    assert found.p > 0.9


def test_swapping_the_versions_turns_the_interval_around():
    old, new = mean_measure(right(0.6, 300, 1)), mean_measure(right(0.8, 300, 2))
    there = paired_bootstrap({"a": (old, new)}, resamples=4000)["a"]
    back = paired_bootstrap({"a": (new, old)}, resamples=4000)["a"]
    assert back.difference == -there.difference
    assert (back.low, back.high) == (pytest.approx(-there.high, abs=0.01), pytest.approx(-there.low, abs=0.01))


def test_the_same_data_give_the_same_interval_every_time():
    pair = {"a": (mean_measure(right(0.6, 50, 1)), mean_measure(right(0.8, 50, 2)))}
    assert paired_bootstrap(pair) == paired_bootstrap(pair)


def test_the_row_level_p_of_changes_that_do_nothing_is_close_to_uniform():
    p_values = []
    for trial in range(300):
        rng = np.random.default_rng(trial)
        discordant = rng.binomial(400, 0.2)
        fixed = int(rng.binomial(discordant, 0.5))
        p_values.append(mcnemar(fixed, discordant - fixed).p)
    for level in (0.1, 0.3, 0.6):
        share = np.mean([p <= level for p in p_values])
        assert level - 0.13 < share < level + 0.05  # an exact test of counts errs on the safe side


@pytest.mark.parametrize(("spread", "seeds"), [(0.0, 3), (0.02, 3), (0.015, 1)])
def test_a_change_that_does_nothing_is_rarely_called_a_difference(spread, seeds):
    wrong = 0
    for trial in range(120):
        rng = np.random.default_rng(1000 + trial)
        easy = rng.beta(0.36, 0.09, 150)

        def trainings(rng=rng, easy=easy):
            return [
                [float(value) for value in rng.random(150) < np.clip(easy + rng.normal(0, spread), 0, 1)]
                for _ in range(seeds)
            ]

        found = paired_bootstrap(
            {"a": (mean_measure(trainings()), mean_measure(trainings()))}, resamples=300, seed=trial
        )["a"]
        wrong += found.low > 0 or found.high < 0
    assert wrong <= 10  # 6 are nominal


def test_a_large_true_gain_is_found():
    old, new = mean_measure(right(0.6, 300, 1, 3)), mean_measure(right(0.8, 300, 5, 3))
    found = paired_bootstrap({"a": (old, new)})["a"]
    assert found.low > 0
    assert found.p < 0.01


def test_seeds_that_differ_widely_widen_the_interval():
    calm = [[1.0] * 140 + [0.0] * 60] * 3
    wild = [[1.0] * 190 + [0.0] * 10, [1.0] * 140 + [0.0] * 60, [1.0] * 90 + [0.0] * 110]
    old = mean_measure([[1.0] * 120 + [0.0] * 80] * 3)
    narrow, wide = (paired_bootstrap({"a": (old, mean_measure(new))})["a"] for new in (calm, wild))
    assert wide.difference == pytest.approx(narrow.difference)
    assert wide.seed_error > 3 * narrow.seed_error
    assert wide.low < 0 < narrow.low


def test_a_ratio_counts_only_the_rows_it_is_about():
    assert ratio_measure([[1, 0, 1, 0]], [[1, 1, 1, 0]]).now() == [pytest.approx(2 / 3)]
    assert ratio_measure([[0, 0]], [[0, 0]]).now() == [0.0]


def test_large_evaluations_are_resampled_in_pieces_with_the_same_result(monkeypatch):
    pair = {"a": (mean_measure(right(0.6, 500, 1)), mean_measure(right(0.7, 500, 2)))}
    whole = paired_bootstrap(pair, resamples=200)["a"]
    monkeypatch.setattr(statistics, "_CELLS", 5000)
    assert paired_bootstrap(pair, resamples=200)["a"] == whole


def test_the_noise_floor_is_the_spread_of_a_difference_of_means():
    assert noise_floor([0.70, 0.72, 0.74], 1, 1) == pytest.approx(0.02 * math.sqrt(2))
    assert noise_floor([0.70, 0.72, 0.74], 3, 3) == pytest.approx(0.02 * math.sqrt(2 / 3))
    assert noise_floor([0.70], 1, 1) is None
    assert seed_spread([[0.5], [0.7]]) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_holm_is_between_the_raw_and_the_bonferroni_p_and_keeps_their_order(p_values):
    adjusted = holm(p_values)
    for raw, corrected in zip(p_values, adjusted, strict=True):
        assert raw <= corrected <= min(1.0, len(p_values) * raw) + 1e-12
    by_raw = [corrected for _, corrected in sorted(zip(p_values, adjusted, strict=True))]
    assert by_raw == sorted(by_raw)


def test_holm_gives_the_textbook_values():
    assert holm([0.01, 0.04, 0.03]) == [pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06)]
