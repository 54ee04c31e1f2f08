"""What a language model is told in the chat, and its answer as it streams; the loop of calls is agent/steps/chat.py.

History, facts and tool results are bounded here, so that a small context window is enough. Nothing a model says is executed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.advising import facts
from agent.conversation.said import Delta, Para, Said, Tell
from agent.conversation.situation import Exchange, Situation
from agent.conversation.toolset import specs
from agent.model.client import CallPiece, ChatModel, Message, TextPiece, ToolCall, UsagePiece
from agent.model.prompts import load_prompt
from tools.errors import EndpointFailed, IterateError
from tools.text import Text, visible
from tools.training.estimate import tokens_guess

HISTORY_TOKENS = 2_500.0
"""Of earlier messages that are sent along, newest first."""
TURN_TOKENS = 9_000.0
"""Of one turn with its tool results; older results are left out beyond it."""
FACT_CHARACTERS = 5_000
LONGEST_QUESTION = 8_000
_LEFT_OUT = "[left out to save room; ask the tool again if it is needed]"
_NO_MORE = "(From the program: no more tools in this answer. Answer the person now with what you know.)"


@dataclass(frozen=True)
class Spoken:
    """One answer of the model: words, calls, or both."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    cut: bool = False
    """True when it ended at its limit of tokens."""

    def as_message(self) -> Message:
        """As it stands in the history."""
        message: Message = {"role": "assistant", "content": self.text}
        if self.calls:
            message["tool_calls"] = [call.as_message_part() for call in self.calls]
        return message


def speak(situation: Situation, turn: Sequence[Message], tell: Tell, *, tools: bool = True) -> Spoken:
    """The model's next answer to the messages of this turn; raises EndpointFailed.

    A server that refuses tools is asked again without them, with facts looked up for it, and that is remembered.
    """
    model = situation.model
    assert model is not None
    if not model.takes_tools:
        return _stream(model, _without_tools(situation, turn), (), situation, tell)
    offered = specs(rows=model.may_see_rows) if tools else ()
    messages = [*_opening(situation, load_prompt("chat_with_tools")), *fitting(turn)]
    if not tools:
        messages.append({"role": "user", "content": _NO_MORE})
    try:
        return _stream(model, messages, offered, situation, tell)
    except EndpointFailed:
        if model.takes_tools:
            raise
    return _stream(model, _without_tools(situation, turn), (), situation, tell)


def _stream(
    model: ChatModel, messages: Sequence[Message], tools: Sequence[Any], situation: Situation, tell: Tell
) -> Spoken:
    words: list[str] = []
    calls: list[ToolCall] = []
    cut = False
    for piece in model.stream(messages, tools, stopped=situation.stopped, notice=_said(tell)):
        match piece:
            case TextPiece(text):
                words.append(whole(text))
                tell(Delta(text=words[-1]))
            case CallPiece(call):
                calls.append(ToolCall(whole(call.id), whole(call.name), whole(call.arguments)))
            case UsagePiece(finish=finish):
                cut = finish == "length"
        if situation.stopped():
            break
    return Spoken("".join(words), tuple(calls), cut)


def whole(text: str) -> str:
    """The text without halves of characters, which no file or database takes."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _said(tell: Tell) -> Callable[[Text], None]:
    return lambda text: tell(Said(block=Para(text=text)))


def _opening(situation: Situation, sources: str) -> list[Message]:
    """The system message and as much of the earlier conversation as fits."""
    language = "Traditional Chinese as written in Taiwan" if situation.language == "zh-TW" else "English"
    system = load_prompt("chat", language=language, sources=sources.strip(), situation=_packed(surroundings(situation)))
    return [{"role": "system", "content": system}, *history(situation.before)]


def history(before: Sequence[Exchange], most: float = HISTORY_TOKENS) -> list[Message]:
    """The newest earlier messages within the limit, oldest first; the first of them is the person's."""
    kept: list[Message] = []
    for one in reversed(before):
        most -= tokens_guess([one.text])
        if most < 0:
            break
        kept.append({"role": "user" if one.by == "person" else "assistant", "content": one.text})
    while kept and kept[-1]["role"] != "user":
        kept.pop()
    return kept[::-1]


def fitting(turn: Sequence[Message], most: float = TURN_TOKENS) -> list[Message]:
    """The messages of a turn; the oldest tool results are emptied until the rest fits."""
    messages = [dict(one) for one in turn]
    spent = sum(tokens_guess([str(one.get("content") or "")]) for one in messages)
    for one in messages:
        if spent <= most:
            break
        if one["role"] == "tool":
            spent -= tokens_guess([str(one["content"])])
            one["content"] = _LEFT_OUT
    return messages


def surroundings(situation: Situation) -> dict[str, Any]:
    """What the person has before them, without any data row."""
    question = situation.question
    return {
        "tasks": situation.workspace.task_names()[:30],
        "task_under_discussion": situation.task.name if situation.task is not None else None,
        "waiting_for_the_person": question.kind if question is not None else None,
        "proposals_under_review": [
            {"number": number, **facts.proposal_facts(one, situation.say)}
            for number, one in enumerate(situation.proposals[:6], 1)
        ],
    }


def _without_tools(situation: Situation, turn: Sequence[Message]) -> list[Message]:
    """The question with the facts that tools would have found; earlier calls of this turn are left out."""
    question = next((str(one["content"]) for one in turn if one["role"] == "user"), "")
    sources = load_prompt("chat_with_facts", facts=_packed(facts_for(question, situation)))
    return [*_opening(situation, sources), {"role": "user", "content": question}]


def facts_for(question: str, situation: Situation) -> dict[str, Any]:
    """Status, findings and the reference page nearest to the question; what cannot be read is left out."""
    lookups: dict[str, Callable[[], Any]] = {"page": lambda: _nearest_page(question, situation)}
    path = situation.task
    if path is not None:
        lookups = {
            "status": lambda: facts.status_facts(path),
            "findings": lambda: facts.diagnosis_facts(path, None, situation.say)["findings"][:6],
            **lookups,
        }
    found = {}
    for name, look_up in lookups.items():
        try:
            found[name] = look_up()
        except IterateError as error:
            found[name] = {"error": str(error.message)}
    return {name: value for name, value in found.items() if value}


def _nearest_page(question: str, situation: Situation) -> dict[str, str] | None:
    cards = situation.library.search(question[:300], situation.language, limit=1)
    if not cards:
        return None
    page = situation.library.read(cards[0].id, situation.language)
    return {"page": page.card.id, "text": page.text[:2_000]}


def _packed(value: dict[str, Any]) -> str:
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= FACT_CHARACTERS else f"{text[:FACT_CHARACTERS]} [cut here]"
