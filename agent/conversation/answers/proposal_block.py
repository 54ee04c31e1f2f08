"""One proposal in the conversation: change, reason, forecast with its source, price, caution, diff, page."""

from __future__ import annotations

from agent.conversation.answers.telling import expected, items, minutes, page, para
from agent.conversation.said import DiffBlock, Said, Tell
from agent.conversation.situation import Situation
from tools.change import Proposal
from tools.comparing.words import metric_name
from tools.text import T, Text, visible


def show_proposal(proposal: Proposal, situation: Situation, tell: Tell, *, number: int | None = None) -> None:
    """The whole proposal; the diff is never cut."""
    title = proposal.title
    para(tell, title if number is None else T("{number}. {title}", number=number, title=title))
    items(tell, facts(proposal))
    if proposal.diff:
        tell(Said(block=DiffBlock(text=proposal.diff)))
    page(tell, proposal.page, situation)


def facts(proposal: Proposal) -> list[Text]:
    """Reason, forecast, basis, cost, caution and undo, one line each."""
    lines = [
        T("Why: {problem}", problem=proposal.problem),
        expected(proposal.effect),
        T("Basis: {basis}", basis=proposal.effect.basis),
        _goal(proposal),
        _cost(proposal),
    ]
    if proposal.caution is not None:
        lines.append(T("But: {caution}", caution=proposal.caution))
    if proposal.comment:
        lines.append(T("In the words of a language model: {comment}", comment=visible(proposal.comment, 400)))
    return lines


def _goal(proposal: Proposal) -> Text:
    goal = proposal.goal
    if goal.now is None:
        return T("Goal: {metric} of {wanted:.1%}", metric=metric_name(goal.metric), wanted=goal.wanted)
    metric = metric_name(goal.metric)
    return T("Goal: {metric} from {now:.1%} to {wanted:.1%}", metric=metric, now=goal.now, wanted=goal.wanted)


def _cost(proposal: Proposal) -> Text:
    cost = proposal.cost
    return T(
        "Cost: {time} here, {trainings} training(s); {basis}",
        time=minutes(cost.minutes),
        trainings=cost.trainings,
        basis=cost.basis,
    )
