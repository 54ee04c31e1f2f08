"""A language model's reading of wrong answers on validation: kinds of mistakes, each with rows that anyone can look up.

Its words are an opinion beside the facts of the diagnosis; ids that it was not shown are dropped. Test rows never come here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agent.advising.asking import asked, bounded, in_language_of
from agent.advising.facts import prediction_facts, wrong_rows
from agent.context import Context
from agent.events import Analysed, ErrorPattern, Notice
from agent.model.prompts import load_prompt
from tools.diagnose import Diagnosis
from tools.results import Prediction

MOST_ROWS = 24
FEWEST_ROWS = 3
"""Fewer wrong answers are quicker read than summarised."""
MOST_PATTERNS = 6


class _Seen(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str = Field(min_length=1, max_length=200)
    explanation: str = Field(min_length=1, max_length=2_000)
    row_ids: list[str]


class ErrorReading(BaseModel):
    """The form of the answer."""

    model_config = ConfigDict(extra="ignore")

    summary: str = Field(min_length=1, max_length=4_000)
    patterns: list[_Seen]


class Analysis(BaseModel):
    """An analysis with what it was made of, so that the same question is not asked twice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    """Hash of the prompt and the model's name."""
    event: Analysed


def analyse(path: Path, diagnosis: Diagnosis, context: Context, known: Analysis | None = None) -> Analysis | None:
    """The model's reading of the diagnosed version's errors; None without a model, without rows that it may see, or on failure.

    `known` is the analysis of an earlier round: it is told again when the question is the same.
    """
    model = context.model
    if model is None or not model.may_see_rows or diagnosis.version is None:
        return None
    rows = chosen(wrong_rows(path, diagnosis.version, expected=None, answered=None))
    if len(rows) < FEWEST_ROWS:
        return None
    prompt = _prompt(diagnosis, rows, context)
    question = hashlib.sha256(json.dumps([model.host, model.name, prompt]).encode()).hexdigest()
    if known is not None and known.question == question:
        return known
    notice = model.rows_notice()
    if notice is not None:
        context.emit(Notice(message=notice))
    answer = asked(context, [{"role": "user", "content": prompt}], ErrorReading)
    if answer is None:
        return None
    return Analysis(question=question, event=_event(answer, {row.id for row in rows}, model.name))


def chosen(wrong: Sequence[Prediction], most: int = MOST_ROWS) -> list[Prediction]:
    """Rows of every kind of confusion in turn, the most frequent kind first."""
    kinds: dict[str, list[Prediction]] = {}
    for row in wrong:
        kinds.setdefault(json.dumps([row.expected, row.parsed], ensure_ascii=False, sort_keys=True), []).append(row)
    queues = sorted(kinds.values(), key=len, reverse=True)
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)][:most]


def _prompt(diagnosis: Diagnosis, rows: Sequence[Prediction], context: Context) -> str:
    confusions = diagnosis.errors.pairs[:8] if diagnosis.errors else []
    return load_prompt(
        "errors",
        language=in_language_of(context.say),
        task=json.dumps(diagnosis.task, ensure_ascii=False),
        version=str(diagnosis.version),
        confusions=json.dumps([one.model_dump(mode="json") for one in confusions], ensure_ascii=False),
        rows="\n".join(json.dumps(prediction_facts(row), ensure_ascii=False) for row in rows),
        most=str(MOST_PATTERNS),
    )


def _event(answer: ErrorReading, shown: set[str], model: str) -> Analysed:
    patterns = []
    for one in answer.patterns[:MOST_PATTERNS]:
        ids = [row for row in dict.fromkeys(one.row_ids) if row in shown]
        if ids:
            name, explanation = bounded(one.name, 80), bounded(one.explanation, 400)
            patterns.append(ErrorPattern(name=name, explanation=explanation, row_ids=ids))
    return Analysed(model=bounded(model, 80), summary=bounded(answer.summary, 600), patterns=patterns)
