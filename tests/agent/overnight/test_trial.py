"""One trial, without a training where none is needed: what is made of the numbers, of a quick check, and of an error."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from agent.approval import DecideQuestion
from agent.context import Left
from agent.events import Progress, SessionEnded
from agent.journal import Journal
from agent.overnight.begin import start_night
from agent.overnight.belief import Belief
from agent.overnight.budget import Meter
from agent.overnight.context import Night
from agent.overnight.ended import ABANDONED, session_of, unfinished_work
from agent.overnight.quick import quickly_checked
from agent.overnight.records import BudgetLimits, Chosen, Guarded, QuickChecked, TaskPaused, Tried
from agent.overnight.rules import NightRules, parse_allow
from agent.overnight.trial import SHORT_OF_MEMORY, _Trial, carry_out, judged, note_memory
from agent.overnight.watchman import keep_seal, keep_start
from agent.proposing.now import base_version, proposals_now
from agent.records import session_records
from tests.support.night_tasks import Place, give_version, journal, make_task, of, write
from tools.change import ChangeKind
from tools.compare import CompareArgs, compare
from tools.diagnose import DiagnoseArgs, diagnose
from tools.files import now
from tools.launch_training import prepare
from tools.probing.quick_records import QuickRecord, record_quick
from tools.reading.task import load_task
from tools.running.plan_runs import plan_runs
from tools.runs import WarningEvent
from tools.text import T, english
from tools.versions import list_versions

SURE = Belief(0.05, 0.02)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("ITERATE_CACHE", str(tmp_path / "cache"))
    return Place(tmp_path, trained=("one",))


@pytest.fixture
def task(place):
    return place.task("one")


@pytest.fixture
def night(place, task):
    return night_on(place, task, "recipe")


def night_on(place, task, allowed, stop=lambda: False):
    limits = BudgetLimits(hours=1)
    record = start_night(place.root, [task], limits, parse_allow(allowed), seed=1, command="iterate overnight")
    keep_start(record.folder, task)
    keep_seal(record.folder, task)
    return Night(
        record=record,
        plan=record.plan(),
        rules=NightRules.model_validate(record.plan().rules),
        meter=Meter(record),
        watch=lambda event: None,
        say=english,
        stop=stop,
        tell=lambda line: None,
    )


@pytest.fixture
def chosen(night, task):
    found = proposals_now(task, base_version(task, ""), diagnose(DiagnoseArgs(task_dir=task, version="v1")))
    proposal = next(one for one in found if one.changes[0].kind == "recipe")
    parts = {"expected": 0.01, "spread": 0.05, "minutes": 1.0, "candidates": 1, "base": "v1", "proposal": proposal}
    night.add(Chosen, "chosen:1", trial=1, task="one", **parts)
    return night.standing().open


def compared(task, level):
    config = task / "configs/training_config.yaml"
    write(config, config.read_text(encoding="utf-8").replace("epochs: 2", "epochs: 3"))
    give_version(task, "v2", level=level)
    return compare(CompareArgs(task_dir=task, base="v1", new="v2"))


def test_what_gained_is_kept_and_what_fell_is_not(night, chosen, task):
    comparison = compared(task, 0.85)
    assert judged(night, chosen, SURE, comparison)[0]
    first, *others = comparison.metrics
    low = first.range.model_copy(update={"low": -0.5, "high": -0.2})
    fallen = first.model_copy(update={"new": first.old - 0.35, "range": low})
    assert not judged(night, chosen, SURE, comparison.model_copy(update={"metrics": [fallen, *others]}))[0]


def test_a_protected_class_that_fell_is_a_guard_against_keeping(night, chosen, task):
    comparison = compared(task, 0.85)
    classes = [comparison.classes[0].model_copy(update={"blocks": True}), *comparison.classes[1:]]
    kept, reason = judged(night, chosen, SURE, comparison.model_copy(update={"classes": classes}))
    assert not kept and classes[0].label in str(reason)
    assert [line.guard for line in of(night.record.lines(), Guarded)] == ["protected_slice"]


def test_what_was_measured_in_another_way_is_never_kept(night, chosen, task):
    comparison = compared(task, 0.95).model_copy(update={"verdict": "not_comparable"})
    assert not judged(night, chosen, SURE, comparison)[0]
    assert [line.guard for line in of(night.record.lines(), Guarded)] == ["evaluator"]


def test_a_quick_check_that_shows_a_disaster_ends_the_trial_without_a_training(night, chosen, task):
    parts = {"change_id": chosen.proposal.id, "kinds": ["recipe:data"], "metric": "macro_f1", "share": 0.3}
    numbers = {"difference": -0.4, "low": -0.5, "high": -0.3, "valid_rows": 120, "seeds": 1}
    record_quick(task, QuickRecord(at=now(), **parts, **numbers))
    carry_out(night, chosen)
    lines = night.record.lines()
    assert [line.goes_on for line in of(lines, QuickChecked)] == [False]
    assert [(line.outcome, line.version) for line in of(lines, Tried)] == [("dead_end", None)]
    assert [record.version for record in list_versions(task)] == ["v1"]


def test_another_base_model_is_not_judged_by_a_few_steps(night, chosen, task):
    change = chosen.proposal.changes[0].model_copy(update={"kind": ChangeKind.base_model})
    larger = chosen.model_copy(update={"proposal": chosen.proposal.model_copy(update={"changes": [change]})})
    parts = {"change_id": larger.proposal.id, "kinds": ["base_model:training"], "metric": "macro_f1", "share": 0.3}
    numbers = {"difference": -0.4, "low": -0.5, "high": -0.3, "valid_rows": 120, "seeds": 1}
    record_quick(task, QuickRecord(at=now(), **parts, **numbers))
    assert quickly_checked(night, larger, task) is None


def test_a_training_that_went_on_with_fewer_rows_is_in_the_record_once(night, chosen):
    source = (Path.cwd() / "tools/training/short_memory.py").read_text(encoding="utf-8")
    assert f'"{SHORT_OF_MEMORY} ' in source
    warning = WarningEvent(at=now(), message=T(SHORT_OF_MEMORY + " {before} rows at once.", before=16))
    for _ in range(2):
        note_memory(night, "one", Progress(run_id="v2-s42", event=warning))
    note_memory(night, "one", Progress(run_id="v2-s42", event=warning.model_copy(update={"message": T("Slow.")})))
    assert [(line.guard, line.task) for line in of(night.record.lines(), Guarded)] == [("memory", "one")]


def test_an_error_that_nobody_foresaw_ends_the_trial_and_not_the_night(night, chosen, task, monkeypatch):
    def fail(*_):
        raise KeyError("a mistake in a step")

    monkeypatch.setattr("agent.steps.diagnose.diagnose_tool", fail)
    night.rules = night.rules.model_copy(update={"quick_check": False})
    before = (task / "configs/training_config.yaml").read_bytes()
    carry_out(night, chosen)
    (tried,) = of(night.record.lines(), Tried)
    assert tried.outcome == "crashed" and "a mistake in a step" in str(tried.reason)
    assert (task / "configs/training_config.yaml").read_bytes() == before


def test_a_trial_that_an_error_had_ended_before_a_kill_is_not_begun_anew(night, chosen, task):
    said = {"reason": "a mistake in a step", "version": "v2"}
    Journal(task).note("20991102t000000-aaaa", ABANDONED, chosen.proposal.id, by="policy", **said)
    carry_out(night, chosen)
    (tried,) = of(night.record.lines(), Tried)
    assert (tried.outcome, tried.version) == ("crashed", "v2") and "a mistake in a step" in str(tried.reason)
    assert not list(task.glob("runs/*/spec.json"))


def test_a_session_from_before_the_night_is_not_taken_for_that_of_the_trial(night, chosen, task):
    parts = {"proposal_id": chosen.proposal.id, "decision": "approve", "by": "policy", "who": "p.yaml", "at": now()}
    decided = {"decision": parts | {"reason": ""}, "proposal": chosen.proposal.model_dump(mode="json")}
    for session in ("20261101t000000-aaaa", "20261102t000000-bbbb"):
        Journal(task).note(session, "decision", chosen.proposal.id, by="policy", **decided)
    assert session_of(night, task, chosen).session == "20261102t000000-bbbb"
    write(task / ".iterate/sessions/20261102t000000-bbbb.json", "{}")
    (night.folder / "start/one.json").unlink()
    keep_start(night.folder, task)
    assert session_of(night, task, chosen).session == "20261101t000000-aaaa"


def test_a_trial_cut_off_behind_its_choice_still_puts_the_configuration_back(night, chosen, task, monkeypatch):
    """It stayed, the task was paused since it was not that of the base, and the proposals put off were not in the journal."""
    night.rules = night.rules.model_copy(update={"quick_check": False})
    monkeypatch.setattr("agent.overnight.trial.judged", lambda *_: (False, T("Too little.")))
    before = (task / "configs/training_config.yaml").read_bytes()
    with monkeypatch.context() as patched, pytest.raises(Left):
        patched.setattr("agent.steps.decide.restore_version", lambda *_: (_ for _ in ()).throw(Left))
        carry_out(night, chosen)
    assert [one["event"] for one in journal(task)][-1] == "choice"
    carry_out(night, chosen)
    assert [line.outcome for line in of(night.record.lines(), Tried)] == ["discarded"]
    assert (task / "configs/training_config.yaml").read_bytes() == before
    assert [one.reason for one in session_records(task)] == ["done"]


def test_a_first_version_is_no_failure_when_a_person_ends_the_night_as_its_session_ends(place):
    task, ended = make_task(place.root / "tasks" / "new"), threading.Event()
    night = night_on(place, task, "baseline", stop=ended.is_set)
    night.watch = lambda event: ended.set() if isinstance(event, SessionEnded) else None
    (baseline,) = [one for one in proposals_now(task, "", diagnose(DiagnoseArgs(task_dir=task))) if not one.changes]
    parts = {"expected": 0.0, "spread": 0.05, "minutes": 1.0, "candidates": 1, "base": "", "proposal": baseline}
    night.add(Chosen, "chosen:1", trial=1, task="new", **parts)
    carry_out(night, night.standing().open)
    assert ended.is_set() and [line.outcome for line in of(night.record.lines(), Tried)] == ["kept"]
    assert "failed" not in [entry["event"] for entry in journal(task)]


def test_a_hand_edit_while_a_trial_runs_leaves_its_question_to_the_person(night, chosen, task):
    night.rules = night.rules.model_copy(update={"quick_check": False})
    definition = task / "task_definition.yaml"

    def edit(event):
        if event.type == "compared":
            write(definition, definition.read_text(encoding="utf-8") + "# a thought\n")

    night.watch = edit
    carry_out(night, chosen)
    lines = night.record.lines()
    assert [line.outcome for line in of(lines, Tried)] == ["interrupted"]
    assert [line.task for line in of(lines, TaskPaused)] == ["one"]
    assert session_of(night, task, chosen).open and unfinished_work(task)
    assert not [one for one in journal(task) if one["event"] == "choice"]
    assert json.loads((task / "iterations/v2/manifest.json").read_text())["parent"] == "v1"


def test_rows_changed_by_hand_in_a_trial_that_ends_without_a_question_are_noticed(night, chosen, task):
    parts = {"change_id": chosen.proposal.id, "kinds": ["recipe:data"], "metric": "macro_f1", "share": 0.3}
    numbers = {"difference": -0.4, "low": -0.5, "high": -0.3, "valid_rows": 120, "seeds": 1}
    record_quick(task, QuickRecord(at=now(), **parts, **numbers))
    rows = task / "data/valid.jsonl"

    def edit(line):
        if isinstance(line, QuickChecked):
            write(rows, rows.read_text(encoding="utf-8") + '{"text": "x", "label": "中立"}\n')

    night.tell = edit
    carry_out(night, chosen)
    lines = night.record.lines()
    assert [line.outcome for line in of(lines, Tried)] == ["dead_end"]
    assert "data/valid.jsonl" in str(of(lines, TaskPaused)[0].reason)


def test_a_further_seed_that_was_begun_before_a_kill_is_finished_whatever_its_own_run_has_used_up(
    night, chosen, task, monkeypatch
):
    """It was the last training that the night was allowed: its result was left out, and its lines in the journal with it."""
    night.meter = Meter(night.record)
    night.plan = night.plan.model_copy(update={"limits": BudgetLimits(hours=1, runs=1)})
    begun = prepare(plan_runs(load_task(task), "v2", seeds=[43])[0], task)
    night.meter.ran(begun.name)
    trained = []
    monkeypatch.setattr("agent.overnight.trial.run_version", lambda args, _: bool(trained.append(args.seeds)) or True)
    trial = _Trial(night, chosen, task, SURE)
    question = DecideQuestion(version="v2", parent="v1", comparison=compared(task, 0.9), waiting=0)
    assert trial.answer(question) is not None
    assert trained == [[43]]
    assert trial.answer(question) is not None
    assert trained == [[43]]
