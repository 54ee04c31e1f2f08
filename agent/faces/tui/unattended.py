"""`/overnight` in the full-screen chat: what a night would do is agreed to, then it begins in a process of its own."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.widgets.blocks import Note
from tools.text import T, visible

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp


async def agreed_night(app: IterateApp, task: Path, until: str) -> bool:
    """Say what the night would do and ask; False also where no time was named."""
    name = visible(task.name)
    if not until:
        app.tell(T("Say until when: `/overnight 07:00`. It works on {task} alone.", task=name))
        return False
    night = await _module()
    about = [Note(app.say(text)) for text in night.wish_texts([task], night.NightWish(until=until))]
    asked = T("Leave {task} to the program until {until}?", task=name, until=visible(until, 20))
    agreed: bool = await app.push_screen_wait(ConfirmScreen(asked, app.say, about=about))
    return agreed


async def begun_night(app: IterateApp, task: Path, until: str) -> None:
    """Begin it, and say where to watch it and how to end it."""
    night = await _module()
    wish = night.NightWish(until=until)
    for text in await asyncio.to_thread(night.begin_detached, app.workspace.root, [task], wish, app.language):
        app.tell(text)


async def _module() -> Any:
    """The part that begins nights; it takes a second, since it brings the sessions with it."""
    return await asyncio.to_thread(import_module, "agent.faces.overnight")
