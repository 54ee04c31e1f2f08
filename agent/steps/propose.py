"""Step 3: turn findings into proposals, best first, each a small diff with a forecast and a price.

The rules find, check, forecast and price them; a language model may order and word them and add ideas, which are checked alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.advising.advise import advise
from agent.advising.errors import Analysis
from agent.context import Context, task_path
from agent.conversation.wishes import WishedEdit, wish_for
from agent.events import Notice, Proposed
from agent.proposing.generation_rules import offers
from agent.proposing.labelling_rules import labelling_offers
from agent.proposing.now import history_of, proposals_now
from agent.state import State
from agent.steps.wishes import take_wishes
from tools.change import Proposal
from tools.diagnose import Diagnosis
from tools.text import T


def propose(state: State, context: Context) -> State:
    """Proposals for the findings; the baseline when nothing was ever trained; none when nothing is wrong."""
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    found = _advised(state, proposals_now(task_path(state), state["base"], diagnosis), diagnosis, context)
    proposals = take_wishes(state, found, context)
    if not proposals:
        context.emit(_nothing(diagnosis))
    for offer in offers(task_path(state), diagnosis, has_model=context.model is not None):
        context.emit(Notice(message=offer, page="methods/data-generation"))
    for offer in labelling_offers(task_path(state), diagnosis):
        context.emit(Notice(message=offer, page="methods/labelling"))
    context.emit(Proposed(proposals=proposals))
    return {"proposals": [one.model_dump(mode="json") for one in proposals], "cursor": 0, "answer": None, "wishes": []}


def _advised(state: State, found: list[Proposal], diagnosis: Diagnosis, context: Context) -> list[Proposal]:
    """The proposals with a language model's order, words and ideas, where there is one; its ideas pass the checks of a wish."""
    path = task_path(state)

    def make(edits: Sequence[WishedEdit], why: str) -> Proposal:
        return wish_for(path, edits, origin="model", comment=why, say=context.say)

    earlier = state.get("analysis")
    analysed = Analysis.model_validate(earlier).event if earlier else None
    return advise(context, diagnosis, found, history_of(context.journal(state)), make=make, analysed=analysed)


def _nothing(diagnosis: Diagnosis) -> Notice:
    if diagnosis.status.next_step is not None:
        return Notice(message=T("Nothing can be trained before there are rows."), page="methods/labelling")
    if diagnosis.healthy:
        return Notice(message=T("Nothing to fix: no rule found a problem that is worth a training."))
    return Notice(
        level="warning",
        message=T(
            "The findings have no further change to propose: each was tried, was rejected, is spoken against by the reason of "
            "a rejection, or needs a person. You can ask for any change in words, such as: try learning rate 2e-4"
        ),
    )
