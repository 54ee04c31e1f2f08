"""What the tokens of an endpoint cost: the user's own table first, then nothing for a model on this machine, then known lists.

Under a limit of cost a model whose price nobody knows is not asked at all; a guess would be no limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from agent.model.client import ChatModel
from agent.settings import Settings
from tools.generating.prices import FREE, known_price
from tools.generating.writer import Price
from tools.text import T, Text, visible


@dataclass(frozen=True)
class Priced:
    """A price and where it comes from."""

    price: Price
    source: Literal["settings", "local", "list"]


@dataclass(frozen=True)
class Affordable:
    """The model that may be asked under a limit of cost, with what has to be said about it."""

    model: ChatModel | None
    price: Price | None
    said: Text | None


def price_of(settings: Settings, model: str) -> Priced | None:
    """The price of a model's tokens; None when nobody here knows it."""
    name = model.lower()
    fitting = [pattern for pattern in settings.prices if fnmatchcase(name, pattern.lower())]
    if fitting:
        exact = [pattern for pattern in fitting if pattern.lower() == name]
        return Priced(settings.prices[(exact or fitting)[0]], "settings")
    if settings.endpoint_is_local:
        return Priced(FREE, "local")
    listed = known_price(model)
    return Priced(listed, "list") if listed is not None else None


def affordable(settings: Settings, model: ChatModel | None, max_cost: float | None) -> Affordable:
    """The model with its price; without it where the cost is limited and the price unknown.

    Raises EndpointFailed when the server has to be asked which model it has, and does not say.
    """
    if model is None:
        return Affordable(None, None, None)
    name = model.resolve()
    priced = price_of(settings, name)
    if priced is not None:
        return Affordable(model, priced.price, _said(priced, name))
    if max_cost is None:
        said = T("The price of {name} is not known, so its cost is not counted.", name=visible(name, 80))
        return Affordable(model, None, said)
    said = T(
        "The price of {name} is not known, so no limit of cost could be kept: it is not asked, and the rules decide alone. "
        "Write it under `prices:` in the settings file, in dollars for a million tokens.",
        name=visible(name, 80),
    )
    return Affordable(None, None, said)


def _said(priced: Priced, name: str) -> Text | None:
    """The price in words, so that a stale list is noticed; nothing for what is free."""
    if priced.source == "local":
        return None
    prompt, completion, shown = priced.price.prompt, priced.price.completion, visible(name, 80)
    if priced.source == "settings":
        return T(
            "{name} costs {prompt:g} and {completion:g} dollars for a million tokens asked and answered (settings file).",
            name=shown,
            prompt=prompt,
            completion=completion,
        )
    return T(
        "{name} is counted at {prompt:g} and {completion:g} dollars for a million tokens asked and answered, from a list that "
        "may be out of date; `prices:` in the settings file goes before it.",
        name=shown,
        prompt=prompt,
        completion=completion,
    )
