"""The comparison report in Markdown, in the shape of the specification's step 5, with the statistics that back it.

It only words a Comparison (or what an opening of the test set showed); every number is computed before.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.comparing.words import evidence_lines, metric_name, settled_line_sentence, verdict_name
from tools.comparison import Comparison, MetricLine, Range
from tools.text import Speaker, T, Text, visible
from tools.versioning.ledger import OpenedTest

_RULE = "|------|-----|-----|------|"
_MARKS = {"adopt": "✅", "continue": "🔁", "rollback": "⏪"}


def markdown(comparison: Comparison, say: Speaker) -> str:
    """The whole report, without a newline at its end."""
    base, new = _cell(comparison.base), _cell(comparison.new)
    title = T("Version comparison: {base} → {new}", base=base, new=new)
    lines = [f"# {say(title)}", "", *_changes(comparison, say), "", *_scores(comparison, say)]
    if comparison.classes:
        lines += ["", *_classes(comparison, say)]
    lines += ["", "## " + say(T("Statistics")), "", *(f"- {say(line)}" for line in evidence_lines(comparison))]
    lines += _rows(T("Fixed rows"), comparison.fixed, say) + _rows(T("Broken rows"), comparison.broken, say)
    if comparison.settled is not None:
        lines += ["", "## " + say(T("Settled labels")), "", say(settled_line_sentence(comparison.settled))]
    recommended = T("Recommended: {choice}.", choice=comparison.recommendation)
    verdict = T("Verdict: {verdict}.", verdict=verdict_name(comparison.verdict))
    lines += ["", "## " + say(T("Decision")), "", f"{_MARKS[comparison.recommended]} {say(verdict)} {say(recommended)}"]
    return "\n".join(lines)


def _changes(comparison: Comparison, say: Speaker) -> list[str]:
    changes = comparison.changes or [T("Nothing in the configuration.")]
    return ["## " + say(T("Changes")), "", *(f"- {say(change)}" for change in changes)]


def _scores(comparison: Comparison, say: Speaker) -> list[str]:
    where = T("Locked test split, {rows} rows.", rows=comparison.rows)
    if comparison.split != "test":
        where = T("Validation split, {rows} rows.", rows=comparison.rows)
    explained = T(
        "Changes are percentage points; {up} and {down} mark those whose 95 percent interval lies above or below zero.",
        up="✅",
        down="⚠️",
    )
    header: list[Text | str] = [T("Metric"), comparison.base, comparison.new, T("Change")]
    rows = [_row(say(metric_name(line.metric)), line, ".1%") for line in comparison.metrics]
    return ["## " + say(T("Performance")), "", _header(header, say), _RULE, *rows, "", f"{say(where)} {say(explained)}"]


def _classes(comparison: Comparison, say: Speaker) -> list[str]:
    fields = comparison.classes[0].metric.startswith("field[")
    heading, first = (T("Fields"), T("Field")) if fields else (T("Classes"), T("Class"))
    names = [_cell(version) for version in (comparison.base, comparison.new)]
    columns = [T("{version} score", version=name) if fields else T("{version} F1", version=name) for name in names]
    rows = [_row(_cell(line.label), line, ".0%") for line in comparison.classes]
    return [f"## {say(heading)}", "", _header([first, *columns, T("Change")], say), _RULE, *rows]


def _header(columns: Sequence[Text | str], say: Speaker) -> str:
    return "| " + " | ".join(_cell(column) if isinstance(column, str) else say(column) for column in columns) + " |"


def _row(name: str, line: MetricLine, form: str) -> str:
    """One table row; the change is rounded like the scores, so that the columns add up where rounding allows."""
    change = f"{line.difference:+{form}}"
    mark = _mark(line.range)
    return f"| {name} | {line.old:{form}} | {line.new:{form}} | {change}{' ' + mark if mark else ''} |"


def _mark(found: Range | None) -> str:
    direction = found.direction if found is not None else 0
    return "✅" if direction > 0 else "⚠️" if direction < 0 else ""


_SHOWN_ROWS = 20


def _rows(heading: Text, ids: Sequence[str], say: Speaker) -> list[str]:
    if not ids:
        return []
    named = ", ".join(f"`{_cell(row_id)}`" for row_id in ids[:_SHOWN_ROWS])
    more = T("{rows} and {count} more", rows=named, count=len(ids) - _SHOWN_ROWS)
    return [f"- {say(heading)} ({len(ids)}): {say(more) if len(ids) > _SHOWN_ROWS else named}"]


def valid_and_test(opened: OpenedTest, say: Speaker) -> str:
    """What valid said beside what test says, for each opened version, and how the verdict came about."""
    header = [T("Version"), T("Metric"), T("Valid said"), T("Test says")]
    lines = [_header(header, say), "|------|------|------|------|"]
    for version, scores in opened.scores.items():
        said = opened.valid_scores.get(version, {})
        for metric, value in scores.items():
            before = f"{said[metric]:.1%}" if metric in said else "-"
            lines.append(f"| {_cell(version)} | {say(metric_name(metric))} | {before} | {value:.1%} |")
    verdict = T("Verdict on the locked test set: {verdict}.", verdict=verdict_name(opened.verdict))
    table = [*lines, ""] if opened.scores else []
    return "\n".join([*table, say(verdict), *(f"- {say(note)}" for note in opened.notes)])


def _cell(text: str) -> str:
    """Foreign text inside a table: no control characters, no cell borders, one line."""
    return visible(text, 80).replace("\n", " ").replace("|", "\\|").replace("`", "'")
