"""The evidence behind a proposal: the findings that it answers, with their numbers, limits, files and rows."""

from __future__ import annotations

from pathlib import Path

from agent.faces.views.diagnosis import diagnosis_lines
from agent.proposing.now import base_version
from tools.change import Proposal
from tools.diagnose import DiagnoseArgs, Diagnosis, diagnose
from tools.errors import IterateError
from tools.text import Speaker, T


def evidence(proposal: Proposal, task_path: Path, say: Speaker) -> str:
    """The evidence as text, diagnosed again from the task's files; the reason why there is none where that fails."""
    try:
        found = diagnose(DiagnoseArgs(task_dir=task_path, version=base_version(task_path, "") or None))
    except IterateError as error:
        return say(error.message)
    return evidence_text(proposal, found, say)


def evidence_text(proposal: Proposal, diagnosis: Diagnosis, say: Speaker) -> str:
    """The findings behind the proposal as text."""
    kinds = set(proposal.findings)
    behind = [finding for finding in diagnosis.findings if finding.kind in kinds]
    if not behind:
        return say(T("No finding stands behind this proposal: {reason}", reason=proposal.problem))
    only = diagnosis.model_copy(update={"findings": behind, "errors": None, "healthy": False})
    return "\n".join(diagnosis_lines(only, say)).rstrip()
