"""What the chat remembers of a workspace between starts: colours, the task panel, and a message that was not sent."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import WriteFailed
from tools.files import write_model


class Remembered(BaseModel):
    """<workspace>/.iterate/ui.json; a file that cannot be read counts as empty."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    theme: str = "terminal"
    panel: bool = True
    draft: str = ""
    """Typed and not sent when the chat was left."""


class UiMemory:
    """Reads and writes the file; a workspace that cannot be written only forgets."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ui.json"
        self.now = self._read()

    def keep(self, **values: object) -> None:
        """Change some values and write the file."""
        changed = self.now.model_copy(update=values)
        if changed == self.now:
            return
        self.now = changed
        try:
            write_model(self._file, changed)
        except (WriteFailed, OSError):
            return

    def _read(self) -> Remembered:
        try:
            return Remembered.model_validate_json(self._file.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError):
            return Remembered()
