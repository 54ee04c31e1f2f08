"""From an exception to what the user is told: what kind of failure it was, and what to do about it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from tools.errors import InputError, IterateError, MissingPart, WriteFailed
from tools.runs import RunError
from tools.text import T, visible

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory")
_DISK_WORDS = ("no space left on device",)
_FULL_BYTES = 1 << 20
"""With less than this free, the next file of a training does not fit."""
_LOG_HINT = T("The whole report is in the run's log.txt.")


class CommandFailed(Exception):
    """The task's own training command ended with an error."""

    def __init__(self, command: str, code: int) -> None:
        super().__init__(f"{command}: exit code {code}")
        self.command = command
        self.code = code


class NonFiniteLoss(Exception):
    """The loss became NaN or infinite."""

    def __init__(self, step: int) -> None:
        super().__init__(f"the loss is not finite at step {step}")
        self.step = step


def describe(error: BaseException, folder: Path | None = None) -> RunError:
    """The failure as a typed, translatable report; `folder` is where it was writing.

    Libraries do not always say why a file could not be written, so an unknown failure on a full disk is taken for that.
    """
    if isinstance(error, IterateError):
        return _ours(error)
    if isinstance(error, CommandFailed):
        message = T("The training command ended with exit code {code}: {command}", **_command(error))
        return RunError(kind="command", message=message, hint=_LOG_HINT, page="troubleshooting/configuration")
    if isinstance(error, NonFiniteLoss):
        return RunError(
            kind="nan_loss",
            message=T(
                "The loss became NaN or infinite at step {step}; the training was stopped there.", step=error.step
            ),
            hint=T(
                "Lower training.learning_rate to a third, or lengthen training.warmup; look for extreme class_weights."
            ),
            page="troubleshooting/unstable-training",
        )
    if is_memory(error):
        return RunError(
            kind="out_of_memory",
            message=T("The machine ran out of memory while training."),
            hint=T("Set training.micro_batch_size to a smaller divisor of batch_size, or lower training.max_length."),
            page="troubleshooting/installation",
        )
    if _is_disk(error) or _is_full(folder):
        return RunError(
            kind="disk_full",
            message=T("The disk is full: a checkpoint or result could not be written."),
            hint=T("Free space, then start the same training again; it continues from its newest whole checkpoint."),
            page="troubleshooting/installation",
        )
    return RunError(
        kind="crash",
        message=T(
            "The training stopped with {kind}: {reason}",
            kind=type(error).__name__,
            reason=visible(str(error).strip().split("\n")[0], 200),
        ),
        hint=_LOG_HINT,
    )


def _ours(error: IterateError) -> RunError:
    if isinstance(error, MissingPart):
        return RunError(kind="missing_part", message=error.message, hint=error.hint, page=error.page)
    if isinstance(error, InputError):
        return RunError(kind="bad_data", message=error.message, hint=error.hint, page=error.page)
    cause = error.__cause__
    full = isinstance(error, WriteFailed) and isinstance(cause, OSError) and cause.errno == errno.ENOSPC
    return RunError(kind="disk_full" if full else "crash", message=error.message, hint=error.hint, page=error.page)


def is_memory(error: BaseException) -> bool:
    """True when an allocation failed, of the machine's memory or of an accelerator's."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _MEMORY_WORDS)


def _is_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return True
    return any(word in str(error).lower() for word in _DISK_WORDS)


def _is_full(folder: Path | None) -> bool:
    return folder is not None and shutil.disk_usage(folder).free < _FULL_BYTES


def _command(error: CommandFailed) -> dict[str, str | int]:
    return {"code": error.code, "command": visible(error.command, 200)}
