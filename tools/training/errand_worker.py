"""The worker of an errand: `python -m tools.training.errand_worker ERRAND.json`. Events go to standard output.

Worker side. It loads the weights once. Whatever else prints would spoil the events, so standard output is put aside first.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from tools.runs import Example
from tools.text import T
from tools.training.errands import (
    PORTION,
    AnswerErrand,
    AnswersSaid,
    AnyErrand,
    ErrandFailed,
    ExportErrand,
    GgufErrand,
    PhaseSaid,
    RawAnswer,
    RowsDone,
    Say,
    errand_adapter,
)
from tools.training.failures import describe
from tools.training.memory import keep_memory_low
from tools.training.worker import ENVIRONMENT


def main(path: Path) -> int:
    """Do the errand in a file; 0 when it is done, 1 when it failed and said so."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(event: BaseModel) -> None:
        stream.write(event.model_dump_json() + "\n")
        stream.flush()

    try:
        _do(errand_adapter.validate_json(path.read_text(encoding="utf-8")), say)
    except BaseException as error:  # whatever happened, the other side must hear of it
        traceback.print_exc()
        say(ErrandFailed(error=describe(error)))
        return 1
    return 0


def _do(errand: AnyErrand, say: Say) -> None:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    keep_memory_low()
    if isinstance(errand, ExportErrand):
        from tools.training.merge import export

        export(errand, say)
    elif isinstance(errand, GgufErrand):
        from tools.training.gguf_file import finish

        finish(errand, say)
    else:
        _answer(errand, say)


def _answer(errand: AnswerErrand, say: Say) -> None:
    from tools.training.loaded import load

    loaded = load(errand, say)
    say(PhaseSaid(message=T("Answering.")))
    done = 0
    for portion in _portions(errand.rows):
        before = done
        raw = loaded.evaluator.answer(
            loaded.model, portion, lambda count, start=before: say(RowsDone(done=start + count))
        )
        answers = [
            RawAnswer(id=row.id, raw=text, scores=scores) for row, (text, scores) in zip(portion, raw, strict=True)
        ]
        say(AnswersSaid(answers=answers))
        done += len(portion)


def _portions(path: Path) -> Iterator[list[Example]]:
    """The rows of a file, a portion at a time, so that a million of them need no memory."""
    portion: list[Example] = []
    with path.open("rb") as stream:
        for line in stream:
            portion.append(Example.model_validate_json(line))
            if len(portion) == PORTION:
                yield portion
                portion = []
    if portion:
        yield portion


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
