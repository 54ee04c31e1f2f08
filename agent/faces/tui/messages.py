"""Messages between the parts of the full-screen chat: threads and widgets post them, the app routes them."""

from __future__ import annotations

from textual.message import Message

from agent.approval import Answer, Question
from agent.conversation.said import Order, TurnEvent
from agent.events import Event


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


class OrderGiven(Message):
    """The person asked for something by a key, a click, a slash command or plain words; the app carries it out."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order
