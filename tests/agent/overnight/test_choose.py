"""Does a night try what promises most, go on as long as it is worth it, and claim by the locked test alone?"""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.overnight.belief import Arm, Belief
from agent.overnight.choose import (
    choose,
    ending,
    gain_over_start,
    keep,
    quick_check_pays,
    quick_verdict,
    seeds_before_opening,
    seeds_wanted,
    worth_opening,
)

NOISE = 0.03
HOPEFUL = Belief(0.02, 0.02)


def arm(key: str, mean: float, sd: float = 0.02, minutes: float = 10.0) -> Arm:
    return Arm(key, "config:x", "task", mean, sd, minutes)


def pick(*arms: Arm, seed: int = 1, minutes_left: float = 100.0):
    return choose(arms, rng=random.Random(seed), minutes_left=minutes_left, noise=NOISE)


def chosen(*arms: Arm) -> Counter[str]:
    return Counter(pick(*arms, seed=seed).arm.key for seed in range(300))


def test_what_promises_more_a_minute_is_tried_first_most_of_the_time_but_not_always():
    better, slower = chosen(arm("a", 0.03), arm("b", 0.01)), chosen(arm("a", 0.02), arm("b", 0.02, minutes=30))
    assert 300 > better["a"] > 200
    assert 300 > slower["a"] > 200


def test_a_change_that_little_is_known_about_is_tried_more_often_than_those_known_to_do_little():
    """More often than its share of a quarter; between two of one mean it would be a coin."""
    known = [arm(f"known{number}", 0.008, sd=0.005) for number in range(3)]
    assert chosen(*known, arm("unknown", 0.008, sd=0.04))["unknown"] > 100


def test_the_same_seed_chooses_the_same_change():
    arms = [arm(str(number), 0.01 * number) for number in range(5)]
    assert pick(*arms, seed=7) == pick(*arms, seed=7)
    assert pick(*arms).candidates == 5


@pytest.mark.parametrize("seed", range(5))
def test_an_order_that_measured_minutes_gave_the_list_decides_nothing(seed):
    arms = [arm(str(number), 0.02, minutes=10.0 + number / 10) for number in range(6)]
    picked = pick(*arms, seed=seed)
    assert pick(*reversed(arms), seed=seed) == picked
    others = [one for one in arms if one != picked.arm]
    assert pick(picked.arm, *others[:2], seed=seed).arm == picked.arm


def test_nothing_is_chosen_that_does_not_fit_or_is_not_worth_its_cost():
    assert pick(arm("a", 0.02, minutes=200.0)) is None
    assert pick(arm("a", -0.03, sd=0.01)) is None
    assert pick(arm("a", 0.0, sd=0.003)) is None
    assert pick() is None


def test_the_best_of_the_others_is_what_further_seeds_are_weighed_against():
    alone, with_other = pick(arm("a", 0.02)), pick(arm("a", 0.02), arm("b", 0.02))
    assert alone.elsewhere == 0.0
    assert with_other.elsewhere == pytest.approx(Belief(0.02, 0.02).worth(NOISE))


def test_what_looks_good_gets_further_seeds_unless_another_change_is_worth_more():
    unsure = Belief(0.005, 0.02)
    assert seeds_wanted(unsure, trained=1, most=3, noise=NOISE) == 1
    assert seeds_wanted(unsure, trained=1, most=3, noise=NOISE, elsewhere=0.02) == 0
    assert seeds_wanted(unsure, trained=3, most=3, noise=NOISE) == 0
    assert seeds_wanted(Belief(-0.005, 0.02), trained=1, most=3, noise=NOISE) == 0
    assert seeds_wanted(Belief(0.08, 0.01), trained=1, most=3, noise=NOISE) == 0  # sure already


