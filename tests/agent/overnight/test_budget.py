"""What a night has used and may use: clocks that jump, processes that die, times of day in zones with daylight saving."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.overnight.budget import (
    Meter,
    exhausted,
    hours_of,
    limit_texts,
    limits_of,
    minutes_left,
    overdue,
    runs_left,
    until_instant,
)
from agent.overnight.records import BudgetLimits, Spent
from tests.support.nights import Night, at
from tools.errors import InputError
from tools.generating.prices import FREE
from tools.generating.writer import Price
from tools.text import english

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clocks:
    def __init__(self) -> None:
        self.monotonic = 1_000.0
        self.wall = 1_700_000_000.0

    def pass_(self, seconds: float, wall: float | None = None) -> None:
        self.monotonic += seconds
        self.wall += seconds if wall is None else wall


@pytest.fixture
def night(tmp_path):
    return Night(tmp_path).record


def meter(record, clocks: Clocks, price: Price | None = None) -> Meter:
    made = Meter(record, clock=lambda: clocks.monotonic, wall=lambda: clocks.wall)
    made.price = price
    return made


def spent(**used) -> Spent:
    return Spent(at=at(0), key="spent:1", **({"minutes": 0.0, "runs": 0, "dollars": 0.0} | used))


# --- the meter


def test_a_process_that_takes_a_night_up_goes_on_counting_from_the_newest_line(night):
    clocks = Clocks()
    first = meter(night, clocks, price=Price(prompt=1, completion=2))
    clocks.pass_(600)
    first.ran("run-a", "run-b")
    first.used(1_000_000, 500_000)
    clocks.pass_(3_600)  # it was killed there, and nobody works on the night
    second = meter(night, clocks, price=Price(prompt=1, completion=2))
    clocks.pass_(60)
    second.ran("run-b", "run-c")
    second.used(500_000, 0, estimated=True)
    now = second.write()
    assert (round(now.minutes, 6), now.runs, now.dollars) == (11.0, 3, 2.5)
    assert (now.prompt_tokens, now.completion_tokens, now.estimated) == (1_500_000, 500_000, True)
    assert [line.key for line in night.lines()] == ["spent:1", "spent:2", "spent:3", "spent:4"]


def test_a_kill_in_a_long_training_takes_a_few_minutes_out_of_the_count_at_most(night):
    clocks = Clocks()
    counter = meter(night, clocks)
    for _ in range(120):
        clocks.pass_(60)
        counter.ran("long")
    assert meter(night, clocks).spent().minutes >= 115
    assert len(night.lines()) <= 24


def test_the_same_run_counts_once_however_often_it_is_named(night):
    counter = meter(night, Clocks())
    counter.ran("a", "a")
    counter.ran("a")
    assert counter.spent().runs == 1


@pytest.mark.parametrize("wall", [-7_200.0, 86_400.0])
def test_a_clock_that_jumps_changes_no_minute_and_is_said_once(night, wall):
    clocks = Clocks()
    counter = meter(night, clocks)
    clocks.pass_(60, wall)
    jump = counter.jump()
    assert jump is not None and jump.guard == "clock"
    assert ("set back" in str(jump.message)) is (wall < 0)
    assert round(counter.spent().minutes, 6) == 1.0
    assert counter.jump() is None


def test_small_corrections_of_the_clock_are_no_jump_and_two_jumps_are_two_lines(night):
    clocks = Clocks()
    counter = meter(night, clocks)
    clocks.pass_(600, 605)
    assert counter.jump() is None
    keys = []
    for _ in range(2):
        clocks.pass_(1, 9_000)
        line = counter.jump()
        night.add(line)
        keys.append(line.key)
    again = meter(night, clocks)
    clocks.pass_(1, 9_000)
    assert len({*keys, again.jump().key}) == 3


def test_the_language_model_is_refused_once_its_dollars_are_used_up_and_only_then(tmp_path):
    record = Night(tmp_path, limits=BudgetLimits(hours=8, dollars=1)).record
    priced = meter(record, Clocks(), price=Price(prompt=1, completion=1))
    priced.used(999_999, 0)
    assert priced.refuses() is None
    priced.used(1, 0)
    assert "1.00" in str(priced.refuses())
    for name, price in (("unknown", None), ("free", FREE)):
        free = meter(Night(tmp_path, night=name, limits=BudgetLimits(hours=8, dollars=1)).record, Clocks(), price=price)
        free.used(10**9, 10**9)
        assert free.refuses() is None and free.spent().dollars == 0


def test_with_no_dollars_at_all_nothing_that_costs_is_asked_and_the_night_goes_on_by_rules(tmp_path):
    limits = BudgetLimits(hours=8, dollars=0)
    record = Night(tmp_path, limits=limits).record
    assert meter(record, Clocks(), price=Price(prompt=1, completion=1)).refuses() is not None
    assert exhausted(limits, spent(), NOON) is None


# --- limits


def test_the_limit_that_is_reached_is_named():
    limits = BudgetLimits(until="2026-11-23T07:00:00+00:00", hours=8, runs=12, dollars=5)
    assert exhausted(limits, spent(), NOON) is None
    assert exhausted(limits, spent(minutes=480), NOON) == "hours"
    assert exhausted(limits, spent(runs=12), NOON) == "runs"
    assert exhausted(limits, spent(dollars=5), NOON) == "cost"
    assert exhausted(limits, spent(), datetime(2026, 11, 23, 7, 0, tzinfo=UTC)) == "until"
    assert runs_left(limits, spent(runs=13)) == 0


def test_the_nearer_end_counts():
    limits = BudgetLimits(until="2026-11-22T13:00:00+00:00", hours=8)
    assert minutes_left(limits, spent(), NOON) == 60
    assert minutes_left(limits, spent(minutes=450), NOON) == 30
    assert minutes_left(limits, spent(minutes=500), NOON) == 0


def test_a_time_of_day_is_the_next_one_and_its_date_is_said():
    now = datetime(2026, 11, 22, 23, 15, tzinfo=BERLIN)
    limits = limits_of(until="07:00", max_hours="90m", max_runs=12, max_cost=5.0, now=now)
    assert limits.until == "2026-11-23T06:00:00+00:00"
    assert limits.hours == 1.5
    said = [english(one) for one in limit_texts(limits, now)]
    assert said[0] == "Until 2026-11-23 07:00 (CET), in 7 h 45 min."
    assert len(said) == 4
    assert until_instant("23:16", now) == "2026-11-22T22:16:00+00:00"
    assert until_instant("23:15", now) == "2026-11-23T22:15:00+00:00"


def test_a_night_in_which_daylight_saving_changes_has_its_true_length():
    spring, autumn = (datetime(2026, *day, 23, 0, tzinfo=BERLIN) for day in ((3, 28), (10, 24)))
    for evening, hours in ((spring, 7), (autumn, 9)):
        end = datetime.fromisoformat(until_instant("07:00", evening))
        assert (end - evening).total_seconds() == hours * 3_600
    assert until_instant("02:30", spring) == "2026-03-29T01:30:00+00:00"  # skipped: the clock shows 03:30 then
    assert until_instant("02:30", autumn) == "2026-10-25T00:30:00+00:00"  # the first of two
    between = datetime(2026, 10, 25, 2, 40, tzinfo=BERLIN)
    assert until_instant("02:30", between) == "2026-10-25T01:30:00+00:00"  # the second, 50 minutes later


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system sets no zone")
def test_without_a_given_zone_the_machines_counts(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Taipei")
    time.tzset()
    try:
        end = datetime.fromisoformat(until_instant("07:00"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (end.hour, end.minute) == (23, 0)
    assert 0 < (end - datetime.now(UTC)).total_seconds() <= 86_400


@pytest.mark.parametrize("text", ["7", "25:00", "07:60", "", "tomorrow", "8h", "07:00; rm -rf", "-1:00"])
def test_what_is_no_time_of_day_is_refused_with_an_example(text):
    with pytest.raises(InputError) as error:
        until_instant(text, NOON)
    assert "07:00" in str(error.value.hint)


def test_lengths_of_time():
    assert [hours_of(text) for text in ("8", "8h", "1.5 hours", "90m", "30 min")] == [8, 8, 1.5, 1.5, 0.5]
    for text in ("0", "-1", "soon", "1000h", "8d", ""):
        with pytest.raises(InputError):
            hours_of(text)


def test_everything_that_is_wrong_with_a_budget_is_said_at_once():
    with pytest.raises(InputError) as error:
        limits_of(until="25:00", max_hours="soon", max_runs=0, max_cost=float("nan"), now=NOON)
    assert len(error.value.problems) == 4
    for given in ({}, {"max_runs": 3}, {"max_cost": 1.0}):
        with pytest.raises(InputError) as error:
            limits_of(**given)
        assert "without an end" in str(error.value.problems[0].message)


def test_a_limit_of_time_is_overdue_once_more_than_the_grace_has_passed():
    seven = BudgetLimits(until="2026-11-22T11:30:00+00:00")
    assert [overdue(seven, spent(), NOON, grace) for grace in (0, 29, 30, 60)] == ["until", "until", None, None]
    hours = BudgetLimits(hours=2)
    assert [overdue(hours, spent(minutes=used), NOON, 10) for used in (119, 129, 131)] == [None, None, "hours"]
    assert overdue(BudgetLimits(hours=9, runs=1), spent(runs=5), NOON, 0) is None
