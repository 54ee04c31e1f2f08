"""`iterate predict`: answers on standard output or in a file, narration on standard error."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from agent.faces.console import interactive, out, tell
from agent.faces.views.using import shown_scores
from agent.faces.views.words import minutes
from tools.errors import InputError
from tools.exporting.predict import Answered, predict, predict_to_file
from tools.exporting.rows_to_answer import rows_of_file, rows_of_stream, single_row
from tools.exporting.version import UsedVersion, used_version
from tools.runs import Example
from tools.text import Speaker, T, shell_word, visible
from tools.training.errands import PhaseSaid, RowsDone

_SECONDS = 5.0
"""Between two lines of progress."""


@dataclass(frozen=True)
class PredictWish:
    """What a command line asked for."""

    file: str | None
    output: Path | None
    text: str | None
    target: str | None
    fields: list[str]
    version: str | None
    seed: int | None
    as_json: bool


def predict_rows(path: Path, wish: PredictWish, say: Speaker) -> int:
    """Answer what is asked; 1 when the output for a single text could not be read as an answer."""
    single = wish.text is not None or bool(wish.fields)
    if single == (wish.file is not None):
        raise InputError(
            T("Say what to answer: either --file or --text."),
            hint=T(
                "Such as: iterate predict {task} --file rows.jsonl --output answers.jsonl", task=shell_word(path.name)
            ),
        )
    used = used_version(path, wish.version, wish.seed)
    rows = _rows(used, wish)
    tell(say(T("{version}, seed {seed}: {count} rows.", version=used.version, seed=used.seed, count=len(rows))))
    narrator = _Narrator(len(rows), say)
    if wish.output is not None:
        return _into_file(used, rows, wish.output, narrator)
    lines = [line for portion in predict(used, rows, narrator.hear) for line in _shown(portion, wish, single)]
    return _end(lines, single, say)


def _rows(used: UsedVersion, wish: PredictWish) -> list[Example]:
    if wish.file == "-":
        return rows_of_stream(used, sys.stdin.buffer)
    if wish.file is not None:
        return rows_of_file(used, Path(wish.file))
    return single_row(used, wish.text, wish.target, dict(map(_pair, wish.fields)))


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise InputError(
            T("{text} is not a field and its value.", text=visible(text, 80)), hint=T("Write --field NAME=VALUE.")
        )
    return name, value


def _into_file(used: UsedVersion, rows: list[Example], output: Path, narrator: _Narrator) -> int:
    count = predict_to_file(used, rows, output, narrator.hear)
    say = narrator.say
    if count.before:
        tell(say(T("{before} rows were answered already.", before=count.before)))
    tell(say(T("{count} rows answered: {path}", count=count.rows, path=visible(str(output)))))
    _tell_failures(count.failures, count.rows, say)
    return 0


def _shown(portion: list[Answered], wish: PredictWish, single: bool) -> list[Answered]:
    for line in portion:
        if wish.as_json or not single:
            out(line.model_dump_json())
        else:
            shown = line.answer if isinstance(line.answer, str) else None
            out(visible(line.raw if shown is None else shown))
    return portion


def _end(lines: list[Answered], single: bool, say: Speaker) -> int:
    failures = sum(line.failure is not None for line in lines)
    if not single:
        _tell_failures(failures, len(lines), say)
        return 0
    for line in lines:
        if line.failure is not None:
            tell(say(T("The output is no answer in the declared form: {failure}.", failure=line.failure)))
        if line.scores:
            tell("  " + shown_scores(line.scores))
    return 1 if failures else 0


def _tell_failures(failures: int, rows: int, say: Speaker) -> None:
    if failures:
        tell(
            say(
                T(
                    "{failures} of {rows} outputs could not be read as an answer; `failure` says why in each line.",
                    failures=failures,
                    rows=rows,
                )
            )
        )


class _Narrator:
    """Says what the worker is doing, not more often than a person reads."""

    def __init__(self, rows: int, say: Speaker) -> None:
        self.say = say
        self._rows = rows
        self._start: tuple[float, int] | None = None
        self._told = 0.0

    def hear(self, event: PhaseSaid | RowsDone) -> None:
        """Tell of an event."""
        if isinstance(event, PhaseSaid):
            tell(self.say(event.message))
            return
        now = time.monotonic()
        if self._start is None:
            self._start = (now, event.done)
            return
        if now - self._told < _SECONDS and not (interactive() and event.done == self._rows):
            return
        self._told = now
        since, first = self._start
        left = (self._rows - event.done) * (now - since) / max(1, event.done - first)
        spoken = minutes(left / 60, self.say)
        tell(self.say(T("{done} of {rows} rows, about {left} left.", done=event.done, rows=self._rows, left=spoken)))
