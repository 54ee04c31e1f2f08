"""Labels in other words: what the model reads and writes instead of a declared label, such as "positive" for "POS".

A word belongs to the prompt of a version, so it is no part of the evaluator: answers are parsed strictly in the words, then
scored as the labels they stand for. Labels without a word stand for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from tools.errors import InputError
from tools.scoring.answers import Parsed, expected_answer, parse_answer
from tools.task import AnswerFormat
from tools.text import T, visible

Words = Mapping[str, str]
"""Declared label to its word."""


def spoken(answer: AnswerFormat, words: Words) -> AnswerFormat:
    """The answer format in the words; raises InputError for words of unknown labels and for a word that means two labels."""
    if not words:
        return answer
    require_words(answer, words)
    labels = [words.get(label, label) for label in answer.labels]
    enums = dict(answer.enums)
    if answer.label_field in enums:
        enums[answer.label_field or ""] = labels
    return answer.model_copy(update={"labels": labels, "enums": enums})


def require_words(answer: AnswerFormat, words: Words) -> None:
    """Raise InputError unless the words can be told apart and stand for declared labels."""
    unknown = [label for label in words if label not in answer.labels]
    said = [words.get(label, label).strip() for label in answer.labels]
    if not unknown and len(set(said)) == len(said) and all(said):
        return
    raise InputError(
        T("prompt.label_words cannot be used: each declared label needs a word of its own."),
        hint=T(
            "Give words only to these labels, each word once and not empty: {labels}. Unknown: {unknown}.",
            labels=visible(", ".join(answer.labels), 200),
            unknown=visible(", ".join(unknown), 200) or "-",
        ),
        page="methods/prompting",
    )


def in_words(answer: AnswerFormat, words: Words, value: JsonValue) -> JsonValue:
    """An expected answer with its label in the words."""
    if not words:
        return value
    label = expected_answer(answer, value)
    word = words.get(label, label) if isinstance(label, str) else label
    return {**value, answer.label_field: word} if isinstance(value, dict) and answer.label_field is not None else word


def parse_spoken(answer: AnswerFormat, words: Words, raw: str) -> Parsed:
    """Read an output in the words as the label it stands for, or the reason why there is none."""
    if not words:
        return parse_answer(answer, raw)
    parsed = parse_answer(spoken(answer, words), raw)
    meant = {word: label for label, word in words.items()}
    return parsed._replace(value=meant.get(parsed.value, parsed.value)) if isinstance(parsed.value, str) else parsed
