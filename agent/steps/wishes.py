"""Wishes of a person on their way into the list under review: in front of what was not looked at yet, each once.

A wish is a proposal like any other. Being filed here approves nothing: the question is asked again, about the wish first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.approval import Wish
from agent.context import Context, task_path
from agent.events import Notice, Proposed
from agent.proposing import edited
from agent.state import Json, State
from tools.change import Proposal
from tools.errors import IterateError
from tools.reading.task import load_task
from tools.text import T


def file_wishes(state: State, context: Context) -> State:
    """Put the wishes before the proposal under review."""
    wishes = Wish.model_validate(state["answer"]).proposals
    done, open_ = state["proposals"][: state["cursor"]], state["proposals"][state["cursor"] :]
    waiting = [Proposal.model_validate(one) for one in open_]
    listed = in_front(usable(wishes, task_path(state), context), waiting)
    for wish in wishes:
        key = f"{wish.id}:{state.get('iteration', 0)}"
        context.journal(state).note(context.session, "wish", key, by="person", proposal=wish.model_dump(mode="json"))
    context.emit(Proposed(proposals=[*(Proposal.model_validate(one) for one in done), *listed]))
    return {"answer": None, "proposals": [*done, *as_json(listed)]}


def take_wishes(state: State, proposals: Sequence[Proposal], context: Context) -> list[Proposal]:
    """The proposals of a new round with the waiting wishes in front; the caller empties state["wishes"]."""
    wishes = [Proposal.model_validate(one) for one in state.get("wishes", [])]
    return in_front(usable(wishes, task_path(state), context), proposals)


def in_front(wishes: Sequence[Proposal], proposals: Sequence[Proposal]) -> list[Proposal]:
    """Wishes, then the proposals that are not among them."""
    listed = {one.id: one for one in wishes}
    return [*listed.values(), *(one for one in proposals if one.id not in listed)]


def usable(wishes: Sequence[Proposal], path: Path, context: Context) -> list[Proposal]:
    """The wishes with diff and price for the configuration as it is now; one that no longer fits is said and left out."""
    task = load_task(path)
    found = []
    for wish in wishes:
        try:
            stale = wish.config_sha256 != task.config.sha256 and wish.changes
            found.append(edited(wish, wish.changes, task, context.say) if stale else wish)
        except IterateError as reason:
            message = T("{title} was not put on the list: {reason}", title=wish.title, reason=reason.message)
            context.emit(Notice(level="warning", message=message))
    return found


def as_json(proposals: Sequence[Proposal]) -> list[Json]:
    """Proposals as the state keeps them."""
    return [one.model_dump(mode="json") for one in proposals]
