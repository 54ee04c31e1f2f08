"""The list of proposals, one line each, with the one that waits for an answer marked."""

from __future__ import annotations

from agent.approval import ReviewQuestion
from agent.conversation.answers.listed import listed_proposals
from agent.conversation.answers.telling import grid, minutes, para, task_of
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from tools.change import Proposal
from tools.comparing.words import metric_name
from tools.making.first_rows import never_divided, next_step
from tools.reading.task import load_task
from tools.text import T, Text


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """List them and say how to go on."""
    proposals = listed_proposals(understood, situation)
    if not proposals:
        para(tell, _first_step(understood, situation) or NOTHING)
        return
    waiting = situation.question.number if isinstance(situation.question, ReviewQuestion) else None
    header = [T("No."), T("Change"), T("Metric"), T("Expected (points)"), T("Cost")]
    grid(tell, header, [_row(number, one, situation) for number, one in enumerate(proposals, start=1)])
    if waiting is not None:
        para(tell, T("Number {number} waits for your answer. To hear why: why {number}", number=waiting))
    elif situation.proposals:
        para(tell, T("To hear why: why 1. Nothing runs until you approve."))
    else:
        task = task_of(understood, situation).name
        para(tell, T("These would be proposed now. To review them: improve {task}", task=task))


NOTHING = T("There is nothing to propose: no finding is left that a change could answer.")


def _first_step(understood: Understood, situation: Situation) -> Text | None:
    """What comes before any proposal, in a task that has no rows yet."""
    task = load_task(task_of(understood, situation))
    return next_step(task) if never_divided(task) else None


def _row(number: int, proposal: Proposal, situation: Situation) -> list[str]:
    effect = proposal.effect
    return [
        str(number),
        situation.say(proposal.title),
        situation.say(metric_name(effect.metric)),
        f"{effect.low * 100:+.1f} … {effect.high * 100:+.1f}",
        situation.say(minutes(proposal.cost.minutes)),
    ]
