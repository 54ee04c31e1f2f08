"""The sessions of a workspace, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from agent.faces.layout import table
from agent.records import PastSession
from tools.text import Speaker, T, Text, visible

REASONS: dict[str | None, Text] = {
    None: T("open: it was cut off"),
    "waiting": T("a decision waits"),
    "interrupted": T("you left it"),
    "failed": T("the training failed"),
    "done": T("finished"),
    "nothing_to_do": T("nothing to do"),
}


def session_lines(sessions: Sequence[PastSession], say: Speaker) -> list[str]:
    """Newest first; a star marks what can be taken up."""
    if not sessions:
        return [say(T("No session is on record yet."))]
    header = [say(one) for one in (T("Session"), T("Task"), T("Began"), T("State"), T("Open"))]
    rows = [
        [
            one.record.id,
            visible(one.task.name, 40),
            one.record.started_at[:16].replace("T", " "),
            say(REASONS[one.record.reason]) if one.open or one.record.reason else say(T("cut off")),
            "*" if one.open else "",
        ]
        for one in sessions
    ]
    return [*table(header, rows, indent=""), "", say(T("Take one up with: iterate --resume SESSION"))]
