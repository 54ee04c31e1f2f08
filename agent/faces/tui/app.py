"""The full-screen chat: it routes messages between the conversation, the session and the screens, and owns nothing else.

    IterateApp(workspace, say, language, task=..., resume=..., settings=...).run()

This module needs Textual and small modules of ours only, so that the first paint comes at once; LangGraph, the client of
the model and the reference library are imported in a thread while the person can already type.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.screen import Screen

from agent.conversation.commands import BY_NAME
from agent.conversation.said import Order
from agent.conversation.situation import Situation
from agent.faces.tui import keys, messages, start, themes
from agent.faces.tui.answering import apology, error_entries
from agent.faces.tui.apology import write_log
from agent.faces.tui.attention import Attention
from agent.faces.tui.bridge import SessionBridge
from agent.faces.tui.copying import copy_with_program
from agent.faces.tui.desk import Desk
from agent.faces.tui.loading import load
from agent.faces.tui.memory import UiMemory
from agent.faces.tui.orders import Args, Orders
from agent.faces.tui.palette import CommandsInPalette
from agent.faces.tui.screens.chat import ChatScreen
from agent.faces.tui.screens.help import HelpScreen
from agent.faces.tui.showing import Showing
from agent.faces.tui.talk import Loaded, Talk
from agent.faces.tui.telling import spoken
from agent.faces.tui.widgets import key_bar
from agent.faces.tui.widgets.blocks import Entry, Note, PersonSaid
from agent.faces.tui.widgets.composer import Composer
from agent.model.client import never
from agent.paths import Workspace
from agent.settings import Settings
from tools.change import Proposal
from tools.errors import IterateError
from tools.text import Speaker, T, Text, visible

ORDERS: dict[str, Callable[[Orders, Args], Coroutine[Any, Any, None]]] = {
    "improve": Orders.improve,
    "errors": Orders.errors,
    "approve": Orders.approve,
    "edit": Orders.edit,
    "reject": Orders.reject,
    "later": Orders.later,
    "adopt": Orders.adopt,
    "continue": Orders.go_on,
    "rollback": Orders.rollback,
    "versions": Orders.versions,
    "training": Orders.training,
    "stop": Orders.stop,
    "samples": Orders.samples,
    "refs": Orders.refs,
    "overnight": Orders.overnight,
    "sessions": Orders.sessions,
    "theme": Orders.theme,
    "copy": Orders.copy,
    "quit": Orders.quit,
}
"""Every acting command and the method that carries it out."""

LEAVE_AGAIN_SECONDS = 3.0
"""Within this time a second Ctrl+C leaves."""


class IterateApp(App[int]):
    """One chat in one workspace."""

    CSS_PATH = "app.tcss"
    TITLE = "iterate"
    BINDINGS: ClassVar = keys.bindings("app")
    COMMANDS: ClassVar = {CommandsInPalette}
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        workspace: Workspace,
        say: Speaker,
        language: str,
        *,
        task: Path | None = None,
        resume: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.workspace = workspace
        self.say = say
        self.language = language
        self.task_path = task
        self.settings = settings or Settings()
        self.memory = UiMemory(workspace.root / ".iterate")
        self.resume_line: str | None = None
        """What the command line prints after leaving."""
        super().__init__()
        self._resume = resume
        self._loaded: Loaded | None = None
        self._leave_at_next = False
        self.bridge = SessionBridge(self.post_message, say)
        self.talk = Talk(self.post_message, self._run_turn, self.situation)
        self.attention = Attention(self.bell, self._write_to_terminal)
        self.chat = ChatScreen(say, panel=self.memory.now.panel)
        self._orders = Orders(self)
        self.desk = Desk(self)
        self.showing = Showing(self)
        self.theme = themes.theme_name(self.memory.now.theme, os.environ)
        self._changed_keys, self._unknown_keys = keys.usable_keymap(dict(getattr(self.settings, "keys", {})))
        self.set_keymap(self._changed_keys)

    # --- beginning

    @property
    def loaded(self) -> bool:
        """True once the conversation can answer."""
        return self._loaded is not None

    def get_default_screen(self) -> Screen[Any]:
        """The chat is there from the first paint."""
        return self.chat

    def on_ready(self) -> None:
        """Painted: now bring in what takes long, while the person can type."""
        self.chat.composer.replace_text(self.memory.now.draft)
        self.memory.keep(draft="")
        self.attention.title(self._title())
        for name in self._unknown_keys:
            self.tell(
                T(
                    "The settings change the key {name}, which does not exist; F1 lists the names.",
                    name=visible(name, 40),
                )
            )
        work = partial(load, self.workspace, self.settings, self.post_message)
        self.run_worker(work, thread=True, group="boot", exit_on_error=False)

    def on_tasks_read(self, message: messages.TasksRead) -> None:
        """The workspace was read: say where things stand and what can be said."""
        self.show(*start.start_entries(self.workspace, message.tasks, self.say))
        if self.task_path is None and len(message.tasks) == 1:
            self.choose_task(self.workspace.task_path(message.tasks[0].name))
        elif self.task_path is not None:
            self.choose_task(self.task_path)
        if not message.tasks and not self.chat.composer.text:
            self.execute(Order(command="examples"))

    def on_parts_loaded(self, message: messages.PartsLoaded) -> None:
        """The conversation can answer now; what was typed before is answered first."""
        self._loaded = message.loaded
        self.bridge.model = message.loaded.model
        self.showing.who(message.loaded.model)
        self.talk.begin(message.loaded.conversation)
        if self._resume is not None:
            self.perform(self._orders.resume(self._resume))

    # --- talking

    def on_composer_sent(self, message: Composer.Sent) -> None:
        """The person sent something: it runs at once or waits its turn."""
        self.chat.transcript.to_end()
        self.submit(message.text)

    def submit(self, text: str) -> None:
        """Say something in the person's place: a suggestion they chose, a command from the palette."""
        if self.talk.say(text):
            self._turn_begins(text)
        self.chat.show_queue(self.talk.waiting)
        self.refresh_hints()

    def _turn_begins(self, text: str) -> None:
        self.showing.begin_turn()
        self.show(PersonSaid(text))

    def _run_turn(self, work: Callable[[], None]) -> None:
        self.run_worker(work, thread=True, group="turn", exit_on_error=False)

    def situation(self, stopped: Callable[[], bool] = never) -> Situation | None:
        """What an answer may look at now; None until the library is there."""
        if self._loaded is None:
            return None
        return Situation(
            workspace=self.workspace,
            library=self._loaded.library,
            say=self.say,
            language=self.language,
            task=self.task_path,
            question=self.bridge.question,
            proposals=self.bridge.standing.proposals,
            model=self._loaded.model,
            stopped=stopped,
        )

    def on_turn_says(self, message: messages.TurnSays) -> None:
        """An event of the answer."""
        self.showing.turn(message.event, message.turn)

    def on_turn_failed(self, message: messages.TurnFailed) -> None:
        """The answer ended with an error."""
        self.fail(message.error)
        self.turn_over(message.turn)

    def turn_over(self, turn: int) -> None:
        """Go on with the next message that waits."""
        self.chat.transcript.end_stream()
        self.talk.ended(turn)
        following = self.talk.next()
        if following is not None:
            self._turn_begins(following)
        self.chat.show_queue(self.talk.waiting)
        self.refresh_hints()

    # --- the session and its questions

    def on_session_says(self, message: messages.SessionSays) -> None:
        """An event of the session."""
        self.showing.session(message.event)

    def on_session_gone(self, message: messages.SessionGone) -> None:
        """The session's thread has ended."""
        self.desk.drop()
        if message.error is not None:
            self.fail(message.error)
        self.read_status()
        self.refresh_hints()

    def on_question_asked(self, message: messages.QuestionAsked) -> None:
        """A question waits."""
        self.desk.asked(message.question, message.token)

    def on_question_answered(self, message: messages.QuestionAnswered) -> None:
        """A card was answered."""
        self.desk.give(message.answer, message.token)

    def on_question_postponed(self, message: messages.QuestionPostponed) -> None:
        """A card was put aside."""
        self.desk.postpone()

    def on_text_area_changed(self, event: Composer.Changed) -> None:
        """The card may take the keys only while nothing is typed; completions follow what is typed."""
        if event.text_area is self.chat.composer:
            self.desk.typed(self.chat.composer.text)
            self.showing.complete(self.chat.composer.text)

    def on_composer_key_seen(self, message: Composer.KeySeen) -> None:
        """A key was pressed in the input."""
        self.desk.key_seen()

    # --- orders

    def on_order_given(self, message: messages.OrderGiven) -> None:
        """A screen, a link or a card asks for something."""
        if (
            self.screen is not self.chat
            and message.order.command in BY_NAME
            and not BY_NAME[message.order.command].acts
        ):
            self.pop_to_chat()
        self.execute(message.order)

    def execute(self, order: Order) -> None:
        """Carry an order out; what is no acting command is said in the conversation."""
        method = ORDERS.get(order.command)
        if order.command == "examples":
            self.perform(self._orders.examples())
        elif method is not None:
            self.perform(method(self._orders, order.args))
        else:
            self.submit(spoken(order))

    def perform(self, work: Coroutine[Any, Any, None]) -> None:
        """Run an order in a worker of its own; an error becomes a block."""

        async def run() -> None:
            try:
                await work
            except asyncio.CancelledError:
                raise
            except Exception as error:  # shown; the chat goes on
                self.fail(error)

        self.run_worker(run(), group="order", exit_on_error=False)

    def choose_task(self, task: Path) -> None:
        """The task under discussion from now on."""
        self.task_path = task
        self.showing.about(task)
        self.read_status()

    def read_status(self) -> None:
        """Read the task's numbers again, in a thread."""
        task = self.task_path
        if task is not None:
            self.run_worker(lambda: self.showing.read_status(task), thread=True, group="status", exit_on_error=False)

    def on_status_read(self, message: messages.StatusRead) -> None:
        """The task's numbers are there."""
        if self.task_path == message.task:
            self.showing.status(message.status)

    def on_work_failed(self, message: messages.WorkFailed) -> None:
        """Something in a thread went wrong."""
        self.fail(message.error)

    def on_offers_made(self, message: messages.OffersMade) -> None:
        """Completions for what is typed, unless it has changed since."""
        if self.chat.composer.text == message.text:
            self.chat.completions.offer(message.offers)

    # --- showing

    def show(self, *entries: Entry) -> None:
        """Add blocks to the transcript."""
        self.chat.transcript.add(*entries)

    def tell(self, text: Text, tone: str = "muted") -> None:
        """Say one thing in the program's words."""
        self.show(Note(self.say(text), tone, sign="· "))

    def fail(self, error: BaseException) -> None:
        """Show an error: the user's with its next step, the program's own with an apology and a log."""
        if isinstance(error, IterateError):
            self.show(*error_entries(error, self.say))
            return
        key = self.settings.api_key
        log = write_log(self.workspace.root / ".iterate", error, (key.get_secret_value(),) if key else ())
        self.show(*apology(str(log) if log else None, error, self.say))

    def last_answer(self) -> str:
        """The text since the person's last message."""
        lines: list[str] = []
        for entry in reversed(self.chat.transcript.entries):
            if isinstance(entry, PersonSaid):
                break
            lines.insert(0, entry.plain())
        return "\n".join(lines).strip()

    def refresh_hints(self) -> None:
        """The three keys that matter now."""
        if self.talk.busy:
            self.chat.keys.show(key_bar.BUSY)
        elif self.bridge.question is not None:
            self.chat.keys.show(key_bar.ASKED)
        elif self.showing.training:
            self.chat.keys.show(key_bar.TRAINING)
        else:
            self.chat.keys.show(key_bar.IDLE)

    def pop_to_chat(self) -> None:
        """Close whatever is above the chat."""
        while self.screen is not self.chat:
            self.pop_screen()

    def file(self, proposal: Proposal) -> None:
        """Bring a wish of the person to review."""
        task = self.workspace.task_path(proposal.task)
        self.choose_task(task)
        self.bridge.file(proposal, task)

    def call_person(self, what: Text) -> None:
        """Ring and set the title if the person looks elsewhere."""
        self.attention.call(self._title(what))

    def _title(self, what: Text | None = None) -> str:
        name = visible(self.task_path.name, 40) if self.task_path else ""
        return " - ".join(part for part in (self.say(what) if what else "", name, "iterate") if part)

    def _write_to_terminal(self, sequence: str) -> None:
        if self._driver is not None and not self.is_headless and not self.is_web:
            self._driver.write(sequence)

    def on_app_blur(self) -> None:
        """The person looks elsewhere."""
        self.attention.left()

    def on_app_focus(self) -> None:
        """The person is back."""
        self.attention.back(self._title())

    # --- keys

    def action_interrupt(self) -> None:
        """Interrupt the answer, never the training."""
        if not self.talk.interrupt():
            self.chat.composer.focus()

    def action_to_question(self) -> None:
        """Go to the question that waits."""
        self.desk.open()

    def on_chat_screen_panel_wanted(self, message: ChatScreen.PanelWanted) -> None:
        """Remember whether the task panel is wanted."""
        self.memory.keep(panel=message.wanted)

    def action_show_help(self) -> None:
        """Every command and every key."""
        self.push_screen(HelpScreen(self.say, self.language, self._changed_keys))

    def on_composer_help_wanted(self, message: Composer.HelpWanted) -> None:
        """A question mark in the empty input."""
        self.action_show_help()

    def action_command(self, name: str) -> None:
        """A key that stands for a command."""
        self.execute(Order(command=name))

    def on_composer_leave_wanted(self, message: Composer.LeaveWanted) -> None:
        """Ctrl+D in the empty input."""
        self.action_command("quit")

    def action_copy_or_leave(self) -> None:
        """Copy what is selected; without a selection the second press leaves."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
        elif self._leave_at_next:
            self.action_command("quit")
        else:
            self._leave_at_next = True
            self.set_timer(LEAVE_AGAIN_SECONDS, self._forget_leaving)
            told = T("Press Ctrl+C again to leave; a training goes on.")
            self.notify(self.say(told), timeout=LEAVE_AGAIN_SECONDS, markup=False)

    def _forget_leaving(self) -> None:
        self._leave_at_next = False

    def copy_to_clipboard(self, text: str) -> None:
        """Through the terminal, and through the desktop's own program where there is one."""
        super().copy_to_clipboard(text)
        self.run_worker(lambda: copy_with_program(text), thread=True, group="copy", exit_on_error=False)

    def use_theme(self, choice: str) -> None:
        """Change the colours and remember them."""
        self.memory.keep(theme=choice)
        self.theme = themes.theme_name(choice, os.environ)

    async def leave(self) -> None:
        """Leave everything as it is: the question waits, the training goes on, an unsent message is kept."""
        self.memory.keep(draft=self.chat.composer.text)
        self.talk.interrupt()
        await asyncio.to_thread(self.bridge.leave)
        self.resume_line = self.showing.resume_line()
        self.exit(0)

    async def action_quit(self) -> None:
        """Every way out is the same."""
        await self.leave()
