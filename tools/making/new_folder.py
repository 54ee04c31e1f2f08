"""The place of a new task: a name that can be one, and a folder that appears whole or not at all.

Nothing that is there is ever touched: the folder is built beside its place and moved there in one step.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tools.errors import InputError, Refused, write_failed
from tools.text import T, visible

_R = TypeVar("_R")
_NAME = re.compile(r"[^\W_][\w\-.]{0,63}")
_MOST_BYTES = 200
"""File systems take names of 255 bytes; the folder that is built beside its place has a longer one."""


def free_place(tasks_dir: Path, name: str) -> Path:
    """Where the task `name` will be; raises InputError for what cannot be a name, Refused for one that is taken."""
    if not _NAME.fullmatch(name) or ".." in name or len(name.encode()) > _MOST_BYTES:
        raise InputError(
            T("{name} cannot be a task's name.", name=visible(name, 80) or '""'),
            hint=T("Use letters, digits, hyphens and underscores, such as news-sentiment."),
        )
    target = tasks_dir / name
    if target.exists() or target.is_symlink():
        raise Refused(
            T(
                "There already is a task {name} in {folder}; it was not touched.",
                name=name,
                folder=visible(str(tasks_dir)),
            ),
            hint=T("Choose another name."),
        )
    return target


def build_folder(target: Path, fill: Callable[[Path], _R]) -> _R:
    """Fill a folder beside `target` and move it there; raises WriteFailed and leaves nothing behind when that fails."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as reason:
        raise write_failed(target, reason) from reason
    try:
        building.chmod(0o755)
        filled = fill(building)
        building.rename(target)
    except OSError as reason:
        raise write_failed(target, reason) from reason
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return filled
