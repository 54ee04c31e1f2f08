"""Labelled facts on a card; the evidence behind a proposal and the price of a quick check, which take a thread."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from agent.faces.layout import pad, width
from agent.faces.tui.widgets.flow import Prose
from tools.change import Proposal
from tools.diagnose import Diagnosis
from tools.errors import IterateError
from tools.text import Speaker, T, Text


def fact_rows(facts: Sequence[tuple[Text, str]], say: Speaker) -> list[Prose]:
    """Each fact behind its label, all values in one column."""
    labels = [say(label) for label, _ in facts]
    column = max(width(label) for label in labels) + 2
    return [Prose(value, first=pad(label, column)) for label, (_, value) in zip(labels, facts, strict=True)]


class LookedUp(Vertical):
    """One text that takes a moment."""

    DEFAULT_CSS = """
    LookedUp { height: auto; }
    """

    class Known(Message):
        """The text is there; it may need more room than the line that stood for it."""

    def __init__(self, proposal: Proposal, task_path: Path, say: Speaker) -> None:
        super().__init__()
        self._proposal = proposal
        self._task_path = task_path
        self._say = say

    def compose(self) -> ComposeResult:
        """One text, replaced once the facts are there."""
        yield Prose(self._say(T("Reading the facts …")))

    def on_mount(self) -> None:
        """Look the facts up."""
        self.run_worker(self._look, thread=True, group="looking-up", exit_on_error=False)

    def _look(self) -> None:
        self.app.call_from_thread(self._tell, self.text())

    @abstractmethod
    def text(self) -> str:
        """In a thread: what to show."""

    def _tell(self, text: str) -> None:
        if self.is_attached:
            self.query_one(Prose).show(text)
            self.post_message(self.Known())


class Evidence(LookedUp):
    """The findings that a proposal answers; diagnosed again unless the diagnosis is at hand."""

    def __init__(self, proposal: Proposal, task_path: Path, say: Speaker, diagnosis: Diagnosis | None) -> None:
        super().__init__(proposal, task_path, say)
        self._diagnosis = diagnosis

    def text(self) -> str:
        """The findings with their numbers and rows."""
        from agent.faces.views.evidence import evidence, evidence_text

        if self._diagnosis is None:
            return evidence(self._proposal, self._task_path, self._say)
        return evidence_text(self._proposal, self._diagnosis, self._say)


class QuickPrice(LookedUp):
    """What a quick check of the proposal runs and takes, or why there can be none."""

    def text(self) -> str:
        """The price, and that nothing is decided by it."""
        from agent.faces.views.quick import price_texts, quick_args
        from tools.probing.quick_check import plan_quick_check

        promise = T(
            "Both sides are trained on the same part of the rows and compared on validation. The question waits meanwhile, and "
            "nothing is decided by it."
        )
        try:
            told = price_texts(plan_quick_check(quick_args(self._proposal, self._task_path)))
        except IterateError as error:
            return "\n".join(self._say(one) for one in (error.message, error.hint) if one is not None)
        return "\n".join(self._say(one) for one in (*told, promise))