def test_a_change_is_kept_by_its_mean_as_far_as_it_is_believed_and_never_when_it_clearly_fell():
    assert keep(HOPEFUL.after(0.02, NOISE), 0.02, NOISE)
    assert keep(HOPEFUL.after(-0.005, NOISE), -0.005, NOISE)
    assert not keep(HOPEFUL.after(-0.02, NOISE), -0.02, NOISE)
    assert HOPEFUL.after(-0.02, NOISE).mean > 0  # what was promised of it does not save it
    assert not keep(Belief(-0.03, 0.01).after(0.02, NOISE), 0.02, NOISE)


def test_no_strict_test_stands_before_keeping():
    assert keep(Belief(0.0, 0.02).after(0.01, 0.02), 0.01, 0.02)  # p is about .6


@given(st.floats(-0.05, 0.05), st.floats(0.005, 0.05), st.floats(-0.1, 0.1))
def test_a_quick_check_that_shows_more_never_expects_less(mean, sd, shown):
    one, more = (quick_verdict(Belief(mean, sd), at - 0.08, at + 0.08, at, noise=NOISE) for at in (shown, shown + 0.02))
    assert more.belief.mean >= one.belief.mean
    assert more.goes_on or not one.goes_on


def test_a_quick_check_ends_what_it_shows_to_fall_far_and_its_interval_counts():
    assert not quick_verdict(HOPEFUL, -0.12, -0.08, -0.1, noise=NOISE).goes_on
    assert quick_verdict(HOPEFUL, -0.20, 0.0, -0.1, noise=NOISE).goes_on
    assert quick_verdict(HOPEFUL, -0.05, 0.09, 0.02, noise=NOISE).goes_on


def test_a_quick_check_pays_when_it_is_cheap_and_tells_much_against_another_change_that_is_worth_as_much():
    known = {"noise": NOISE, "rows": 1000, "elsewhere": Belief(0.0, 0.06).worth(NOISE)}
    assert quick_check_pays(Belief(0.0, 0.06), part=0.05, **known)
    assert not quick_check_pays(Belief(0.0, 0.06), part=2.0, **known)
    assert not quick_check_pays(HOPEFUL, part=0.3, noise=NOISE, rows=120)  # nothing else to train instead


def test_trainings_are_held_back_until_the_opening_would_probably_decide():
    known = {"most": 3, "rows": 300, "base_seeds": 3}
    assert seeds_before_opening(Belief(0.03, 0.02), trained=1, **known) == 2
    assert seeds_before_opening(Belief(0.03, 0.02), trained=3, **known) == 0
    assert seeds_before_opening(Belief(0.12, 0.02), trained=1, **known) == 0


def test_the_gain_of_a_night_is_drawn_back_to_what_was_believed_of_what_it_kept():
    lucky = gain_over_start([Belief(0.01, 0.01), Belief(0.0, 0.01)], 0.08, 0.02)
    assert 0.01 < lucky.mean < 0.05


def test_the_test_is_opened_for_a_likely_gain_alone():
    assert worth_opening(Belief(0.04, 0.02)) and not worth_opening(Belief(0.02, 0.02))


@pytest.mark.parametrize(
    ("rule", "verdict", "difference", "adopts"),
    [
        ("wait", "better", 0.05, False),
        ("if_better", "better", 0.05, True),
        ("if_better", "undecided", 0.03, False),
        ("if_better", "worse", -0.05, False),
        ("if_not_worse", "undecided", 0.01, True),
        ("if_not_worse", "undecided", -0.06, False),
        ("if_not_worse", "worse", -0.05, False),
        ("if_not_worse", "not_comparable", 0.0, False),
    ],
)
def test_only_the_rules_of_the_night_adopt_and_only_by_the_opened_test(rule, verdict, difference, adopts):
    end = ending(rule, Belief(0.03, 0.015), difference=difference, error=0.02, verdict=verdict)
    assert end.adopt is adopts
    if verdict == "not_comparable":
        assert end.expected == Belief(0.03, 0.015)
