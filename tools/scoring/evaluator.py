"""The evaluator lock: one hash over everything that measures, and scoring a stored output again.

Two results are comparable by a claim only when their hashes are equal. What is measured (model, prompt, template, decoding)
is not part of it, so that a better prompt can win.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import token
import tokenize
from collections.abc import Iterable, Iterator
from types import ModuleType

from pydantic import JsonValue

from tools.results import Prediction
from tools.scoring import answers, metrics
from tools.scoring.answers import expected_answer
from tools.scoring.label_words import Words, parse_spoken
from tools.scoring.metrics import Measured, score_row
from tools.task import AnswerFormat, TaskType

_LAYOUT = frozenset({token.NL, token.COMMENT, token.ENCODING, token.ENDMARKER})
_MARKS = {token.NEWLINE: "newline", token.INDENT: "indent", token.DEDENT: "dedent"}
_STATEMENT_ENDS = frozenset({"newline", "indent", "dedent"})


def evaluator_hash(task_type: TaskType, answer: AnswerFormat, rows: Iterable[tuple[str, JsonValue]]) -> str:
    """SHA-256 over metric and parser code, label map, declared output format, and row ids with expected answers.

    The order of the rows, and comments, docstrings and blank lines in the code do not change it. Hash a split only as it
    is evaluated: other rows are another evaluator.
    """
    expected = sorted([row_id, _canonical(expected_answer(answer, value))] for row_id, value in rows)
    measured = {
        "code": [normalised_source(module) for module in (answers, metrics)],
        "task_type": task_type,
        "answer": answer.model_dump(mode="json", exclude_defaults=True),
        "rows": expected,
    }
    return hashlib.sha256(_canonical(measured).encode("utf-8")).hexdigest()


def rejudge(task: Measured, prediction: Prediction, words: Words | None = None) -> Prediction:
    """The same raw output under the present parser and metrics; `words` are those that the version writes for labels."""
    expected = expected_answer(task.answer, prediction.expected)
    value, failure = parse_spoken(task.answer, words or {}, prediction.raw)
    correct, score = score_row(task.task_type, task.answer, expected, value)
    judged = {
        "expected": expected,
        "parsed": value,
        "failure": failure and failure.value,
        "correct": correct,
        "score": score,
    }
    return prediction.model_copy(update=judged)


def normalised_source(module: ModuleType) -> list[str]:
    """The module's tokens as text, without comments, docstrings, blank lines and the width of indents."""
    kept: list[tuple[str, bool]] = []
    for text, is_string in _significant(inspect.getsource(module)):
        if text == "newline" and _is_idle_string(kept):
            kept.pop()
        else:
            kept.append((text, is_string))
    return [text for text, _ in kept]


def _significant(source: str) -> Iterator[tuple[str, bool]]:
    """Each token's text and whether it is a string literal, so far as it can change what the code does."""
    for part in tokenize.generate_tokens(io.StringIO(source).readline):
        if part.type not in _LAYOUT:
            yield _MARKS.get(part.type, part.string), part.type == token.STRING


def _is_idle_string(kept: list[tuple[str, bool]]) -> bool:
    """The statement that ends here is one string literal, such as a docstring: it does nothing."""
    return bool(kept) and kept[-1][1] and (len(kept) == 1 or kept[-2][0] in _STATEMENT_ENDS)


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
