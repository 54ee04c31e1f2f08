"""Sessions in the chat: a question and its card, typing beside it, leaving, coming back, the picker."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.approval import DecideQuestion
from agent.conversation.said import Order
from agent.faces.overnight import NightWish
from agent.faces.tui.app import IterateApp
from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.screens.resume import ResumeScreen
from agent.i18n import speaker
from agent.journal import Journal
from agent.records import session_records
from agent.settings import Settings
from tests.support.tui import make_app, screen_text, settled, until
from tools.comparison import Comparison
from tools.text import T, Text


def decisions(task: Path) -> list[str]:
    return [str(entry.data["decision"]["decision"]) for entry in Journal(task).entries() if entry.event == "decision"]


async def test_what_is_typed_when_a_card_appears_stays_and_decides_nothing(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 34)) as pilot:
        await settled(pilot)
        app.execute(Order(command="improve", args={"task": "stance"}))
        await pilot.press(*"a draft with a, r, 1")
        await until(pilot, lambda: app.desk.card is not None)
        await pilot.press(*" and more")
        assert app.chat.composer.text == "a draft with a, r, 1 and more"
        assert app.focused is app.chat.composer
        assert app.bridge.question is not None and decisions(app.task_path) == []
        await app.leave()


async def test_a_rejection_in_words_reaches_the_session_and_a_number_that_does_not_exist_is_said(
    tmp_path: Path,
) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        app.execute(Order(command="improve", args={"task": "stance"}))
        await until(pilot, lambda: app.desk.card is not None)
        app.execute(Order(command="approve", args={"numbers": [77]}))
        await until(pilot, lambda: "There is no proposal 77" in screen_text(app))
        app.execute(Order(command="reject", args={"numbers": [1], "reason": "we tried that"}))
        await until(pilot, lambda: decisions(app.task_path) == ["reject"])
        entry = next(entry for entry in Journal(app.task_path).entries() if entry.event == "decision")
        assert entry.data["decision"]["reason"] == "we tried that" and entry.data["decision"]["by"] == "person"
        await app.leave()


async def test_a_question_put_aside_comes_back_and_after_leaving_the_same_session_is_taken_up(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        app.execute(Order(command="improve", args={"task": "stance"}))
        await until(pilot, lambda: app.desk.card is not None)
        asked = app.bridge.question
        app.execute(Order(command="later"))
        await until(pilot, lambda: app.desk.card is None)
        assert app.bridge.question == asked
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.desk.card is not None)
        await app.leave()
    record = session_records(app.task_path)[-1]
    assert app.resume_line == f"iterate --resume {record.id}" and record.reason == "waiting"

    chooser = IterateApp(app.workspace, speaker("en"), "en", resume="", settings=Settings())
    async with chooser.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: isinstance(chooser.screen, ResumeScreen))
        await pilot.press("escape")
        await until(pilot, lambda: chooser.screen is chooser.chat)
        await until(pilot, lambda: "go on with stance: a decision waits" in screen_text(chooser))
        assert not chooser.bridge.running

    again = IterateApp(app.workspace, speaker("zh-TW"), "zh-TW", resume=record.id, settings=Settings())
    async with again.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: again.desk.card is not None)
        assert again.bridge.question == asked
        await again.leave()
    assert len(session_records(app.task_path)) == 1 and decisions(app.task_path) == []


async def test_the_picker_lists_sessions_and_goes_on_with_an_open_one(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance", "official-doc")
    async with app.run_test(size=(100, 34)) as pilot:
        await settled(pilot)
        app.execute(Order(command="sessions"))
        await until(pilot, lambda: "There is no session yet" in screen_text(app))
        app.execute(Order(command="improve", args={"task": "stance"}))
        await until(pilot, lambda: app.desk.card is not None)
        app.execute(Order(command="improve", args={"task": "official-doc"}))
        await until(pilot, lambda: app.bridge.task is not None and app.bridge.task.name == "official-doc")
        await until(pilot, lambda: app.bridge.question is not None)
        app.execute(Order(command="sessions"))
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen))
        shown = screen_text(app)
        assert "stance" in shown and "a decision waits" in shown
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.bridge.task is not None and app.bridge.task.name == "stance")
        await until(pilot, lambda: app.desk.card is not None)
        assert app.task_path.name == "stance" and len(session_records(app.task_path)) == 1
        await app.leave()


async def test_a_night_is_agreed_to_before_it_begins_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[list[str], str | None]] = []

    def begin(workspace: Path, tasks: list[Path], wish: NightWish, language: str) -> list[Text]:
        begun.append(([task.name for task in tasks], wish.until))
        return [T("Watch it: tail -f {log}", log="night.log")]

    monkeypatch.setattr("agent.faces.overnight.begin_detached", begin)
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(110, 30)) as pilot:
        await settled(pilot)
        app.execute(Order(command="overnight"))
        await until(pilot, lambda: "/overnight 07:00" in screen_text(app))
        for key in ("n", "y"):
            app.execute(Order(command="overnight", args={"until": "07:00"}))
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            shown = screen_text(app)
            assert "config,recipe,prompt" in shown and "07:00" in shown
            assert begun == []
            await pilot.pause(0.6)
            await pilot.press(key)
        await until(pilot, lambda: "tail -f night.log" in screen_text(app))
        assert begun == [(["stance"], "07:00")]


async def test_an_order_of_a_screen_is_answered_in_the_chat_and_needs_a_yes_where_nothing_was_asked(
    tmp_path: Path,
) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 34)) as pilot:
        await settled(pilot)
        app.execute(Order(command="versions"))
        await until(pilot, lambda: app.screen is not app.chat)
        app.post_message(OrderGiven(Order(command="adopt", args={"version": "v1"})))
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "opens the locked test set" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert not (app.task_path / "iterations" / "test_ledger.jsonl").exists()


async def test_a_wish_for_another_task_is_reviewed_there_and_an_adoption_that_names_it_is_no_answer_here(
    tmp_path: Path,
) -> None:
    app = make_app(tmp_path, "stance", "official-doc")
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        app.execute(Order(command="improve", args={"task": "stance"}))
        await until(pilot, lambda: app.desk.card is not None)
        review = app.bridge.question
        compared = Comparison.model_construct(base="v1", new="v2")
        app.bridge._question = DecideQuestion.model_construct(version="v2", parent="v1", comparison=compared, waiting=0)
        app.execute(Order(command="adopt", args={"task": "official-doc", "version": "v2"}))
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert app.bridge.question is not None, "the question about stance must not be answered"
        app.bridge._question = review
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        app.submit("try learning rate 7e-5 for official-doc")
        await until(pilot, lambda: app.bridge.task is not None and app.bridge.task.name == "official-doc")
        await until(pilot, lambda: app.bridge.question is not None and app.desk.card is not None)
        assert app.bridge.question.proposal.task == app.task_path.name == "official-doc"
        assert app.bridge.question.proposal.origin == "person"
        await app.leave()
    assert [entry.event for entry in Journal(app.workspace.task_path("stance")).entries()] == []


async def test_a_task_outside_the_workspace_can_be_talked_about(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    outside = tmp_path / "elsewhere" / "opinions"
    shutil.copytree(app.workspace.task_path("stance"), outside)
    app.task_path = outside
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        app.submit("/try learning rate 7e-5")
        await until(pilot, lambda: app.desk.card is not None)
        assert app.bridge.task == outside and app.bridge.question.proposal.origin == "person"
        app.execute(Order(command="improve", args={"task": "opinions"}))
        await pilot.pause()
        assert app.bridge.task == outside and app.bridge.running
        await app.leave()
