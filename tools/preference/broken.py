"""The right answer in a form that the strict parser refuses, of the kind that a version really makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from tools.scoring.answers import ParseFailure, parse_answer
from tools.task import AnswerFormat

_FENCED = "```json\n{text}\n```"


def break_answer(answer: AnswerFormat, text: str, kinds: Iterable[str]) -> str | None:
    """The answer with the first of these faults that can be shown on it; None when none can, as with free text."""
    for kind in kinds:
        broken = _BREAK.get(kind, _talkative)(answer, text)
        if broken.strip() != text.strip() and parse_answer(answer, broken).failure is not None:
            return broken
    return None


def _talkative(answer: AnswerFormat, text: str) -> str:
    """Text around the answer: a code fence around an object, a remark behind a label."""
    return _FENCED.format(text=text) if answer.type == "json" else f"{text} ({text}?)"


def _twice(_answer: AnswerFormat, text: str) -> str:
    return f"{text}\n{text}"


def _cut(_answer: AnswerFormat, text: str) -> str:
    return text[: max(1, len(text) * 2 // 3)]


def _without_last(answer: AnswerFormat, text: str) -> str:
    value = _object(answer, text)
    return _compact(dict(list(value.items())[:-1])) if value else text


def _with_more(answer: AnswerFormat, text: str) -> str:
    value = _object(answer, text)
    return _compact({**value, "note": ""}) if value else text


def _object(answer: AnswerFormat, text: str) -> dict[str, object]:
    value = json.loads(text) if answer.type == "json" else None
    return value if isinstance(value, dict) else {}


def _compact(value: dict[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_BREAK: dict[str, Callable[[AnswerFormat, str], str]] = {
    ParseFailure.repeated: _twice,
    ParseFailure.cut_off: _cut,
    ParseFailure.missing_field: _without_last,
    ParseFailure.extra_field: _with_more,
}
