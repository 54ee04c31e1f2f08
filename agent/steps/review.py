"""The review: the question, asked in a node that does nothing else, and the filing of its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.approval import ReviewQuestion
from agent.context import Context, task_path
from agent.events import Decided
from agent.proposing import edited
from agent.proposing.now import proposals_now
from agent.state import Json, State, Work
from tools.change import Decision, Proposal, Verb
from tools.diagnose import Diagnosis
from tools.reading.task import load_task

Ask = Callable[[Json], Any]
"""Suspends the graph until an approver has answered."""


def review(state: State, ask: Ask) -> State:
    """Ask about the proposal under the cursor."""
    question = ReviewQuestion(
        proposal=Proposal.model_validate(state["proposals"][state["cursor"]]),
        number=state["cursor"] + 1,
        total=len(state["proposals"]),
        approved=len(state.get("queue", [])),
    )
    return {"answer": ask(question.model_dump(mode="json"))}


def file_decision(state: State, context: Context) -> State:
    """Write the decision to the journal, queue what was approved, and move on to the next proposal."""
    decision = Decision.model_validate(state["answer"])
    proposal = Proposal.model_validate(state["proposals"][state["cursor"]])
    if decision.decision is Verb.edit and decision.edited:
        proposal = edited(proposal, decision.edited, load_task(task_path(state)))
    context.journal(state).note(
        context.session,
        "decision",
        f"{decision.proposal_id}:{state.get('iteration', 0)}",
        by=decision.by,
        decision=decision.model_dump(mode="json"),
        proposal=proposal.model_dump(mode="json"),
    )
    context.emit(Decided(decision=decision, title=proposal.title))
    update: State = {
        "answer": None,
        "proposals": _after(state, decision),
        "cursor": state["cursor"] + 1,
        "decisions": [*state.get("decisions", []), decision.model_dump(mode="json")],
    }
    if decision.decision in {Verb.approve, Verb.edit}:
        work = Work(
            proposal=proposal.model_dump(mode="json"), decision=decision.model_dump(mode="json"), version="", parent=""
        )
        update["queue"] = [*state.get("queue", []), work]
    return update


def _after(state: State, decision: Decision) -> list[Json]:
    """The list of proposals from now on: a rejection and its reason change what comes next, not only what comes some day."""
    if decision.decision is not Verb.reject or not state["base"]:
        return state["proposals"]
    done = state["proposals"][: state["cursor"] + 1]
    seen = {Proposal.model_validate(one).id for one in done}
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    fresh = proposals_now(task_path(state), state["base"], diagnosis)
    return [*done, *(one.model_dump(mode="json") for one in fresh if one.id not in seen)]
