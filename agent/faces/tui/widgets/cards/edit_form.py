"""Editing a proposal in place: a field for each value, its problems while it is typed, and the diff as it would become."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from agent.faces.edit_values import edits_of, typed_value, value_text, with_values
from agent.faces.layout import clip, width
from agent.faces.tui.widgets.diff import DiffView
from agent.faces.tui.widgets.flow import Prose
from tools.change import Change, Proposal
from tools.errors import IterateError
from tools.text import Speaker, T, visible

TYPING_SECONDS = 0.25
"""Pause after which typed values are checked."""
_LABEL_CELLS = 40


@dataclass(frozen=True)
class Checked:
    """What typed values amount to: the proposal as edited, or what is wrong with it."""

    changes: list[Change]
    shown: Proposal | None
    error: IterateError | None


def checked(proposal: Proposal, texts: list[str], task_path: Path, say: Speaker) -> Checked:
    """Read the typed values and make the proposal anew with them; never raises for what was typed."""
    from agent.proposing import edited
    from tools.reading.task import load_task

    changes: list[Change] = []
    try:
        pairs = zip(edits_of(proposal), texts, strict=True)
        changes = with_values(proposal, [typed_value(visible(edit.dotted), text) for edit, text in pairs])
        return Checked(changes, edited(proposal, changes, load_task(task_path), say), None)
    except IterateError as error:
        return Checked(changes, None, error)


def problems(error: IterateError, say: Speaker) -> str:
    """What is wrong with typed values, a line each and not yet folded: the screen folds it where it stands."""
    told = [error.message] if not error.problems else [one.message for one in error.problems]
    lines = ["✗ " + say(message) for message in told]
    lines += [say(T("valid: {choices}", choices=", ".join(one.choices))) for one in error.problems if one.choices]
    return "\n".join(lines + ([say(error.hint)] if error.hint and not error.problems else []))


class EditForm(Vertical):
    """Fields for the values of a proposal."""

    class Ready(Message):
        """Valid values were confirmed with Enter; nothing is approved by that."""

        def __init__(self, changes: list[Change], shown: Proposal) -> None:
            super().__init__()
            self.changes = changes
            self.shown = shown

    DEFAULT_CSS = """
    EditForm { height: auto; }
    EditForm .edit-row { height: 1; }
    EditForm .edit-label { width: auto; }
    EditForm Input { width: 1fr; }
    EditForm .edit-problem { color: $text-error; }
    """

    def __init__(self, proposal: Proposal, task_path: Path, say: Speaker, *, start: Proposal | None = None) -> None:
        """`start` holds the values to begin with, where they are not those of the proposal."""
        super().__init__()
        self._proposal = proposal
        self._task_path = task_path
        self._say = say
        self._start = start or proposal
        self._round = 0
        self._confirm = False
        self._timer: Timer | None = None
        # Not selected on focus: the first backspace would take the whole value away.
        self.fields = [
            Input(value_text(edit.new), compact=True, select_on_focus=False) for edit in edits_of(self._start)
        ]

    def compose(self) -> ComposeResult:
        """Every key with its field, then problems, then the diff."""
        yield Prose(self._say(T("Type the new values; Enter goes on, an empty field removes the key.")))
        labels = [clip(visible(edit.dotted), _LABEL_CELLS) for edit in edits_of(self._proposal)]
        column = max(width(label) for label in labels) + 1
        for label, field in zip(labels, self.fields, strict=True):
            shown = Prose(label, classes="edit-label")
            shown.styles.width = column
            yield Horizontal(shown, field, classes="edit-row")
        yield Prose("", classes="edit-problem")
        yield DiffView(self._start.diff, self._say, mark=self._say(T("edited by you")))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check after a pause in typing."""
        event.stop()
        self._confirm = False
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(TYPING_SECONDS, self._check)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The next field; after the last one the values are confirmed, if they are valid."""
        event.stop()
        place = self.fields.index(event.input)
        if place + 1 < len(self.fields):
            self.fields[place + 1].focus()
        else:
            self._confirm = True
            self._check()

    def _check(self) -> None:
        self._round += 1
        texts = [field.value for field in self.fields]
        self.run_worker(partial(self._look, texts, self._round), thread=True, group="edit-form", exit_on_error=False)

    def _look(self, texts: list[str], this_round: int) -> None:
        found = checked(self._proposal, texts, self._task_path, self._say)
        self.app.call_from_thread(self._tell, found, this_round)

    def _tell(self, found: Checked, this_round: int) -> None:
        if this_round != self._round or not self.is_attached:
            return
        self.query_one(".edit-problem", Prose).show(problems(found.error, self._say) if found.error else "")
        self.query_one(DiffView).show(found.shown.diff if found.shown else "", mark=self._say(T("edited by you")))
        self.query_one(DiffView).display = found.shown is not None
        if self._confirm and found.shown is not None:
            self.post_message(self.Ready(found.changes, found.shown))
        self._confirm = False
