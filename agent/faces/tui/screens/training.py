"""The live view of a task's training: curves beside those of the version before, pace, alerts, the end of the log.

It is a viewer of files: leaving it changes nothing, and it takes up trainings that were started elsewhere. Stopping is an
order that the person gives here and the app carries out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from pydantic import JsonValue
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import Screen

from agent.conversation.said import Order
from agent.faces.tui.following import Followed, Follower
from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.widgets.alerts import AlertList
from agent.faces.tui.widgets.curves import CurvePanel, curve_sentences
from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.key_bar import Hint, KeyBar
from agent.faces.tui.widgets.log_tail import LogTail
from agent.faces.tui.widgets.run_facts import RunFacts, run_name
from tools.launchers.base import RunHealth
from tools.text import Speaker, T, Text
from tools.watch_run import RunView

POLL_SECONDS = 1.0
_LIVE = {RunHealth.running}
_STOP: Hint = ("x", T("stop"))
_SEVERAL: Hint = ("n p", T("other seeds"))
_PAGE: Hint = ("r", T("read about the alert"))
_ALWAYS: tuple[Hint, ...] = (("Esc", T("back")), ("g", T("other glyphs")))


class TrainingScreen(Screen[None]):
    """Shows the training that is alive, else the newest one."""

    DEFAULT_CSS = """
    TrainingScreen { layout: vertical; padding: 0 1; }
    TrainingScreen #alerts { height: auto; max-height: 6; }
    TrainingScreen KeyBar { height: 1; }
    TrainingScreen.-tall LogTail { height: 8; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]  # noqa: RUF012 - Textual declares it as an instance attribute
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("x", "ask_to_stop", show=False),
        Binding("n,right", "turn(1)", show=False),
        Binding("p,left", "turn(-1)", show=False),
        Binding("r", "read", show=False),
        Binding("g", "glyphs", show=False),
    ]

    class Looked(Message):
        """A look at the run's files is done."""

        def __init__(self, followed: Followed) -> None:
            super().__init__()
            self.followed = followed

    def __init__(self, task_path: Path, say: Speaker) -> None:
        super().__init__()
        self._task_path = task_path
        self._say = say
        self._follower: Follower | None = None
        self._looking = False
        self._turn = 0
        self._view: RunView | None = None

    def compose(self) -> ComposeResult:
        """Facts, curves, their words, alerts, the log."""
        yield RunFacts(self._task_path.name, self._say)
        yield CurvePanel(self._say)
        yield Prose("")
        with VerticalScroll(id="alerts", can_focus=False):
            yield AlertList(self._say)
        yield LogTail(self._say)
        yield KeyBar(self._say)

    def on_mount(self) -> None:
        """Look at once, then every second."""
        if os.environ.get("TERM") == "linux":  # the console's font has no braille
            self.action_glyphs()
        self.query_one(KeyBar).show(_ALWAYS)
        self.look()
        self.set_interval(POLL_SECONDS, self.look)

    def look(self) -> None:
        """Read what the run wrote, in a thread; one look at a time."""
        if not self._looking:
            self._looking = True
            self.run_worker(self._look, thread=True, group="watch-training", exit_on_error=True)

    def _look(self) -> None:
        if self._follower is None:
            self._follower = Follower(self._task_path)
        turn, self._turn = self._turn, 0
        self.post_message(self.Looked(self._follower.look(turn)))

    def on_training_screen_looked(self, message: Looked) -> None:
        """Show what was read."""
        self._looking = False
        followed, view = message.followed, message.followed.view
        self._view = view
        self.query_one(RunFacts).show(followed)
        self.query_one(CurvePanel).show(view)
        sentences = curve_sentences(view) if view else []
        self.query_one(Prose).show("\n".join(self._say(sentence) for sentence in sentences))
        self.query_one(AlertList).show(view.alerts if view else [], watched=view is not None)
        self.query_one(LogTail).show(followed.log)
        self._show_keys(followed)

    def _show_keys(self, followed: Followed) -> None:
        hints = [_STOP] if self._view and self._view.health in _LIVE else []
        hints += [_SEVERAL] if followed.total > 1 else []
        hints += [_PAGE] if self.query_one(AlertList).pages else []
        self.query_one(KeyBar).show((*hints, *_ALWAYS))

    def action_ask_to_stop(self) -> None:
        """Ask before stopping, naming what is stopped and what is kept."""
        view = self._view
        if view is None or view.health not in _LIVE:
            self.notify(self._say(T("Nothing to stop: no training is running.")), markup=False)
            return
        self.app.push_screen(ConfirmScreen(_question(view), self._say), self._stop)

    def _stop(self, sure: bool | None) -> None:
        if sure:
            args: dict[str, JsonValue] = {"task": self._task_path.name, "confirmed": True}
            self.post_message(OrderGiven(Order(command="stop", args=args)))

    def action_back(self) -> None:
        """Leave the screen; the training goes on."""
        self.dismiss()

    def action_turn(self, by: int) -> None:
        """Go to another run of the version."""
        self._turn += by
        self.look()

    def action_read(self) -> None:
        """Open the page of the most urgent alert."""
        pages = self.query_one(AlertList).pages
        if pages:
            self.post_message(OrderGiven(Order(command="refs", args={"page": pages[0]})))

    def action_glyphs(self) -> None:
        """Draw with the other glyphs: ASCII instead of braille, and back."""
        facts = self.query_one(RunFacts)
        facts.ascii_only = not facts.ascii_only
        facts.changed()
        self.query_one(CurvePanel).switch_glyphs()


def _question(view: RunView) -> Text:
    kept = T("no checkpoint was written yet, so it would start over")
    if view.checkpoint is not None:
        kept = T("the checkpoint of step {step} is kept, and training it again continues there", step=view.checkpoint)
    return T(
        "Stop the training of {run} at step {step} of {total}? Its log and curves stay; {kept}. {version} gets no result.",
        run=run_name(view),
        step=view.step,
        total=view.total_steps,
        kept=kept,
        version=view.version,
    )
