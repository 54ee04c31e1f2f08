"""All checks of one task folder, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tools.auditing.access import permissions
from tools.auditing.leftovers import leftovers
from tools.auditing.lines import torn_lines
from tools.auditing.locked import in_use, locked_test
from tools.auditing.runs import runs
from tools.auditing.trouble import Trouble
from tools.auditing.versions import versions
from tools.errors import IterateError
from tools.text import T, visible

CHECKS: tuple[Callable[[Path], Iterator[Trouble]], ...] = (
    permissions,
    torn_lines,
    leftovers,
    runs,
    versions,
    locked_test,
    in_use,
)


def audit_task(task: Path) -> list[Trouble]:
    """Everything that is wrong with a task folder; a check that cannot be made is a trouble of its own."""
    return [trouble for check in CHECKS for trouble in guarded(check, task)]


def guarded(check: Callable[[Path], Iterator[Trouble]], folder: Path) -> Iterator[Trouble]:
    """What a check finds; where a file keeps it from looking, that is what it found."""
    try:
        yield from check(folder)
    except (IterateError, OSError, ValueError) as reason:
        message = (
            reason.message if isinstance(reason, IterateError) else T("{reason}", reason=visible(str(reason), 300))
        )
        hint = reason.hint if isinstance(reason, IterateError) else None
        yield Trouble(
            kind="unreadable",
            place=folder,
            what=T("It could not be checked to the end: {reason}", reason=message),
            matters=T("What was not looked at may be wrong as well."),
            hint=hint or T("Mend that first, then check again."),
        )
