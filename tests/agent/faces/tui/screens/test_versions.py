"""The versions: what is on record is shown, two are compared on valid, and keys only give orders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.app import App

from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.screens import versions
from agent.faces.tui.screens.versions import VersionsScreen
from agent.i18n import speaker
from agent.journal import Journal
from tests.support.run_dirs import copy_task, make_child, make_result, run_dir, write_status
from tools.runs import RunError, RunState
from tools.text import T


class Host(App[None]):
    """Carries the screen and keeps the orders that reach the app."""

    CSS_PATH = str(Path(versions.__file__).parents[1] / "app.tcss")

    def __init__(self, task: Path, language: str = "en") -> None:
        super().__init__()
        self.screen_under_test = VersionsScreen(task, speaker(language))
        self.orders = []
        self.told = []

    def notify(self, message, **more) -> None:
        self.told.append(message)
        super().notify(message, **more)

    def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.push_screen(self.screen_under_test)

    def on_order_given(self, message: OrderGiven) -> None:
        self.orders.append((message.order.command, message.order.args))


async def settle(pilot):
    """Until the records are read and what was asked for is computed."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press(pilot, *keys):
    await pilot.press(*keys)
    await settle(pilot)


def text_of(app):
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


@pytest.fixture(autouse=True)
def seldom(monkeypatch):
    monkeypatch.setattr(versions, "POLL_SECONDS", 3600)


@pytest.fixture
def task(tmp_path):
    """v1 as bundled; v2 clearly better; v3 failed."""
    folder = copy_task(tmp_path)
    make_child(folder)
    make_result(folder, fixed=60, broken=4)
    Journal(folder).note("s", "compared", "v2", version="v2", parent="v1", verdict="better")
    make_child(folder, "v3", "v2")
    run = run_dir(folder, "v3-s42", version="v3")
    write_status(run, RunState.failed, error=RunError(kind="out_of_memory", message=T("Out of memory.")))
    return folder


async def test_versions_are_listed_with_score_verdict_test_and_what_became_of_them(task):
    app = Host(task)
    async with app.run_test(size=(110, 40)) as pilot:
        await settle(pilot)
        rows = {
            line.split()[0]: " ".join(line.split())
            for line in text_of(app).splitlines()
            if line.strip()[:1] == "v" and len(line.split()) > 5
        }
        assert rows["v1"].startswith("v1 - 57.8% (51.3-63.6) - locked -")
        assert rows["v2"].startswith("v2 v1 ") and " better - - Epochs: 4 → 6" in rows["v2"]
        assert rows["v3"].startswith("v3 v2 failed - - -")
        shown = text_of(app)
        assert "It has no result: failed. Out of memory." in shown
        await press(pilot, "up")
        shown = text_of(app)
        assert "Against v1: better." in shown and "epochs: 6" in shown and "**Goal**: more epochs." in shown


async def test_two_marked_versions_are_compared_with_the_rows_that_changed(task):
    app = Host(task)
    async with app.run_test(size=(110, 60)) as pilot:
        await settle(pilot)
        await press(pilot, "up", "space", "up", "space")
        assert text_of(app).count(" * v") == 2
        await press(pilot, "c")
        shown = text_of(app)
        assert "v2 against v1: better" in shown and "Recommended: adopt v2" in shown
        app.screen.query_one("#page").scroll_end(animate=False)
        await pilot.pause()
        assert "expected" in text_of(app) and "v1 said" in text_of(app) and "Broken rows: 4" in text_of(app)
        await press(pilot, "escape")
        assert "v1, a baseline" in text_of(app) and app.screen is app.screen_under_test
        await press(pilot, "escape")
        assert app.screen is not app.screen_under_test
    assert app.orders == []


async def test_a_version_is_compared_with_its_parent_when_nothing_is_marked_and_the_verdict_enters_the_table(task):
    (task / "iterations/journal.jsonl").unlink()
    app = Host(task)
    async with app.run_test(size=(110, 40)) as pilot:
        await settle(pilot)
        assert "better" not in text_of(app)
        await press(pilot, "up", "c")
        assert [line for line in text_of(app).splitlines() if line.split()[:2] == ["v2", "v1"] and "better" in line]


async def test_what_cannot_be_compared_says_why_and_what_to_do(task):
    app = Host(task)
    async with app.run_test(size=(110, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        assert "v3 cannot be compared with v2." in text_of(app)
        assert "v3 has no result on the validation split." in text_of(app)
        await press(pilot, "escape", "up", "up", "c")
        assert "Mark two versions with Space" in app.told[-1]


async def test_keys_post_orders_about_the_chosen_version_and_only_where_they_make_sense(task):
    app = Host(task)
    async with app.run_test(size=(110, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "a")
        assert app.orders == [] and "v3 has no result, so it cannot be adopted." in app.told[-1]
        await press(pilot, "up", "a", "up", "b")
    assert app.orders == [
        ("adopt", {"task": "stance", "version": "v2"}),
        ("rollback", {"task": "stance", "version": "v1"}),
    ]


async def test_the_report_is_read_here_and_foreign_text_is_shown_as_it_is(task):
    hostile = "[red]x[/red] \x1b[31m\u202e中立"
    (task / "iterations/v2/comparison.md").write_text(f"# Report\n\n| a | b |\n|---|---|\n| {hostile} | 2 |\n")
    (task / "iterations/v3/notes.md").write_text(hostile)
    app = Host(task)
    async with app.run_test(size=(110, 40)) as pilot:
        await settle(pilot)
        assert r"[red]x[/red] \u001b[31m\u202e中立" in text_of(app)
        await press(pilot, "o")
        assert "There is no report of it" in app.told[-1]
        await press(pilot, "up", "o")
        assert r"| [red]x[/red] \u001b[31m\u202e中立 | 2 |" in text_of(app)


async def test_records_that_change_while_one_looks_appear_and_the_cursor_stays(task):
    app = Host(task)
    async with app.run_test(size=(110, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "up", "space")
        pointer = {"version": "v2", "adapters": [], "at": "t", "by": "me", "decision_id": "d", "previous": None}
        (task / "models").mkdir()
        (task / "models/current.json").write_text(json.dumps(pointer))
        app.screen_under_test.read()
        await settle(pilot)
        assert "* v2 (in use)" in text_of(app) and "v2, from v1" in text_of(app)
        await press(pilot, "a")
        assert "is the version in use already" in app.told[-1]


async def test_a_folder_that_is_no_task_and_one_without_versions_say_so(tmp_path):
    app = Host(tmp_path / "nothing")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "!" in text_of(app)
    empty = copy_task(tmp_path)
    for name in ("iterations", "benchmarks"):
        (empty / name).rename(empty / f".{name}")
    app = Host(empty)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "No version is on record yet" in text_of(app)
        await press(pilot, "a", "b", "c", "o", "space")
    assert app.orders == []


@pytest.mark.parametrize(("size", "language"), [((80, 24), "en"), ((140, 42), "en"), ((140, 42), "zh-TW")])
def test_picture_of_the_versions(task, snap_compare, size, language):
    async def compared(pilot):
        await settle(pilot)
        await press(pilot, "up")
        if size[0] > 100:
            await press(pilot, "c")

    assert snap_compare(Host(task, language), terminal_size=size, run_before=compared)
