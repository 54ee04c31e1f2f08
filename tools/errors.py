"""Errors a user can meet; the name tells who must act.

IterateError
├── InputError     a file, a flag or an answer is wrong: the user mends it (all problems listed at once)
├── NotFound       a task, version, page or run of that name does not exist: choose one that does
├── StaleFile      a file changed since it was read: look again, nothing was written
├── Busy           another process holds the task or the run: wait, or stop that one
├── Refused        a guard said no (locked test set, path outside the task, unapproved change)
│   └── NeedsPerson  only a person may say yes to this, and none is here
├── MissingPart    a package, a model file or a program is not installed: install it
├── RunFailed      a training ended badly: read its log
├── EndpointFailed the server of the language model refused, hung or answered nonsense: the rules go on without it
└── WriteFailed    the disk is full or the folder cannot be written: free or unlock it
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.text import Scalar, T, Text


class Problem(BaseModel):
    """One thing that is wrong with one place of the user's input."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Text
    """What is wrong, in one sentence."""
    path: str | None = None
    """File, relative to the task folder when inside it."""
    line: int | None = None
    """1-based line in that file."""
    value: Scalar = None
    """The offending value."""
    choices: list[str] = []
    """The valid choices, if they can be listed."""
    hint: Text | None = None
    """The next step."""
    page: str | None = None
    """Id of the reference page that explains it."""
    kind: str | None = None
    """What sort of problem it is, for code: a FindingKind value where diagnosis can make a finding of it."""
    about: dict[str, JsonValue] = {}
    """The subject for code, such as {"key": "training.warmup_ratio", "fix_path": [...], "fix_value": 0.1}."""


class IterateError(Exception):
    """Base of every error with a message for the user.

    `message` says what happened with the value, `hint` the next step, `page` the id of a reference page.
    """

    exit_code = 1

    def __init__(
        self, message: Text, *, hint: Text | None = None, page: str | None = None, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(str(message))
        self.message = message
        self.hint = hint
        self.page = page
        self.problems = list(problems)


class InputError(IterateError):
    """The user's file, flag or answer is wrong."""

    exit_code = 2


class NotFound(InputError):
    """Nothing of that name exists; the hint lists what does."""


class StaleFile(IterateError):
    """The file on disk is no longer the one the edit was made for."""


class Busy(IterateError):
    """Another process holds the lock."""

    exit_code = 75


class Refused(IterateError):
    """A guard refused the action."""


class NeedsPerson(Refused):
    """Only a person may decide this, and nobody is at the terminal."""

    exit_code = 4


class MissingPart(IterateError):
    """Something that must be installed is not."""


class RunFailed(IterateError):
    """A training run ended without a result."""


EndpointTrouble = Literal[
    "connection", "timeout", "auth", "rate", "server", "request", "cut", "refused", "empty", "invalid", "budget"
]
"""budget: nothing was asked, since what it may cost is used up."""


_PASSING = frozenset({"connection", "timeout", "rate", "server", "cut"})
"""Troubles of a server that may be gone later."""


class EndpointFailed(IterateError):
    """The language model's server did not give a usable answer; `trouble` says in one word why."""

    def __init__(
        self, message: Text, *, trouble: EndpointTrouble, hint: Text | None = None, page: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, page=page)
        self.trouble = trouble
        self.exit_code = 75 if trouble in _PASSING else 1


class WriteFailed(IterateError):
    """A file could not be written."""


def write_failed(path: Path, reason: OSError) -> WriteFailed:
    """The error for an OSError while writing `path`."""
    return WriteFailed(
        T("Could not write {path}: {reason}.", path=str(path), reason=reason.strerror or str(reason)),
        hint=T(
            "Free disk space or make the folder writable, then run the same command again. Nothing was half written."
        ),
    )
