"""A turn answered by rules: the line is understood, then answered from the tools or handed on as an order.

Emits everything but TurnEnded. Nothing is approved, written or trained here.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from agent.conversation.answers import (
    compare,
    diagnose,
    forecasts,
    helping,
    model,
    proposals,
    refs,
    status,
    tasks,
    trying,
    whatif,
    where,
    why,
)
from agent.conversation.answers.telling import TaskWanted, items, page, para, task_of
from agent.conversation.answers.unclear import say_unclear
from agent.conversation.commands import Slot
from agent.conversation.said import Order, Ordered, Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Unclear, Understood, parse_slash, understand
from agent.conversation.wording import plain
from tools.errors import IterateError, Problem
from tools.text import T, Text

Answer = Callable[[Understood, Situation, Tell], None]

ANSWERS: dict[str, Answer] = {
    "tasks": tasks.answer,
    "status": status.answer,
    "diagnose": diagnose.answer,
    "why": why.answer,
    "whatif": whatif.answer,
    "try": trying.answer,
    "proposals": proposals.answer,
    "compare": compare.answer,
    "refs": refs.answer,
    "forecasts": forecasts.answer,
    "model": model.answer,
    "where": where.answer,
    "help": helping.answer,
}
"""Commands that are answered here; every other one is an order."""


def answer_by_rules(text: str, situation: Situation, tell: Tell) -> None:
    """Answer one line of a person; what is wrong is said, never raised."""
    try:
        found = hear(text, situation)
        if isinstance(found, Unclear):
            say_unclear(found, text, situation, tell)
        else:
            carry_out(found, situation, tell)
    except IterateError as error:
        say_error(error, situation, tell)


def hear(text: str, situation: Situation) -> Understood | Unclear:
    """What the line means; raises InputError for a slash command that does not exist."""
    return parse_slash(text, situation) if plain(text).startswith("/") else understand(text, situation)


def carry_out(understood: Understood, situation: Situation, tell: Tell) -> None:
    """Answer a reading command, or hand an acting one on as an order."""
    answer = ANSWERS.get(understood.command.name)
    if answer is not None:
        answer(understood, situation, tell)
        return
    tell(Ordered(order=Order(command=understood.command.name, args=_order_args(understood, situation))))


def _order_args(understood: Understood, situation: Situation) -> dict[str, JsonValue]:
    """The values found; for a command about a task, its name even when nobody said it."""
    if Slot.task in understood.command.slots:
        return {**understood.args, "task": understood.args.get("task") or task_of(understood, situation).name}
    return understood.args


def say_error(error: IterateError, situation: Situation, tell: Tell) -> None:
    """What happened, every problem, the next step and the page."""
    para(tell, error.message)
    items(tell, [_problem(problem) for problem in error.problems[:10]])
    if error.hint is not None:
        para(tell, error.hint)
    if error.page is not None and not isinstance(error, TaskWanted):
        page(tell, error.page, situation)


def _problem(problem: Problem) -> Text:
    text = problem.message
    if problem.choices:
        text = T("{text} Valid: {choices}.", text=text, choices=", ".join(problem.choices))
    return T("{text} {hint}", text=text, hint=problem.hint) if problem.hint is not None else text
