"""The raw record of a batch: every answer of the model as it came, one line each, only growing.

A question with a final line is never asked again, so that a batch which was killed goes on where it stopped and pays nothing
twice but for what was on its way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import EndpointTrouble
from tools.files import append_line

WhyUnused = Literal["limit", "empty", "refused", "words", "form", "rows"]
"""Why an answer could not be used; each in words in tools/generating/looking.py."""


class Unused(BaseModel):
    """An answer of the model that could not be used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: WhyUnused
    text: str
    """Its beginning, as it came."""


class RawAnswer(BaseModel):
    """What came of one question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    text: str | None = None
    """The answer; None for a failure."""
    trouble: EndpointTrouble | None = None
    """None without a text: it was ended while it was asked, and stands here for its tokens only."""
    reason: str = ""
    """The failure in English."""
    final: bool = True
    """False for a failure after which the question is asked again, and for one that was ended while it was asked."""
    unused: list[Unused] = []
    """The answers before this one, or before the failure."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = True
    model: str
    prompt_sha256: str
    at: str

    @property
    def writes(self) -> bool:
        """True for an answer to a question for rows, False for one of the judge."""
        return self.id.startswith("w")


class Record:
    """The lines of a batch; kept in memory only when there is no file (a dry run)."""

    def __init__(self, file: Path | None, model: str) -> None:
        """What another model than `model` failed at is open: the questions are asked again."""
        self._file = file
        self.lines: list[RawAnswer] = [] if file is None else _read(file)
        final = [line for line in reversed(self.lines) if line.final]
        self._final = {line.id: line for line in final if line.text is None and line.model == model}
        self._final |= {line.id: line for line in final if line.text is not None}

    @property
    def dry(self) -> bool:
        """True when nothing is written."""
        return self._file is None

    @property
    def answered(self) -> int:
        """How many questions have a final line."""
        return len(self._final)

    def answer(self, question: str) -> RawAnswer | None:
        """The final line of a question, an answer before a failure; the first one where a crash of a disk doubled it."""
        return self._final.get(question)

    def add(self, line: RawAnswer) -> None:
        """Write a line down before anyone hears of it."""
        if self._file is not None:
            append_line(self._file, line.model_dump_json())
        self.lines.append(line)
        if line.final:
            self._final.setdefault(line.id, line)


def _read(file: Path) -> list[RawAnswer]:
    """The readable lines; a line that a crash tore is passed over, and its question asked again."""
    lines = []
    for line in file.read_bytes().splitlines() if file.is_file() else []:
        try:
            lines.append(RawAnswer.model_validate_json(line))
        except ValidationError:
            continue
    return lines
