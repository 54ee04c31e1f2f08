"""Where mending puts what it takes away: `.iterate/fsck/<time>/`, at the same path as before, with a line in notes.jsonl.

Nothing is ever deleted. A file is moved whole; of a file that only loses lines, the whole content from before is kept.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.errors import write_failed
from tools.files import append_line, now, write_atomic
from tools.text import Text

FOLDER = ".iterate/fsck"
NOTES = "notes.jsonl"


class KeptNote(BaseModel):
    """One line of notes.jsonl."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str
    path: str
    """Relative to the folder that was mended, and to the folder of the notes."""
    why: Text


class Keeper:
    """Keeps what one mending takes away from a task or a workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")

    def move(self, path: Path, why: Text) -> None:
        """Take a file or folder away."""
        target = self._noted(path, why)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        except OSError as reason:
            raise write_failed(target, reason) from reason

    def replace(self, path: Path, content: bytes, why: Text) -> None:
        """Write another content, with the one from before kept."""
        target = self._noted(path, why)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        except OSError as reason:
            raise write_failed(target, reason) from reason
        write_atomic(path, content)

    def put_back(self, path: Path, content: bytes, why: Text) -> None:
        """Write what belongs there; what stood in its place, if anything did, is kept."""
        if path.exists():
            self.replace(path, content, why)
        else:
            write_atomic(path, content)

    def _noted(self, path: Path, why: Text) -> Path:
        relative = path.relative_to(self.root)
        append_line(self.folder / NOTES, KeptNote(at=now(), path=relative.as_posix(), why=why).model_dump_json())
        return self.folder / relative
