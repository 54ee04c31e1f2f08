from __future__ import annotations

from agent.journal import Journal


def test_an_entry_written_again_after_a_crash_stands_once(tmp_path):
    journal = Journal(tmp_path)
    for _ in range(2):
        journal.note("s1", "decision", "ab12", by="person", verdict="approve")
    assert [entry.key for entry in journal.entries()] == ["decision:ab12"]


def test_another_session_may_decide_the_same_thing_again(tmp_path):
    journal = Journal(tmp_path)
    journal.note("s1", "decision", "ab12")
    journal.note("s2", "decision", "ab12")
    assert [entry.session for entry in journal.entries()] == ["s1", "s2"]


def test_a_line_torn_by_a_crash_hides_no_other_line(tmp_path):
    journal = Journal(tmp_path)
    journal.note("s1", "decision", "first")
    with journal.path.open("a", encoding="utf-8") as stream:
        stream.write('{"at": "2026-01-01", "sess')
    journal.note("s1", "decision", "second")
    assert [entry.key for entry in journal.entries()] == ["decision:first", "decision:second"]


def test_chinese_reasons_are_readable_in_the_file(tmp_path):
    journal = Journal(tmp_path)
    journal.note("s1", "decision", "ab12", reason="太慢")
    assert "太慢" in journal.path.read_text(encoding="utf-8")


def test_a_line_torn_within_a_character_hides_nothing_else(tmp_path):
    journal = Journal(tmp_path)
    journal.note("s", "decision", "1", reason="太少")
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[: whole.index("少".encode()) + 1])
    journal.note("s", "decision", "2", reason="太多")
    assert [entry.key for entry in journal.entries()] == ["decision:1", "decision:2"]


def test_what_only_looks_like_the_end_of_a_line_loses_no_decision(tmp_path):
    journal = Journal(tmp_path)
    journal.note("s", "decision", "1", reason="one\u2028two\x85three\x0bfour")
    journal.note("s", "decision", "1", reason="again")
    assert [entry.data["reason"] for entry in journal.entries()] == ["one\u2028two\x85three\x0bfour"]
