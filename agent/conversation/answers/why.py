"""Why a class scores low, with the rows that show it, or why a proposal was made."""

from __future__ import annotations

from agent.approval import ReviewQuestion
from agent.conversation.answers.class_evidence import explain_class
from agent.conversation.answers.diagnose import diagnosis_of
from agent.conversation.answers.listed import listed_proposals
from agent.conversation.answers.proposal_block import show_proposal
from agent.conversation.answers.telling import para, task_of
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from tools.errors import NotFound
from tools.text import T


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """Explain the label or the proposals named; else the proposal under review; else the weakest class."""
    label, numbers = understood.args.get("label"), understood.args.get("numbers")
    if isinstance(numbers, list):
        for number in numbers:
            _proposal(int(str(number)), understood, situation, tell)
    elif label is None and isinstance(situation.question, ReviewQuestion):
        show_proposal(situation.question.proposal, situation, tell, number=situation.question.number)
    else:
        path = task_of(understood, situation)
        diagnosis = diagnosis_of(path)
        if not diagnosis.status.classes:
            para(tell, T("There are no scores by class yet, so there is nothing to explain."))
            return
        weakest = min(diagnosis.status.classes, key=lambda line: line.f1).label
        explain_class(path, str(label or weakest), diagnosis, situation, tell)


def _proposal(number: int, understood: Understood, situation: Situation, tell: Tell) -> None:
    proposals = listed_proposals(understood, situation)
    if not 1 <= number <= len(proposals):
        raise NotFound(
            T("There is no proposal {number}.", number=number),
            hint=T("The list has {count}. To see it: /proposals", count=len(proposals)),
        )
    show_proposal(proposals[number - 1], situation, tell, number=number)
