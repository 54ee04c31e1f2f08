"""Who answers: a language model at an endpoint, or the rules; and how to change it."""

from __future__ import annotations

from agent.conversation.answers.telling import items, para
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.settings import settings_file
from tools.text import T, visible


def answer(_understood: Understood, situation: Situation, tell: Tell) -> None:
    """Say who, and what depends on it."""
    model = situation.model
    if model is None:
        para(
            tell,
            T("The rules of this program answer; no language model is set up. Everything works without one."),
        )
        items(
            tell,
            [
                T(
                    "To have one: set OPENAI_BASE_URL and ITERATE_MODEL, and OPENAI_API_KEY where the server asks for a key."
                ),
                T(
                    "Or put base_url and model into {file}; a key belongs into the environment only.",
                    file=visible(str(settings_file())),
                ),
                T("To see what a server can do: iterate doctor --endpoint"),
            ],
        )
        return
    para(
        tell,
        T(
            "{model} at {host} answers; each answer says who gave it, and the rules step in when it fails.",
            model=visible(model.name, 80),
            host=visible(model.host, 80),
        ),
    )
    para(
        tell,
        T("Checks, forecasts, prices and approvals never come from it. To test the server: iterate doctor --endpoint"),
    )
