"""Temporary files and folders that a killed process left behind. Nothing reads them; they take room."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from tools.auditing.trouble import Trouble
from tools.launchers.base import is_alive
from tools.text import T

_FOLDERS = ("iterations", "runs", "models", "benchmarks", ".iterate", "configs")
_SCRATCH = re.compile(r"\..+\.(?:[a-z0-9_]{8}|\d+)|\.pruned-.+")
"""tools.files: `.name.` and eight characters for a file that is written aside, `.name.pid` for a folder; and of pruning."""
_QUIET_SECONDS = 60.0
"""Whoever still writes one of these has touched it more recently."""


def leftovers(task: Path) -> Iterator[Trouble]:
    """What was being written when its writer died."""
    for name in _FOLDERS:
        for path in sorted((task / name).rglob(".*")):
            if _SCRATCH.fullmatch(path.name) and not _is_busy(task, path):
                yield _leftover(path)


def _leftover(path: Path) -> Trouble:
    why = T("It was being written when its writer died.")
    return Trouble(
        kind="leftover",
        place=path,
        what=T("A temporary file or folder of a process that is gone."),
        matters=T("Nothing reads it; it only takes room. What it was to replace is whole."),
        hint=T("It may be removed by hand."),
        mend=T("It is moved away."),
        repair=lambda keeper: keeper.move(path, why),
    )


def _is_busy(task: Path, path: Path) -> bool:
    """True for what a live process may be writing, and for what earlier mending keeps."""
    parts = path.relative_to(task).parts
    if parts[:2] == (".iterate", "fsck") or any(_SCRATCH.fullmatch(part) for part in parts[:-1]):
        return True
    inside_run = next((parent for parent in path.parents if (parent / "spec.json").is_file()), None)
    if inside_run is not None and is_alive(inside_run):
        return True
    return 0 <= time.time() - path.lstat().st_mtime < _QUIET_SECONDS
