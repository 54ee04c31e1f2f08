"""What the agent writes, checked and mended: journal, sessions, conversation, nights; and the command itself."""

from __future__ import annotations

import json

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from agent.cli import app
from agent.fsck import audit, mend
from agent.journal import Journal
from agent.overnight.records import BudgetLimits, NightPlan, Over, TakenUp, begin_night
from agent.paths import Workspace
from agent.records import SessionRecord
from agent.session import task_lock
from tests.support.run_dirs import copy_task
from tools.files import append_line, now, write_atomic, write_model
from tools.text import T, english

RESUME = "iterate overnight --resume n1"


@pytest.fixture
def workspace(tmp_path):
    copy_task(tmp_path / "tasks")
    return Workspace(root=tmp_path, tasks_dir=tmp_path / "tasks", origin=T("for a test"))


@pytest.fixture
def task(workspace):
    return workspace.tasks_dir / "stance"


def look(workspace):
    return audit(workspace, [workspace.task_path("stance")])


def problems(workspace):
    return [one for part in look(workspace) for one in part.problems]


def kinds(workspace):
    return [one.kind for one in problems(workspace)]


def fsck(workspace, *words):
    done = CliRunner().invoke(app, ["--workspace", str(workspace.root), "--lang", "en", "fsck", *words])
    return done.exit_code, done.output if "--json" in words else " ".join(done.output.split())


def begin(workspace, **limits):
    plan = NightPlan(
        id="n1", workspace=str(workspace.root), started_at=now(), tasks=[],
        limits=BudgetLimits(**limits), rules={}, command="iterate overnight",
        resume=RESUME, seed=1, who="tester", start_versions={},
    )  # fmt: skip
    return begin_night(workspace.root, plan)


def session(task, name, **fields):
    record = SessionRecord(id=name, task="stance", started_at=now(), **fields)
    write_model(task / ".iterate" / "sessions" / f"{name}.json", record)


def test_a_version_that_only_the_journal_knows_is_told(workspace, task):
    Journal(task).note("s", "version_begun", "v1", version="v1")
    assert kinds(workspace) == []
    Journal(task).note("s", "version_begun", "v2", version="v2")
    assert "v2" in english(problems(workspace)[0].what)
    assert kinds(workspace) == ["journal"]


@pytest.mark.parametrize(("said", "expected"), [("v1", []), ("v2", ["in_use"])])
def test_the_version_in_use_is_the_one_that_the_journal_adopted_last(workspace, task, said, expected):
    record = {"version": "v1", "adapters": [], "at": "t", "by": "me", "decision_id": "d", "previous": None}
    write_atomic(task / "models/current.json", json.dumps(record))
    Journal(task).note("s", "adopted", "v1", version="v1")
    Journal(task).note("s", "rolled_back", "x", version=said)
    append_line(
        task / "iterations/test_ledger.jsonl",
        json.dumps(
            {"ordinal": 1, "at": "t", "why": "", "by": "", "decision_id": "", "versions": ["v1"], "scores": {"v1": {}}}
            | {"evaluator_hash": None, "p": None}
        ),
    )
    assert kinds(workspace) == expected


def test_a_session_that_was_cut_off_says_how_to_take_it_up(workspace, task):
    session(task, "20260101t000000-aaaa", reason="done")
    assert kinds(workspace) == []
    session(task, "20260102t000000-aaaa")
    assert english(problems(workspace)[0].hint) == "iterate run stance"
    with task_lock(task):
        assert kinds(workspace) == [], "it is at work"


def test_a_session_file_that_cannot_be_read_is_moved_away_and_kept(workspace, task):
    database = task / ".iterate" / "sessions.sqlite"
    write_atomic(database, b"not a database" * 100)
    write_atomic(database.with_name("sessions.sqlite-wal"), b"its log")
    write_atomic(task / ".iterate" / "sessions" / "x.json", b"{")
    assert kinds(workspace) == ["session", "session"]
    mended = mend(look(workspace))
    assert (len(mended.done), mended.failed) == (2, [])
    assert kinds(workspace) == []
    kept = {path.name for path in mended.kept[0].rglob("*") if path.is_file()}
    assert kept == {"notes.jsonl", "sessions.sqlite", "sessions.sqlite-wal", "x.json"}


def test_a_task_that_somebody_works_on_is_not_mended(workspace, task):
    append_line(task / "iterations/journal.jsonl", "{torn")
    with task_lock(task):
        mended = mend(look(workspace))
    assert (mended.done, len(mended.failed)) == ([], 1)
    assert kinds(workspace) == ["torn_lines"]


def test_a_night_that_was_cut_off_says_its_own_way_back(workspace):
    night = begin(workspace, hours=1)
    assert english(problems(workspace)[0].hint) == RESUME
    with FileLock(night.folder / "lock"):
        assert kinds(workspace) == []
    append_line(night.folder / "lines.jsonl", '{"type": "tri')
    night.add(TakenUp(at=now(), key="taken_up:1", pid=1, host="here"))
    assert sorted(kinds(workspace)) == ["night", "torn_lines"]
    mend(look(workspace))
    night.add(Over(at=now(), key="over", reason="hours", message=T("Over.")))
    assert kinds(workspace) == []
    assert [line.type for line in night.lines()] == ["taken_up", "over"]


def test_a_night_without_a_plan_is_moved_away(workspace):
    night = begin(workspace, hours=1)
    (night.folder / "plan.json").write_text("{")
    mended = mend(look(workspace))
    assert (len(mended.done), kinds(workspace)) == (1, [])
    assert (mended.kept[0] / ".iterate" / "nights" / "n1" / "plan.json").read_text() == "{"


def test_the_command_explains_mends_and_says_with_its_exit_code_what_is_left(workspace, task):
    assert fsck(workspace) == (0, "Nothing is wrong.")
    append_line(task / "iterations/journal.jsonl", "{torn")
    (task / "benchmarks/results/v1_valid.predictions.jsonl").unlink()
    code, said = fsck(workspace, "stance")
    assert code == 1
    assert all(
        words in said for words in ("== stance ==", "PROBLEM iterations/journal.jsonl", "fsck --mend", "2 problem")
    )
    code, said = fsck(workspace, "--mend")
    assert code == 1
    assert all(words in said for words in ("mended: ", "is kept in", "1 problem(s) left", "iterate evaluate stance"))
    code, said = fsck(workspace, "--mend", "--json")
    told = json.loads(said)
    assert (code, told["clean"], told["mended"], len(told["troubles"])) == (1, False, [], 1)
    assert (told["troubles"][0]["kind"], told["troubles"][0]["page"]) == ("result", "troubleshooting/results-files")


def test_an_unknown_task_is_wrong_use(workspace):
    with pytest.raises(Exception, match="no task"):
        CliRunner().invoke(app, ["--workspace", str(workspace.root), "fsck", "stanc"], catch_exceptions=False)
