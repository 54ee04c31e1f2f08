"""What the newest night left to a person, in a few words, for whoever opens a chat in the morning."""

from __future__ import annotations

from agent.paths import Workspace
from tools.text import T, Text


def last_night(workspace: Workspace) -> Text | None:
    """What the newest night left to a person; None when there is no night, or nothing of it is open."""
    if not (workspace.root / ".iterate" / "nights").is_dir():
        return None
    from agent.overnight.reporting.nights import open_decisions  # 0.3 s, and only where a night was

    found = open_decisions(workspace.root)
    if found is None:
        return None
    state, count = found
    if state == "running":
        return T("a night is running")
    if state == "cut_off":
        return T("the last night was cut off")
    return T("decisions of the last night that wait for you: {count}", count=count) if count else None
