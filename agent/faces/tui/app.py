"""The full-screen chat: it routes messages between the conversation, the session and the screens, and owns nothing else.

    IterateApp(workspace, say, language, task=..., resume=..., settings=...).run()

This module needs Textual and small modules of ours only, so that the first paint comes at once; LangGraph, the client of
the model and the reference library are imported in a thread while the person can already type.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from agent.conversation.said import Order
from agent.faces.tui import messages, start, wishes
from agent.faces.tui.bridge import SessionBridge
from agent.faces.tui.desk import Desk
from agent.faces.tui.loading import load
from agent.faces.tui.orders import Args, Orders
from agent.faces.tui.palette import CommandsInPalette
from agent.faces.tui.quick import QuickChecks
from agent.faces.tui.showing import Showing
from agent.faces.tui.surface import Surface
from agent.faces.tui.talk import Loaded, Talk
from agent.faces.tui.telling import spoken
from agent.faces.tui.using import Using
from agent.faces.tui.widgets import key_bar
from agent.faces.tui.widgets.blocks import PersonSaid
from agent.faces.tui.widgets.composer import Composer
from agent.paths import Workspace
from agent.settings import Settings
from tools.change import Proposal
from tools.text import Speaker

if TYPE_CHECKING:
    from agent.conversation.situation import Situation

ORDERS: dict[str, Callable[[Orders, Args], Coroutine[Any, Any, None]]] = {
    "improve": Orders.improve,
    "create": Orders.create,
    "label": Orders.label,
    "split": Orders.split,
    "errors": Orders.errors,
    "approve": Orders.approve,
    "edit": Orders.edit,
    "quick": Orders.quick,
    "reject": Orders.reject,
    "later": Orders.later,
    "adopt": Orders.adopt,
    "continue": Orders.go_on,
    "rollback": Orders.rollback,
    "versions": Orders.versions,
    "predict": Orders.predict,
    "export": Orders.export,
    "training": Orders.training,
    "stop": Orders.stop,
    "samples": Orders.samples,
    "refs": Orders.refs,
    "overnight": Orders.overnight,
    "report": Orders.report,
    "sessions": Orders.sessions,
    "theme": Orders.theme,
    "copy": Orders.copy,
    "quit": Orders.quit,
}
"""Every acting command and the method that carries it out."""

OVER_THE_SCREEN = frozenset({"errors", "versions", "training", "samples", "refs", "stop", "theme", "copy"})
"""Orders that leave the screen they come from where it is."""
KEPT_TURNS = 50
"""Earlier messages that the arrow keys bring back, and that a session taken up again is shown with."""


class IterateApp(Surface):
    """One chat in one workspace."""

    COMMANDS: ClassVar = {CommandsInPalette}

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
        super().__init__(workspace, say, language, settings or Settings())
        self.task_path = task
        self.resume_line: str | None = None
        """What the command line prints after leaving."""
        self._resume = resume  # the id of a session, or "" to choose from the list
        self._loaded: Loaded | None = None
        self.bridge = SessionBridge(self.post_message, say)
        self.talk = Talk(self.post_message, self._run_turn, self._surroundings)
        self.orders = Orders(self)
        self.desk = Desk(self)
        self.quick = QuickChecks(self)
        self.using = Using(self)
        self.showing = Showing(self)

    # --- beginning

    @property
    def loaded(self) -> bool:
        """True once the conversation can answer."""
        return self._loaded is not None

    def on_ready(self) -> None:
        """Painted: now bring in what takes long, while the person can type."""
        self.greet()
        work = partial(load, self.workspace, self.settings, self.post_message)
        self.run_worker(work, thread=True, group="boot", exit_on_error=False)

    def on_tasks_read(self, message: messages.TasksRead) -> None:
        """The workspace was read: say where things stand and what can be said."""
        self.show(*start.start_entries(self.workspace, message.tasks, self.say, message.left))
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
        earlier = message.loaded.conversation.recent(KEPT_TURNS)
        self.chat.composer.recall(record.text for record in earlier)
        if self._resume is not None:
            self.showing.replay(earlier)
            self.perform(self.orders.resume(self._resume) if self._resume else self.orders.sessions({}))
        first = self.talk.begin(message.loaded.conversation)
        if first is not None:
            self._turn_begins(first)
            self.chat.show_queue(self.talk.waiting)

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

    def _surroundings(self, text: str, stopped: Callable[[], bool]) -> Situation | None:
        """What this message is answered in: the task that it names is under discussion already."""
        self._follow_subject(text)
        return self.situation(stopped)

    def _follow_subject(self, text: str) -> None:
        """A message that names one task turns to it, while no session holds another; a text to be answered names none."""
        from agent.conversation.understand import brings_a_text

        named = [name for name in self.workspace.task_names() if name in text]
        if len(named) == 1 and not self.bridge.running and not brings_a_text(text):
            self.choose_task(self.workspace.task_path(named[0]))

    def _run_turn(self, work: Callable[[], None]) -> None:
        self.run_worker(work, thread=True, group="turn", exit_on_error=False)

    def situation(self, stopped: Callable[[], bool] = lambda: False) -> Situation | None:
        """What an answer may look at now; None until the library is there."""
        if self._loaded is None:
            return None
        from agent.conversation.situation import Situation

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
        self.showing.session_over()
        self.read_status()
        self.refresh_hints()

    def on_question_asked(self, message: messages.QuestionAsked) -> None:
        """A question waits."""
        self.desk.asked(message.question, message.token)
        self.quick.asked(message.question, self.bridge.task)

    def on_question_answered(self, message: messages.QuestionAnswered) -> None:
        """A card was answered."""
        self.desk.give(message.answer, message.token)

    def on_quick_check_wanted(self, message: messages.QuickCheckWanted) -> None:
        """The person wants to try a change before deciding on it, or not any more; the question waits."""
        task = self.task_named(message.proposal.task)
        if message.give_up:
            self.quick.drop(message.proposal, task)
        else:
            self.quick.want(message.proposal, task)

    def on_quick_check_says(self, message: messages.QuickCheckSays) -> None:
        """A quick check goes on, or is over."""
        self.desk.quick_check_says(message)
        if message.told is None:
            self.quick.over(message.change_id)

    def on_typed(self, message: messages.Typed) -> None:
        """Letters that reached a card but were meant for the input go on there."""
        self.chat.composer.focus()
        self.chat.composer.insert(message.text)

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
        """A screen, a link or a card asks for something; what is answered in the chat brings the chat to the front."""
        if message.order.command not in OVER_THE_SCREEN:
            self.pop_to_chat()
        self.execute(message.order)

    def execute(self, order: Order) -> None:
        """Carry an order out; what is no acting command is said in the conversation."""
        method = ORDERS.get(order.command)
        if order.command == "examples":
            self.perform(self.orders.examples())
        elif method is not None:
            self.perform(method(self.orders, order.args))
        elif order.command == "try" and isinstance(order.args.get("change"), dict):
            self.perform(self.orders.change(order.args))  # worked out by a screen: no words could say it
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

    def on_work_says(self, message: messages.WorkSays) -> None:
        """A thread is so far."""
        self.tell(message.told)

    def on_work_failed(self, message: messages.WorkFailed) -> None:
        """Something in a thread went wrong."""
        self.fail(message.error)

    def on_offers_made(self, message: messages.OffersMade) -> None:
        """Completions for what is typed, unless it has changed since."""
        if self.chat.composer.text == message.text:
            self.chat.completions.offer(message.offers)

    # --- around

    def refresh_hints(self) -> None:
        """The three keys that matter now."""
        states = (
            (self.talk.busy, key_bar.BUSY),
            (self.using.busy, key_bar.USING),
            (self.bridge.question is not None, key_bar.ASKED),
            (self.showing.training, key_bar.TRAINING),
        )
        self.chat.keys.show(next((hints for true, hints in states if true), key_bar.IDLE))

    def pop_to_chat(self) -> None:
        """Close whatever is above the chat."""
        while self.screen is not self.chat:
            self.pop_screen()

    def task_named(self, name: str) -> Path:
        """The folder of a task: of those at hand first, which may lie outside the workspace."""
        at_hand = (one for one in (self.bridge.task, self.task_path) if one is not None and one.name == name)
        return next(at_hand, None) or self.workspace.task_path(name)

    def file(self, proposal: Proposal) -> None:
        """Bring a wish of the person to review."""
        self.perform(wishes.file(self, proposal))

    # --- keys

    def action_interrupt(self) -> None:
        """Interrupt the answer or the model that is asked, never the training."""
        if not self.talk.interrupt() and not self.using.interrupt():
            self.chat.composer.focus()

    def action_to_question(self) -> None:
        """Go to the question that waits."""
        self.desk.open()

    def action_command(self, name: str) -> None:
        """A key that stands for a command."""
        self.execute(Order(command=name))

    def on_composer_leave_wanted(self, message: Composer.LeaveWanted) -> None:
        """Ctrl+D in the empty input."""
        self.action_command("quit")

    @property
    def subject(self) -> str:
        """The task under discussion, for the terminal's title."""
        return self.task_path.name if self.task_path else ""

    async def leave(self) -> None:
        """Leave everything as it is: the question waits, the training goes on, what has no answer yet is kept."""
        unsent = [one for one in (*self.talk.waiting, self.chat.composer.text) if one]
        self.memory.keep(draft="\n".join(unsent))
        self.talk.interrupt()
        self.using.interrupt()
        self.quick.leave()
        await asyncio.to_thread(self.bridge.leave)
        self.resume_line = self.showing.resume_line()
        self.exit(0)

    async def action_quit(self) -> None:
        """Every way out is the same."""
        await self.leave()
