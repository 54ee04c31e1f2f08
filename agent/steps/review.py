"""The review: the question, asked in a node that does nothing else, and the filing of its answer.

A proposal that a person's grant covers is answered by that rule instead; the filing is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.approval import ReviewQuestion
from agent.context import Context, task_path
from agent.events import Decided, Notice, Proposed
from agent.grants import Grant, covering, decided_by, granted, rule_sentence, used
from agent.proposing import edited
from agent.proposing.edited import joined
from agent.proposing.now import proposals_now, welcome
from agent.state import Json, State, Work
from agent.steps.wishes import as_json
from tools.change import Decision, Proposal, Verb
from tools.diagnose import Diagnosis
from tools.errors import IterateError
from tools.reading.task import load_task
from tools.text import T

Ask = Callable[[Json], Any]
"""Suspends the graph until an approver has answered."""


def review(state: State, ask: Ask) -> State:
    """Ask about the proposal under the cursor."""
    question = ReviewQuestion(
        proposal=_under_review(state),
        number=state["cursor"] + 1,
        total=len(state["proposals"]),
        approved=len(state.get("queue", [])),
    )
    return {"answer": ask(question.model_dump(mode="json"))}


def grant_for(state: State) -> Grant | None:
    """The grant that covers the proposal under the cursor."""
    return covering(_grants(state), _under_review(state))


def apply_grant(state: State, context: Context) -> State:
    """Answer for the person by the rule they gave, and count it down."""
    proposal, grants = _under_review(state), _grants(state)
    grant = covering(grants, proposal)
    assert grant is not None
    decision = decided_by(grant, proposal)
    context.emit(Notice(message=T("Covered by your rule of this session: {rule}", rule=rule_sentence(grant.rule))))
    left = [one.model_dump(mode="json") for one in used(grants, grant)]
    return {"answer": decision.model_dump(mode="json"), "grants": left}


def file_decision(state: State, context: Context) -> State:
    """Write the decision to the journal, queue what was approved, and move on to the next proposal."""
    decision = Decision.model_validate(state["answer"])
    proposal = _under_review(state)
    try:
        if decision.decision is Verb.edit and decision.edited:
            proposal = edited(proposal, decision.edited, load_task(task_path(state)))
    except IterateError as reason:
        context.emit(Notice(level="error", message=reason.message, page=reason.page))
        return {"answer": None}
    context.journal(state).note(
        context.session,
        "decision",
        f"{decision.proposal_id}:{state.get('iteration', 0)}:{state['cursor']}",
        by=decision.by,
        decision=decision.model_dump(mode="json"),
        proposal=proposal.model_dump(mode="json"),
    )
    context.emit(Decided(decision=decision, title=proposal.title))
    update: State = {
        "answer": None,
        "proposals": _after(state, decision, context),
        "cursor": state["cursor"] + 1,
        "decisions": [*state.get("decisions", []), decision.model_dump(mode="json")],
        "grants": _with_new_grant(state, decision, proposal, context),
    }
    if decision.decision in {Verb.approve, Verb.edit}:
        work = Work(
            proposal=proposal.model_dump(mode="json"), decision=decision.model_dump(mode="json"), version="", parent=""
        )
        update["queue"] = [*state.get("queue", []), work]
    return update


def _with_new_grant(state: State, decision: Decision, proposal: Proposal, context: Context) -> list[Json]:
    """The grants with the one that this decision makes; a rule that would be too wide is refused, the approval stands."""
    grants = state.get("grants", [])
    if decision.remember is None:
        return grants
    grant = granted(decision, proposal)
    if grant is None:
        message = T("The rule for the session is wider than may be allowed, so it was not stored.")
        context.emit(Notice(level="warning", message=message))
        return grants
    stored = grant.model_dump(mode="json")
    context.journal(state).note(context.session, "grant", proposal.id, by="person", grant=stored)
    context.emit(Notice(message=T("Stored for this session: {rule}", rule=rule_sentence(grant.rule))))
    return [*grants, stored]


def _after(state: State, decision: Decision, context: Context) -> list[Json]:
    """The list of proposals from now on: a rejection and its reason change what comes next, not only what comes some day."""
    if decision.decision is not Verb.reject or not state["base"]:
        return state["proposals"]
    done, rest = state["proposals"][: state["cursor"] + 1], state["proposals"][state["cursor"] + 1 :]
    seen = {Proposal.model_validate(one).id for one in done}
    wishes = [one for one in rest if _stays(one, task_path(state))]
    listed = seen | {Proposal.model_validate(one).id for one in wishes}
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    fresh = proposals_now(task_path(state), state["base"], diagnosis)
    words = {Proposal.model_validate(one).id: one["comment"] for one in rest}
    again = [one.model_copy(update={"comment": words.get(one.id)}) for one in fresh if one.id not in listed]
    following = [*wishes, *as_json(again)]
    if following != rest:
        _say_what_left(rest, listed | {one.id for one in again}, context)
        context.emit(Proposed(proposals=[Proposal.model_validate(one) for one in [*done, *following]]))
    return [*done, *following]


def _say_what_left(rest: list[Json], listed: set[str], context: Context) -> None:
    """A reason that empties the list says so, and how to get something back from it."""
    gone = [one for one in map(Proposal.model_validate, rest) if one.id not in listed]
    if gone:
        message = T(
            "Your reason speaks against {count} more, so they left the list: {titles}. "
            "To have one all the same, ask for it in words, such as: try learning rate 2e-4",
            count=len(gone),
            titles=joined([one.title for one in gone]),
        )
        context.emit(Notice(message=message))


def _stays(proposal: Json, path: Path) -> bool:
    """A person's own wish stays on the list; an idea of a model only while no rejection speaks against it."""
    if proposal["origin"] == "model":
        return welcome(path, Proposal.model_validate(proposal))
    return bool(proposal["origin"] == "person")


def _under_review(state: State) -> Proposal:
    return Proposal.model_validate(state["proposals"][state["cursor"]])


def _grants(state: State) -> list[Grant]:
    return [Grant.model_validate(one) for one in state.get("grants", [])]
