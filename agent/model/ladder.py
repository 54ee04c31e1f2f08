"""An answer of a fixed form from any model: JSON schema, else JSON mode, else plain text that is repaired.

Every answer is validated by pydantic and by the caller's check; after the first mistake the model is told once what was wrong.
What works is remembered for each endpoint and model. Without a valid answer it raises EndpointFailed and the rules go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from agent.model.client import Message, never
from agent.model.faults import failure
from agent.model.schema import strict_schema
from tools.errors import EndpointFailed
from tools.text import T, visible

M = TypeVar("M", bound=BaseModel)
Rung = Literal["json_schema", "json_mode", "text"]
RUNGS: tuple[Rung, ...] = ("json_schema", "json_mode", "text")


class Answering(Protocol):
    """What the ladder needs of a language model: agent.model.client.ChatModel, or one that counts its tokens."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def host(self) -> str:
        """Of the server."""

    def resolve(self) -> str:
        """The name, asked of the server where none is set."""

    def complete(
        self,
        messages: Sequence[Message],
        *,
        response_format: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        stopped: Callable[[], bool] = never,
    ) -> str:
        """The whole answer."""


_WORKING: dict[tuple[str, str], Rung] = {}
"""The highest rung that a server takes, by host and model, for as long as the program runs."""
_BARE_MODE: set[str] = set()
"""Hosts that refused a schema inside JSON mode. llama-cpp-python and some hosted servers hold a model to one there and know no
type json_schema; the others ignore it or refuse the field."""


@dataclass(frozen=True)
class Asked(Generic[M]):
    """A valid answer, and how it was got."""

    value: M
    rung: Rung
    retried: bool


_NEXT_RUNG: dict[Rung, frozenset[str]] = {
    "json_schema": frozenset({"request", "server"}),  # llama.cpp fails with HTTP 500 on a schema that it cannot compile
    "json_mode": frozenset({"request"}),
    "text": frozenset(),
}
"""The troubles after which asking for less may help."""
_LONGEST_ANSWER = 4000


class _Invalid(Exception):
    """An answer that cannot be used; its text says what is wrong, for the model to read."""

    def __init__(self, problem: str, answer: str = "", *, formed: bool = False) -> None:
        super().__init__(problem)
        self.answer = answer[:_LONGEST_ANSWER]
        self.formed = formed
        """Whether it had the form and only its content was wrong."""


def nothing_wrong(_: Any) -> str | None:
    """The check of those who ask for nothing beyond the form."""
    return None


def ask(
    model: Answering,
    messages: Sequence[Message],
    answer: type[M],
    *,
    check: Callable[[M], str | None] = nothing_wrong,
    max_tokens: int | None = None,
    stopped: Callable[[], bool] = never,
) -> Asked[M]:
    """The model's answer as an `answer`; raises EndpointFailed, with trouble "invalid" when no rung gave a valid one.

    `check` returns what is wrong with an answer of the right form, in words for the model, or None.
    """
    known = (model.host, model.resolve())
    question = _Question(model, messages, answer, check, stopped, max_tokens)
    for rung in RUNGS[RUNGS.index(_WORKING.get(known, RUNGS[0])) :]:
        try:
            asked = _on_rung(rung, question)
        except EndpointFailed as failed:
            if rung == RUNGS[-1] or failed.trouble not in _NEXT_RUNG[rung]:
                raise
        except _Invalid as invalid:
            question.wrong = str(invalid)
        else:
            _WORKING[known] = rung
            return asked
    raise failure(
        "invalid",
        T(
            "The language model {name} gave no answer of the form that was asked for: {problem}",
            name=model.name,
            problem=visible(question.wrong, 200),
        ),
        T("A larger model keeps to a form more often; the rules go on without it."),
    )


@dataclass
class _Question(Generic[M]):
    model: Answering
    messages: Sequence[Message]
    answer: type[M]
    check: Callable[[M], str | None]
    stopped: Callable[[], bool] = never
    max_tokens: int | None = None
    wrong: str = ""
    """What was wrong with the last answer; empty while none was."""
    told: bool = False
    """Whether the model was told of a mistake once; it is not told twice."""


def answers_on(rung: Rung, model: Answering, messages: Sequence[Message], answer: type[BaseModel]) -> bool:
    """Whether one question on this rung alone brings a valid answer; raises EndpointFailed where the server refuses it."""
    question = _Question(model, messages, answer, nothing_wrong)
    try:
        _once(rung, question, list(messages) if rung == "json_schema" else _with_schema(question))
    except _Invalid:
        return False
    return True


def _on_rung(rung: Rung, question: _Question[M]) -> Asked[M]:
    """One answer, and one more after a mistake that the model can mend when it is told."""
    messages = list(question.messages) if rung == "json_schema" else _with_schema(question)
    try:
        return Asked(_once(rung, question, messages), rung, retried=bool(question.wrong))
    except _Invalid as invalid:
        ignored = rung == "json_schema" and not invalid.formed  # the server does not hold the model to the schema
        if question.told or ignored:
            raise
        question.told, question.wrong = True, str(invalid)
        if invalid.answer:
            messages.append({"role": "assistant", "content": invalid.answer})
        again = f"That answer cannot be used: {invalid}\nAnswer again with the corrected JSON object only."
        messages.append({"role": "user", "content": again})
    return Asked(_once(rung, question, messages), rung, retried=True)


def _once(rung: Rung, question: _Question[M], messages: Sequence[Message]) -> M:
    bare = rung == "json_mode" and question.model.host in _BARE_MODE
    response_format = _response_format(rung, question.answer, bare=bare)
    try:
        text = question.model.complete(
            messages, response_format=response_format, max_tokens=question.max_tokens, stopped=question.stopped
        )
    except EndpointFailed as failed:
        if rung == "json_mode" and not bare and failed.trouble in {"request", "server"}:
            _BARE_MODE.add(question.model.host)
            return _once(rung, question, messages)
        if failed.trouble not in {"cut", "empty"} or question.stopped():
            raise
        raise _Invalid("it was empty or broke off; keep it short") from None
    value = _parse(text, question.answer)
    problem = question.check(value)
    if problem is not None:
        raise _Invalid(problem, text, formed=True)
    return value


def _response_format(rung: Rung, answer: type[BaseModel], *, bare: bool) -> dict[str, Any] | None:
    if rung == "text":
        return None
    if bare:
        return {"type": "json_object"}
    schema = strict_schema(answer)
    if rung == "json_mode":
        return {"type": "json_object", "schema": schema}
    return {"type": "json_schema", "json_schema": {"name": answer.__name__, "schema": schema, "strict": True}}


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
        repaired = []
    for candidate in reversed(repaired) if isinstance(repaired, list) else [repaired]:
        try:
            return answer.model_validate(candidate)
        except ValidationError as reason:
            first = reason if isinstance(candidate, dict) else first
    raise _Invalid(_problems(first), text)


def _problems(reason: ValidationError) -> str:
    """What is wrong, for the model: places and reasons, without repeating its answer."""
    errors = reason.errors(include_url=False, include_input=False)[:5]
    return "; ".join(f"{'.'.join(map(str, error['loc'])) or 'answer'}: {error['msg']}" for error in errors)
