"""A new task asked for in the full-screen chat, by keys alone: answers are checked, taken back and changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList, TextArea

from agent.conversation.creating import Interview
from agent.faces.creating import made_task
from agent.faces.tui.screens import confirm
from agent.faces.tui.screens.create import CreateScreen
from agent.i18n import speaker
from agent.model.client import open_model
from agent.paths import Workspace
from agent.settings import Settings
from tests.support.openai_server import FakeEndpoint
from tests.support.screen_host import ScreenHost, loaded, press
from tests.support.tui import make_app, screen_text, settled, until
from tools.reading.task import load_task
from tools.text import T


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(confirm, "DEAD_SECONDS", 0.0)
    return Workspace(root=tmp_path, tasks_dir=tmp_path / "tasks", origin=T("for a test"))


def form(workspace: Workspace, language: str = "en", **given: str) -> ScreenHost:
    interview = Interview(workspace.tasks_dir, language, given)
    return ScreenHost(CreateScreen(interview, lambda done: made_task(workspace, done), speaker(language)))


async def test_a_task_is_made_by_keys_with_mistakes_a_step_back_and_a_change_at_the_end(workspace: Workspace) -> None:
    app = form(workspace)
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        await press(pilot, *"../up", "enter")
        assert "cannot be a task's name" in app.text and "question 1" in app.text
        app.screen.query_one(Input).value = "mood"
        await press(pilot, "enter")
        app.screen.query_one(Input).value = "Tell the mood [bold]of[/] a text."
        await press(pilot, "enter", "enter", "down", "escape", "escape")
        assert "question 2" in app.text and app.screen.query_one(Input).value.startswith("Tell the mood [bold]")
        await press(pilot, "enter", "enter", "enter")
        assert "Which labels" in app.text
        app.screen.query_one(TextArea).text = "good: glad\nGood"
        await press(pilot, "tab", "enter")
        assert "there twice" in app.text
        app.screen.query_one(TextArea).text = "good: glad\nbad"
        await press(pilot, "shift+tab", "tab")
        for question in ("question 7", "question 8", "question 9", "question 10", "everything once more"):
            await press(pilot, "enter")
            assert question in app.text
        assert "good: glad / bad" in app.text
        assert not workspace.tasks_dir.exists()
        options = app.screen.query_one(OptionList)
        options.highlighted = 8
        await press(pilot, "enter")
        app.screen.query_one(Input).value = "65%"
        await press(pilot, "enter", "enter")
        assert isinstance(app.screen, confirm.ConfirmScreen)
        await press(pilot, "n")
        assert not workspace.tasks_dir.exists()
        await press(pilot, "enter", "y")
        await loaded(pilot)
    definition = load_task(workspace.tasks_dir / "mood").definition
    assert definition.answer.labels == ["good", "bad"] and definition.targets[0].threshold == 0.65
    assert definition.template.startswith("Tell the mood [bold]of[/] a text.")


async def test_leaving_makes_nothing_and_goes_back_to_the_chat(workspace: Workspace) -> None:
    app = form(workspace, name="mood")
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        await press(pilot, "escape", "escape")
        assert app.screen is not app.first
    assert not workspace.tasks_dir.exists()


async def test_a_model_words_the_meanings_into_the_box_and_only_next_takes_them(workspace: Workspace) -> None:
    with FakeEndpoint() as server:
        server.answer_json({"meanings": [{"name": "good", "means": "glad"}, {"name": "bad", "means": "[b]sad[/]"}]})
        model = open_model(Settings(base_url=server.base_url, model="small", timeout=5))
        given = {"name": "m", "goal": "Tell it.", "task_type": "classification", "language": "en", "fields": "text"}
        interview = Interview(workspace.tasks_dir, "en", given)
        app = ScreenHost(CreateScreen(interview, lambda done: made_task(workspace, done), speaker("en"), model))
        async with app.run_test(size=(80, 24)) as pilot:
            await loaded(pilot)
            app.screen.query_one(TextArea).text = "good\nbad"
            await press(pilot, "tab", "tab", "enter")
            await loaded(pilot)
            assert app.screen.query_one(TextArea).text == "good: glad\nbad: [b]sad[/]"
            assert "suggests this" in app.text and "labels" not in interview.answers
            await press(pilot, "shift+tab", "enter")
    assert interview.answers["labels"] == "good: glad\nbad: [b]sad[/]"


@pytest.mark.parametrize("words", ["create a new task", "建立新任務", "/create 語氣"])
async def test_the_chat_opens_the_form_for_words_of_both_languages(tmp_path: Path, words: str) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.submit(words)
        await until(pilot, lambda: isinstance(app.screen, CreateScreen))
        await pilot.pause()
        assert ("question 2" if "語氣" in words else "question 1") in screen_text(app)


async def test_from_the_form_to_divided_rows_without_leaving_the_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirm, "DEAD_SECONDS", 0.0)
    app = make_app(tmp_path)
    interview = Interview(app.workspace.tasks_dir, "en", {"name": "mood", "goal": "Tell it.", "labels": "good\nbad"})
    interview.settle()
    path = made_task(app.workspace, interview)
    words = [
        "river",
        "copper",
        "window",
        "lantern",
        "orchard",
        "saddle",
        "mirror",
        "thunder",
        "pocket",
        "violin",
        "garden",
        "needle",
    ]
    texts = [f"{word} {words[n - 5]} {words[n - 3]} {word[::-1]} {n * 37}" for n, word in enumerate(words)]
    (path / "data" / "raw" / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        app.choose_task(path)
        app.submit("/label mood")
        await until(pilot, lambda: "1 good" in screen_text(app))
        for number in range(len(texts)):
            done = number + 1
            await pilot.press("12"[number % 2])
            await until(pilot, lambda done=done: f"reviewed {done} of" in screen_text(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, confirm.ConfirmScreen))
        assert (path / "data" / "train.jsonl").read_text(encoding="utf-8") == ""
        await pilot.press("y")
        await until(pilot, lambda: "Divided" in screen_text(app))
    assert len((path / "data" / "train.jsonl").read_text(encoding="utf-8").splitlines()) == 8


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_the_form_looks_like_this(snap_compare, workspace: Workspace, language: str) -> None:
    given = {
        "name": "mood" if language == "en" else "新聞語氣",
        "goal": "Tell it." if language == "en" else "判斷語氣。",
    }
    assert snap_compare(form(workspace, language, **given), terminal_size=(80, 24))
