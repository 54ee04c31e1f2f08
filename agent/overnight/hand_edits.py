"""A task that was changed by hand while the night ran: what was changed, and leaving it alone."""

from __future__ import annotations

from pathlib import Path

from agent.overnight.context import Night
from agent.overnight.records import Chosen
from agent.overnight.watchman import changed_by_hand, kept_seal
from tools.text import T, Text, visible


def edited_in(night: Night, chosen: Chosen, path: Path, version: str | None) -> list[str]:
    """Files that neither the night nor this trial of it has changed."""
    sealed = kept_seal(night.folder, chosen.task)
    own = [one for one in (chosen.base, version) if one]
    return [] if sealed is None else changed_by_hand(path, sealed, own)


def pause_for_edit(night: Night, task: str, files: list[str]) -> Text:
    """Pause a task that was changed by hand, and say what was changed."""
    path = night.tasks[task]
    if path.is_dir():
        reason = T("{files} changed by hand while the night ran, so nothing more was done here.", files=listed(files))
    else:
        reason = T("The task folder {path} is gone, so nothing more was done here.", path=visible(str(path)))
    night.guard("hand_edit", reason, task=task, page="methods/overnight")
    night.pause(task, reason, "run")
    return reason


def listed(files: list[str]) -> str:
    """Names in a row, as far as a sentence holds them."""
    return visible(", ".join(files), 300)
