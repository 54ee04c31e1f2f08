"""What this room needs of a language model: a callable that answers, the words to ask with, and what its tokens cost.

Whoever calls brings it (agent/model/writer.py does); a test brings a function. Failures come as tools.errors.EndpointFailed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from pydantic import BaseModel, ConfigDict, NonNegativeFloat

from tools.errors import EndpointTrouble

Message = dict[str, str]
"""A chat message: role and content."""


@dataclass(frozen=True)
class Heard:
    """One answer of the model as it came, whether or not it could be used."""

    text: str
    trouble: EndpointTrouble | None = None
    """cut at its limit, empty, or refused; None for one that came whole."""


@dataclass
class Usage:
    """What one question may take and has taken, all its requests together; filled while it is asked, also when it fails."""

    most: int
    """Tokens that an answer may have."""
    ended: Event = field(default_factory=Event)
    """Set by the asker when the question is to end at once."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = True
    """False when the server did not count and the numbers are guessed from characters."""
    coming: int = 0
    """Tokens of the answer that is on its way, guessed."""
    heard: list[Heard] = field(default_factory=list)
    """The answers that came to an end: one where the first can be used, more where the model was asked again."""


class Complete(Protocol):
    """Answers messages with JSON text in a form, as closely as the model keeps to it; raises EndpointFailed."""

    def __call__(self, messages: Sequence[Message], response_format: type[BaseModel], usage: Usage) -> str:
        """The answer."""


class Price(BaseModel):
    """US dollars for a million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: NonNegativeFloat
    completion: NonNegativeFloat

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Dollars for so many tokens."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1_000_000


class WriteSlots(BaseModel):
    """What the request for new rows says; each is the text of one slot of the prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    language: str
    labels: str
    label: str
    confusion: str
    examples: str
    count: str
    fields: str
    cells: str


class JudgeSlots(BaseModel):
    """What the question for a row's label says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    labels: str
    examples: str
    row: str


@dataclass(frozen=True)
class Wording:
    """The prompts, filled."""

    write: Callable[[WriteSlots], str]
    judge: Callable[[JudgeSlots], str]
    sha256: str
    """Of the prompts as they stand on disk; goes into the provenance of each row."""
    registers: Sequence[str] = ()
    """Kinds of text to write in turn, such as "a news sentence"."""
    angles: Sequence[str] = ()
    """Ways to be hard, in turn, such as "reports an opinion without sharing it"."""


@dataclass(frozen=True)
class Writer:
    """A language model with its words and its price."""

    name: str
    complete: Complete
    """Writes rows."""
    judge: Complete
    """Labels them; the same model, or another."""
    wording: Wording
    price: Price | None = None
    """None: unknown, which is said and never taken for free."""
    may_see_rows: bool = True
    """False: no training row may stand in a prompt, so there are no examples and no known rows to test the judge with."""


def rough_tokens(text: str) -> int:
    """A guess where a server does not count: a token for each wide character and for four others."""
    wide = sum(ord(char) > 0x2E7F for char in text)
    return wide + (len(text) - wide + 3) // 4
