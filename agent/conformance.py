"""`iterate doctor --endpoint`: what the user's server and model can do, asked with a handful of short questions.

Nothing of the user's data is sent. Each line says what will be different in the program where something is missing; only a
server that cannot chat at all is a failure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.model.client import CallPiece, ChatModel, Message, TextPiece, ToolCall, ToolSpec
from agent.model.ladder import RUNGS, Rung, answers_on
from tools.errors import EndpointFailed
from tools.text import T, Text, visible

SLOW_FIRST_WORD = 5.0
"""Seconds after which waiting for the first word is felt as a fault."""
State = Literal["ok", "degraded", "failed", "note"]
Clock = Callable[[], float]


class Ability(BaseModel):
    """One line of the report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    state: State
    detail: Text
    effect: Text | None = None
    """What the program does instead, or what to do; None where there is nothing to say."""


class _Weather(BaseModel):
    """The answer that the questions about forms ask for."""

    city: str
    temperature: int = Field(description="Degrees Celsius.")
    sunny: bool


_TOOL = ToolSpec(
    "task_status",
    "Where a task stands against its targets.",
    {"type": "object", "properties": {"task": {"type": "string"}}, "required": ["task"]},
)
_COUNT: list[Message] = [{"role": "user", "content": "Write the numbers from one to twenty as English words."}]
_LOOK_UP: list[Message] = [
    {"role": "system", "content": "You know nothing yourself. Use the tool to answer."},
    {"role": "user", "content": "What is the status of the task called stance?"},
]
_REPORT: list[Message] = [
    {
        "role": "user",
        "content": "Taipei has 27 degrees Celsius today and the sun shines. Give city, temperature and sunny.",
    }
]


def abilities(model: ChatModel, clock: Clock = monotonic) -> Iterator[Ability]:
    """Every line, as soon as it is known; nothing more is asked of a server that cannot chat."""
    try:
        name = model.resolve()
        yield from _chat(model, name, clock)
    except EndpointFailed as failed:
        yield Ability(name=T("Chat"), state="failed", detail=failed.message, effect=failed.hint)
        return
    yield from _tools(model)
    yield from _forms(model)
    yield _rows(model)


def _chat(model: ChatModel, name: str, clock: Clock) -> Iterator[Ability]:
    began = clock()
    times = [clock() - began for piece in model.stream(_COUNT, max_tokens=1024) if isinstance(piece, TextPiece)]
    whole = clock() - began
    told = T("{model} at {host} answers; the test took {seconds:.1f} s", model=name, host=model.host, seconds=whole)
    yield Ability(name=T("Chat"), state="ok", detail=told)
    streams = len(times) > 1
    yield Ability(
        name=T("Streaming"),
        state="ok" if streams else "degraded",
        detail=T("the answer came in {count} pieces", count=len(times)),
        effect=None if streams else T("An answer appears all at once when it is complete."),
    )
    first = times[0] if times else whole
    slow = first > SLOW_FIRST_WORD
    yield Ability(
        name=T("First word"),
        state="degraded" if slow else "ok",
        detail=T("after {seconds:.1f} s", seconds=first),
        effect=T("Each answer begins late; a smaller model or a faster machine helps.") if slow else None,
    )


def _tools(model: ChatModel) -> Iterator[Ability]:
    name = T("Tools")
    without = T("Answers are made from facts that the program puts into the question; the model cannot look things up.")
    try:
        calls = [
            piece.call for piece in model.stream(_LOOK_UP, [_TOOL], max_tokens=1024) if isinstance(piece, CallPiece)
        ]
    except EndpointFailed as failed:
        yield Ability(name=name, state="degraded", detail=failed.message, effect=without)
        return
    if not calls:
        detail = T("the server takes tools, but the model did not call the one it was given")
        yield Ability(name=name, state="degraded", detail=detail, effect=without)
        return
    called = calls[0]
    if called.name != _TOOL.name or not _is_object(called.arguments):
        detail = T(
            "the model made a call that cannot be read: {call}", call=visible(f"{called.name}({called.arguments})", 120)
        )
        yield Ability(name=name, state="degraded", detail=detail, effect=without)
        return
    yield Ability(name=name, state="ok", detail=T("the model called the tool that it was given"))
    yield _tool_result(model, called, without)


def _tool_result(model: ChatModel, call: ToolCall, without: Text) -> Ability:
    told: list[Message] = [
        *_LOOK_UP,
        {"role": "assistant", "content": None, "tool_calls": [call.as_message_part()]},
        {"role": "tool", "tool_call_id": call.id, "content": '{"task": "stance", "macro_f1": 0.61, "target": 0.75}'},
    ]
    try:
        for _ in model.stream(told, [_TOOL], max_tokens=1024):
            pass
    except EndpointFailed as failed:
        return Ability(name=T("Tool results"), state="degraded", detail=failed.message, effect=without)
    return Ability(name=T("Tool results"), state="ok", detail=T("the model went on with what the tool answered"))


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


_FORMS: dict[Rung, Text] = {
    "json_schema": T("JSON schema"),
    "json_mode": T("JSON mode"),
    "text": T("JSON in plain text"),
}


def _forms(model: ChatModel) -> Iterator[Ability]:
    """One line for each rung, and what the highest that works means for analyses and proposals."""
    found = {rung: _form(model, rung) for rung in RUNGS}
    working = next((rung for rung in RUNGS if found[rung] is True), None)
    for rung in RUNGS:
        outcome = found[rung]
        if outcome is True:
            yield Ability(name=_FORMS[rung], state="ok", detail=T("the answer had the form that was asked for"))
            continue
        detail = outcome if isinstance(outcome, Text) else T("the answer had another form than was asked for")
        instead = (
            T("Analyses and the wording of proposals are made by rules; `iterate generate` hardly gets a usable row.")
            if working is None
            else T("{form} is used instead; every answer is checked in any case.", form=_FORMS[working])
        )
        yield Ability(name=_FORMS[rung], state="degraded", detail=detail, effect=instead)


def _form(model: ChatModel, rung: Rung) -> bool | Text:
    """Whether a rung works; the server's reason where it refuses."""
    try:
        return answers_on(rung, model, _REPORT, _Weather)
    except EndpointFailed as failed:
        return failed.message


def _rows(model: ChatModel) -> Ability:
    name = T("Data rows")
    if not model.may_see_rows:
        detail = T("they are never sent to {host} (setting endpoint_rows)", host=model.host)
        effect = T("The model sees numbers, labels and row ids, and explains errors less well.")
        return Ability(name=name, state="note", detail=detail, effect=effect)
    if model.rows_notice() is None:
        return Ability(
            name=name, state="note", detail=T("they stay on this machine, since {host} is on it", host=model.host)
        )
    detail = T("those that the chat is about are sent to {host}", host=model.host)
    effect = T("To keep them here, write `endpoint_rows: never` into the settings file.")
    return Ability(name=name, state="note", detail=detail, effect=effect)
