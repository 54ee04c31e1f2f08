"""The conversation's turns: one at a time in a thread, typed messages wait their turn, Esc interrupts the answer only."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from agent.faces.tui.messages import TurnFailed, TurnSays

if TYPE_CHECKING:
    from agent.chat import Conversation
    from agent.conversation.said import TurnEvent
    from agent.conversation.situation import Situation
    from agent.library import Library
    from agent.model.client import ChatModel


@dataclass(frozen=True)
class Loaded:
    """What takes a second to import and is brought in after the first paint."""

    conversation: Conversation
    library: Library
    model: ChatModel | None


class Talk:
    """Runs turns; `surroundings` gives the situation that a message is answered in, with the way to interrupt."""

    def __init__(
        self,
        post: Callable[[Message], Any],
        run: Callable[[Callable[[], None]], Any],
        surroundings: Callable[[str, Callable[[], bool]], Situation | None],
    ) -> None:
        self._post = post
        self._run = run
        self._surroundings = surroundings
        self._waiting: deque[str] = deque()
        self._stopped = threading.Event()
        self._conversation: Conversation | None = None
        self.turn = 0
        self.busy = False

    @property
    def waiting(self) -> tuple[str, ...]:
        """Messages that wait for their turn, oldest first."""
        return tuple(self._waiting)

    def begin(self, conversation: Conversation) -> str | None:
        """The conversation is loaded: what was typed before it runs now; the first message, or None."""
        self._conversation = conversation
        return self.next()

    def say(self, text: str) -> bool:
        """Run a message, or queue it; True when it runs at once."""
        self._waiting.append(text)
        return self.next() is not None

    def next(self) -> str | None:
        """Start the next waiting message if nothing runs; the message, or None."""
        if self.busy or self._conversation is None or not self._waiting:
            return None
        self._stopped = threading.Event()
        text = self._waiting.popleft()
        situation = self._surroundings(text, self._stopped.is_set)
        assert situation is not None
        self.busy = True
        self.turn += 1
        conversation, turn = self._conversation, self.turn

        def run() -> None:
            self._turn(conversation, text, situation, turn)

        self._run(run)
        return text

    @property
    def interrupted(self) -> bool:
        """True when the person interrupted the answer that is being given."""
        return self._stopped.is_set()

    def ended(self, turn: int) -> None:
        """The turn is over."""
        if turn == self.turn:
            self.busy = False

    def interrupt(self) -> bool:
        """Ask the answer to stop; False when none is being given."""
        if not self.busy:
            return False
        self._stopped.set()
        return True

    def _turn(self, conversation: Conversation, text: str, situation: Situation, turn: int) -> None:
        def tell(event: TurnEvent) -> None:
            self._post(TurnSays(event, turn))

        try:
            conversation.turn(text, situation, tell)
        except Exception as error:  # shown by the app; the chat goes on
            self._post(TurnFailed(error, turn))
