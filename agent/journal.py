"""The journal of a task: one line for every decision and effect, on disk before the effect is visible anywhere else.

`iterations/journal.jsonl` is append-only. Entries carry a key, so a step that runs again after a crash writes nothing twice.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.files import append_line, now


class Entry(BaseModel):
    """One line of the journal."""

    model_config = ConfigDict(extra="allow", frozen=True)

    at: str
    session: str
    """Session id, or "command" for a command that a person typed."""
    key: str
    """What makes the entry unique within its session, such as "decision:ab12:v2"."""
    event: str
    """decision, version_begun, trained, compared, choice, test_opened, adopted, rolled_back, failed, command."""
    by: str = ""
    data: dict[str, JsonValue] = {}


class Journal:
    """Reads and appends the journal of one task."""

    def __init__(self, task_path: Path) -> None:
        self.path = task_path / "iterations" / "journal.jsonl"

    def entries(self) -> list[Entry]:
        """All readable entries, oldest first; a torn last line of a crash is left out."""
        try:
            # As bytes: a torn line may end within a character, and texts may hold what only looks like the end of a line.
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [entry for line in lines if (entry := _parse(line)) is not None]

    def write(self, entry: Entry) -> None:
        """Append unless this session has an entry with the same key already."""
        if any(old.session == entry.session and old.key == entry.key for old in self.entries()):
            return
        append_line(self.path, entry.model_dump_json())

    def note(self, session: str, event: str, key: str, *, by: str = "", **data: JsonValue) -> None:
        """Append an entry made of its parts, stamped with the time."""
        self.write(Entry(at=now(), session=session, key=f"{event}:{key}", event=event, by=by, data=data))


def _parse(line: bytes) -> Entry | None:
    try:
        return Entry.model_validate(json.loads(line))
    except ValueError:  # not UTF-8, not JSON, not an entry
        return None
