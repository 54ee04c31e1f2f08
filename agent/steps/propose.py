"""Step 3: turn findings into proposals, best first, each a small diff with a forecast and a price."""

from __future__ import annotations

from pathlib import Path

from agent.context import Context, task_path
from agent.events import Notice, Proposed
from agent.journal import Journal
from agent.proposing import ProposalHistory, baseline
from agent.proposing import propose as proposals_for
from agent.state import State
from tools.change import Decision, Proposal
from tools.diagnose import Diagnosis
from tools.reading.task import load_task
from tools.text import T


def propose(state: State, context: Context) -> State:
    """Proposals for the findings; the baseline when nothing was ever trained; none when nothing is wrong."""
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    proposals = proposals_now(task_path(state), state["base"], diagnosis)
    if not proposals:
        context.emit(_nothing(diagnosis.healthy))
    context.emit(Proposed(proposals=proposals))
    return {"proposals": [one.model_dump(mode="json") for one in proposals], "cursor": 0, "answer": None}


def proposals_now(path: Path, base: str, diagnosis: Diagnosis) -> list[Proposal]:
    """What the rules propose, given what was decided and tried before; the baseline when there is no version yet."""
    task = load_task(path)
    if not base:
        return [baseline(task)]
    return proposals_for(task, diagnosis, history_of(Journal(path)))


def _nothing(healthy: bool) -> Notice:
    if healthy:
        return Notice(message=T("Nothing to fix: no rule found a problem that is worth a training."))
    return Notice(
        level="warning",
        message=T("The findings have no further change to propose: each was tried, rejected or needs a person."),
    )


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
