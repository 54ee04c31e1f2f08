"""The chat as a person meets it: first paint, start, talking, orders, errors, leaving. No endpoint, no training."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.chat import Conversation
from agent.conversation.commands import BY_NAME, COMMANDS
from agent.conversation.said import Delta, Grid, Order, Para, Said, ToolUsed, TurnEnded
from agent.events import Notice
from agent.faces.tui import loading
from agent.faces.tui.apology import write_log
from agent.faces.tui.app import ORDERS, IterateApp
from agent.faces.tui.attention import ABSENT_SECONDS, QUIET_SECONDS, Attention
from agent.faces.tui.keys import KEYS, usable_keymap
from agent.faces.tui.memory import UiMemory
from agent.faces.tui.messages import OrderGiven, PartsLoaded, QuestionAsked, SessionGone, SessionSays, WorkFailed
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.screens.help import HelpScreen, help_entries
from agent.faces.tui.themes import chosen, theme_name
from agent.faces.tui.widgets.blocks import Answered, LinkLine, PersonSaid
from agent.i18n import speaker
from agent.settings import Settings
from tests.support.tui import make_app, screen_text, settled, until, workspace_with
from tools.errors import InputError
from tools.text import T, english

HEAVY = ("langgraph", "langchain_core", "openai", "agent.session", "agent.chat", "torch", "transformers")


def test_the_first_paint_needs_none_of_the_heavy_parts() -> None:
    code = f"import agent.faces.tui.app, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_acting_command_has_a_method_and_every_key_names_a_command() -> None:
    assert set(ORDERS) == {command.name for command in COMMANDS if command.acts}
    assert {key.command for key in KEYS if key.command} <= set(BY_NAME)
    assert len({key.id for key in KEYS}) == len(KEYS)
    for key in KEYS:
        assert "alt+" not in key.keys and "ctrl+s" not in key.keys.split(",")


def test_help_names_every_command_and_every_key_in_both_languages() -> None:
    for language in ("en", "zh-TW"):
        shown = "\n".join(entry.plain() for entry in help_entries(english, language, {"panel": "ctrl+b"}))
        assert all(f"/{command.name}" in shown for command in COMMANDS)
        assert all(key.id in shown for key in KEYS if key.action)
        assert "ctrl+b" in shown and "Ctrl+T" not in shown
        assert ("改善{task}" in shown) is (language == "zh-TW")


def test_a_key_of_the_settings_that_does_not_exist_is_named() -> None:
    assert usable_keymap({"panel": "ctrl+b", "pannel": "x"}) == ({"panel": "ctrl+b"}, ["pannel"])


def test_colours_follow_the_terminal_unless_chosen(tmp_path: Path) -> None:
    assert theme_name("terminal", {}) == "ansi-dark"
    assert theme_name("terminal", {"COLORFGBG": "0;15"}) == "ansi-light"
    assert theme_name("light", {"COLORFGBG": "15;0"}) == "textual-light"
    assert chosen("ansi") == "terminal" and chosen("深色") == "dark" and chosen("pink") is None
    memory = UiMemory(tmp_path / ".iterate")
    memory.keep(theme="light", draft="half a sen")
    assert UiMemory(tmp_path / ".iterate").now.theme == "light"
    (tmp_path / ".iterate" / "ui.json").write_text("{broken", encoding="utf-8")
    assert UiMemory(tmp_path / ".iterate").now.theme == "terminal"


def test_the_bell_rings_only_while_nobody_looks_and_not_again_at_once() -> None:
    clock, rung, written = [100.0], [], []
    attention = Attention(lambda: rung.append(1), written.append, lambda: clock[0])
    assert not attention.call("a decision waits") and not rung
    attention.left()
    assert attention.call("a decision waits\x07\x1b[2J") and attention.call("again")
    assert len(rung) == 1 and written[0] == "\x1b]2;a decision waits[2J\x07"
    clock[0] += QUIET_SECONDS
    attention.call("later")
    attention.back("iterate")
    attention.call("seen")
    assert len(rung) == 2


async def test_the_start_shows_tasks_and_sentences_that_can_be_chosen(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance", "official-doc")
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        shown = screen_text(app)
        assert "stance" in shown and "official-doc" in shown and "70.0%" in shown
        status = next(link for link in app.chat.transcript.query(LinkLine) if "status of" in link.lines(60).plain)
        status.focus()
        await pilot.press("enter")
        await until(pilot, lambda: "answered by: rules" in screen_text(app))
        assert "/status stance" in screen_text(app)


async def test_what_is_typed_before_everything_is_loaded_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def slow(*args: Any) -> Conversation:
        go.wait(20)
        return Conversation(*args)

    monkeypatch.setattr("agent.chat.Conversation", slow)
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(*"help", "enter")
        await pilot.press(*"/where", "enter")
        assert "waiting: help" in screen_text(app) and not app.loaded
        go.set()
        await until(pilot, lambda: [e.text for e in people(app)] == ["help", "/where"] and not app.talk.busy)
        assert "waiting" not in screen_text(app)


def test_tasks_that_cannot_be_read_leave_the_conversation_usable_and_any_error_fits_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(workspace: Any) -> Any:
        raise RuntimeError("a name that is no text: \udce9")

    monkeypatch.setattr(loading, "overviews", broken)
    posted: list[Any] = []
    loading.load(workspace_with(tmp_path, "stance"), Settings(), posted.append)
    failed, loaded = posted
    assert isinstance(failed, WorkFailed) and isinstance(loaded, PartsLoaded)
    log = write_log(tmp_path, failed.error)
    assert log is not None and "\\udce9" in log.read_text(encoding="utf-8")


def people(app: Any) -> list[PersonSaid]:
    return [entry for entry in app.chat.transcript.entries if isinstance(entry, PersonSaid)]


async def test_an_empty_workspace_offers_the_examples_and_only_yes_copies_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.faces.tui.screens.confirm.DEAD_SECONDS", 1e6)
    app = make_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        app.screen._now = lambda: 1e12  # the dead time is over
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat)
        assert app.workspace.task_names() == []
        app.execute(Order(command="examples"))
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        assert isinstance(app.screen, ConfirmScreen), "a key that was meant for something else must not mean yes"
        app.screen._now = lambda: 1e12
        await pilot.press("y")
        await until(pilot, lambda: app.screen is app.chat and "stance" in screen_text(app))
        assert "stance" in app.workspace.task_names()


async def test_an_error_of_the_user_has_its_next_step_and_one_of_the_program_leaves_a_log_without_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turn(self: Conversation, text: str, situation: Any, tell: Any) -> None:
        raise RuntimeError("it broke with sk-secret-key")

    monkeypatch.setattr(Conversation, "turn", turn)
    app = make_app(
        tmp_path, "stance", settings=Settings(base_url="http://localhost:9", api_key=SecretStr("sk-secret-key"))
    )
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        wrong = InputError(T("That is no task."), hint=T("Name one that exists."), page="troubleshooting/broken-files")
        app.fail(wrong)
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "RuntimeError" in screen_text(app))
        shown = screen_text(app)
        assert "That is no task." in shown and "Next step: Name one that exists." in shown
        assert "read: troubleshooting/broken-files" in shown
        log = (app.workspace.root / ".iterate" / "log.txt").read_text(encoding="utf-8")
        assert "it broke with ***" in log and "sk-secret" not in log and "sk-secret" not in shown
        assert not app.talk.busy


async def test_answers_stream_wait_their_turn_and_say_who_gave_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, subjects = threading.Event(), []

    def turn(self: Conversation, text: str, situation: Any, tell: Any) -> None:
        assert text == "one" or subjects == ["two"]
        tell(Delta(text="It is **so** [b]"))
        tell(ToolUsed(name="read_results", arguments='{"task": "stance"}', outcome="macro_f1 0.578", ok=True))
        while not (situation.stopped() or go.is_set()):
            threading.Event().wait(0.01)
        tell(TurnEnded(by="model", model="tiny[red]", note=T("cut") if situation.stopped() else None))

    monkeypatch.setattr(Conversation, "turn", turn)
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        await pilot.press(*"one", "enter")
        await until(pilot, lambda: "read: read_results" in screen_text(app))
        assert "It is so [b]" in screen_text(app) and "macro_f1 0.578" not in screen_text(app)
        await pilot.press(*"two", "enter")
        assert "waiting: two" in screen_text(app) and "Esc" in screen_text(app)
        app._follow_subject = subjects.append
        await pilot.press("escape")
        await until(pilot, lambda: "You interrupted this answer." in screen_text(app))
        assert subjects == ["two"], "a message is answered about the task that it names itself"
        go.set()
        await until(pilot, lambda: not app.talk.busy and len(people(app)) == 2)
        assert "answered by: model tiny[red]" in screen_text(app)


async def test_hostile_words_stay_words(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    evil = "[bold]x[/] \x1b]0;owned\x07 \u202eevil [/"
    async with app.run_test(size=(110, 40)) as pilot:
        await settled(pilot)
        app.post_message(SessionSays(Notice(message=T("{row}", row=evil))))
        app.showing.turn(Said(block=Para(text=T("{row}", row=evil))), 1)
        app.showing.turn(Said(block=Grid(header=[T("Row")], rows=[[evil]])), 1)
        app.showing.turn(ToolUsed(name=evil, arguments=evil, outcome=evil, ok=False), 1)
        await pilot.pause()
        shown = screen_text(app)
        assert shown.count("[bold]x[/]") >= 4 and "\x1b" not in shown and "\u202e" not in shown


async def test_leaving_keeps_the_unsent_message_and_says_how_to_come_back(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*"half a sen")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.resume_line is not None)
    assert app.return_value == 0 and app.resume_line == "iterate chat stance"
    assert UiMemory(app.workspace.root / ".iterate").now.draft == "half a sen"


async def test_leaving_keeps_the_messages_that_waited_and_starting_keeps_what_is_typed_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turn(self: Conversation, text: str, situation: Any, tell: Any) -> None:
        while not situation.stopped():
            threading.Event().wait(0.01)

    monkeypatch.setattr(Conversation, "turn", turn)
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for text in ("one", "two"):
            await pilot.press(*text, "enter")
        await pilot.press(*"thr")
        await app.leave()
    memory = UiMemory(app.workspace.root / ".iterate")
    assert memory.now.draft == "two\nthr"
    again = IterateApp(app.workspace, speaker("en"), "en", settings=Settings())
    async with again.run_test(size=(80, 24)):
        assert again.chat.composer.text == "two\nthr"
        again.chat.composer.replace_text("early")
        again.greet()
        assert again.chat.composer.text == "early"
        again.chat.composer.replace_text("")


async def test_a_training_that_broke_off_with_the_session_is_not_shown_as_running(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.showing.training = True
        app.post_message(SessionGone(InputError(T("It broke."))))
        await until(pilot, lambda: not app.showing.training)


async def test_help_and_the_palette_open_by_key_and_a_command_that_needs_a_value_is_put_into_the_input(
    tmp_path: Path,
) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("f1")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape", "ctrl+p")
        await pilot.press(*"whatif")
        await until(pilot, lambda: "/whatif" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.composer.text.startswith("/whatif "))


async def test_the_task_panel_stays_away_from_narrow_terminals_and_its_key_is_remembered(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert not app.chat.panel.display
        await pilot.resize_terminal(120, 30)
        await until(pilot, lambda: "% of 70.0%" in screen_text(app))
        assert "✗ Macro-F1" in screen_text(app) and "⚠" in screen_text(app)
        await pilot.press("ctrl+t")
        assert not app.chat.panel.display and not app.memory.now.panel


async def test_a_stale_question_shows_no_card(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        app.post_message(QuestionAsked(None, 7))
        app.post_message(OrderGiven(Order(command="approve", args={"numbers": [1]})))
        await pilot.pause()
        await until(pilot, lambda: "No proposal is waiting" in screen_text(app))
        assert app.desk.card is None


def test_no_colour_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert make_app(tmp_path, "stance").no_color


async def test_copy_takes_the_last_answer_without_signs_of_the_screen(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        app.show(PersonSaid("one"), Answered("第一段\n**bold**"), PersonSaid("/copy"))
        await pilot.pause()
        app.execute(Order(command="copy"))
        await until(pilot, lambda: "Copied" in screen_text(app))
        assert app.clipboard == "第一段\n**bold**"


async def test_the_program_of_the_settings_is_run_for_somebody_who_pressed_no_key_for_a_while(tmp_path: Path) -> None:
    hook, log = tmp_path / "hook.sh", tmp_path / "log"
    hook.write_text(f'#!/bin/sh\ncat > "{log}.part"\nmv "{log}.part" "{log}"\nexit 5\n', encoding="utf-8")
    hook.chmod(0o755)
    app = make_app(tmp_path, "stance", settings=Settings(notify=[str(hook)]))
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        clock = [app.attention._seen_at]
        app.attention._now = lambda: clock[0]
        await pilot.press("a")
        app.call_person(T("a decision waits"), "waiting")
        clock[0] += ABSENT_SECONDS
        app.call_person(T("a training has ended"), "finished")
        await until(pilot, lambda: "ended with 5" in screen_text(app))
    assert '"happening": "finished"' in log.read_text(encoding="utf-8")
