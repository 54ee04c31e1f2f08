"""The live view: it shows what a run writes as it is written, stops only after a yes, and orders nothing by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import App

from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.screens import training
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.screens.training import TrainingScreen
from agent.faces.tui.widgets.alerts import AlertList
from agent.i18n import speaker
from tests.support.run_dirs import (
    alive,
    at,
    copy_task,
    events_of,
    history,
    live_run,
    make_child,
    run_dir,
    write_events,
    write_status,
)
from tools.results import HistoryPoint
from tools.runs import RunState

NEVER_OLD = "2099-01-01T00:00:00+00:00"
"""A sign of life that no clock finds old."""
HOSTILE = "[red]loss[/red] \x1b[31m中立\u202e\x07 {stop} [@click=app.quit]x[/]"


class Host(App[None]):
    """Carries the screen and keeps the orders that reach the app."""

    CSS_PATH = str(Path(training.__file__).parents[1] / "app.tcss")

    def __init__(self, task: Path, language: str = "en") -> None:
        super().__init__()
        self.screen_under_test = TrainingScreen(task, speaker(language))
        self.orders = []
        self.told = []

    def notify(self, message, **more) -> None:
        self.told.append(message)
        super().notify(message, **more)

    def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.push_screen(self.screen_under_test)

    def on_order_given(self, message: OrderGiven) -> None:
        self.orders.append(message.order)


async def settle(pilot):
    """Until the screen has looked at the files once more."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def text_of(app):
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


@pytest.fixture(autouse=True)
def seldom(monkeypatch):
    """Looks happen when a test asks for one."""
    monkeypatch.setattr(training, "POLL_SECONDS", 3600)


@pytest.fixture
def task(tmp_path):
    folder = copy_task(tmp_path)
    make_child(folder)
    return folder


def half_way(task, *more):
    """A run at step 66 of 88 on another machine, whose worker spoke just now."""
    softened = [
        point.model_copy(update={"loss": point.loss * 0.8 if point.loss else None})
        for point in history()
        if point.step <= 66
    ]
    run = live_run(task, [*softened, *more])
    write_status(
        run, step=66, total_steps=88, epoch=3.0, eta_seconds=88.0, updated_at=NEVER_OLD, host="elsewhere"
    )  # fmt: skip
    return run


async def test_a_running_training_is_shown_and_grows_while_one_watches(task):
    run = half_way(task)
    run.file("log.txt").write_text(f"loading\n{HOSTILE}\nstep 66\n", encoding="utf-8")
    app = Host(task)
    with alive(run):
        async with app.run_test(size=(100, 30)) as pilot:
            await settle(pilot)
            shown = text_of(app)
            assert "Training of stance: v2, seed 42" in shown and "step 66 of 88" in shown and "75%" in shown
            assert "1 min left (by the pace of its steps and evaluations) · 312 tokens/s" in shown
            assert "Validation loss 0.4 → 0.391, lowest at step 66; v1 reached 0.326." in shown
            assert "No alerts" in shown
            assert r"[red]loss[/red] \u001b[31m中立\u202e\u0007 {stop} [@click=app.quit]x[/]" in shown
            write_events(run, [event for event in events_of(history()) if getattr(event, "step", 0) > 66])
            app.screen_under_test.look()
            await settle(pilot)
            grown = " ".join(text_of(app).split())
            assert "step 88 of 88" in grown and "57.8%, best at step 88; v1 reached 57.8%" in grown


async def test_stopping_asks_first_and_names_what_is_stopped_and_what_is_kept(task):
    run = half_way(task)
    checkpoint = run.file("checkpoints") / "checkpoint-44"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text("{}")
    app = Host(task)
    with alive(run):
        async with app.run_test(size=(100, 30)) as pilot:
            await settle(pilot)
            await pilot.press("y", "enter", "x")
            await settle(pilot)
            assert isinstance(app.screen, ConfirmScreen) and app.orders == []
            asked = text_of(app)
            assert "v2, seed 42 at step 66 of 88" in asked and "checkpoint of step 44 is kept" in " ".join(
                asked.split()
            )
            app.screen.dismiss(False)
            await settle(pilot)
            assert app.screen is app.screen_under_test and app.orders == []
            await pilot.press("x")
            await settle(pilot)
            app.screen.dismiss(True)
            await settle(pilot)
    assert [(order.command, order.args) for order in app.orders] == [("stop", {"task": "stance", "confirmed": True})]


async def test_when_nothing_runs_the_newest_run_is_shown_and_there_is_nothing_to_stop(task):
    run = half_way(task)
    write_status(run, RunState.succeeded, step=88, total_steps=88, phase="done", updated_at=at(400))
    app = Host(task)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "No training is running. This is the newest one: finished" in text_of(app)
        await pilot.press("x")
        await settle(pilot)
        assert app.screen is app.screen_under_test and app.told == ["Nothing to stop: no training is running."]
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is not app.screen_under_test
    assert app.orders == []


async def test_a_task_without_a_training_says_so(task):
    app = Host(task)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "stance has no training on record here yet" in text_of(app)


async def test_keys_switch_between_the_seeds_of_a_version_and_a_living_one_is_taken_up(task):
    first = half_way(task)
    second = run_dir(task, "v2-s43", seed=43)
    app = Host(task)
    with alive(first):
        async with app.run_test(size=(100, 30)) as pilot:
            await settle(pilot)
            assert "v2, seed 42 (run 1 of 2 of this version)" in text_of(app)
            await pilot.press("n")
            await settle(pilot)
            assert "v2, seed 43 (run 2 of 2" in text_of(app) and "Waiting for its turn" in text_of(app)
    write_status(first, RunState.succeeded, updated_at=at(400))
    write_status(second, updated_at=NEVER_OLD)
    again = Host(task)
    with alive(second):
        async with again.run_test(size=(100, 30)) as pilot:
            await settle(pilot)
            assert "v2, seed 43" in text_of(again) and "Running: training" in text_of(again)


async def test_an_alert_is_told_in_words_with_its_page_one_key_away(task):
    run = half_way(task, HistoryPoint(step=67, loss=None, bad=True))
    app = Host(task)
    with alive(run):
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert "! ERROR The loss is not a number since step 67. Stop: nothing is learned" in text_of(app)
            assert app.screen.query_one(AlertList).pages == ["troubleshooting/unstable-training"]
            await pilot.press("r")
            await settle(pilot)
    assert [(order.command, order.args) for order in app.orders] == [
        ("refs", {"page": "troubleshooting/unstable-training"})
    ]


async def test_the_ascii_twin_uses_ascii_alone_for_bar_and_curves(task):
    run = half_way(task)
    app = Host(task)
    with alive(run):
        async with app.run_test(size=(100, 30)) as pilot:
            await settle(pilot)
            await pilot.press("g")
            await settle(pilot)
            body = text_of(app).split("Validation loss")[0].replace("·", "")
            assert body.isascii() and "#" in body and "*" in body


@pytest.mark.parametrize("size", [(30, 10), (200, 60)])
async def test_any_size_of_terminal_will_do(task, size):
    run = half_way(task)
    app = Host(task)
    with alive(run):
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            assert "v2" in text_of(app)


@pytest.mark.parametrize(("size", "language"), [((80, 24), "en"), ((140, 42), "en"), ((80, 24), "zh-TW")])
def test_picture_of_a_running_training(task, snap_compare, size, language):
    run = half_way(task)
    run.file("log.txt").write_text("loading the model\nstep 64\nstep 65\nstep 66\n", encoding="utf-8")
    with alive(run):
        assert snap_compare(Host(task, language), terminal_size=size, run_before=settle)
