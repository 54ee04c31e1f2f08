"""Answering rows with a trained version, as its own evaluation asks them: same prompt, decoding and strict reading.

One worker holds the weights. Answers are appended to the output a portion at a time, so that a stopped run goes on from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from tools.errors import Refused, write_failed
from tools.exporting.process import Heard, errand_files, run_errand
from tools.exporting.version import UsedVersion
from tools.files import write_atomic
from tools.runs import Example
from tools.scoring.label_words import parse_spoken
from tools.text import T, visible
from tools.training.errands import AnswerErrand, AnswersSaid, PhaseSaid, RawAnswer, RowsDone

Tell = Callable[[PhaseSaid | RowsDone], None]


class Answered(BaseModel):
    """One line of the output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: int
    """Number of the row in its file, from 1."""
    id: str
    input: dict[str, str]
    answer: JsonValue
    """None when the output could not be read as an answer."""
    failure: str | None
    """Why not: a ParseFailure value."""
    raw: str
    """The model's output, untouched."""
    scores: dict[str, float] | None
    """Label to probability among the declared labels."""
    version: str
    seed: int


@dataclass
class Count:
    """What became of the rows."""

    rows: int = 0
    before: int = 0
    """Answered by an earlier run into the same file."""
    failures: int = 0
    """Outputs that could not be read, earlier ones included."""


def predict(
    used: UsedVersion, rows: list[Example], tell: Tell, *, skip: int = 0, stop: threading.Event | None = None
) -> Iterator[list[Answered]]:
    """The answers to the rows after the first `skip`, a portion at a time; `stop` ends the worker."""
    rest = rows[skip:]
    if not rest:
        return
    with errand_files(used, rest) as files:
        number = skip
        for event in run_errand(AnswerErrand.model_validate(files), stop):
            if isinstance(event, AnswersSaid):
                portion = zip(event.answers, rows[number : number + len(event.answers)], strict=True)
                yield [_answered(used, number + at, row, said) for at, (said, row) in enumerate(portion, start=1)]
                number += len(event.answers)
            else:
                _pass_on(event, tell, skip)


def predict_to_file(used: UsedVersion, rows: list[Example], output: Path, tell: Tell) -> Count:
    """Append the answers to a file of JSON lines, after those that an earlier run left in it.

    Raises Refused when the file holds something else.
    """
    earlier = _earlier(used, rows, output)
    count = Count(rows=len(rows), before=len(earlier), failures=sum(line.failure is not None for line in earlier))
    if not output.exists():
        write_atomic(output, "")
    for portion in predict(used, rows, tell, skip=len(earlier)):
        try:
            with output.open("a", encoding="utf-8") as stream:
                stream.write("".join(line.model_dump_json() + "\n" for line in portion))
        except OSError as reason:
            raise write_failed(output, reason) from reason
        count.failures += sum(line.failure is not None for line in portion)
    return count


def _answered(used: UsedVersion, number: int, row: Example, said: RawAnswer) -> Answered:
    words = used.task.config.values.prompt.label_words
    parsed = parse_spoken(used.task.definition.answer, words, said.raw)
    return Answered(
        row=number,
        id=row.id,
        input=row.input,
        answer=parsed.value,
        failure=None if parsed.failure is None else str(parsed.failure),
        raw=said.raw,
        scores=said.scores,
        version=used.version,
        seed=used.seed,
    )


def _pass_on(event: Heard, tell: Tell, skip: int) -> None:
    if isinstance(event, RowsDone):
        tell(event.model_copy(update={"done": event.done + skip}))
    elif isinstance(event, PhaseSaid):
        tell(event)


def _earlier(used: UsedVersion, rows: list[Example], output: Path) -> list[Answered]:
    """The answers that are in the output already; the torn line of a killed run is cut off."""
    if not output.exists():
        return []
    content = output.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        lines = [Answered.model_validate_json(line) for line in whole.splitlines()]
    except ValidationError:
        lines = []
    mine = len(lines) <= len(rows) and all(
        (line.row, line.version, line.seed, line.input) == (number, used.version, used.seed, row.input)
        for number, (line, row) in enumerate(zip(lines, rows, strict=False), start=1)
    )
    if not mine or (content and not lines and not _is_torn_start(content)):
        raise Refused(
            T("{path} holds something else than the first answers to these rows.", path=visible(str(output), 200)),
            hint=T("Give another --output, or remove that file."),
        )
    if whole != content:
        write_atomic(output, whole)
    return lines


def _is_torn_start(content: bytes) -> bool:
    """True for the beginning of a first line that was never finished."""
    return b"\n" not in content and content.startswith(b'{"row":1,')
