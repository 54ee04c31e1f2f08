"""What a turn of the conversation consists of, as typed events: the answering side emits them, every face shows them.

Text of the program is a Text and can be translated. Everything else (a model's words, a data row, a file name) is a plain
string that faces show through `visible()` and never parse as markup. An Order is a wish of the person for the face to carry
out; only words typed by a person make one, never those of a model or a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tools.change import Proposal
from tools.text import Text


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Para(_Model):
    """A paragraph in the program's words."""

    kind: Literal["para"] = "para"
    text: Text


class Items(_Model):
    """A short list in the program's words."""

    kind: Literal["items"] = "items"
    items: list[Text]


class Grid(_Model):
    """A table; cells are plain strings, already in the reader's language."""

    kind: Literal["grid"] = "grid"
    title: Text | None = None
    header: list[Text]
    rows: list[list[str]]


class DiffBlock(_Model):
    """A unified diff of one file."""

    kind: Literal["diff"] = "diff"
    text: str


class PageLink(_Model):
    """A reference page to open."""

    kind: Literal["page"] = "page"
    page: str
    title: str


class ShownRow(_Model):
    """One data row as evidence, never from the test split."""

    id: str
    input: dict[str, str]
    expected: str
    answered: str | None = None
    note: Text | None = None


class RowList(_Model):
    """Rows with what was expected and what was answered."""

    kind: Literal["rows"] = "rows"
    title: Text
    rows: list[ShownRow]


Block = Annotated[Para | Items | Grid | DiffBlock | PageLink | RowList, Field(discriminator="kind")]


class Order(_Model):
    """Something the person asked the program to do; `command` is a name of agent/conversation/commands.py."""

    command: str
    args: dict[str, JsonValue] = {}
    """Slot name to value, such as {"task": "stance"} or {"numbers": [1, 3]}."""


class Delta(_Model):
    """A piece of a model's answer, as it streams."""

    type: Literal["delta"] = "delta"
    text: str


class ToolUsed(_Model):
    """A reading tool that the model called: one folded line."""

    type: Literal["tool_used"] = "tool_used"
    name: str
    arguments: str
    """JSON as the model gave it, with its characters unescaped."""
    outcome: str
    """What the tool answered, as the model read it."""
    ok: bool


class PageRead(_Model):
    """A reference page that was loaded for the answer."""

    type: Literal["page_read"] = "page_read"
    page: str
    title: str


class Said(_Model):
    """A block of the answer."""

    type: Literal["said"] = "said"
    block: Block


class Filed(_Model):
    """A wish that became a proposal: it goes to review like any other, and is not approved by being here."""

    type: Literal["filed"] = "filed"
    proposal: Proposal


class Ordered(_Model):
    """The person's words were an order; the face carries it out."""

    type: Literal["ordered"] = "ordered"
    order: Order


class TurnEnded(_Model):
    """The last event of every turn: who answered, and what went wrong on the way."""

    type: Literal["turn_ended"] = "turn_ended"
    by: Literal["rules", "model"]
    model: str | None = None
    """Name of the model that answered."""
    note: Text | None = None
    """Why the rules answered although a model is set up, or why the answer is incomplete."""
    seconds: float = 0.0


TurnEvent = Annotated[
    Delta | ToolUsed | PageRead | Said | Filed | Ordered | TurnEnded,
    Field(discriminator="type"),
]
Tell = Callable[[TurnEvent], None]
"""Hands an event of a turn to the face."""
