"""Labelled facts on a card, and the evidence behind a proposal: findings with their numbers and rows, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical

from agent.faces.layout import pad, width
from agent.faces.tui.widgets.flow import Prose
from agent.faces.views.diagnosis import diagnosis_lines
from tools.change import Proposal
from tools.diagnose import Diagnosis
from tools.errors import IterateError
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
        """Show what is known, or look it up."""
        if self._diagnosis is not None:
            self._tell(evidence_text(self._proposal, self._diagnosis, self._say))
        else:
            self.run_worker(self._look, thread=True, group="evidence", exit_on_error=False)

    def _look(self) -> None:
        from agent.proposing.now import base_version
        from tools.diagnose import DiagnoseArgs, diagnose

        try:
            base = base_version(self._task_path, "") or None
            found = diagnose(DiagnoseArgs(task_dir=self._task_path, version=base))
            text = evidence_text(self._proposal, found, self._say)
        except IterateError as error:
            text = self._say(error.message)
        self.app.call_from_thread(self._tell, text)

    def _tell(self, text: str) -> None:
        if self.is_attached:
            self.query_one(Prose).show(text)


def evidence_text(proposal: Proposal, diagnosis: Diagnosis, say: Speaker) -> str:
    """The findings behind the proposal with facts, limits, files and rows."""
    kinds = set(proposal.findings)
    behind = [finding for finding in diagnosis.findings if finding.kind in kinds]
    if not behind:
        return say(T("No finding stands behind this proposal: {reason}", reason=proposal.problem))
    only = diagnosis.model_copy(update={"findings": behind, "errors": None, "healthy": False})
    return "\n".join(diagnosis_lines(only, say)).rstrip()
