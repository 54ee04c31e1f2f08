"""From the record of a batch to its rows: read, checked, compared, judged. The same record gives the same rows.

It asks nobody; which questions are still open follows from what it returns.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from tools.evidence.row_keys import plain
from tools.generating.checks import Quarantined, Written, fault_of, read_written
from tools.generating.diversity import nearest_among
from tools.generating.facts import Facts
from tools.generating.forms import UNCLEAR, read_label, read_rows
from tools.generating.guard import copies
from tools.generating.plan import Plan
from tools.generating.record import RawAnswer, Record
from tools.generating.store import QuarantinedRow, shown
from tools.reviewing.batch import Candidate, Check
from tools.reviewing.twins import TwinFinder
from tools.task import Row
from tools.text import T, visible

_MOST_ROWS = 20
"""Rows of one answer that are looked at; a model that writes more was not asked to."""
_LONGEST_SHOWN = 500


@dataclass
class Sifted:
    """The rows of a batch so far."""

    written: int
    open: list[Written]
    """Wait for the judge."""
    passed: list[Written]
    quarantined: list[QuarantinedRow]


def sift(facts: Facts, plan: Plan, record: Record, questions: Sequence[str], elsewhere: Sequence[Row]) -> Sifted:
    """What became of the rows that answer these questions, in their order."""
    quarantined: dict[str, QuarantinedRow] = {}
    sound: list[Written] = []
    order: list[str] = []
    for name, row, fault in _rows(facts, record, questions):
        order.append(name)
        wrong = fault or (fault_of(facts, plan.label, row) if row else None)
        if wrong is not None:
            quarantined[name] = _quarantined(name, row, wrong)
        elif row is not None:
            sound.append(row)
    twins = copies(facts, sound, elsewhere) if sound else {}
    result = Sifted(len(order), [], [], [])
    for row in sound:
        wrong = twins.get(row.id) or _judged(record.answer(f"j-{row.id}"), row)
        if wrong is not None:
            quarantined[row.id] = _quarantined(row.id, row, wrong)
        elif record.answer(f"j-{row.id}") is None:
            result.open.append(row)
        else:
            result.passed.append(row)
    result.quarantined = [quarantined[name] for name in order if name in quarantined]
    return result


def _rows(
    facts: Facts, record: Record, questions: Sequence[str]
) -> Iterator[tuple[str, Written | None, Quarantined | None]]:
    """Id, row and fault of form of everything that was written."""
    for question in questions:
        line = record.answer(question)
        items = read_rows(line.text) if line and line.text is not None else []
        if items is None:
            yield f"{question}.1", None, Quarantined(why="form", reason=T("The answer holds no list of rows."))
            continue
        for place, item in enumerate(items[:_MOST_ROWS], 1):
            row, fault = read_written(facts, question, place, item)
            if fault is not None:
                told = T("{reason} It reads: {text}", reason=fault.reason, text=_as_text(item))
                fault = fault.model_copy(update={"reason": told})
            yield f"{question}.{place}", row, fault
        if len(items) > _MOST_ROWS:
            reason = T("The answer goes on with {count} more rows.", count=len(items) - _MOST_ROWS)
            yield f"{question}.{_MOST_ROWS + 1}", None, Quarantined(why="form", reason=reason)


def sound_rows(facts: Facts, plan: Plan, record: Record, question: str) -> int:
    """How many rows of one answer can be read and pass the checks that need no other row."""
    rows = [row for _, row, fault in _rows(facts, record, [question]) if row is not None and fault is None]
    return sum(fault_of(facts, plan.label, row) is None for row in rows)


def _as_text(item: JsonValue) -> str:
    return visible(json.dumps(item, ensure_ascii=True)[: 2 * _LONGEST_SHOWN], _LONGEST_SHOWN)


def _quarantined(name: str, row: Written | None, fault: Quarantined) -> QuarantinedRow:
    if row is None or fault.split == "test":
        return QuarantinedRow(id=name, fault=fault)
    return QuarantinedRow(id=name, fields=shown(row.fields), label=visible(row.label, 80), fault=fault)


def _judged(line: RawAnswer | None, row: Written) -> Quarantined | None:
    """What the judge has against a row; None before it was asked."""
    if line is None:
        return None
    said = read_label(line.text) if line.text is not None else None
    if said is None:
        return Quarantined(why="unjudged", reason=T("There was no usable answer."))
    if said == row.label:
        return None
    return Quarantined(why="judge", reason=T("It says {label}.", label=visible(said, 80)))


def never_judged(row: Written) -> QuarantinedRow:
    """A row of a batch that was closed before the judge was asked about it."""
    return _quarantined(row.id, row, Quarantined(why="unjudged", reason=T("The batch was closed before.")))


def right_on_known(record: Record, known: dict[str, Row]) -> tuple[int, int]:
    """How many training rows the judge gave their label, and how many it was asked about."""
    lines = {name: line for name in known if (line := record.answer(name)) is not None}
    right = sum(line.text is not None and read_label(line.text) == known[name].answer for name, line in lines.items())
    return right, len(lines)


def failures(record: Record, questions: Sequence[str]) -> dict[str, int]:
    """Trouble to the number of questions that it was the end of."""
    lines = [line for question in questions if (line := record.answer(question)) is not None]
    return dict(Counter(line.trouble for line in lines if line.trouble is not None).most_common())


def candidates(facts: Facts, plan: Plan, record: Record, rows: Sequence[Written]) -> list[Candidate]:
    """The rows that passed, ready for a person: with what was checked, what they are like, and where they come from."""
    finder = TwinFinder(facts.train, "train", other=[Row(id=row.id, fields=row.fields) for row in rows])
    known = [plain(row.fields[facts.text_field]) for row in facts.train]
    return [_candidate(facts, plan, record, row, finder, known) for row in rows]


def _candidate(
    facts: Facts, plan: Plan, record: Record, row: Written, finder: TwinFinder, known: Sequence[str]
) -> Candidate:
    asked, judged = record.answer(row.question), record.answer(f"j-{row.id}")
    assert asked is not None and judged is not None  # it passed
    label = read_label(judged.text or "")
    return Candidate(
        id=row.id,
        origin="new",
        fields=row.fields,
        answer=row.label,
        answered=None if label == UNCLEAR else label,
        why=T("Written for {label}.", label=visible(plan.label, 60)),
        source=asked.model,
        provenance={
            "model": asked.model,
            "prompt_sha256": asked.prompt_sha256,
            "request": f"{plan.batch}/{row.question}",
            "at": asked.at,
            "judge": label,
            "judged_by": judged.model,
            "judged_at": judged.at,
        },
        checks=_checks(facts, row, known, label or ""),
        twins=finder.find(Row(id=row.id, fields=row.fields), most=2),
    )


def _checks(facts: Facts, row: Written, known: Sequence[str], judge: str) -> list[Check]:
    text = row.fields[facts.text_field]
    low, high = facts.lengths[facts.text_field]
    alike = nearest_among(text, known)
    return [
        Check(
            name=T("length"),
            passed=True,
            reason=T("{count} characters, in train {low} to {high}", count=len(text), low=low, high=high),
        ),
        Check(
            name=T("no copy"),
            passed=True,
            reason=T("the nearest training row is {alike:.0%} alike; none of validation or test", alike=alike),
        ),
        Check(
            name=T("second answer"),
            passed=True,
            reason=T("with the label hidden it says {label}", label=visible(judge, 60)),
        ),
        *_wording(facts, row),
    ]


def _wording(facts: Facts, row: Written) -> list[Check]:
    """A row that names its own label is easy for the wrong reason; a person decides."""
    text = row.fields[facts.text_field]
    if row.label not in text:
        return []
    reason = T("the text names its label")
    return [Check(name=T("wording"), passed=False, reason=reason)]
