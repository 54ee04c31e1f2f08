"""One thing that is wrong, with what a person needs to know about it. The vocabulary of tools/auditing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tools.auditing.keeping import Keeper
from tools.text import Text

PAGE = "troubleshooting/repair-workspace"

Kind = Literal[
    "torn_lines",
    "leftover",
    "run",
    "interrupted_run",
    "version",
    "result",
    "weights",
    "locked_test",
    "in_use",
    "configuration",
    "data",
    "forecast",
    "journal",
    "session",
    "night",
    "permission",
    "disk",
    "lock",
    "unreadable",
]


@dataclass(frozen=True)
class Trouble:
    """What, where, why it matters, and what to do."""

    kind: Kind
    place: Path
    """Absolute."""
    what: Text
    matters: Text
    hint: Text
    """The next step when it is not mended."""
    mend: Text | None = None
    """How it is mended; None when it cannot be without a person."""
    repair: Callable[[Keeper], None] | None = None
    """Mends it; given exactly when `mend` is."""
    is_problem: bool = True
    """False for what is worth knowing and no fault, such as a hand edit."""
    page: str = PAGE
