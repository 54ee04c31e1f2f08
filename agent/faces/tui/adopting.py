"""Adopting a version on record in the full-screen chat: asked before the test set is opened, and again with what it says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.widgets.blocks import Note, entries_of
from tools.text import T, visible

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp


async def adopt_on_record(app: IterateApp, task: Path, version: str) -> None:
    """Open the test set for a version, show what it says, and adopt it on a second yes."""
    from agent.manual import adopt_opened, open_for_adoption
    from tools.comparing.report import valid_and_test
    from tools.versioning.adopt import how_to_use

    shown = visible(version, 40)
    first = T("Adopt {version}? This opens the locked test set, and the opening is recorded.", version=shown)
    if not await app.push_screen_wait(ConfirmScreen(first, app.say)):
        return
    await app.orders.leave_session()
    opened = await asyncio.to_thread(open_for_adoption, task, version)
    found = (
        entries_of(valid_and_test(opened, app.say)) if opened.scores else [Note(app.say(one)) for one in opened.notes]
    )
    app.show(*found)
    if await app.push_screen_wait(ConfirmScreen(T("Adopt {version} now?", version=shown), app.say, about=found)):
        await asyncio.to_thread(adopt_opened, task, version)
        app.tell(T("{version} is now the version in use (models/current.json).", version=shown))
        app.tell(how_to_use(task))
        app.read_status()
