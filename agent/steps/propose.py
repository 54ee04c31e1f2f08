"""Step 3: turn findings into proposals, best first, each a small diff with a forecast and a price."""

from __future__ import annotations

from agent.context import Context, task_path
from agent.events import Notice, Proposed
from agent.proposing.now import proposals_now
from agent.state import State
from agent.steps.wishes import take_wishes
from tools.diagnose import Diagnosis
from tools.text import T


def propose(state: State, context: Context) -> State:
    """Proposals for the findings; the baseline when nothing was ever trained; none when nothing is wrong."""
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    proposals = take_wishes(state, proposals_now(task_path(state), state["base"], diagnosis), context)
    if not proposals:
        context.emit(_nothing(diagnosis.healthy))
    context.emit(Proposed(proposals=proposals))
    return {"proposals": [one.model_dump(mode="json") for one in proposals], "cursor": 0, "answer": None, "wishes": []}


def _nothing(healthy: bool) -> Notice:
    if healthy:
        return Notice(message=T("Nothing to fix: no rule found a problem that is worth a training."))
    return Notice(
        level="warning",
        message=T("The findings have no further change to propose: each was tried, rejected or needs a person."),
    )
