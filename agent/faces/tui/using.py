"""`/predict` and `/export` in the full-screen chat: one at a time, in a thread that waits for a worker process.

The model is loaded there and nowhere here. Esc, or leaving, ends the worker; an export is written only after a clear yes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue

from agent.faces.tui.messages import WorkSays
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.widgets.blocks import Entry, Note
from tools.errors import IterateError
from tools.text import T, Text, visible
from tools.training.errands import PhaseSaid, RowsDone

if TYPE_CHECKING:
    from agent.conversation.using import TypedRow
    from agent.faces.tui.app import IterateApp
    from tools.exporting.export import Exported, Wish
    from tools.exporting.predict import Answered
    from tools.exporting.version import UsedVersion

R = TypeVar("R")
Args = Mapping[str, JsonValue]
_KEY = "Esc"


class Using:
    """The one piece of work with a version's weights that the person waits for, if there is one."""

    def __init__(self, app: IterateApp) -> None:
        self._app = app
        self._stop: threading.Event | None = None

    @property
    def busy(self) -> bool:
        """True while a worker holds a model."""
        return self._stop is not None

    def interrupt(self) -> bool:
        """Ask the worker to end; False when there is none."""
        if self._stop is None:
            return False
        self._stop.set()
        return True

    async def predict(self, task: Path, args: Args) -> None:
        """Answer one text, or put the command into the input to be completed."""
        from agent.conversation.using import typed_row
        from agent.faces.views.using import answered_texts, loading_text

        row = await asyncio.to_thread(typed_row, task, args)
        if row.missing:
            self._ask_for(row)
            return
        lines = await self._at_work(loading_text(row.used, _KEY), lambda stop: self._answer(row, stop))
        for line in lines or ():
            first, *rest = answered_texts(line)
            failed = line.failure is not None
            sign = "⚠ " if failed else "✓ "
            head = Note(self._app.say(first), "warning" if failed else "strong", sign=sign, gap=True)
            self._app.show(head, *self._notes(rest))

    async def export(self, task: Path, args: Args) -> None:
        """Show what would be written, ask once, and write it."""
        from agent.conversation.using import export_wish, version_meant
        from agent.faces.views.using import ASKED, NOTHING_WRITTEN, hub_text, plan_texts, writing_text
        from tools.exporting.plan import plan_export

        app = self._app
        used = await asyncio.to_thread(version_meant, task, args)
        wish = export_wish(app.workspace.root, used, args)
        plan = await asyncio.to_thread(plan_export, used, wish)
        about: list[Entry] = [Note(app.say(text)) for text in plan_texts(used, plan)]
        if not await app.push_screen_wait(ConfirmScreen(ASKED, app.say, about=about)):
            app.tell(NOTHING_WRITTEN)
            return
        app.show(*about)
        done = await self._at_work(writing_text(_KEY), lambda stop: self._write(used, wish, stop))
        if done:
            self._show_written(done)
            app.tell(hub_text(used, done[0].form, wish.target))
            app.call_person(T("an export is written"), "finished")

    def _show_written(self, done: list[Exported]) -> None:
        from agent.faces.views.using import exported_texts

        for one in done:
            first, *rest = exported_texts(one)
            self._app.show(Note(self._app.say(first), "success", sign="✓ ", gap=True), *self._notes(rest))

    def _ask_for(self, row: TypedRow) -> None:
        """A field is missing: the command goes back into the input with a place for it, unless something is typed there."""
        composer = self._app.chat.composer
        names = visible(", ".join(row.missing), 120)
        self._app.tell(
            T("The task asks for {fields} as well: write it behind the = and send the line again.", fields=names)
        )
        if not composer.text:
            composer.replace_text(row.as_line())
            place = composer.text.find(f"{row.missing[0]}=") + len(row.missing[0]) + 1
            before = composer.text[:place]
            composer.move_cursor((before.count("\n"), len(before) - before.rfind("\n") - 1))
            composer.focus()

    async def _at_work(self, told: Text, work: Callable[[threading.Event], R]) -> R | None:
        """Do it in a thread; None when another piece of work is under way, or the person ended this one."""
        app = self._app
        if self._stop is not None:
            app.tell(T("One thing at a time: a model is at work already. Esc ends that."), "warning")
            return None
        stop = self._stop = threading.Event()
        app.tell(told)
        app.refresh_hints()
        try:
            return await asyncio.to_thread(work, stop)
        except IterateError:
            if not stop.is_set():
                raise
            app.tell(T("You ended it. Nothing was left half written."), "warning")
            return None
        finally:
            self._stop = None
            app.refresh_hints()

    def _notes(self, texts: list[Text]) -> list[Entry]:
        return [Note(self._app.say(text), "muted", sign="  ") for text in texts]

    # in threads

    def _answer(self, row: TypedRow, stop: threading.Event) -> list[Answered]:
        from tools.exporting.predict import predict

        return [line for part in predict(row.used, row.examples(), self._hear, stop=stop) for line in part]

    def _write(self, used: UsedVersion, wish: Wish, stop: threading.Event) -> list[Exported]:
        from tools.exporting.export import export

        return export(used, replace(wish, stop=stop), self._hear, self._app.say)

    def _hear(self, event: PhaseSaid | RowsDone) -> None:
        if isinstance(event, PhaseSaid):
            self._app.post_message(WorkSays(event.message))
