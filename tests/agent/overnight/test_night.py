"""Whole nights: two of them as processes, one of which is killed again and again; the rest in this process."""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest

from agent.model.client import open_model
from agent.overnight.begin import start_night
from agent.overnight.night import ask_to_stop, over_reason, run_night
from agent.overnight.records import (
    BudgetLimits,
    Chosen,
    Guarded,
    Over,
    Spent,
    TakenUp,
    TaskPaused,
    Tried,
    Waiting,
)
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.markdown import markdown
from agent.overnight.rules import parse_allow, read_rules
from agent.session import task_lock
from agent.settings import Settings
from agent.steps.execute import CONFIG
from tests.support.night_tasks import Place, journal, make_task, of, write
from tools.errors import Busy, InputError
from tools.files import write_model
from tools.launch_training import active_runs
from tools.runs import EndEvent
from tools.text import english
from tools.versioning.ledger import openings

pytestmark = pytest.mark.training

WORDS = ("one", "two", "--max-hours", "1", "--max-runs", "3", "--allow", "config,recipe,baseline", "--seed", "3")
VOLATILE = {"at", "minutes", "basis", "run_id"}


def without_times(value):
    if isinstance(value, dict):
        return {name: without_times(one) for name, one in value.items() if name not in VOLATILE}
    return [without_times(one) for one in value] if isinstance(value, list) else value


def told(record):
    lines = [line for line in record.lines() if not isinstance(line, Spent | TakenUp)]
    return [without_times(json.loads(line.model_dump_json().replace(str(record.workspace), "."))) for line in lines]


def kill_and_take_up(place, process, times):
    """Kill the night, and now and then a worker of it, at moments that nobody chose; returns the last process."""
    chance = random.Random(5)
    for _ in range(times):
        time.sleep(chance.uniform(2.0, 5.0))
        if process.poll() is not None:
            break
        process.kill()
        process.communicate()
        workers = [json.loads(file.read_text()) for file in place.root.glob("tasks/*/runs/*/status.json")]
        for worker in (one for one in workers if one["state"] == "running" and chance.random() < 0.5):
            os.kill(worker["pid"], 9)
        process = place.start("--resume")
    return process


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """The same night twice, at the same time: one undisturbed, one killed on the way."""
    calm, killed = (
        Place(tmp_path_factory.mktemp(name), trained=("one",), untrained=("two",)) for name in ("calm", "killed")
    )
    before = calm.configs()
    first, second = calm.start(*WORDS), killed.start(*WORDS)
    while not killed.nights:
        time.sleep(0.05)
    second = kill_and_take_up(killed, second, 2)
    for place, process in ((calm, first), (killed, second)):
        place.output = process.communicate(timeout=240)
        place.code = process.returncode
        assert place.nights, place.output
    calm.before = before
    return calm, killed


def test_a_night_ends_by_its_budget_and_says_so(nights):
    place = nights[0]
    (night,) = place.nights
    assert place.code == 3, place.output
    assert over_reason(night) == "runs"
    assert of(night.lines(), Spent)[-1].runs == 3
    assert (night.folder / "report.md").is_file() and (night.folder / "report.html").is_file()
    assert "--resume" not in place.output[1]


def test_a_killed_night_comes_to_the_same_lines_and_decisions(nights):
    calm, killed = nights
    assert killed.code == calm.code, killed.output
    assert of(killed.nights[0].lines(), TakenUp)
    assert told(killed.nights[0]) == told(calm.nights[0])
    assert of(killed.nights[0].lines(), Spent)[-1].runs == 3
    for name in ("one", "two"):
        runs = [sorted(path.name for path in place.task(name).glob("runs/*/") if path.is_dir()) for place in nights]
        versions = [sorted(path.name for path in place.task(name).glob("iterations/v*")) for place in nights]
        assert runs[0] == runs[1] and versions[0] == versions[1]
    assert killed.configs() == calm.configs()


