"""The raw record of a batch: every answer of the model as it came, one line each, only growing.

A question with a final line is never asked again, so that a batch which was killed goes on where it stopped and pays nothing
twice but for what was on its way.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import EndpointTrouble
from tools.files import append_line


class RawAnswer(BaseModel):
    """What came of one question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    text: str | None = None
    """The answer; None for a failure."""
    trouble: EndpointTrouble | None = None
    reason: str = ""
    """The failure in English."""
    final: bool = True
    """False for a failure after which the question is asked again."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = True
    model: str
    prompt_sha256: str
    at: str


class Record:
    """The lines of a batch; kept in memory only when there is no file (a dry run)."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.lines: list[RawAnswer] = [] if file is None else _read(file)
        self._final = {line.id: line for line in reversed(self.lines) if line.final}

    @property
    def dry(self) -> bool:
        """True when nothing is written."""
        return self._file is None

    def answer(self, question: str) -> RawAnswer | None:
        """The final line of a question; the first one where a crash of a disk doubled it."""
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
