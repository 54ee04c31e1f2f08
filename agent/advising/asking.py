"""Asking a language model for help inside a step: within a time, in the language of the records, and never needed.

Every failure becomes a notice, and the step goes on with what the rules found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, TypeVar

from pydantic import BaseModel

from agent.context import Context
from agent.events import Notice
from agent.model.client import ChatModel, Message
from agent.model.ladder import ask
from tools.errors import EndpointFailed
from tools.text import Speaker, T, Text, visible

M = TypeVar("M", bound=BaseModel)

SECONDS = 30.0
"""For each of the two questions of a round, retries included."""
MAX_TOKENS = 1_500


def nothing_wrong(_: Any) -> str | None:
    """No check beyond the form."""
    return None


def asked(
    context: Context, messages: Sequence[Message], answer: type[M], *, check: Callable[[M], str | None] = nothing_wrong
) -> M | None:
    """The model's typed answer; None, with a notice of why, when there is none in time."""
    model = context.model
    if model is None:
        return None
    told = T("The language model {name} is asked, for at most {seconds:.0f} s.", name=_name(model), seconds=SECONDS)
    context.emit(Notice(message=told))
    until = monotonic() + SECONDS

    def stopped() -> bool:
        return context.leaving() or monotonic() > until

    try:
        return ask(model, messages, answer, check=check, max_tokens=MAX_TOKENS, stopped=stopped).value
    except EndpointFailed as failed:
        context.emit(_notice(model, failed, late=monotonic() > until))
        return None


def _notice(model: ChatModel, failed: EndpointFailed, *, late: bool) -> Notice:
    reason: Text = failed.message
    if late:
        reason = T(
            "The language model {name} took longer than {seconds:.0f} s.",
            name=_name(model),
            seconds=SECONDS,
        )
    message = T("The loop goes on with what the rules found. {reason}", reason=reason)
    return Notice(level="warning", message=message, page=failed.page)


def _name(model: ChatModel) -> str:
    return visible(model.name, 80)


def in_language_of(say: Speaker) -> str:
    """The instruction to answer in the speaker's language, which is in that language itself."""
    return say(T("Write in English."))


def bounded(words: str, limit: int) -> str:
    """A model's words on one line, control characters shown, cut at a limit."""
    return visible(" ".join(words.split()), limit)
