"""Who answers a message of the person: the rules or the language model.

Slash commands and clear orders always go to the rules, so that what the program does never depends on what a model makes of
the words. Everything else is a model's to answer where there is one.
"""

from __future__ import annotations

from typing import Literal

from agent.conversation.situation import Situation
from agent.conversation.strict import exact_order
from agent.conversation.understand import Understood, understand

Answerer = Literal["rules", "model"]

CLEAR = 90.0
"""Score (of 100) from which words that ask the program to do something are taken as that."""
_TALK = frozenset({"refs"})
"""Orders that are also questions ("what is overfitting"): a model reads the page and answers."""
_OWN = frozenset({"try", "help", "model", "where"})
"""Answers that the program itself knows best: exact values of a wish, and facts about the program."""


def is_slash(text: str) -> bool:
    """True for a line that begins with a slash, full-width ones included."""
    return text.lstrip().startswith(("/", "／"))


def answerer(text: str, situation: Situation) -> Answerer:
    """Who is to answer this message."""
    if situation.model is None or is_slash(text) or exact_order(text) is not None:
        return "rules"
    meant = understand(text, situation)
    if not isinstance(meant, Understood) or meant.score < CLEAR:
        return "model"
    command = meant.command
    return "rules" if command.name in _OWN or (command.acts and command.name not in _TALK) else "model"
