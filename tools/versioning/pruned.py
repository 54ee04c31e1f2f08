"""iterations/vN/pruned.json: that the weights of a version were removed, when, by whom and how much it freed."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.running.plan_runs import check_version

NOTE = "pruned.json"


class PrunedNote(BaseModel):
    """What was removed of a version; its records, results and sealed predictions never are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str
    by: str
    freed_bytes: int
    folders: list[str]
    """What was removed, relative to the task folder."""
    weights_sha256: dict[str, str] = {}
    """Seed to the hash of its removed weights: whoever trains the version again can see whether they are the same."""


def pruned_note(task_path: Path, version: str) -> PrunedNote | None:
    """The note of the last pruning of a version; None when it was never pruned."""
    check_version(version)
    try:
        return PrunedNote.model_validate_json((task_path / "iterations" / version / NOTE).read_bytes())
    except (OSError, ValidationError):
        return None
