"""Events of the session and of the conversation, shown: as blocks, in the step bar, in the task panel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.approval import ConfirmQuestion, DecideQuestion, Question
from agent.conversation.said import Delta, Filed, Ordered, PageRead, Said, ToolUsed, TurnEnded, TurnEvent
from agent.events import (
    Compared,
    Diagnosed,
    Event,
    Progress,
    Proposed,
    SessionEnded,
    SessionStarted,
    TaskLoaded,
    TestOpened,
    VersionBegun,
)
from agent.faces.tui.answering import block_entries, byline, read_entry
from agent.faces.tui.messages import OffersMade, StatusRead
from agent.faces.tui.telling import Telling
from agent.faces.tui.widgets.blocks import Entry, Note, PersonSaid
from agent.faces.tui.widgets.tool_line import tool_entry
from agent.faces.tui.widgets.transcript import answer_entries
from tools.comparing.report import markdown
from tools.errors import IterateError
from tools.outcomes.status import TaskStatus
from tools.runs import EndEvent, RunState
from tools.text import T, visible

if TYPE_CHECKING:
    from agent.conversation.transcript import TurnRecord
    from agent.faces.tui.app import IterateApp
    from agent.model.client import ChatModel

_STEP_OF: dict[type, int] = {
    TaskLoaded: 1,
    Diagnosed: 2,
    Proposed: 3,
    VersionBegun: 4,
    Progress: 4,
    Compared: 5,
    TestOpened: 5,
}


class Showing:
    """Keeps what the chat shows in step with what happens."""

    def __init__(self, app: IterateApp) -> None:
        self._app = app
        self._telling = Telling(app.say)
        self._answered = False
        self._shown: set[type] = set()
        self._session = ""
        self._open = False
        self.training = False

    # --- the session

    def session(self, event: Event) -> None:
        """Show an event of the session."""
        chat = self._app.chat
        self._app.show(*self._telling.entries(event))
        self._shown.add(type(event))
        if type(event) in _STEP_OF:
            chat.steps.show(step=_STEP_OF[type(event)])
        match event:
            case TaskLoaded():
                self.status(event.status)
            case Proposed():
                self._missed(ended=False)
            case SessionStarted() | SessionEnded():
                self._began_or_ended(event)
            case VersionBegun() | Progress() | Compared():
                self._training(event)

    def _began_or_ended(self, event: SessionStarted | SessionEnded) -> None:
        if isinstance(event, SessionStarted):
            self._session, self._open = event.session, True
            return
        self._open = event.resume is not None and event.reason != "failed"
        self.session_over()

    def session_over(self) -> None:
        """Nothing trains here any more, and what was noted has no turn to come; also where the session broke off."""
        self._missed(ended=True)
        self._training_over()

    def _training(self, event: VersionBegun | Progress | Compared) -> None:
        panel = self._app.chat.panel
        match event:
            case VersionBegun():
                self.training = True
                panel.begin(event.version)
            case Progress():
                self.training = True  # a session that is taken up in the middle of a training begins with this
                panel.progress(event)
                if isinstance(event.event, EndEvent):
                    self._call_about(event.event)
            case Compared():
                self._training_over()

    def _call_about(self, end: EndEvent) -> None:
        if end.state is RunState.failed:
            self._app.call_person(T("a training has failed"), "failed")
        else:
            self._app.call_person(T("a training has ended"), "finished")

    def _missed(self, *, ended: bool) -> None:
        for proposal in self._app.bridge.standing.missed(ended=ended):
            told = T("Its turn did not come, so nothing was decided about it: {title}", title=proposal.title)
            self._app.tell(told, "warning")

    def _training_over(self) -> None:
        self.training = False
        self._app.chat.panel.end_training()
        self._app.refresh_hints()

    def asked(self, question: Question) -> None:
        """A question waits; one that comes back after a restart is shown with what it is about."""
        app = self._app
        if isinstance(question, DecideQuestion | ConfirmQuestion):
            app.chat.steps.show(step=5)
        else:
            app.chat.steps.show(step=3)
        match question:
            case DecideQuestion() if Compared not in self._shown:
                app.show(*self._telling.report(markdown(question.comparison, app.say)))
            case ConfirmQuestion() if TestOpened not in self._shown:
                app.show(*self._telling.entries(TestOpened(opened=question.opened)))
        self._shown.clear()

    def resume_line(self) -> str:
        """The command that comes back to where the person left."""
        if self._open and self._session:
            return f"iterate --resume {self._session}"
        return f"iterate chat {self._app.task_path.name}" if self._app.task_path else "iterate"

    # --- the conversation

    def begin_turn(self) -> None:
        """A message of the person is being answered."""
        self._answered = False
        self._app.desk.step_aside()

    def replay(self, records: Sequence[TurnRecord]) -> None:
        """Show earlier messages and their answers again; nothing in them acts."""
        for record in records:
            entries: list[Entry] = [PersonSaid(record.text)]
            answered = any(isinstance(event, Delta | Said) for event in record.events)
            for event in record.events:
                if answered or not isinstance(event, TurnEnded):  # an order has no answer, so nobody answered
                    entries += self._replayed(event)
            self._app.show(*entries)

    def _replayed(self, event: TurnEvent) -> list[Entry]:
        say = self._app.say
        match event:
            case Delta(text=text):
                return answer_entries(text)
            case Said(block=block):
                return block_entries(block, say)
            case ToolUsed():
                return [tool_entry(event.name, event.arguments, event.outcome, ok=event.ok, say=say)]
            case PageRead():
                return [read_entry(event, say)]
            case TurnEnded():
                return byline(event, say, stopped=False)
            case _:
                return []

    def turn(self, event: TurnEvent, turn: int) -> None:
        """Show an event of an answer."""
        app = self._app
        match event:
            case Delta():
                self._answered = True
                app.chat.transcript.stream(event.text)
            case Said():
                self._answered = True
                app.show(*block_entries(event.block, app.say))
            case ToolUsed():
                app.show(tool_entry(event.name, event.arguments, event.outcome, ok=event.ok, say=app.say))
            case PageRead():
                app.show(read_entry(event, app.say))
            case Filed():
                self._file(event)
            case Ordered():
                app.execute(event.order)
            case TurnEnded():
                self._end(event, turn)

    def _end(self, event: TurnEnded, turn: int) -> None:
        app = self._app
        app.chat.transcript.end_stream()
        if self._answered or event.note:
            app.show(*byline(event, app.say, stopped=app.talk.interrupted))
        if app.bridge.model is not None:
            self.who(app.bridge.model)  # its name may be known only now
        app.turn_over(turn)

    def _file(self, event: Filed) -> None:
        app = self._app
        told = T(
            "Your wish is a proposal now, and will be reviewed like any other: {title}", title=event.proposal.title
        )
        app.show(Note(app.say(told), sign="+ "))
        app.file(event.proposal)

    # --- around

    def about(self, task: Path) -> None:
        """The task under discussion."""
        self._app.chat.steps.show(about=visible(task.name, 40))

    def who(self, model: ChatModel | None) -> None:
        """Who answers."""
        say = self._app.say
        name = say(T("rules answer")) if model is None else say(T("{model} answers", model=visible(model.name, 40)))
        self._app.chat.steps.show(who=name)

    def status(self, status: TaskStatus | None) -> None:
        """The task's numbers."""
        self._app.chat.panel.show(status)
        if status is not None:
            self._app.chat.steps.show(
                about=" ".join(part for part in (visible(status.name, 40), status.version) if part)
            )

    def read_status(self, task: Path) -> None:
        """In a thread: read the task's numbers."""
        from agent.proposing.now import base_version
        from tools.outcomes.status import task_status
        from tools.read_results import ReadResultsArgs, read_results
        from tools.reading.task import load_task

        try:
            results = read_results(ReadResultsArgs(task_dir=task))
            status = task_status(load_task(task), results, version=base_version(task, "") or None)
        except IterateError:
            status = None  # why it cannot be read is said where the task is loaded
        self._app.post_message(StatusRead(task, status))

    def complete(self, text: str) -> None:
        """Offer completions for a slash command."""
        app = self._app
        situation = app.situation()
        if not text.startswith("/") or "\n" in text or situation is None:
            app.chat.completions.hide()
            return

        def work() -> None:
            from agent.conversation.understand import complete

            app.post_message(OffersMade(text, complete(text, situation)))

        app.run_worker(work, thread=True, group="complete", exclusive=True, exit_on_error=False)
