"""Beginning a task in the full-screen chat: create it, label its first rows, divide them.

Each is one acting command; agent/faces/tui/orders.py calls it with the app and the task that is meant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.widgets.blocks import Entry, Grid, Note
from tools.text import T, visible

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp
    from tools.labelling.ask_person import Filled


async def create(app: IterateApp, args: Mapping[str, JsonValue]) -> None:
    """Ask what the new task is, make it, and turn to it."""
    from agent.conversation.creating import Interview
    from agent.faces.creating import made_task, made_texts
    from agent.faces.tui.screens.create import CreateScreen
    from tools.errors import IterateError

    name = str(args.get("words") or "").strip()
    try:
        interview = Interview(app.workspace.tasks_dir, app.language, {"name": name} if name else {})
    except IterateError as error:
        app.fail(error)
        interview = Interview(app.workspace.tasks_dir, app.language)
    screen = CreateScreen(interview, lambda done: made_task(app.workspace, done), app.say, app.bridge.model)
    path = await app.push_screen_wait(screen)
    if path is None:
        app.tell(T("Nothing was made."))
        return
    if not app.bridge.running:
        app.choose_task(path)
    app.show(*(Note(app.say(text)) for text in made_texts(path)))


async def label(app: IterateApp, task: Path) -> None:
    """Open the rows that wait for a label, after choosing some where none wait."""
    from agent.faces.labelling import LabelWishes, choose_rows, chosen_texts, waiting_rows
    from agent.faces.tui.screens.samples import SamplesScreen
    from tools.labelling.ask_person import LABELLING
    from tools.reading.task import load_task

    def choose() -> Filled | None:
        told = partial(app.call_from_thread, app.tell)
        return choose_rows(load_task(task), LabelWishes(), told, lambda event: None)

    if not await asyncio.to_thread(waiting_rows, task):
        filled = await asyncio.to_thread(choose)
        if filled is not None:
            app.show(*(Note(app.say(text), "muted", sign="· ") for text in chosen_texts(filled)))
    if await asyncio.to_thread(waiting_rows, task):
        app.push_screen(SamplesScreen(task, app.say, batch=LABELLING))


async def split(app: IterateApp, task: Path) -> None:
    """Show how the labelled rows would be divided, and do it on a clear yes."""
    from agent.faces.splitting import ASKED, split_notes, split_table
    from agent.manual import split_rows
    from tools.making.first_split import plan_first_split
    from tools.reading.task import load_task

    plan = await asyncio.to_thread(lambda: plan_first_split(load_task(task)))
    shown: list[Entry] = [Grid(*split_table(plan, app.say))]
    shown += [Note(app.say(text), "muted", sign="· ") for text in split_notes(plan)]
    shown += [Note(app.say(problem.message), "warning", sign="⚠ ") for problem in plan.problems]
    if await app.push_screen_wait(ConfirmScreen(ASKED, app.say, about=shown)):
        await asyncio.to_thread(split_rows, task)
        app.show(*shown)
        app.tell(T("Divided. Say `improve {task}` for a first version.", task=visible(task.name)))
        app.read_status()
