"""Counting what a language model's answers take, and asking no more once that is used up.

Whoever keeps the budget brings the tally (agent/overnight/budget.py). An answer that broke off is counted as well: it has to be
paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.model.faults import failure
from agent.model.pieces import Answer, Message
from tools.generating.writer import rough_tokens
from tools.text import T, Text


class Tally(Protocol):
    """Keeps count."""

    def refuses(self) -> Text | None:
        """Why no further question may be asked; None while one may."""

    def used(self, prompt_tokens: int, completion_tokens: int, *, estimated: bool = False) -> None:
        """Count one answer; `estimated` when its tokens were guessed from characters."""


def require_budget(tally: Tally | None) -> None:
    """Raise EndpointFailed with trouble "budget" when nothing may be asked any more."""
    why = tally.refuses() if tally is not None else None
    if why is not None:
        raise failure("budget", why, T("The rules go on without it."))


def count(tally: Tally | None, messages: Sequence[Message], answer: Answer) -> None:
    """Hand the tokens of an answer to the tally: the server's count, else a guess."""
    if tally is None:
        return
    usage = answer.usage()
    asked, answered = usage.prompt_tokens, usage.completion_tokens
    guessed = asked is None or answered is None
    if asked is None:
        asked = rough_tokens("".join(str(message.get("content")) for message in messages))
    tally.used(asked, answer.rough if answered is None else answered, estimated=guessed)
