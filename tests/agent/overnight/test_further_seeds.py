"""A further seed that was begun: finished once by whoever takes the night up, and ended with the night."""

from __future__ import annotations

import pytest

from agent.context import Left
from agent.overnight.begin import start_night
from agent.overnight.budget import Meter
from agent.overnight.context import Night
from agent.overnight.further_seeds import BEGUN, finish_begun, stop_begun
from agent.overnight.records import BudgetLimits, Guarded, Measured
from agent.overnight.rules import NightRules, parse_allow
from agent.overnight.watchman import changed_by_hand, keep_seal, kept_seal
from tests.support.night_tasks import Place, of
from tools.text import english


@pytest.fixture
def night(tmp_path, monkeypatch):
    monkeypatch.setenv("ITERATE_CACHE", str(tmp_path / "cache"))
    place = Place(tmp_path, trained=("one",))
    limits = BudgetLimits(hours=1)
    record = start_night(
        place.root, [place.task("one")], limits, parse_allow("recipe"), seed=1, command="iterate overnight"
    )
    return Night(
        record=record,
        plan=record.plan(),
        rules=NightRules.model_validate(record.plan().rules),
        meter=Meter(record),
        watch=lambda event: None,
        say=english,
        stop=lambda: False,
        tell=lambda line: None,
    )


def begun(night):
    words = '{"task": "%s", "version": "v1", "seed": 43, "minutes": 1.0, "key": "measured:one:v1:43"}'
    (night.folder / BEGUN).write_text(words % night.tasks["one"], encoding="utf-8")


def test_nothing_is_finished_where_nothing_was_begun(night):
    assert not finish_begun(night)


def test_a_seed_whose_line_was_written_before_the_kill_is_not_trained_again(night):
    begun(night)
    night.add(Measured, "measured:one:v1:43", task="one", version="v1", seeds=[42, 43])
    assert not finish_begun(night)
    assert not (night.folder / BEGUN).exists()
    assert len(of(night.record.lines(), Measured)) == 1


def test_a_seed_that_was_begun_is_finished_whatever_its_own_run_has_used_up(night, monkeypatch):
    trained = []
    monkeypatch.setattr("agent.overnight.further_seeds.run_version", lambda args, context: trained.append(args.seeds))
    begun(night)
    assert finish_begun(night)
    assert trained == [[43]]
    assert [line.version for line in of(night.record.lines(), Measured)] == ["v1"]
    assert not finish_begun(night)


def test_a_seed_of_a_night_that_is_taken_up_long_after_its_time_is_not_started_again(night, monkeypatch):
    begun(night)
    past = night.plan.limits.model_copy(update={"until": "2020-01-01T00:00:00+00:00"})
    night.plan = night.plan.model_copy(update={"limits": past})
    monkeypatch.setattr("agent.overnight.further_seeds.run_version", None)
    with pytest.raises(Left):
        finish_begun(night)
    (cut,) = of(night.record.lines(), Guarded)
    assert (cut.task, cut.guard, cut.ends) == ("one", "time", "until")
    night.plan = night.plan.model_copy(update={"limits": BudgetLimits(hours=1)})  # as by a clock that is set back
    assert night.exhausted() == "until" and not night.has_room(1)


@pytest.mark.parametrize("end", ["trained", "ended behind its training"])
def test_the_results_of_a_further_seed_are_no_hand_edit(night, monkeypatch, end):
    task = night.tasks["one"]

    def train(args, context):
        file = task / "benchmarks/results/v1_valid.json"
        file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")

    monkeypatch.setattr("agent.overnight.further_seeds.run_version", train)
    keep_seal(night.folder, task)
    begun(night)
    if end == "trained":
        finish_begun(night)
    else:
        train(None, None)
        stop_begun(night)
    assert changed_by_hand(task, kept_seal(night.folder, "one")) == []


def test_ending_the_night_forgets_it(night):
    begun(night)
    stop_begun(night)
    assert not (night.folder / BEGUN).exists() and not finish_begun(night)
