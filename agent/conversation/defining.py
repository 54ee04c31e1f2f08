"""A language model's wording of what labels or fields mean: a suggestion that stands in the input, for the person to take.

It writes nothing and answers nothing by itself, and everything works without it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from agent.conversation.creating import Interview, written
from agent.model.client import ChatModel
from agent.model.ladder import ask
from agent.model.prompts import load_prompt
from tools.errors import InputError
from tools.making.wanted_task import Described, read_described
from tools.text import T, visible

_LANGUAGES = {"en": "English", "zh-TW": "Traditional Chinese as it is written in Taiwan"}
_KINDS = {"labels": "labels", "answer_fields": "fields of the answer"}
DEFINABLE = frozenset(_KINDS)
"""Questions whose answer a model can word."""
_LONGEST = 300


class _Meaning(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    means: str = Field(min_length=1)


class Meanings(BaseModel):
    """The form of the answer."""

    model_config = ConfigDict(extra="ignore")

    meanings: list[_Meaning]


def suggested(model: ChatModel, interview: Interview, key: str, text: str) -> str:
    """The lines of `text` with a meaning for each name, in their order.

    Raises InputError when no names are there yet, EndpointFailed when the model gave nothing that can be used.
    """
    described = read_described(text)
    if not described:
        raise InputError(T("Write the names first, one a line; then what they mean can be suggested."))
    names = [one.name for one in described]
    known = dict(interview.answers)
    prompt = load_prompt(
        "define",
        language=_LANGUAGES.get(known.get("language", ""), "English"),
        goal=visible(known.get("goal", "")),
        fields=visible(known.get("fields", "text")),
        kind=_KINDS[key],
        names=visible(written(described)),
    )
    found = ask(model, [{"role": "user", "content": prompt}], Meanings, check=lambda one: _wrong(one, names))
    means = {one.name: " ".join(visible(one.means).split())[:_LONGEST] for one in found.value.meanings}
    return written([Described(name=name, means=means[name]) for name in names])


def _wrong(answer: Meanings, names: list[str]) -> str | None:
    given = [one.name for one in answer.meanings]
    missing = [name for name in names if name not in given]
    return f"there is no meaning for: {', '.join(missing)}" if missing else None
