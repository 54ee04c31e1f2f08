from __future__ import annotations

from pathlib import Path

import pytest

from agent.records import SessionRecord, find_session, newest_open, past_sessions
from tools.errors import InputError, NotFound
from tools.files import write_model


@pytest.fixture
def tasks(tmp_path: Path) -> list[Path]:
    """Two tasks: `old` was left and begun anew, `new` waits since later."""
    written = [
        ("old", "a1", "2026-01-01T00:00:00", "interrupted"),
        ("old", "a2", "2026-01-02T00:00:00", "done"),
        ("new", "b1", "2026-01-03T00:00:00", "waiting"),
    ]
    for task, name, started, reason in written:
        record = SessionRecord(id=name, task=task, started_at=started, reason=reason)
        write_model(tmp_path / task / ".iterate" / "sessions" / f"{name}.json", record)
    return [tmp_path / "old", tmp_path / "new"]


def test_the_newest_comes_first_and_only_the_newest_of_a_task_can_be_taken_up(tasks):
    assert [(one.record.id, one.open) for one in past_sessions(tasks)] == [("b1", True), ("a2", False), ("a1", False)]
    found = newest_open(tasks)
    assert found is not None
    assert found.record.id == "b1"


def test_a_session_is_found_by_its_id_or_by_its_task(tasks):
    assert find_session(tasks, "b1").task == find_session(tasks, "new").task


def test_what_has_ended_cannot_be_taken_up_and_what_is_unknown_names_what_can(tasks):
    with pytest.raises(InputError) as ended:
        find_session(tasks, "old")
    assert not isinstance(ended.value, NotFound)
    with pytest.raises(NotFound) as unknown:
        find_session(tasks, "nosuch")
    assert "b1" in str(unknown.value.hint)


def test_a_torn_record_is_passed_over(tasks):
    (tasks[1] / ".iterate" / "sessions" / "b2.json").write_text('{"id": "b2"', encoding="utf-8")
    found = newest_open(tasks)
    assert found is not None
    assert found.record.id == "b1"
