"""`/predict` and `/export` in the full-screen chat: the screen stays alive, Esc ends the worker, only yes writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from agent.faces.tui.app import IterateApp
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.i18n import speaker
from agent.settings import Settings
from tests.support.mood_task import DEFINITION, MoodTask
from tests.support.tui import screen_text, settled, until
from tools.errors import RunFailed
from tools.text import T
from tools.training.errands import AnswerErrand, ExportErrand, PhaseSaid


def app_on(mood: MoodTask, language: str = "en") -> IterateApp:
    return IterateApp(mood.workspace, speaker(language), language, task=mood.path, settings=Settings())


async def test_a_text_is_answered_beside_the_conversation(mood: MoodTask, worker: list[AnswerErrand]) -> None:
    app = app_on(mood, "zh-TW")
    async with app.run_test(size=(110, 30)) as pilot:
        await settled(pilot)
        app.submit("用 v1 預測：今天，很好！")
        await until(pilot, lambda: "v1 的回答：正面（80.0%）" in screen_text(app))
        assert "text：今天，很好！" in screen_text(app)
        app.submit("/predict v1 odd")
        await until(pilot, lambda: '原始輸出："我想是' in screen_text(app))


async def test_a_missing_field_puts_the_line_into_the_input_to_be_completed(
    mood: MoodTask, worker: list[AnswerErrand]
) -> None:
    mood.write("task_definition.yaml", DEFINITION.replace("文本：{text}", "{target}：{text}"))
    app = app_on(mood)
    async with app.run_test(size=(110, 30)) as pilot:
        await settled(pilot)
        app.submit("/predict v1 很好")
        await until(pilot, lambda: app.chat.composer.text == "/predict v1 target= 很好")
        assert worker == []
        await pilot.press(*"care", "enter")
        await until(pilot, lambda: "target: care" in screen_text(app))


async def test_escape_ends_the_model_at_work_and_a_second_one_waits_for_nobody(
    mood: MoodTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(errand: AnswerErrand, stop: threading.Event) -> Iterator[PhaseSaid]:
        yield PhaseSaid(message=T("Loading {name}.", name="it"))
        stop.wait()
        raise RunFailed(T("The process that held the model ended with status {code}: {words}", code=-15, words=""))

    monkeypatch.setattr("tools.exporting.predict.run_errand", answer)
    app = app_on(mood)
    async with app.run_test(size=(110, 30)) as pilot:
        await settled(pilot)
        app.submit("/predict v1 好")
        await until(pilot, lambda: "Loading it." in screen_text(app))
        assert "end the model at work" in screen_text(app)
        app.submit("/predict v1 壞")
        await until(pilot, lambda: "One thing at a time" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "You ended it." in screen_text(app))
        assert not app.using.busy and "status -15" not in screen_text(app)


async def test_an_export_is_written_only_after_a_yes_and_wrong_words_name_the_forms(
    mood: MoodTask, worker: list[ExportErrand], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.faces.tui.screens.confirm.DEAD_SECONDS", 0.0)
    app, folder = app_on(mood), mood.root / "exports" / "mood-v1" / "adapter"
    async with app.run_test(size=(110, 30)) as pilot:
        await settled(pilot)
        app.submit("/export v1 gguff")
        await until(pilot, lambda: "Did you mean gguf?" in screen_text(app))
        for key in ("n", "y"):
            app.submit("/export v1")
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            await until(pilot, lambda: "2.0 MB" in screen_text(app) and "licence of the" in screen_text(app))
            assert not folder.exists() and worker == []
            await pilot.press(key)
            await until(pilot, lambda: app.screen is app.chat)
        await until(pilot, lambda: "--hub USER/NAME" in screen_text(app))
        assert (folder / "adapter_model.safetensors").is_file()
