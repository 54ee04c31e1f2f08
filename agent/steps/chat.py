"""One turn of the chat: hear -> (talk <-> use_tools | answer).

The state holds JSON only. Where the graph goes depends on the person's words, on whether the model called a tool, and on
failures; no node approves, trains or writes, and a model can only cause lines, pages and proposals to be shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypedDict

from agent.conversation.rules import answer_by_rules
from agent.conversation.said import Filed, Para, Said, Tell, ToolUsed
from agent.conversation.situation import Situation
from agent.conversation.talker import LONGEST_QUESTION, speak
from agent.conversation.toolset import Outcome, use
from agent.conversation.turn import answerer
from agent.model.client import ToolCall
from tools.errors import EndpointFailed
from tools.text import T, Text

Json = dict[str, Any]

MOST_ROUNDS = 6
"""Rounds of tool calls in one answer."""
MOST_CALLS = 6
"""Calls in one round; the rest is answered with an error."""


class ChatState(TypedDict, total=False):
    """What one turn remembers between its nodes."""

    text: str
    """What the person typed."""
    by: str
    """rules or model."""
    messages: list[Json]
    """Of this turn, in OpenAI's form."""
    calls: list[Json]
    """Tool calls that wait."""
    rounds: int
    filed: list[str]
    """Ids of the proposals that the model filed in this turn."""
    rows: bool
    """True once the model has read data rows in this turn."""
    note: Json | None
    """Why the rules answered, or why the answer is incomplete: a Text."""


@dataclass(frozen=True)
class ChatContext:
    """What a turn looks at, and who hears its events."""

    situation: Situation
    tell: Tell
    rows_before: bool = False
    """True when a model read data rows earlier in this conversation, and what it said goes along."""


def hear(state: ChatState, context: ChatContext) -> ChatState:
    """Take the message and decide who answers it."""
    question = {"role": "user", "content": state["text"][:LONGEST_QUESTION]}
    by = answerer(state["text"], context.situation)
    if by == "model" and context.rows_before:
        _say_where_rows_go(context)
    return {"by": by, "messages": [question], "calls": [], "rounds": 0, "filed": [], "rows": False, "note": None}


def talk(state: ChatState, context: ChatContext) -> ChatState:
    """One answer of the model; a failure hands the turn to the rules, and what was said so far stays."""
    try:
        spoken = speak(context.situation, state["messages"], context.tell, tools=state["rounds"] < MOST_ROUNDS)
    except EndpointFailed as failed:
        return {"by": "rules", "calls": [], "note": _dump(_rules_instead(failed))}
    if context.situation.stopped():
        return {"calls": [], "note": _dump(T("You interrupted this answer."))}
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in spoken.calls]
    note = T("The answer was cut at its limit of length; ask for the rest.") if spoken.cut else None
    return {
        "messages": [*state["messages"], spoken.as_message()],
        "calls": calls if state["rounds"] < MOST_ROUNDS else [],
        "note": _dump(note),
    }


def use_tools(state: ChatState, context: ChatContext) -> ChatState:
    """Run the calls of the model's last answer, in their order, and show each as one line."""
    messages, filed, rows = list(state["messages"]), list(state["filed"]), state["rows"]
    for number, waiting in enumerate(state["calls"]):
        call = ToolCall(**waiting)
        outcome = use(call, context.situation, filed=filed) if number < MOST_CALLS else _TOO_MANY
        messages.append({"role": "tool", "tool_call_id": call.id, "content": outcome.text})
        _show(call, outcome, context)
        if isinstance(outcome.event, Filed):
            filed.append(outcome.event.proposal.id)
        rows = rows or outcome.rows
        if context.situation.stopped():
            return {"calls": [], "rows": rows, "note": _dump(T("You interrupted this answer."))}
    if rows:
        _say_where_rows_go(context)
    return {"messages": messages, "calls": [], "filed": filed, "rows": rows, "rounds": state["rounds"] + 1}


def answer(state: ChatState, context: ChatContext) -> ChatState:
    """The answer of the rules to the person's own words."""
    answer_by_rules(state["text"], context.situation, context.tell)
    return {"by": "rules"}


def _say_where_rows_go(context: ChatContext) -> None:
    """Before the first row leaves this machine, say to which host it goes."""
    model = context.situation.model
    notice = model.rows_notice() if model is not None else None
    if notice is not None:
        context.tell(Said(block=Para(text=notice)))


_TOO_MANY = Outcome('{"error": "Too many calls at once; this one was not made."}', ok=False)


def _show(call: ToolCall, outcome: Outcome, context: ChatContext) -> None:
    arguments = _readable(call.arguments)
    context.tell(ToolUsed(name=call.name, arguments=arguments, outcome=outcome.text, ok=outcome.ok))
    if outcome.event is not None:
        context.tell(outcome.event)


def _readable(arguments: str) -> str:
    """The JSON with its characters as themselves: many servers send every Chinese one as an escape of six.

    What is no JSON, or holds halves of characters that no file can keep, stays as it came.
    """
    try:
        shown = json.dumps(json.loads(arguments), ensure_ascii=False)
        shown.encode("utf-8")
    except (ValueError, RecursionError):
        return arguments
    return shown


def _rules_instead(failed: EndpointFailed) -> Text:
    if failed.hint is None:
        return T("{reason} The rules answered instead.", reason=failed.message)
    return T("{reason} The rules answered instead. {next}", reason=failed.message, next=failed.hint)


def _dump(text: Text | None) -> Json | None:
    return text.model_dump(mode="json") if text is not None else None
