"""A few simulated nights (tests/benchmarks/overnight_simulation.py): is the README's table still what comes out?"""

from __future__ import annotations

import random

import pytest

from tests.benchmarks.night_worlds import RUNS, SEEDS, WORLDS, Lab, catalogue, compared
from tests.benchmarks.overnight_simulation import ARMS, Ours, Tracker, markdown, simulate

NIGHTS = 80
GREEDY, CAREFUL, BOLD = "keep if better", "this program, adopt if better", "this program, adopt if not worse"


@pytest.fixture(scope="module")
def rows():
    arms = {name: ARMS[name] for name in (GREEDY, CAREFUL, BOLD)}
    return {(row.world, row.arm): row for row in simulate(NIGHTS, 3, ["zero", "half"], arms)}


def test_where_nothing_works_keep_if_better_adopts_and_boasts_and_this_program_hardly_does(rows):
    assert rows["zero", GREEDY].useless.mean > 70 and rows["zero", GREEDY].gap.mean > 2
    assert rows["zero", CAREFUL].useless.mean < 10
    assert rows["zero", BOLD].useless.mean < 45
    assert {row.gain.mean for (world, _), row in rows.items() if world == "zero"} == {0.0}


def test_where_changes_bring_half_of_what_is_promised_real_gains_are_not_thrown_away(rows):
    assert rows["half", CAREFUL].gain.mean > 0.8 * rows["half", GREEDY].gain.mean
    assert rows["half", BOLD].gain.mean > 0.9 * rows["half", GREEDY].gain.mean
    assert rows["half", BOLD].gap.mean < 0.6 * rows["half", GREEDY].gap.mean


def test_the_locked_test_reports_what_the_adopted_weights_are_truly_worth(rows):
    for world in ("zero", "half"):
        gap = rows[world, BOLD].gap_weights
        assert gap.low < 0.3 and gap.high > -0.3
        assert rows[world, GREEDY].gap_weights.low > 0.5


def test_a_seed_gives_the_same_table_again():
    arms = {BOLD: ARMS[BOLD]}
    first, again, other = ("\n".join(markdown(simulate(10, seed, ["rare"], arms))) for seed in (1, 1, 2))
    assert first == again != other


def test_a_night_stays_within_its_budget_and_tries_nothing_twice(monkeypatch):
    tried = []
    train = Tracker.with_
    monkeypatch.setattr(Tracker, "with_", lambda self, one: tried.append(one.key) or train(self, one))
    for number in range(20):
        tried.clear()
        offered = catalogue(WORLDS["promised"], random.Random(number))
        night = Ours(WORLDS["promised"], offered, random.Random(number))
        assert night.run("if_better").trainings <= RUNS
        assert night.lab.runs >= 0 and night.lab.minutes >= 0
        assert len(tried) == len(set(tried)) > 5


def test_scores_spread_over_seeds_as_the_bundled_task_does_and_a_claim_about_nothing_is_rare():
    lab, called = Lab(random.Random(4)), []
    squares = []
    for _ in range(400):
        one, other = lab.start(), lab.start()
        valid = one.scores["valid"]
        middle = sum(valid) / SEEDS
        squares.append(sum((score - middle) ** 2 for score in valid) / (SEEDS - 1))
        called.append(compared(one, other, "test").verdict == "better")
    assert (sum(squares) / len(squares)) ** 0.5 == pytest.approx(0.02, abs=0.002)
    assert sum(called) / len(called) < 0.06
