"""`iterate report` and the report in the plain chat."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli import app
from agent.commands.common import OPTIONS, globals_first, guarded
from agent.faces import report as face
from agent.faces.last_night import last_night
from agent.faces.report import read_and_choose
from agent.paths import Workspace
from tests.support.nights import Night, busy_night
from tools.text import T, english


@pytest.fixture
def iterate(monkeypatch, capsys, tmp_path):
    """Runs a command line in a workspace; gives its exit code, stdout and stderr."""
    monkeypatch.setattr(OPTIONS, "workspace", None)
    monkeypatch.setattr(OPTIONS, "language", None)

    def run(*words: str) -> tuple[int, str, str]:
        line = globals_first([*words, "--workspace", str(tmp_path), "--lang", "en"])
        code = guarded(lambda: app(line, standalone_mode=False))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_pipe_gets_markdown_and_the_page_goes_where_it_is_wanted(iterate, tmp_path):
    busy_night(tmp_path)
    code, out, _ = iterate("report")
    assert code == 0 and out.startswith("# Morning report: night 2026-11-22-2300\n\nThe night ") and "```sh" in out
    page = tmp_path / "out" / "night.html"
    code, out, told = iterate("report", "2026-11", "--html", str(page))
    assert (code, out) == (0, "") and str(page) in told and page.read_text("utf-8").startswith("<!doctype html>")
    assert iterate("report", "--html", str(tmp_path))[0] == 2


def test_nights_are_listed_and_facts_are_one_json_document(iterate, tmp_path):
    assert iterate("report")[0] == 2
    assert "No night is on record" in iterate("report", "--list")[1]
    busy_night(tmp_path)
    Night(tmp_path, night="later", started_at="2026-11-23T15:00:00+00:00")
    out = iterate("report", "--list")[1]
    assert out.index("later") < out.index("2026-11-22-2300") and "cut off" in out
    assert [one["id"] for one in json.loads(iterate("report", "--list", "--json")[1])] == ["later", "2026-11-22-2300"]
    assert json.loads(iterate("report", "2026-11-22-2300", "--json")[1])["reason"] == "until"
    code, _, told = iterate("report", "latr")
    assert code == 2 and "Did you mean later?" in told


def test_on_a_narrow_terminal_every_row_of_a_wide_table_is_an_entry(iterate, tmp_path, monkeypatch):
    busy_night(tmp_path)
    monkeypatch.setattr(face, "interactive", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    out = iterate("report")[1]
    assert "- 1: Task stance; Change training.epochs: 4 → 6" in out
    assert "    iterate adopt stance v3" in out


@pytest.mark.parametrize(("typed", "number"), [("3", 3), ("", None), ("x", None), ("99", None), (None, None)])
def test_the_plain_chat_takes_up_the_decision_of_the_number_that_is_typed(tmp_path: Path, monkeypatch, typed, number):
    record = busy_night(tmp_path)
    monkeypatch.setattr(face, "interactive", lambda: True)
    monkeypatch.setattr(face, "ask", lambda _: typed)
    chosen = read_and_choose(record, english)
    assert (chosen.number if chosen else None) == number


def test_without_a_person_at_the_terminal_nothing_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(face, "interactive", lambda: False)
    monkeypatch.setattr(face, "ask", lambda _: pytest.fail("asked"))
    assert read_and_choose(busy_night(tmp_path), english) is None


def test_a_chat_is_told_what_the_newest_night_left_and_nothing_when_nothing_is_open(tmp_path):
    workspace = Workspace(root=tmp_path, tasks_dir=tmp_path / "tasks", origin=T("test"))
    assert last_night(workspace) is None
    night = Night(tmp_path, night="a", started_at="2026-11-20T15:00:00+00:00").wait("offer", "More rows.")
    night.wait("paused_task", "Its rows changed.").over()
    assert str(last_night(workspace)) == "decisions of the last night that wait for you: 1"
    night = Night(tmp_path, night="b")
    assert str(last_night(workspace)) == "the last night was cut off"
    night.over()
    assert last_night(workspace) is None


def test_the_report_of_a_night_that_was_killed_behind_its_last_line_is_written_when_it_is_taken_up(iterate, tmp_path):
    record = Night(tmp_path).over()
    assert iterate("overnight", "--resume")[0] == 3
    assert (record.folder / "report.html").is_file() and (record.folder / "report.md").is_file()
    assert iterate("overnight", "--resume")[0] == 2