def test_the_night_approves_the_chosen_changes_alone(nights):
    place = nights[0]
    chosen = {line.proposal.id for line in of(place.nights[0].lines(), Chosen)}
    decisions = [one["data"]["decision"] for task in place.tasks for one in journal(task) if one["event"] == "decision"]
    assert {one["proposal_id"] for one in decisions if one["decision"] == "approve"} == chosen
    assert {one["by"] for one in decisions} == {"policy"}
    assert all(one["decision"] in {"approve", "defer"} for one in decisions)


def test_the_test_set_is_opened_once_a_task_at_most_and_the_configuration_is_put_back(nights):
    place = nights[0]
    lines = place.nights[0].lines()
    kept = {line.task for line in of(lines, Tried) if line.outcome == "kept" and line.comparison}
    assert kept
    for task in place.tasks:
        assert len(openings(task)) <= 1
        assert not (task / "models/current.json").exists()
    assert {line.task for line in of(lines, Waiting) if line.what == "adoption"} == kept
    assert place.configs() == place.before


# --- in this process


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = Place(tmp_path, trained=("one", "two"))
    monkeypatch.setenv("ITERATE_CACHE", str(tmp_path / "cache"))
    return made


def begin(place, allow="config,recipe", tasks=None, **limits):
    rules = allow if not isinstance(allow, str) else parse_allow(allow)
    limits = BudgetLimits(hours=1.0, **limits)
    return start_night(place.root, tasks or place.tasks, limits, rules, seed=3, command="iterate overnight")


def run(record, *, tell=lambda line: None, stop=lambda: False, model=None):
    return run_night(record, model=model, watch=lambda event: None, say=english, stop=stop, tell=tell)


def test_what_is_not_allowed_waits_once_and_nothing_runs(place):
    record = begin(place, "decoding")
    assert run(record) == "nothing_worth_it"
    waiting = [line for line in of(record.lines(), Waiting) if line.what == "proposal"]
    assert waiting and len({line.key for line in waiting}) == len(waiting)
    assert all(line.command.startswith("iterate run ") for line in waiting)
    assert not of(record.lines(), Chosen)
    assert not list(place.root.glob("tasks/*/runs/*"))


@pytest.mark.parametrize("file", ["data/valid.jsonl", "benchmarks/results/v1_valid.predictions.jsonl"])
def test_a_task_changed_by_hand_is_left_alone_and_the_other_goes_on(place, file):
    broken = make_task(place.root / "tasks" / "three")
    write(broken / "task_definition.yaml", "task_name: [")
    changed: list[str] = []

    def edit(line):
        if isinstance(line, Tried) and not changed:
            changed.append(line.task)
            rows = place.task(line.task) / file
            rows.write_text(rows.read_text(encoding="utf-8") + '{"text": "x", "label": "中立"}\n', encoding="utf-8")

    record = begin(place, runs=2)
    assert run(record, tell=edit) == "runs"
    lines = record.lines()
    paused = {line.task: str(line.reason) for line in of(lines, TaskPaused)}
    assert set(paused) == {"three", changed[0]}
    assert file in paused[changed[0]]
    assert [line.task for line in of(lines, Guarded) if line.guard == "hand_edit"] == changed
    other = ({"one", "two"} - set(changed)).pop()
    assert [line.task for line in of(lines, Tried)] == [changed[0], other]
    assert openings(place.task(changed[0])) == []


def test_a_task_whose_folder_is_gone_is_told_with_a_command_that_works_without_it(place):
    gone: list[str] = []

    def delete(line):
        if isinstance(line, Tried) and not gone:
            gone.append(line.task)
            shutil.rmtree(place.task(line.task))

    record = begin(place, runs=2)
    assert run(record, tell=delete) == "runs"
    (waiting,) = (line for line in of(record.lines(), Waiting) if line.what == "paused_task")
    assert waiting.task == gone[0] and str(place.root / "tasks" / gone[0]) in str(waiting.reason)
    words = shlex.split(waiting.command)
    assert words[-1] == "fsck" and gone[0] not in words


