"""Prices of well-known models, so that a limit on cost can be kept without the user looking them up.

US dollars for a million tokens, from the providers' public price lists; they change, and `--price` overrules them.
"""

from __future__ import annotations

from tools.errors import InputError
from tools.generating.writer import Price
from tools.text import T, visible

PRICES: dict[str, Price] = {
    "gpt-4o": Price(prompt=2.5, completion=10),
    "gpt-4o-mini": Price(prompt=0.15, completion=0.6),
    "gpt-4.1": Price(prompt=2, completion=8),
    "gpt-4.1-mini": Price(prompt=0.4, completion=1.6),
    "gpt-4.1-nano": Price(prompt=0.1, completion=0.4),
    "gpt-5": Price(prompt=1.25, completion=10),
    "gpt-5-mini": Price(prompt=0.25, completion=2),
    "gpt-5-nano": Price(prompt=0.05, completion=0.4),
}
FREE = Price(prompt=0, completion=0)
"""A model on this machine."""


def known_price(model: str) -> Price | None:
    """The price of a model, dated names such as gpt-4o-mini-2024-07-18 included; None for any other."""
    name = model.rpartition("/")[2].lower()
    if name in PRICES:
        return PRICES[name]
    dated = [known for known in PRICES if name.startswith(f"{known}-20")]
    return PRICES[max(dated, key=len)] if dated else None


def parse_price(text: str) -> Price:
    """The price in "0.15,0.60": dollars for a million tokens asked and answered; raises InputError."""
    try:
        prompt, completion = (float(part) for part in text.split(","))
        return Price(prompt=prompt, completion=completion)
    except ValueError:  # pydantic's error is one
        raise InputError(
            T("{text} is not a price.", text=visible(repr(text), 60)),
            hint=T("Give dollars for a million tokens asked and answered, such as --price 0.15,0.60"),
            page="methods/data-generation",
        ) from None
