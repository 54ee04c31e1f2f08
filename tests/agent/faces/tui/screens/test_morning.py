"""The morning report on the screen: read in full, and each decision that waits one key away, decided by no key here."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent.conversation.said import Order
from agent.faces.tui import mornings
from agent.faces.tui.screens import morning
from agent.faces.tui.screens.morning import MorningScreen
from agent.faces.tui.widgets.forest import forest
from agent.i18n import speaker
from agent.overnight.records import Tried
from agent.overnight.reporting.facts import night_facts
from agent.paths import Workspace
from tests.support.nights import Night, busy_night, comparison
from tests.support.screen_host import ScreenHost, loaded
from tests.support.screen_host import press as press_keys
from tests.support.tui import make_app, screen_text, settled, until
from tools.errors import NotFound
from tools.text import T, english

HOSTILE = "[red]x[/red] \x1b[31m</script>\u202e" + "長" * 300


@pytest.fixture(autouse=True)
def calm(monkeypatch):
    monkeypatch.setattr(morning, "POLL_SECONDS", 3600)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def ready(pilot):
    await loaded(pilot)
    await loaded(pilot)


async def press(pilot, *keys):
    await press_keys(pilot, *keys)
    await ready(pilot)


def host(root: Path, language: str = "en") -> ScreenHost:
    return ScreenHost(MorningScreen(root, speaker(language)))


async def test_the_report_opens_with_its_paragraph_and_a_digit_or_enter_takes_a_decision_up(tmp_path):
    busy_night(tmp_path)
    app = host(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert "Morning report: night 2026-11-22-2300 (1 of 1), over" in app.text
        assert "because its time was up" in app.text and "base model: tiny → small" in app.text
        await press(pilot, "3")
        await press(pilot, "down", "enter")
        await press(pilot, "9")
        assert "No decision of that number waits" in app.told[-1]
    night = {"night": "2026-11-22-2300"}
    assert app.orders == [("report", night | {"numbers": [3]}), ("report", night | {"numbers": [2]})]


async def test_the_whole_report_can_be_scrolled_to_where_its_limits_are_said(tmp_path):
    busy_night(tmp_path)
    app = host(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot)
        report = app.screen.query_one("#report")
        report.scroll_end(animate=False)
        await pilot.pause()
        await pilot.pause()
        assert "What this night cannot show" in app.text
        assert report.max_scroll_x == 0


async def test_arrows_turn_to_older_nights_and_a_running_night_grows_while_one_looks(tmp_path):
    Night(tmp_path, night="older", started_at="2026-11-20T15:00:00+00:00").over("stopped")
    newest = Night(tmp_path, night="newest").choose(1, "epochs")
    app = host(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await ready(pilot)
        assert "night newest (2 of 2), cut off" in app.text and "Take it up with" in app.text
        newest.add(
            Tried, "tried:1", trial=1, task="stance", version=None, outcome="crashed", reason=T("Out of memory.")
        )
        app.first.read()
        await ready(pilot)
        assert "1 crashed or interrupted" in app.text
        await press(pilot, "left")
        assert "night older (1 of 2), over" in app.text and "No change was tried" in app.text
        assert "base model" not in app.text and not app.screen.query_one("#decisions").display
        await press(pilot, "left")
        await press(pilot, "right")
        assert "night newest" in app.text
        await press(pilot, "escape")
        assert app.screen is not app.first


async def test_a_workspace_without_a_night_says_how_one_is_started_and_keys_do_nothing(tmp_path):
    app = host(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert "No night is on record" in app.text
        await press(pilot, "left", "right", "y", "1")
    assert app.orders == []


async def test_foreign_text_is_shown_as_it_is(tmp_path):
    night = Night(tmp_path).choose(1, HOSTILE).end(1, "kept", comparison("v1", "v2", 0.6, 0.7))
    night.wait("offer", HOSTILE, command=HOSTILE).over()
    app = host(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert r"[red]x[/red] \u001b[31m</script>\u202e" in app.text


@pytest.mark.parametrize(("size", "language"), [((80, 24), "en"), ((140, 40), "en"), ((80, 24), "zh-TW")])
def test_picture_of_the_morning(tmp_path, snap_compare, size, language):
    busy_night(tmp_path)
    assert snap_compare(host(tmp_path, language), terminal_size=size, run_before=ready)


def test_a_forest_fits_its_width_and_marks_what_was_expected_observed_or_only_checked(tmp_path):
    trials = night_facts(busy_night(tmp_path)).trials
    for width in (60, 80, 120):
        lines = forest(trials, width, english)
        assert all(len(line) <= width for line in lines if "中" not in line)
        assert sum(line.count("●") for line in lines[:-3]) == 3 and sum(line.count("○") for line in lines[:-3]) == 1
    assert forest(trials, 20, english) == [] and forest([], 80, english) == []


class App:
    """Keeps what a decision that is taken up asks of the chat."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root=root, tasks_dir=root / "tasks", origin=T("test"))
        self.say = english
        self.did: list[object] = []

    def execute(self, order: Order) -> None:
        self.did.append((order.command, order.args))

    def file(self, proposal) -> None:
        self.did.append(str(proposal.title))

    def tell(self, text) -> None:
        self.did.append(str(text))

    def choose_task(self, task: Path) -> None:
        self.did.append(task.name)

    def push_screen(self, screen) -> None:
        self.did.append(type(screen).__name__)


async def test_a_decision_goes_to_its_review_or_to_the_question_about_its_adoption_and_nowhere_else(tmp_path):
    busy_night(tmp_path)
    (tmp_path / "tasks/official-doc").mkdir(parents=True)
    app = App(tmp_path)
    for number in (1, 2, 3):
        await mornings.report(app, {"night": "2026-11-22-2300", "numbers": [number]})
    assert app.did == [
        "base model: tiny → small",
        "official-doc",
        "official-doc: Its rows changed in the night.",
        ("status", {"task": "official-doc"}),
        ("adopt", {"task": "stance", "version": "v3"}),
    ]
    with pytest.raises(NotFound):
        await mornings.report(app, {"numbers": [7]})
    await mornings.report(app, {})
    assert app.did[-1] == "MorningScreen"


async def test_the_chat_offers_the_report_in_the_morning_and_a_digit_brings_the_question_about_an_adoption(
    tmp_path, monkeypatch
):
    app = make_app(tmp_path, "stance", task="stance")
    busy_night(app.workspace.root)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await until(
            pilot,
            lambda: "read the morning report: decisions of the last night that" in screen_text(app),
        )
        app.submit("what happened last night")
        await until(pilot, lambda: "base model: tiny" in screen_text(app))
        await pilot.press("3")
        await until(pilot, lambda: "Adopt v3? This opens the locked test set" in screen_text(app))
        await pilot.press("escape")
        assert not (app.workspace.task_path("stance") / "models/current.json").exists()