def test_trials_that_crash_are_recorded_and_two_in_a_row_pause_the_task(place):
    write(place.task("one") / "mood", "fails")
    before = place.configs()
    record = begin(place, "recipe", tasks=[place.task("one")])

    def die(line):
        """Behind the second crash, before what follows from it, and in the middle of that."""
        if isinstance(line, (Tried, TaskPaused)) and len(of(record.lines(), Tried)) == 2:
            raise SystemExit

    for _ in range(2):
        with pytest.raises(SystemExit):
            run(record, tell=die)
    assert run(record) == "all_paused"
    assert [line.what for line in of(record.lines(), Waiting)].count("paused_task") == 1
    tried = of(record.lines(), Tried)
    assert [line.outcome for line in tried] == ["crashed", "crashed"]
    assert "3" in str(tried[0].reason)
    assert place.configs() == before


def test_a_configuration_changed_by_hand_stays_when_the_training_under_way_crashes(place):
    task = place.task("one")
    write(task / "mood", "fails")
    config = task / "configs/training_config.yaml"

    def edit(event):
        if event.type == "progress" and "a thought" not in config.read_text(encoding="utf-8"):
            write(config, config.read_text(encoding="utf-8") + "# a thought\n")

    record = begin(place, "recipe", tasks=[task])
    run_night(record, model=None, watch=edit, say=english, stop=lambda: False)
    assert config.read_text(encoding="utf-8").endswith("# a thought\n")
    assert [line.outcome for line in of(record.lines(), Tried)] == ["crashed"]
    assert [CONFIG in str(line.reason) for line in of(record.lines(), TaskPaused)] == [True]


def test_a_night_that_is_left_is_taken_up_and_one_that_is_ended_stays_ended(place):
    chosen: list[Chosen] = []
    record = begin(place)
    said = run(
        record, tell=lambda line: chosen.append(line) if isinstance(line, Chosen) else None, stop=lambda: bool(chosen)
    )
    assert said == "stopped" and not record.is_over
    with pytest.raises(InputError, match=record.id):
        begin(place)
    ask_to_stop(record)
    before = place.configs()
    assert run(record) == "stopped"
    lines = record.lines()
    assert of(lines, TakenUp) and [line.reason for line in of(lines, Over)] == ["stopped"]
    assert [line.outcome for line in of(lines, Tried)] == ["interrupted"]
    assert place.configs() == before
    assert all(openings(task) == [] for task in place.tasks)
    count = len(lines)
    assert run(record) == "stopped" and len(record.lines()) == count


def test_a_task_that_a_person_works_on_is_left_to_them(place):
    record = begin(place, tasks=[place.task("one")])
    with task_lock(place.task("one")):
        assert run(record) == "all_paused"
    assert [line.outcome for line in of(record.lines(), Tried)] == ["interrupted"]


def test_two_nights_cannot_work_on_one_task(place):
    record = begin(place)
    refused: list[str] = []

    def try_another(line):
        for attempt in (lambda: begin(place), lambda: run(record)):
            with pytest.raises(Busy):
                attempt()
            refused.append(line.key)
        ask_to_stop(record)

    run(record, tell=lambda line: try_another(line) if isinstance(line, Chosen) else None)
    assert len(refused) == 2


def test_an_endpoint_that_is_gone_is_said_once_and_the_rules_go_on(place, tmp_path):
    write(tmp_path / "policy.yaml", "approve:\n  - kinds: [decoding]\n    from_model: true\n")
    model = open_model(Settings(base_url="http://127.0.0.1:9/v1", model="gone", timeout=2))
    record = begin(place, read_rules(tmp_path / "policy.yaml"))
    assert run(record, model=model) == "nothing_worth_it"
    assert [line.guard for line in of(record.lines(), Guarded)] == ["endpoint"]


