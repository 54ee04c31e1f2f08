"""Starting an errand in a process of its own and listening to it until it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from tools.errors import InputError, IterateError, MissingPart, RunFailed
from tools.exporting.stopping import ended_by
from tools.exporting.version import UsedVersion
from tools.files import write_atomic
from tools.runs import Example
from tools.text import T, visible
from tools.training.errands import (
    WORKER,
    AnswersSaid,
    AnyErrand,
    ErrandFailed,
    ExportDone,
    PhaseSaid,
    RowsDone,
    event_adapter,
)

_ROOT = Path(__file__).resolve().parents[2]
_WAIT_SECONDS = 10
_LOG_CHARACTERS = 1500
Heard = PhaseSaid | RowsDone | AnswersSaid | ExportDone


@contextmanager
def errand_files(used: UsedVersion, rows: Iterable[Example]) -> Iterator[dict[str, object]]:
    """The fields that every errand of a version shares, with its rows written down for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="iterate-") as folder:
        place = Path(folder)
        write_rows(place / "answers.jsonl", used.longest_answers())
        write_rows(place / "rows.jsonl", rows)
        yield {
            "spec": used.spec,
            "precision": used.precision,
            "answers": place / "answers.jsonl",
            "rows": place / "rows.jsonl",
        }


def write_rows(path: Path, rows: Iterable[Example]) -> None:
    """Write rows for a worker, one at a time."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(row.model_dump_json() + "\n" for row in rows)


def run_errand(errand: AnyErrand, stop: threading.Event | None = None) -> Iterator[Heard]:
    """Start the worker and yield what it says; it ends with this generator, or once `stop` is set.

    Raises what the worker failed with; being stopped is such a failure.
    """
    folder = errand.rows.parent
    place = folder / "errand.json"
    write_atomic(place, errand.model_dump_json())
    log = folder / "log.txt"
    # -P keeps the working folder off the import path; the worker imports the same code as this program.
    argv = [sys.executable, "-P", "-m", WORKER, str(place)]
    paths = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with log.open("wb") as words:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,  # Ctrl-C reaches this program, which ends the worker
        )
    try:
        with ended_by(stop, process):
            yield from _listen(process, log)
    finally:
        _end(process)


def _listen(process: subprocess.Popen[bytes], log: Path) -> Iterator[Heard]:
    assert process.stdout is not None
    for line in process.stdout:
        try:
            event = event_adapter.validate_json(line)
        except ValidationError:
            continue
        if isinstance(event, ErrandFailed):
            raise _failure(event, log)
        yield event
    if process.wait() != 0:
        raise RunFailed(
            T(
                "The process that held the model ended with status {code}: {words}",
                code=process.returncode,
                words=_tail(log),
            ),
            hint=T("If it was killed, memory is short. `iterate doctor` checks the installation."),
            page="troubleshooting/installation",
        )


def _failure(event: ErrandFailed, log: Path) -> IterateError:
    error = event.error
    if error.kind == "missing_part":
        return MissingPart(error.message, hint=error.hint, page=error.page)
    if error.kind == "bad_data":
        return InputError(error.message, hint=error.hint, page=error.page)
    message = (
        T("{message} {words}", message=error.message, words=_tail(log)) if error.kind == "crash" else error.message
    )
    return RunFailed(message, hint=None if error.kind == "crash" else error.hint, page=error.page)


def _tail(log: Path) -> str:
    return visible(log.read_text(encoding="utf-8", errors="replace")[-_LOG_CHARACTERS:].strip())


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
