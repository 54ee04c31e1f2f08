"""An answer of a fixed form from any model: JSON schema, else JSON mode, else plain text that is repaired.

Each rung is validated by pydantic and by the caller's check, and tried once more with the error written out. What works is
remembered for each endpoint and model. It never guesses: without a valid answer it raises EndpointFailed and the rules go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from agent.model.client import ChatModel, Message, never
from agent.model.faults import failure
from agent.model.schema import strict_schema
from tools.errors import EndpointFailed
from tools.text import T, visible

M = TypeVar("M", bound=BaseModel)
Rung = Literal["json_schema", "json_mode", "text"]
RUNGS: tuple[Rung, ...] = ("json_schema", "json_mode", "text")
_WORKING: dict[tuple[str, str], Rung] = {}
"""The highest rung that a server takes, by host and model, for as long as the program runs."""


@dataclass(frozen=True)
class Asked(Generic[M]):
    """A valid answer, and how it was got."""

    value: M
    rung: Rung
    retried: bool


class _Invalid(Exception):
    """An answer that is not of the form; the text says what is wrong, for the model to read."""


def nothing_wrong(_: Any) -> str | None:
    """The check of those who ask for nothing beyond the form."""
    return None


def ask(
    model: ChatModel,
    messages: Sequence[Message],
    answer: type[M],
    *,
    check: Callable[[M], str | None] = nothing_wrong,
    stopped: Callable[[], bool] = never,
) -> Asked[M]:
    """The model's answer as an `answer`; raises EndpointFailed, with trouble "invalid" when no rung gave a valid one."""
    wrong = ""
    for rung in RUNGS[RUNGS.index(_WORKING.get((model.host, model.name), RUNGS[0])) :]:
        try:
            asked = _on_rung(rung, _Question(model, messages, answer, check, stopped))
        except EndpointFailed as failed:
            if failed.trouble != "request" or rung == RUNGS[-1]:
                raise
        except _Invalid as invalid:
            wrong = str(invalid)
        else:
            _WORKING[(model.host, model.name)] = rung
            return asked
    raise failure(
        "invalid",
        T(
            "The language model {name} gave no answer of the form that was asked for: {problem}",
            name=model.name,
            problem=visible(wrong, 200),
        ),
        T("A larger model keeps to a form more often; the rules go on without it."),
    )


@dataclass(frozen=True)
class _Question(Generic[M]):
    model: ChatModel
    messages: Sequence[Message]
    answer: type[M]
    check: Callable[[M], str | None]
    stopped: Callable[[], bool]


def _on_rung(rung: Rung, question: _Question[M]) -> Asked[M]:
    messages = list(question.messages) if rung == "json_schema" else _with_schema(question)
    try:
        return Asked(_once(rung, question, messages), rung, retried=False)
    except _Invalid as invalid:
        again = f"That answer cannot be used: {invalid}\nAnswer again with the corrected JSON object only."
        messages += [{"role": "user", "content": again}]
    return Asked(_once(rung, question, messages), rung, retried=True)


def _once(rung: Rung, question: _Question[M], messages: Sequence[Message]) -> M:
    try:
        text = question.model.complete(
            messages, response_format=_response_format(rung, question.answer), stopped=question.stopped
        )
    except EndpointFailed as failed:
        if failed.trouble not in {"cut", "empty"}:
            raise
        raise _Invalid("it was empty or broke off; keep it short") from None
    value = _parse(text, question.answer)
    problem = question.check(value)
    if problem is not None:
        raise _Invalid(problem)
    return value


def _response_format(rung: Rung, answer: type[BaseModel]) -> dict[str, Any] | None:
    if rung == "json_schema":
        schema = {"name": answer.__name__, "schema": strict_schema(answer), "strict": True}
        return {"type": "json_schema", "json_schema": schema}
    return {"type": "json_object"} if rung == "json_mode" else None


def _with_schema(question: _Question[Any]) -> list[Message]:
    """The messages with the form written out in the last of them, for servers that cannot be told otherwise."""
    schema = json.dumps(strict_schema(question.answer), ensure_ascii=False)
    form = f"Answer with one JSON object and nothing else. It must fit this JSON schema:\n{schema}"
    *before, last = question.messages
    if last.get("role") == "user" and isinstance(last.get("content"), str):
        return [*before, {**last, "content": f"{last['content']}\n\n{form}"}]
    return [*before, last, {"role": "user", "content": form}]


def _parse(text: str, answer: type[M]) -> M:
    try:
        return answer.model_validate_json(text)
    except ValidationError as reason:
        first = reason
    import json_repair  # 50 ms, needed by weak servers only

    try:
        repaired = json_repair.loads(text)
    except (ValueError, RecursionError):
        raise _Invalid(_problems(first)) from None
    for candidate in repaired if isinstance(repaired, list) else [repaired]:
        try:
            return answer.model_validate(candidate)
        except ValidationError as reason:
            first = reason if isinstance(candidate, dict) else first
    raise _Invalid(_problems(first))


def _problems(reason: ValidationError) -> str:
    """What is wrong, for the model: places and reasons, without repeating its answer."""
    errors = reason.errors(include_url=False, include_input=False)[:5]
    return "; ".join(f"{'.'.join(map(str, error['loc'])) or 'answer'}: {error['msg']}" for error in errors)