def test_a_first_version_whose_seeds_are_more_than_the_trainings_allowed_is_not_begun(tmp_path):
    place = Place(tmp_path, untrained=("one",))
    config = place.task("one") / "configs/training_config.yaml"
    write(config, config.read_text(encoding="utf-8").replace("seed: 42", "seeds: [1, 2, 3]"))
    record = begin(place, "baseline", runs=2)
    assert run(record) == "runs"
    assert not of(record.lines(), Chosen)


def test_a_trial_that_had_not_begun_is_not_begun_after_the_time_of_its_night(place, monkeypatch):
    record = begin(place, tasks=[place.task("one")])
    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr("agent.overnight.night.carry_out", lambda *_: (_ for _ in ()).throw(SystemExit))
        run(record)
    plan = record.plan()
    past = plan.limits.model_copy(update={"until": "2020-01-01T00:00:00+00:00"})
    write_model(record.folder / "plan.json", plan.model_copy(update={"limits": past}))
    assert run(record) == "until"
    (tried,) = of(record.lines(), Tried)
    assert tried.outcome == "interrupted" and "began" in str(tried.reason)
    assert not list(place.task("one").glob("runs/*"))


class Clock(datetime):
    """The wall clock of a night, which a test may set."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.ahead


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr("agent.overnight.context.datetime", Clock)
    monkeypatch.setattr(Clock, "ahead", timedelta(0))
    return Clock


def in_two_hours():
    return (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")


def test_a_training_far_beyond_the_time_of_its_night_is_cancelled_whatever_kills_it_or_sets_the_clock(place, clock):
    task, before = place.task("one"), place.configs()
    write(task / "mood", "endless")
    record = begin(place, "recipe", tasks=[task], until=in_two_hours())

    def watch(event):
        if event.type == "progress":
            clock.ahead = timedelta(hours=3)

    def die(line):
        if isinstance(line, Guarded):
            raise SystemExit

    with pytest.raises(SystemExit):
        run_night(record, model=None, watch=watch, say=english, stop=lambda: False, tell=die)
    assert active_runs(task) and not of(record.lines(), Tried)
    clock.ahead = timedelta(0)
    assert run(record) == "until"
    (cut,), (tried,) = of(record.lines(), Guarded), of(record.lines(), Tried)
    assert (cut.guard, cut.ends) == ("time", "until")
    assert (tried.outcome, tried.reason) == ("interrupted", cut.message)
    assert place.configs() == before and not active_runs(task) and len(list(task.glob("runs/*/spec.json"))) == 1
    assert "cut off: It was not finished 10 min after" in markdown(night_facts(record), english)


def test_a_further_seed_that_is_cut_leaves_the_decision_to_those_that_were_trained(place, clock):
    task = place.task("one")
    record = begin(place, "recipe", tasks=[task], until=in_two_hours())

    def watch(event):
        if event.type == "progress" and isinstance(event.event, EndEvent):
            write(task / "mood", "endless")
        if len(list(task.glob("runs/*/spec.json"))) == 2:
            clock.ahead = timedelta(hours=3)

    assert run_night(record, model=None, watch=watch, say=english, stop=lambda: False) == "until"
    (tried,) = of(record.lines(), Tried)
    assert tried.outcome in {"kept", "discarded"} and len(tried.seeds) == 1
    assert [line.guard for line in of(record.lines(), Guarded)] == ["time"] and not active_runs(task)


def test_a_training_that_needs_a_few_minutes_more_is_not_cancelled(place, clock):
    task = place.task("one")
    write(task / "mood", "slow")
    record = begin(place, "recipe", tasks=[task], until=in_two_hours())

    def watch(event):
        if event.type == "progress":
            clock.ahead = timedelta(hours=2, minutes=9)

    assert run_night(record, model=None, watch=watch, say=english, stop=lambda: False) == "until"
    assert [line.outcome for line in of(record.lines(), Tried)] != ["interrupted"]
    assert not of(record.lines(), Guarded)
