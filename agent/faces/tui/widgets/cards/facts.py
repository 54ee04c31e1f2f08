"""Labelled facts on a card, and the evidence behind a proposal: findings with their numbers and rows, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical

from agent.faces.layout import pad, width
from agent.faces.tui.widgets.flow import Prose
from tools.change import Proposal
from tools.diagnose import Diagnosis
from tools.text import Speaker, T, Text


def fact_rows(facts: Sequence[tuple[Text, str]], say: Speaker) -> list[Prose]:
    """Each fact behind its label, all values in one column."""
    labels = [say(label) for label, _ in facts]
    column = max(width(label) for label in labels) + 2
    return [Prose(value, first=pad(label, column)) for label, (_, value) in zip(labels, facts, strict=True)]


class Evidence(Vertical):
    """The findings that a proposal answers; diagnosed again in a thread unless the diagnosis is at hand."""

    DEFAULT_CSS = """
    Evidence { height: auto; }
    """

    def __init__(self, proposal: Proposal, task_path: Path, say: Speaker, diagnosis: Diagnosis | None) -> None:
        super().__init__()
        self._proposal = proposal
        self._task_path = task_path
        self._say = say
        self._diagnosis = diagnosis

    def compose(self) -> ComposeResult:
        """One text, replaced once the facts are there."""
        yield Prose(self._say(T("Reading the facts …")))

    def on_mount(self) -> None:
        """Look the facts up."""
        self.run_worker(self._look, thread=True, group="evidence", exit_on_error=False)

    def _look(self) -> None:
        from agent.faces.views.evidence import evidence, evidence_text

        if self._diagnosis is None:
            text = evidence(self._proposal, self._task_path, self._say)
        else:
            text = evidence_text(self._proposal, self._diagnosis, self._say)
        self.app.call_from_thread(self._tell, text)

    def _tell(self, text: str) -> None:
        if self.is_attached:
            self.query_one(Prose).show(text)
