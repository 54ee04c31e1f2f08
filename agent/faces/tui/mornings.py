"""The order about a morning report: open it, or take up a decision that it left to a person. Nothing is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from agent.conversation.said import Order
from tools.errors import NotFound
from tools.text import T, visible

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp
    from agent.overnight.reporting.shapes import WaitingFacts


async def report(app: IterateApp, args: Mapping[str, JsonValue]) -> None:
    """Open the report of the night that was named, or of the newest; with a number, what it says waits under that number."""
    from agent.faces.tui.screens.morning import MorningScreen
    from agent.overnight.reporting.facts import night_facts
    from agent.overnight.reporting.nights import find_night

    named, numbers = args.get("night"), args.get("numbers")
    night = str(named) if named else None
    if not isinstance(numbers, list) or not numbers:
        app.push_screen(MorningScreen(app.workspace.root, app.say, night=night))
        return
    facts = await asyncio.to_thread(lambda: night_facts(find_night(app.workspace.root, night)))
    one = next((each for each in facts.open if each.number == numbers[0]), None)
    if one is None:
        raise NotFound(T("No decision of that number waits; nothing was done."))
    _take_up(app, one)


def _take_up(app: IterateApp, one: WaitingFacts) -> None:
    """The review of a proposal, the question about an adoption, the status of a task that was paused."""
    if one.what == "adoption" and one.version is not None:
        app.execute(Order(command="adopt", args={"task": one.task, "version": one.version}))
    elif one.proposal is not None and one.proposal.changes:
        app.file(one.proposal)
    elif one.proposal is not None:
        app.execute(Order(command="improve", args={"task": one.task}))
    else:
        app.choose_task(app.workspace.task_path(one.task))
        app.tell(T("{task}: {reason}", task=visible(one.task, 60), reason=one.reason))
        app.execute(Order(command="status", args={"task": one.task}))
