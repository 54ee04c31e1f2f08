"""Messages between the parts of the full-screen chat: threads and widgets post them, the app routes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from agent.approval import Answer, Question
from agent.conversation.said import Order, TurnEvent
from agent.events import Event
from tools.change import Proposal
from tools.outcomes.status import TaskStatus
from tools.text import Text

if TYPE_CHECKING:
    from agent.faces.tui.start import LeftOpen
    from agent.faces.tui.talk import Loaded
    from agent.faces.views.tasks import TaskOverview


class SessionSays(Message):
    """An event of the session that runs in its thread."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class QuestionAsked(Message):
    """The session waits for an answer; `token` names this asking, so that a late answer to an earlier one is dropped."""

    def __init__(self, question: Question, token: int) -> None:
        super().__init__()
        self.question = question
        self.token = token


class QuestionAnswered(Message):
    """A card was answered by the person in front of it."""

    def __init__(self, answer: Answer, token: int) -> None:
        super().__init__()
        self.answer = answer
        self.token = token


class QuestionPostponed(Message):
    """The person left a card for later: the question stays pending, exactly as it is."""

    def __init__(self, token: int) -> None:
        super().__init__()
        self.token = token


class QuickCheckWanted(Message):
    """The person asked on a card to try its change on part of the rows first, or (`give_up`) not to any more."""

    def __init__(self, proposal: Proposal, *, give_up: bool = False) -> None:
        super().__init__()
        self.proposal = proposal
        self.give_up = give_up


class QuickCheckSays(Message):
    """How far the quick check of a change is; `told` is None once it is over, and `outcome` says what came of it."""

    def __init__(self, change_id: str, told: Text | None, outcome: Text | Exception | None = None) -> None:
        super().__init__()
        self.change_id = change_id
        self.told = told
        self.outcome = outcome


class Typed(Message):
    """Characters typed while a card had the focus that were not meant for it: the composer takes the focus and gets them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class SessionGone(Message):
    """The session's thread has ended; `error` is what it raised, if anything."""

    def __init__(self, error: BaseException | None) -> None:
        super().__init__()
        self.error = error


class TurnSays(Message):
    """An event of the conversation's turn `turn`."""

    def __init__(self, event: TurnEvent, turn: int) -> None:
        super().__init__()
        self.event = event
        self.turn = turn


class TurnFailed(Message):
    """The conversation's turn `turn` ended with an error instead of TurnEnded."""

    def __init__(self, error: Exception, turn: int) -> None:
        super().__init__()
        self.error = error
        self.turn = turn


class OrderGiven(Message):
    """The person asked for something by a key, a click, a slash command or plain words; the app carries it out."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order


class TasksRead(Message):
    """The tasks of the workspace were read, and which of them were left open."""

    def __init__(self, tasks: Sequence[TaskOverview], left: Sequence[LeftOpen] = ()) -> None:
        super().__init__()
        self.tasks = tasks
        self.left = left


class PartsLoaded(Message):
    """What is slow to import is there: the conversation can answer."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__()
        self.loaded = loaded


class StatusRead(Message):
    """The numbers of a task were read; None when it cannot be read."""

    def __init__(self, task: Path, status: TaskStatus | None) -> None:
        super().__init__()
        self.task = task
        self.status = status


class OffersMade(Message):
    """Completions for `text`, as agent/conversation/understand.py makes them."""

    def __init__(self, text: str, offers: Sequence[Any]) -> None:
        super().__init__()
        self.text = text
        self.offers = offers


class WorkSays(Message):
    """How far something in a thread of the app is."""

    def __init__(self, told: Text) -> None:
        super().__init__()
        self.told = told


class WorkFailed(Message):
    """Something in a thread of the app ended with an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
