"""Findings with their evidence, the main kinds of errors and typical cases (specification, step 2)."""

from __future__ import annotations

from agent.events import Analysed
from agent.faces.layout import clip, table, wrap
from agent.faces.views.words import SEVERITIES
from tools.diagnose import Diagnosis
from tools.evidence.confusions import ErrorAnalysis, ErrorCase
from tools.finding import Fact, Finding
from tools.text import Speaker, T, visible

SHOWN_ROWS = 6
"""Row ids shown of a finding; `--json` has all."""


def diagnosis_lines(diagnosis: Diagnosis, say: Speaker) -> list[str]:
    """Every finding, most important first, then what the errors look like."""
    nothing = T("Nothing to fix: no rule found a problem. Notes, if any, follow.")
    lines = wrap(say(nothing)) if diagnosis.healthy else []
    for number, finding in enumerate(diagnosis.findings, start=1):
        lines += [*_finding(number, finding, say), ""]
    if diagnosis.errors:
        lines += _errors(diagnosis.errors, say)
    return lines


def _finding(number: int, finding: Finding, say: Speaker) -> list[str]:
    lines = wrap(f"{number}. [{say(SEVERITIES[finding.severity])}] {say(finding.title)}")
    lines += wrap(say(finding.detail), indent="   ")
    for fact in finding.facts:
        lines += wrap("- " + fact_line(fact, say), indent="   ")
    if finding.rows:
        shown = ", ".join(visible(row, 40) for row in finding.rows[:SHOWN_ROWS])
        more = len(finding.rows) - SHOWN_ROWS
        rest = say(T(" and {count} more", count=more)) if more > 0 else ""
        lines += wrap(say(T("rows: {rows}", rows=shown)) + rest, indent="   ")
    lines.append("   " + say(T("read: iterate refs {page}", page=finding.page)))
    return lines


def fact_line(fact: Fact, say: Speaker) -> str:
    """A fact with its limit and source."""
    text = f"{say(fact.name)}: {_number(fact.value, percent=fact.percent)}"
    if fact.threshold is not None:
        text += say(T(" (limit {limit})", limit=_number(fact.threshold, percent=fact.percent)))
    return text + (f"  [{visible(fact.source)}]" if fact.source else "")


def _number(value: object, *, percent: bool) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.1%}" if percent else f"{value:.4g}"
    return visible(str(value), 80)


def _errors(errors: ErrorAnalysis, say: Speaker) -> list[str]:
    lines: list[str] = []
    if errors.pairs:
        header = [say(T("Kind of error")), say(T("Count")), say(T("Share"))]
        rows = [
            [_pair(pair.expected, pair.predicted, say), str(pair.count), f"{pair.share:.0%}"] for pair in errors.pairs
        ]
        lines += ["### " + say(T("Main kinds of errors")), *table(header, rows, indent=""), ""]
    if errors.fields:
        header = [say(T("Field")), say(T("Wrong answers")), say(T("Score lost"))]
        rows = [[visible(one.field, 40), str(one.wrong), f"{one.lost:.1%}"] for one in errors.fields]
        lines += ["### " + say(T("Errors by field")), *table(header, rows, indent=""), ""]
    if errors.cases:
        lines += ["### " + say(T("Typical cases")), *(line for case in errors.cases for line in _case(case, say)), ""]
    return lines


def _pair(expected: str, predicted: str | None, say: Speaker) -> str:
    got = say(T("not parsed")) if predicted is None else visible(predicted, 40)
    return f"{visible(expected, 40)} → {got}"


def _case(case: ErrorCase, say: Speaker) -> list[str]:
    got = say(T("not parsed: {raw}", raw=clip(case.raw, 60))) if case.predicted is None else clip(case.predicted, 60)
    text = say(T("{row}: expected {expected}, got {got}", row=case.row, expected=clip(case.expected, 60), got=got))
    fields = [f"{name}: {clip(value, 160)}" for name, value in case.input.items()]
    return [*wrap("- " + text), *(line for field in fields for line in wrap(field, indent="    "))]


def analysis_lines(event: Analysed, say: Speaker) -> list[str]:
    """A language model's reading of the errors, marked as its opinion, with the rows that anyone can look up."""
    title = T("What {model} sees in the wrong answers (an opinion):", model=visible(event.model, 60))
    lines = [say(title), *wrap(visible(event.summary), indent="  ")]
    for one in event.patterns:
        lines += wrap(f"- {visible(one.name)}: {visible(one.explanation)}", indent="  ")
        lines += wrap(", ".join(visible(row, 40) for row in one.row_ids), indent="    ")
    return lines
