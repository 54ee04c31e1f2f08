"""What rows tell about a task whose definition leaves something out: type, input fields, labels, answer fields.

Guesses only, from raw objects of the training file; whoever uses one says so in a Problem.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tools.reading.row_shapes import ANSWER_KEYS, turns_of
from tools.task import TaskType

MOST_LABELS = 200
"""More distinct short answers than this are texts, not classes."""
_LONGEST_LABEL = 60
_METADATA = frozenset({"id", "source", "generated_by", "parent_id", "split", "meta", "metadata", "note", "messages"})
_PAIR = frozenset({"prompt", "chosen", "rejected"})

Rows = list[dict[str, Any]]


def answers_of(rows: Rows, label_field: str | None = None) -> list[Any]:
    """The raw answers of the rows that have one; JSON text is opened."""
    return [_opened(answer) for row in rows if (answer := _answer(row, label_field)) is not None]


def guess_type(rows: Rows) -> TaskType:
    """Classification for few short answers, extraction for objects, generation for everything else."""
    answers = answers_of(rows)
    if answers and all(isinstance(answer, dict) for answer in answers):
        return "classification" if guess_label_field(rows) is not None else "extraction"
    labels = {str(answer) for answer in answers}
    few = len(labels) <= max(20, len(answers) // 5) and len(labels) <= MOST_LABELS
    short = all(len(label) <= _LONGEST_LABEL and "\n" not in label for label in labels)
    return "classification" if answers and few and short else "generation"


def guess_label_field(rows: Rows) -> str | None:
    """The only key of answers that are objects with one short text, such as {"sentiment": "正面"}; None otherwise."""
    answers = answers_of(rows)
    keys = {tuple(answer) for answer in answers if isinstance(answer, dict)}
    if len(keys) != 1 or len(first := next(iter(keys))) != 1:
        return None
    values = {str(answer[first[0]]) for answer in answers if isinstance(answer, dict)}
    few = len(values) <= max(20, len(answers) // 5) and all(len(value) <= _LONGEST_LABEL for value in values)
    return first[0] if few else None


def guess_labels(rows: Rows, label_field: str | None) -> list[str]:
    """The labels that occur, most frequent first, at most MOST_LABELS."""
    found: Counter[str] = Counter()
    for answer in answers_of(rows, label_field):
        held = answer
        if isinstance(answer, dict):
            held = answer.get(label_field) if label_field else next(iter(answer.values()), None)
        if isinstance(held, str) and held.strip():
            found[held.strip()] += 1
        elif isinstance(held, bool | int | float):
            found[json.dumps(held)] += 1
    return [label for label, _ in found.most_common(MOST_LABELS)]


def guess_answer_fields(rows: Rows) -> list[str]:
    """The keys of answers that are objects, in the order in which they first occur."""
    return list(dict.fromkeys(str(key) for answer in answers_of(rows) if isinstance(answer, dict) for key in answer))


def guess_input_fields(rows: Rows, answer_fields: list[str]) -> list[str]:
    """The text fields that most rows have and that are neither answer nor metadata."""
    if rows and sum(turns_of(row.get("messages")) is not None for row in rows) > len(rows) / 2:
        return ["messages"]
    counts = Counter(key for row in rows for key, value in row.items() if isinstance(value, str) and value)
    if counts["chosen"] and counts["rejected"] and counts["prompt"]:
        return ["prompt"]
    apart = _METADATA | _PAIR | frozenset(ANSWER_KEYS) | frozenset(answer_fields)
    return [
        key for key, count in counts.items() if key not in apart and key.isidentifier() and count >= 0.8 * len(rows)
    ]


def default_template(fields: list[str], language: str | None) -> str:
    """Every field on a line of its own, with its name."""
    if len(fields) <= 1:
        return "{" + (fields[0] if fields else "text") + "}"
    colon = "：" if (language or "").lower().startswith("zh") else ": "
    return "\n".join(field + colon + "{" + field + "}" for field in fields)


def _answer(row: dict[str, Any], label_field: str | None) -> Any:
    for key in (ANSWER_KEYS[0], label_field, *ANSWER_KEYS[1:]):
        if key is not None and row.get(key) is not None:
            return row[key]
    turns = turns_of(row.get("messages"))
    return turns[-1]["content"] if turns and turns[-1]["role"] == "assistant" else row.get("chosen")


def _opened(answer: Any) -> Any:
    if not isinstance(answer, str) or not answer.lstrip().startswith("{"):
        return answer
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return answer
    return value if isinstance(value, dict) else answer
