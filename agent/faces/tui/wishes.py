"""A wish of the person on its way to review: worked out where a screen made it, and brought to the session of its task."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from tools.change import Proposal
from tools.text import T

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp

STILL_LEAVING = T("The session before is still ending its step, so this one did not begin. Say it again in a moment.")


async def propose(app: IterateApp, task: Path, change: JsonValue) -> None:
    """A change that a screen worked out, such as reviewed rows: it becomes a proposal and goes to review like any other."""
    from agent.conversation.remedies import wished_edits
    from agent.conversation.wishes import wish_for

    edits = wished_edits(change, None, task)
    proposal = await asyncio.to_thread(wish_for, task, edits, origin="person", say=app.say)
    app.tell(T("It is a proposal now, and will be reviewed like any other: {title}", title=proposal.title))
    await file(app, proposal)


async def file(app: IterateApp, proposal: Proposal) -> None:
    """Bring a wish to review; a session on another task is left for it, as it is."""
    task = app.task_named(proposal.task)
    if app.bridge.task != task:
        await app.orders.leave_session()
    app.choose_task(task)
    if not app.bridge.file(proposal, task):
        app.tell(STILL_LEAVING, "warning")
