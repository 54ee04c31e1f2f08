"""The errors of a version on validation as lines: kinds with their counts, then the rows of one kind."""

from __future__ import annotations

from collections.abc import Sequence

from agent.faces.layout import clip, wrap
from agent.faces.views.blocks import bullet, fitted
from agent.faces.views.words import percent
from tools.reviewing.answers import AnsweredRow, Answers
from tools.text import Speaker, T, visible

SHOWN_KINDS = 12
SHOWN_ROWS = 10


def error_lines(
    answers: Answers, say: Speaker, *, pair: Sequence[str] | None = None, label: str | None = None
) -> list[str]:
    """Counts by kind, then rows; only those of `pair` (expected, answered) or of `label` where one is named."""
    lines = [line for note in answers.notes for line in wrap(say(note))]
    wrong = [row for row in answers.rows if not row.first.correct and _wanted(row, pair, label)]
    if answers.counts:
        lines += _kinds(answers, say, pair, label)
    elif answers.fields:
        lines += _fields(answers, say)
    if answers.rows:
        title = T("{count} wrong answers of {version} on validation", count=len(wrong), version=answers.version or "-")
        lines += ["", say(title), *(line for row in wrong[:SHOWN_ROWS] for line in _row(row, say))]
    if len(wrong) > SHOWN_ROWS:
        lines.append(say(T("... and {count} more.", count=len(wrong) - SHOWN_ROWS)))
    return lines


def _wanted(row: AnsweredRow, pair: Sequence[str] | None, label: str | None) -> bool:
    if pair is not None:
        return [row.expected, row.answered or ""] == [*pair]
    return label is None or label in {row.expected, row.answered}


def _kinds(answers: Answers, say: Speaker, pair: Sequence[str] | None, label: str | None) -> list[str]:
    kinds = [
        (count, expected, answered)
        for (expected, answered), count in answers.counts.items()
        if expected != answered
        and (pair is None or [expected, answered or ""] == [*pair])
        and (label is None or label in {expected, answered})
    ]
    kinds.sort(key=lambda kind: -kind[0])
    header = [say(T("Expected")), say(T("Answered")), say(T("Answers"))]
    rows = [[want, got or say(T("not parsed")), str(count)] for count, want, got in kinds[:SHOWN_KINDS]]
    return fitted(header, rows) if rows else [say(T("No such error on validation."))]


def _fields(answers: Answers, say: Speaker) -> list[str]:
    header = [say(T("Field")), say(T("Wrong answers")), say(T("Score lost"))]
    return fitted(header, [[one.field, str(one.wrong), percent(one.lost)] for one in answers.fields])


def _row(row: AnsweredRow, say: Speaker) -> list[str]:
    one = row.first
    got = visible(row.answered, 60) if row.answered is not None else clip(visible(one.raw), 60)
    expected = visible(row.expected, 60)
    told = T("{row}: expected {expected}, got {got}", row=visible(one.id, 40), expected=expected, got=got)
    if row.answered is None:
        told = T(
            "{row}: expected {expected}, got {got}", row=one.id, expected=expected, got=T("not parsed: {raw}", raw=got)
        )
    lines = bullet(say(told))
    for name, value in one.input.items():
        lines += wrap(f"{visible(name, 40)}: {clip(visible(value), 240)}", indent="    ")
    return lines
