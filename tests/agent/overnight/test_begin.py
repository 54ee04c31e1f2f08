"""The beginning of a night: one night for a task, whoever begins another, and a plan that says what it allows."""

from __future__ import annotations

import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.faces.overnight import NightWish, plan_lines, wish_texts
from agent.faces.overnight import begin as begin_wished
from agent.overnight.begin import open_nights, start_night
from agent.overnight.night import run_night
from agent.overnight.records import BudgetLimits, NightRecord, Waiting
from agent.overnight.rules import parse_allow
from tests.support.night_tasks import Place, give_version, make_task, of, write
from tools.errors import InputError
from tools.text import english


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "here", trained=("one",))


def begin(place, tasks=None):
    rules = parse_allow("config")
    limits = BudgetLimits(hours=1.0)
    return start_night(place.root, tasks or place.tasks, limits, rules, seed=3, command="iterate overnight")


def test_of_nights_begun_at_once_on_one_task_one_begins(place):
    def attempt(_):
        try:
            return begin(place)
        except InputError:
            return None

    with ThreadPoolExecutor(8) as pool:
        begun = [one for one in pool.map(attempt, range(8)) if one is not None]
    assert [one.id for one in open_nights(place.root)] == [one.id for one in begun]
    assert len(begun) == 1


def test_a_copy_of_a_night_leaves_the_tasks_of_the_first_alone(place, tmp_path):
    record = begin(place)
    copied = tmp_path / "copy"
    shutil.copytree(place.root, copied)
    copy = NightRecord(copied / ".iterate/nights" / record.id)
    with pytest.raises(InputError, match=str(place.root)) as refused:
        run_night(copy, model=None, watch=lambda event: None, say=english, stop=lambda: False)
    assert str(copy.folder) in str(refused.value.hint) and copy.lines() == []
    rules = parse_allow("config")
    start_night(copied, [copied / "tasks/one"], BudgetLimits(hours=1), rules, seed=3, command="iterate overnight")


def test_a_night_whose_plan_cannot_be_read_keeps_no_other_from_beginning(place):
    write(place.root / ".iterate/nights/broken/plan.json", '{"id": 3}')
    record = begin(place)
    assert [one.id for one in open_nights(place.root)] == [record.id]


def test_tasks_of_one_name_are_refused(place, tmp_path):
    twin = make_task(tmp_path / "elsewhere" / "one")
    give_version(twin)
    with pytest.raises(InputError, match="one"):
        begin(place, tasks=[place.task("one"), twin])


def test_the_plan_shows_the_rules_of_a_policy_file_before_anything_runs(place):
    file = place.root / "night.yaml"
    write(
        file,
        "approve:\n- kinds: [config, recipe]\n  ranges: {training.epochs: {max: 4}}\nadopt: if_better\nnight: {grace: 0}\n",
    )
    shown = "\n".join(
        map(str, plan_lines(begin_wished(place.root, place.tasks, NightWish(max_hours="1", policy=file))))
    )
    for words in ("approve 1.kinds: config, recipe", "ranges.training.epochs.max: 4", "adopt: if_better", "at once"):
        assert words in shown
    assert "max_minutes" not in shown


def test_what_is_agreed_to_in_the_chat_names_how_long_a_training_may_take_the_morning(place):
    shown = "\n".join(map(str, wish_texts(place.tasks, NightWish(max_hours="1"))))
    assert "25%" in shown and "10 min" in shown


def test_the_commands_about_a_task_outside_of_the_workspace_name_its_folder(place, tmp_path_factory):
    outside = make_task(tmp_path_factory.mktemp("else where") / "three")
    give_version(outside)
    record = begin_wished(place.root, [place.task("one"), outside], NightWish(max_hours="1", allow="decoding"))
    assert shlex.split(record.plan().command)[4:6] == ["one", str(outside)]
    ended = run_night(record, model=None, watch=lambda event: None, say=english, stop=lambda: False)
    assert ended == "nothing_worth_it"
    named = {line.task: shlex.split(line.command)[4] for line in of(record.lines(), Waiting)}
    assert named == {"one": "one", "three": str(outside)}
