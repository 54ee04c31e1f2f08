"""Copies: of a row written before, of a training row, of a validation or test row. Exact, but for punctuation, or nearly.

Texts are compared without the names beside them: a known text about another name is a copy all the same. A machine comparing
rows with test is no opening of the test split; a row that copies one is quarantined with its twin's id and without its text.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.evidence.leaks import find_leaks
from tools.evidence.row_keys import NearIndex, Questions
from tools.evidence.thresholds import read_thresholds
from tools.generating.checks import Quarantined, Written
from tools.generating.facts import Facts
from tools.task import Row
from tools.text import T, Text, visible
from tools.words import split_name

ALIKE = 0.8
"""Written rows may be less alike than other rows may (tools/evidence/thresholds.py): models repeat themselves."""

_HOW = {
    "exact": T("word for word"),
    "normalised": T("but for punctuation, case or width"),
    "near": T("nearly"),
}


def copies(facts: Facts, rows: Sequence[Written], elsewhere: Sequence[Row]) -> dict[str, Quarantined]:
    """Id of each row that copies another one, with its twin; of two rows alike the earlier one is kept.

    `elsewhere` are rows of other batches, which may be trained on as well.
    """
    texts = [_text_row(facts, row.id, row.fields) for row in rows]
    limit = min(ALIKE, read_thresholds(facts.task.definition.thresholds)[0].near_duplicate)
    found: dict[str, Quarantined] = {}
    for split, others in (("valid", facts.valid), ("test", facts.test)):
        for leak in find_leaks(texts, _texts(facts, others), limit):
            twin = others[leak.copy].id
            reason = T(
                "It is {split} row {row}, {how}.", split=split_name(split), row=visible(twin, 60), how=_HOW[leak.how]
            )
            found.setdefault(
                leak.row, Quarantined.model_validate({"why": "leak", "reason": reason, "twin": twin, "split": split})
            )
    known = [*facts.all_train, *elsewhere]
    for leak in find_leaks(texts, _texts(facts, known), limit):
        twin = known[leak.copy].id
        reason = T("It is row {row} of train or of another batch, {how}.", row=visible(twin, 60), how=_HOW[leak.how])
        found.setdefault(leak.row, Quarantined(why="copy", reason=reason, twin=twin, split="train"))
    return found | _repeats(facts, [row for row in rows if row.id not in found], limit)


def _repeats(facts: Facts, rows: Sequence[Written], limit: float) -> dict[str, Quarantined]:
    """Rows that are much like an earlier one which is kept."""
    texts = [_text_row(facts, row.id, row.fields) for row in rows]
    questions = Questions(texts)
    asked = [questions.of(row) for row in texts]
    index = NearIndex(asked, limit)
    first: dict[object, int] = {}
    kept: set[int] = set()
    found: dict[str, Quarantined] = {}
    for number, question in enumerate(asked):
        twin = first.get(question)
        if twin is None:
            twin = index.nearest(question, kept.__contains__)
        if twin is None:
            kept.add(number)
            first[question] = number
        else:
            reason: Text = T("It is much like {row} of this batch.", row=rows[twin].id)
            found[rows[number].id] = Quarantined(why="duplicate", reason=reason, twin=rows[twin].id, split="batch")
    return found


def _texts(facts: Facts, rows: Sequence[Row]) -> list[Row]:
    return [_text_row(facts, row.id, row.fields) for row in rows]


def _text_row(facts: Facts, row_id: str, fields: dict[str, str]) -> Row:
    """The text alone; a row in another shape keeps all it has."""
    text = fields.get(facts.text_field)
    return Row(id=row_id, fields=fields if text is None else {facts.text_field: text})
