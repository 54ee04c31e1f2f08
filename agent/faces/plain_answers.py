"""Typed orders that decide, at an open question: what "approve 1 and 3" or "adopt v2" means there.

Only an order that names this question, or says nothing else, becomes an answer to it. What was said about other proposals of
the list is kept by their identity and given when their turn comes.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from agent.approval import Answer, DecideQuestion, Question, ReviewQuestion
from agent.conversation.said import Order
from agent.faces.standing import Standing, decision
from agent.faces.views.quick import NOTHING_TO_TRY, can_be_tried
from tools.change import Verb
from tools.text import T, Text

DECIDING = frozenset({"approve", "edit", "reject", "later", "adopt", "continue", "rollback", "quick"})
_VERBS = {"approve": Verb.approve, "reject": Verb.reject, "later": Verb.defer}


class TypedAnswers:
    """The open question and the list under review; an approver for what was said before a question came."""

    def __init__(self, tell: Callable[[Text], None]) -> None:
        self.question: Question | None = None
        self.standing = Standing()
        self._tell = tell

    def begin(self) -> None:
        """A new session: nothing was said about its list."""
        self.question, self.standing = None, Standing()

    def answer(self, question: Question) -> Answer | None:
        """What the person said about this question before it was asked."""
        self.question = question
        return self.standing.meet(question)

    def meant(self, order: Order, question: Question) -> Answer | str | None:
        """The answer, or the word of the choice, that a deciding order is at this question; None when it is neither."""
        if isinstance(question, ReviewQuestion) and order.command in {"approve", "reject", "later", "edit"}:
            return self._reviewed(order, question)
        if isinstance(question, ReviewQuestion) and order.command == "quick":
            if can_be_tried(question.proposal):
                return "quick"
            self._tell(NOTHING_TO_TRY)
            return None
        if isinstance(question, DecideQuestion) and _fits(order, question):
            return order.command
        self._tell(T("That is not what this question asks; nothing was decided."))
        return None

    def _reviewed(self, order: Order, question: ReviewQuestion) -> Answer | str | None:
        numbers = _numbers(order.args.get("numbers")) or [question.number]
        if order.command == "edit":
            if question.number in numbers:
                return "edit"
            self._tell(T("A proposal can be edited when its turn comes."))
            return None
        verb, reason = _VERBS[order.command], str(order.args.get("reason") or "")
        proposals, unknown = self.standing.named([number for number in numbers if number != question.number])
        for proposal in proposals:
            self.standing.note(proposal, verb, reason)
        if unknown:
            shown = ", ".join(map(str, unknown))
            self._tell(T("This list has no proposal {numbers}; nothing was decided about it.", numbers=shown))
        if question.number not in numbers:
            return None
        return decision(question.proposal, verb, reason) if reason or verb is not Verb.reject else "reject"


def _fits(order: Order, question: DecideQuestion) -> bool:
    """True when the order means this version: to adopt it, to go on from it, or to go back to its parent."""
    version = order.args.get("version")
    wanted = {"adopt": question.version, "rollback": question.parent}.get(order.command)
    return order.command == "continue" or (wanted is not None and version in {None, wanted})


def _numbers(value: JsonValue) -> list[int]:
    return [one for one in value if isinstance(one, int)] if isinstance(value, list) else []
