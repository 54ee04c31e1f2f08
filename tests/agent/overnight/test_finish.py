from __future__ import annotations

import pytest

from agent.overnight.begin import start_night
from agent.overnight.budget import Meter
from agent.overnight.context import Night
from agent.overnight.finish import finish
from agent.overnight.night import ask_to_stop
from agent.overnight.records import BudgetLimits, Chosen, NightAdopted, TaskPaused, TestOpenedOnce, Tried, Waiting
from agent.overnight.rules import NightRules, parse_allow
from agent.overnight.watchman import keep_seal, keep_start
from agent.session import task_lock
from tests.support.cards import proposal
from tests.support.night_tasks import Place, give_version, of, write
from tools.compare import CompareArgs, compare
from tools.text import T, english
from tools.versioning.adopt import adopt as adopt_version
from tools.versioning.adopt import current
from tools.versioning.ledger import openings


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, trained=("one",))


def at_the_end(place, *, level, adopt="wait", deploy=False):
    """A night that has kept v2, which answers at that level, and stands before its end."""
    task = place.task("one")
    rules = parse_allow("config").model_copy(update={"adopt": adopt, "deploy": deploy})
    record = start_night(place.root, [task], BudgetLimits(runs=1, hours=1), rules, seed=1, command="iterate overnight")
    keep_start(record.folder, task)
    config = task / "configs/training_config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("epochs: 2", "epochs: 3"), encoding="utf-8")
    give_version(task, "v2", level=level)
    keep_seal(record.folder, task)
    night = Night(
        record=record,
        plan=record.plan(),
        rules=NightRules.model_validate(record.plan().rules),
        meter=Meter(record),
        watch=lambda event: None,
        say=english,
        stop=lambda: False,
        tell=lambda line: None,
    )
    found = compare(CompareArgs(task_dir=task, base="v1", new="v2"))
    parts = {"trial": 1, "task": "one"}
    night.add(
        Chosen,
        "chosen:1",
        **parts,
        base="v1",
        proposal=proposal(task="one"),
        expected=0.01,
        spread=0.05,
        minutes=1,
        candidates=1,
    )
    night.add(
        Tried, "tried:1", **parts, version="v2", outcome="kept", reason=T("It gained."), seeds=[42], comparison=found
    )
    return night


def epochs(place):
    text = (place.task("one") / "configs/training_config.yaml").read_text(encoding="utf-8")
    return next(line.split()[-1] for line in text.splitlines() if "epochs" in line)


def test_the_test_is_opened_once_however_often_the_end_is_run_and_adopting_waits(place):
    night = at_the_end(place, level=0.85)
    for _ in range(2):
        finish(night, "runs")
    lines = night.record.lines()
    (opened,) = of(lines, TestOpenedOnce)
    assert opened.version == "v2" and opened.opened.versions == ["v1", "v2"]
    assert len(openings(place.task("one"))) == 1
    (waiting,) = of(lines, Waiting)
    assert (waiting.what, waiting.command) == ("adoption", "iterate adopt one v2")
    assert current(place.task("one")) is None
    assert epochs(place) == "2"


def test_rules_that_allow_it_adopt_what_the_test_calls_better(place):
    night = at_the_end(place, level=0.85, adopt="if_better")
    for _ in range(2):
        finish(night, "until")
    (adopted,) = of(night.record.lines(), NightAdopted)
    assert (adopted.version, adopted.before) == ("v2", None)
    assert current(place.task("one")).version == "v2"
    assert epochs(place) == "3"
    assert not of(night.record.lines(), Waiting)


@pytest.mark.parametrize("step", ["adopt", "restore_version"])
def test_an_adoption_that_was_cut_off_is_no_hand_edit_and_is_finished(place, monkeypatch, step):
    night = at_the_end(place, level=0.85, adopt="if_better")

    def cut_off(*parts, **named):
        if step == "adopt":
            adopt_version(*parts, **named)
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(f"agent.overnight.finish.{step}", cut_off)
        finish(night, "until")
    finish(night, "until")
    lines = night.record.lines()
    assert [line.version for line in of(lines, NightAdopted)] == ["v2"]
    assert not of(lines, TaskPaused) and epochs(place) == "3"


def test_a_deploy_command_is_never_run_without_the_word_of_a_policy_file(place):
    definition = place.task("one") / "task_definition.yaml"
    write(definition, definition.read_text(encoding="utf-8") + "deploy: {command: touch deployed}\n")
    night = at_the_end(place, level=0.85, adopt="if_better")
    finish(night, "runs")
    assert not (place.task("one") / "deployed").exists() and current(place.task("one")) is None
    assert [line.what for line in of(night.record.lines(), Waiting)] == ["adoption"]


def test_the_test_stays_closed_for_a_gain_that_is_not_likely(place):
    night = at_the_end(place, level=0.53)
    finish(night, "hours")
    assert openings(place.task("one")) == []
    assert [line.version for line in of(night.record.lines(), Waiting)] == ["v2"]
    assert epochs(place) == "2"


def test_a_person_who_ends_the_night_opens_nothing(place):
    night = at_the_end(place, level=0.85, adopt="if_better")
    finish(night, "stopped")
    assert openings(place.task("one")) == [] and current(place.task("one")) is None
    assert epochs(place) == "2"


def test_a_person_who_ends_a_night_that_was_cut_off_before_its_end_opens_nothing_either(place):
    night = at_the_end(place, level=0.85, adopt="if_better")
    ask_to_stop(night.record)
    finish(night, "until")
    assert openings(place.task("one")) == [] and current(place.task("one")) is None
    assert [line.what for line in of(night.record.lines(), Waiting)] == ["adoption"]


def test_a_task_changed_by_hand_at_the_end_is_left_as_it_was_found(place):
    night = at_the_end(place, level=0.85, adopt="if_better")
    config = place.task("one") / "configs/training_config.yaml"
    write(config, config.read_text(encoding="utf-8") + "# a thought at three in the morning\n")
    before = config.read_bytes()
    finish(night, "runs")
    assert config.read_bytes() == before
    assert openings(place.task("one")) == []
    assert [line.task for line in of(night.record.lines(), TaskPaused)] == ["one"]
    assert [line.version for line in of(night.record.lines(), Waiting) if line.what == "adoption"] == ["v2"]


def test_what_was_kept_waits_when_somebody_works_on_the_task_at_the_end(place):
    night = at_the_end(place, level=0.85, adopt="if_better")
    with task_lock(place.task("one")):
        finish(night, "runs")
    assert openings(place.task("one")) == []
    assert [line.what for line in of(night.record.lines(), Waiting)] == ["paused_task", "adoption"]
