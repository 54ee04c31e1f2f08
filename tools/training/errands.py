"""Short work with the weights of a trained version, in a process of its own: answering rows, writing a merged model.

The vocabulary that both sides speak: an errand is a JSON file that the worker (tools/training/errand_worker.py) is started on,
and its events are JSON lines on the worker's standard output. Free of torch. Starting one is tools/exporting/process.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tools.runs import RunError, RunSpec
from tools.text import Text

WORKER = "tools.training.errand_worker"
PORTION = 256
"""Rows that are answered before their answers are handed over. Rows of one portion are put into batches by length, as an
evaluation does with a whole split: in bf16 an answer may, rarely, depend on the rows beside it."""
PROMPT_SLOT = "ITERATEPROMPTSLOT"
"""Stands for the user's turn where a chat template is shown."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Errand(_Model):
    """What every errand needs to load a version as its own evaluation did."""

    spec: RunSpec
    """`adapter_from` names the weights; None is the base model as it is."""
    precision: Literal["auto", "fp32", "bf16"]
    """What the version was evaluated in."""
    answers: Path
    """JSON lines of tools.runs.Example: rows with each different training answer, for the longest of them."""
    rows: Path
    """JSON lines of tools.runs.Example: the rows to answer, or to check a merged model with."""


class AnswerErrand(Errand):
    """Answer rows."""

    kind: Literal["answer"] = "answer"


class ExportErrand(Errand):
    """Say how a version is asked, and write its weights merged into the base model where `target` says so."""

    kind: Literal["export"] = "export"
    target: Path | None
    """A folder that does not exist yet."""
    turns: list[dict[str, str]] = []
    """Chat turns before every question."""
    store: Literal["fp32", "bf16"] = "bf16"
    """Number format of the merged weights; the sums are made in fp32."""


class GgufErrand(Errand):
    """Make a converted GGUF file whole, and read it back."""

    kind: Literal["gguf"] = "gguf"
    file: Path
    expected: list[str]
    """What the adapter answered to `rows`."""


AnyErrand = AnswerErrand | ExportErrand | GgufErrand
errand_adapter: TypeAdapter[AnyErrand] = TypeAdapter(Annotated[AnyErrand, Field(discriminator="kind")])


class Asked(_Model):
    """How a version is asked, for those who run it elsewhere."""

    before: str
    """What the model reads before the user's turn: the chat template's own text, the system text, examples."""
    after: str
    """What it reads after it, up to its answer."""
    start_token: str
    """The start-of-text token that `before` begins with; "" when it does not."""
    stop: list[str]
    """Tokens that end an answer."""
    max_new_tokens: int
    context: int | None
    """Tokens that the base model was made for."""


class PhaseSaid(_Model):
    """The worker entered a phase."""

    type: Literal["phase"] = "phase"
    message: Text


class RowsDone(_Model):
    """Progress within the rows."""

    type: Literal["rows_done"] = "rows_done"
    done: int


class RawAnswer(_Model):
    """One output."""

    id: str
    raw: str
    scores: dict[str, float] | None


class AnswersSaid(_Model):
    """The outputs of a portion, in the order of the rows."""

    type: Literal["answers"] = "answers"
    answers: list[RawAnswer]


class ExportDone(_Model):
    """The end of an export errand."""

    type: Literal["exported"] = "exported"
    asked: Asked | None
    """None of an errand that was not about it."""
    outputs: list[str] = []
    """What the adapter answered to the rows."""
    checked: int = 0
    """Rows that the adapter and what was written, read back, both answered."""
    agreed: int = 0
    """Those with the same output."""


class ErrandFailed(_Model):
    """The end of an errand that could not be done."""

    type: Literal["failed"] = "failed"
    error: RunError


ErrandEvent = Annotated[PhaseSaid | RowsDone | AnswersSaid | ExportDone | ErrandFailed, Field(discriminator="type")]
event_adapter: TypeAdapter[PhaseSaid | RowsDone | AnswersSaid | ExportDone | ErrandFailed] = TypeAdapter(ErrandEvent)

Say = Callable[[BaseModel], None]
"""How the worker sends an event."""
