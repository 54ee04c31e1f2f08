"""The input: sending, new lines, history, completions; what is typed is never lost."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import App, ComposeResult
from textual.events import Paste

from agent.faces.tui.widgets.completion import Completions
from agent.faces.tui.widgets.composer import Composer
from tests.support.tui import screen_text


@dataclass
class Offered:
    insert: str
    shown: str
    note: str = "說明"


class OneComposer(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        self.completions = Completions()
        self.composer = Composer(self.completions, "say something")
        yield self.completions
        yield self.composer

    def on_mount(self) -> None:
        self.composer.focus()

    def on_composer_sent(self, message: Composer.Sent) -> None:
        self.sent.append(message.text)

    def on_composer_help_wanted(self) -> None:
        self.told.append("help")

    def on_composer_end_wanted(self) -> None:
        self.told.append("end")

    def on_composer_leave_wanted(self) -> None:
        self.told.append("leave")


async def test_enter_sends_and_ctrl_j_breaks_the_line() -> None:
    app = OneComposer()
    async with app.run_test() as pilot:
        await pilot.press(*"one", "ctrl+j", *"two", "enter")
        assert app.sent == ["one\ntwo"]
        assert app.composer.text == ""
        await pilot.press("enter", "space", "enter")
        assert app.sent == ["one\ntwo"]


async def test_the_arrows_bring_messages_back_and_the_unsent_one_after_them() -> None:
    app = OneComposer()
    async with app.run_test() as pilot:
        await pilot.press(*"one", "enter", *"two", "enter", *"dra")
        await pilot.press("up")
        assert app.composer.text == "two"
        await pilot.press("up", "up", "up")
        assert app.composer.text == "one"
        await pilot.press("down", "down")
        assert app.composer.text == "dra"


async def test_inside_several_lines_the_arrows_move_the_cursor() -> None:
    app = OneComposer()
    async with app.run_test() as pilot:
        await pilot.press(*"old", "enter", *"a", "ctrl+j", *"b", "up")
        assert app.composer.text == "a\nb"
        assert app.composer.cursor_location[0] == 0


async def test_tab_takes_a_completion_and_enter_sends_what_is_typed_unless_a_line_was_chosen() -> None:
    app = OneComposer()
    async with app.run_test() as pilot:
        offers = [Offered("/errors ", "/errors"), Offered("/edit ", "/edit")]
        await pilot.press(*"/e")
        app.completions.offer(offers)
        await pilot.pause()
        assert "/errors" in screen_text(app)
        await pilot.press("tab")
        assert app.composer.text == "/errors " and not app.completions.display
        app.completions.offer(offers)
        await pilot.press("down", "enter")
        assert app.composer.text == "/edit " and app.sent == []
        app.completions.offer(offers)
        await pilot.press("enter")
        assert app.sent == ["/edit"]


async def test_escape_closes_the_completions_and_keeps_the_text() -> None:
    app = OneComposer()
    async with app.run_test() as pilot:
        await pilot.press(*"/e")
        app.completions.offer([Offered("/errors", "/errors")])
        await pilot.press("escape")
        assert not app.completions.display and app.composer.text == "/e"


async def test_keys_of_an_empty_input_ask_for_help_or_leave_and_type_otherwise() -> None:
    app = OneComposer()
    async with app.run_test() as pilot:
        await pilot.press("question_mark", "ctrl+d", "end")
        assert app.told == ["help", "leave", "end"]
        await pilot.press(*"why", "question_mark")
        assert app.composer.text == "why?" and app.told == ["help", "leave", "end"]


async def test_chinese_can_be_typed_and_pasted_lines_are_not_sent() -> None:
    app = OneComposer()
    async with app.run_test() as pilot:
        await pilot.press("改", "善")
        app.post_message(Paste("第一行\n第二行"))
        await pilot.pause()
        assert app.composer.text == "改善第一行\n第二行" and app.sent == []
