"""The shapes a row may have: plain fields, a chat, or a preference pair; and which of its keys each shape uses up.

It finds the input and the raw answer of a row; reading the answer against the declared format is tools/reading/row_answers.py.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tools.task import AnswerFormat

_ROLES = ("system", "user", "assistant")
ANSWER_KEYS = ("label", "output")
"""Where a plain row holds its answer, besides the field that the definition names."""


class Shape(NamedTuple):
    """A row taken apart."""

    fields: dict[str, str]
    answer: Any
    """The raw answer; None when the row does not say one (it may be a pool to be labelled)."""
    used: frozenset[str]
    """Keys of the row that are input or answer; the others are metadata."""
    missing: list[str]
    """Input fields that the row lacks; the row cannot be used then."""
    chosen: str | None = None
    rejected: str | None = None


def take_apart(item: dict[str, Any], input_fields: list[str], answer: AnswerFormat) -> Shape:
    """Take a row apart in the first shape that fits: plain fields, chat, preference pair."""
    missing = [name for name in input_fields if item.get(name) is None]
    turns = turns_of(item.get("messages"))
    if turns and (missing or "messages" in input_fields):
        return _chat(item, turns, answer)
    raw, keys = _raw_answer(item, input_fields, answer)
    chosen, rejected = _said(item.get("chosen")), _said(item.get("rejected"))
    fields = {name: as_text(item[name]) for name in input_fields if name not in missing}
    used = frozenset(input_fields) | keys
    if chosen is None or rejected is None:
        return Shape(fields, raw, used, missing)
    if missing and (asked := _asked(item.get("prompt"))):
        fields, missing = asked, []
    pair = frozenset({"prompt", "chosen", "rejected"})
    return Shape(fields, chosen if raw is None else raw, used | pair, missing, chosen, rejected)


def as_text(value: Any) -> str:
    """A value as the text a template shows: strings as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _raw_answer(item: dict[str, Any], input_fields: list[str], answer: AnswerFormat) -> tuple[Any, frozenset[str]]:
    """The answer of a plain row and the keys it stands under; None when there is none."""
    for key in (ANSWER_KEYS[0], answer.label_field, *ANSWER_KEYS[1:]):
        if key is not None and key not in input_fields and item.get(key) is not None:
            return item[key], frozenset({key})
    loose = {field: item[field] for field in answer.fields if field in item and field not in input_fields}
    return (loose, frozenset(loose)) if loose else (None, frozenset(ANSWER_KEYS) & frozenset(item))


def _chat(item: dict[str, Any], turns: list[dict[str, str]], answer: AnswerFormat) -> Shape:
    used = frozenset({"messages"})
    if turns[-1]["role"] != "assistant":
        raw, keys = _raw_answer(item, ["messages"], answer)
        return Shape({"messages": as_text(turns)}, raw, used | keys, [])
    before = turns[:-1]
    missing = [] if any(turn["role"] == "user" for turn in before) else ["messages[role=user]"]
    return Shape({"messages": as_text(before)}, turns[-1]["content"], used, missing)


def turns_of(value: Any) -> list[dict[str, str]] | None:
    """Chat turns with known roles and text content; None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    turns = [_turn(turn) for turn in value]
    return None if any(turn is None for turn in turns) else [turn for turn in turns if turn is not None]


def _turn(value: Any) -> dict[str, str] | None:
    if not isinstance(value, dict) or value.get("role") not in _ROLES:
        return None
    content = value.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str)) if parts else None
    return {"role": value["role"], "content": content} if isinstance(content, str) else None


def _said(value: Any) -> str | None:
    """A chosen or rejected answer: a text, or the last assistant turn of a chat."""
    if isinstance(value, str):
        return value
    turns = turns_of(value)
    return turns[-1]["content"] if turns and turns[-1]["role"] == "assistant" else None


def _asked(prompt: Any) -> dict[str, str]:
    if isinstance(prompt, str) and prompt:
        return {"prompt": prompt}
    turns = turns_of(prompt)
    return {"messages": as_text(turns)} if turns else {}
