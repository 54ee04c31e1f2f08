"""What would be proposed at this moment: the version to start from, what was tried before, and the proposals that follow."""

from __future__ import annotations

from pathlib import Path

from agent.journal import Journal
from agent.proposing.assemble import propose
from agent.proposing.baseline import baseline
from agent.proposing.history import ProposalHistory
from agent.proposing.reasons import wishes_in
from tools.change import Decision, Proposal
from tools.diagnose import Diagnosis
from tools.making.first_rows import never_divided
from tools.reading.task import load_task as read_task_folder
from tools.versioning.adopt import current
from tools.versions import list_versions


def base_version(path: Path, wanted: str) -> str:
    """The version that the next one starts from; "" when none has a result.

    In this order: the one this session works on, the one whose snapshot is the configuration on disk, the adopted one, the
    newest with a result.
    """
    trained = [record for record in list_versions(path) if record.has_result]
    names = [record.version for record in trained]
    if wanted in names:
        return wanted
    text = read_task_folder(path).config.text.encode("utf-8")
    same = [record.version for record in trained if record.snapshot and record.snapshot.read_bytes() == text]
    if same:
        return same[-1]
    pointer = current(path)
    if pointer and pointer.version in names:
        return pointer.version
    return names[-1] if names else ""


def proposals_now(path: Path, base: str, diagnosis: Diagnosis) -> list[Proposal]:
    """What the rules propose, given what was decided and tried before; the baseline when there is no version yet."""
    task = read_task_folder(path)
    if not base:
        return [] if never_divided(task) else [baseline(task)]
    return propose(task, diagnosis, history_of(Journal(path)))


def history_of(journal: Journal) -> ProposalHistory:
    """What was decided and what came of it in earlier sessions, from the journal."""
    decisions: list[tuple[Proposal, Decision]] = []
    outcomes: dict[str, str] = {}
    for entry in journal.entries():
        if entry.event == "decision":
            proposal = Proposal.model_validate(entry.data["proposal"])
            decisions.append((proposal, Decision.model_validate(entry.data["decision"])))
        elif entry.event == "compared":
            outcomes[str(entry.data["proposal_id"])] = str(entry.data["verdict"])
        elif entry.event == "failed":
            outcomes[str(entry.data["proposal_id"])] = "failed"
    return ProposalHistory(decisions=decisions, outcomes=outcomes)


def welcome(path: Path, proposal: Proposal) -> bool:
    """False for a change that the person rejected, or of a kind that the reason of a rejection speaks against."""
    past = history_of(Journal(path))
    return proposal.id not in past.rejected() and wishes_in(past.decisions).allow(proposal)
