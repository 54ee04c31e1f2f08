"""What the versions screen tells about a version, and about two of them: lines with a tone, ready to be folded.

Only words: reading records is tools/versioning/overview.py, comparing is tools/compare.py. Foreign text (notes, rows, answers)
is made visible and never interpreted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from agent.faces.layout import aligned, pad, width
from agent.faces.tui.widgets.version_table import STAGES, score_text
from agent.faces.views.words import percent, points
from tools.comparing.words import evidence_lines, metric_name, verdict_name
from tools.comparison import ClassLine, Comparison, MetricLine
from tools.edit_config import config_diff
from tools.errors import InputError
from tools.outcomes.predictions import read_predictions
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import inside
from tools.results import Prediction
from tools.text import Speaker, T, Text, visible
from tools.versioning.overview import VersionFacts
from tools.versioning.records import snapshot_text

Line = tuple[str, str]
"""Text and style."""
HEADING, NORMAL, MUTED, GOOD, BAD = "bold", "", "$text-muted", "$text-success", "$text-error"
_SHOWN_ROWS = 100
_LONGEST_NOTE = 200
_SIGNS = {"+": GOOD, "-": BAD, "@": MUTED}


def detail_page(task_path: Path, facts: VersionFacts, metric: str, verdict: str | None, say: Speaker) -> list[Line]:
    """Everything on record about one version."""
    lines: list[Line] = [(_title(facts, say), HEADING), *_state(facts, say)]
    lines += [(say(sentence), NORMAL) for sentence in _numbers(facts, metric, verdict)]
    if facts.changes:
        lines += [("", NORMAL), (say(T("Changes")), HEADING)]
        lines += [("- " + visible(say(change)), NORMAL) for change in facts.changes]
    lines += _diff(task_path, facts, say)
    return [*lines, *_notes(facts, say)]


def _title(facts: VersionFacts, say: Speaker) -> str:
    manifest = facts.record.manifest
    if manifest is None:
        return say(T("{version}, made outside of this program", version=visible(facts.version, 40)))
    made = manifest.created_at[:16].replace("T", " ")
    if facts.parent is None:
        return say(T("{version}, a baseline, {at}", version=visible(facts.version, 40), at=visible(made)))
    return say(
        T("{version}, from {parent}, {at}", version=visible(facts.version, 40), parent=facts.parent, at=visible(made))
    )


def _state(facts: VersionFacts, say: Speaker) -> list[Line]:
    lines: list[Line] = [("! " + say(problem.message), BAD) for problem in facts.record.problems]
    if facts.stage in {"training", "waiting"}:
        lines.append((say(T("It has no result yet: {stage}.", stage=STAGES[facts.stage])), NORMAL))
    elif facts.stage != "done":
        told = T("It has no result: {stage}.", stage=STAGES[facts.stage])
        if facts.reason is not None:
            told = T("It has no result: {stage}. {reason}", stage=STAGES[facts.stage], reason=facts.reason)
        lines.append(("! " + visible(say(told)), BAD))
    return lines


def _numbers(facts: VersionFacts, metric: str, verdict: str | None) -> list[Text]:
    name, score = metric_name(metric), facts.score
    told = []
    if score is not None:
        told.append(
            T("{metric} on valid: {score}, {rows} rows.", metric=name, score=score_text(score), rows=score.rows)
        )
        if len(score.seeds) > 1:
            told.append(T("The brackets are the spread over the seeds: {seeds}.", seeds=_percents(score.seeds)))
        elif score.low is not None:
            told.append(
                T("The brackets are the 95 percent interval for drawing other rows; the spread over seeds is unknown.")
            )
    if facts.test is not None:
        told.append(
            T("{metric} on test: {value} (opening {n}).", metric=name, value=percent(facts.test), n=facts.opening)
        )
    elif facts.record.sealed:
        told.append(T("Its test result is sealed; adopting opens it."))
    if facts.parent is not None and verdict is not None:
        told.append(T("Against {parent}: {verdict}.", parent=facts.parent, verdict=verdict_name(verdict)))
    if facts.forecast is not None:
        told.append(_forecast(facts))
    told.append(T("Its weights are kept in models/.") if facts.weights else T("Its weights are not kept here."))
    return [*told, T("It is the version in use.")] if facts.in_use else told


def _forecast(facts: VersionFacts) -> Text:
    scored = facts.forecast
    assert scored is not None
    effect, outcome = scored.forecast.effect, scored.outcome
    return T(
        "Forecast for {metric}: {low} to {high} points; it came to {observed}, {where}.",
        metric=metric_name(outcome.metric),
        low=points(effect.low),
        high=points(effect.high),
        observed=points(outcome.observed),
        where=T("as expected") if scored.inside else T("outside of the forecast"),
    )


def _percents(values: Sequence[float]) -> str:
    return ", ".join(map(percent, values))


def _diff(task_path: Path, facts: VersionFacts, say: Speaker) -> list[Line]:
    """The configuration against the parent's."""
    if facts.parent is None:
        return []
    before, after = (snapshot_text(task_path, version) for version in (facts.parent, facts.version))
    heading: list[Line] = [("", NORMAL), (say(T("Configuration against {parent}", parent=facts.parent)), HEADING)]
    if before is None or after is None:
        return [*heading, (say(T("Not recorded: one of the versions has no configuration snapshot.")), MUTED)]
    lines = config_diff(before, after).splitlines()
    if not lines:
        return [*heading, (say(T("The same.")), MUTED)]
    shown = [line for line in lines if not line.startswith(("---", "+++"))]
    return [*heading, *((visible(line), _SIGNS.get(line[:1], NORMAL)) for line in shown)]


def _notes(facts: VersionFacts, say: Speaker) -> list[Line]:
    try:
        text = (facts.record.path / "notes.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = text.splitlines()
    told: list[Line] = [("", NORMAL), (say(T("Notes")), HEADING)]
    told += [markdown_line(line) for line in lines[:_LONGEST_NOTE]]
    if len(lines) > _LONGEST_NOTE:
        more = T("and {count} more lines in {file}", count=len(lines) - _LONGEST_NOTE, file="notes.md")
        told.append((say(more), MUTED))
    return told


def report_page(path: Path) -> list[Line]:
    """A report as it was written, its tables in line."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return [markdown_line(line) for line in aligned(text).splitlines()]


def markdown_line(line: str) -> Line:
    """A line of Markdown: headings in bold without their signs, everything else as it is."""
    return (visible(line.lstrip("# ")), HEADING) if line.startswith("#") else (visible(line), NORMAL)


def comparison_page(comparison: Comparison, answers: tuple[Answers, Answers], say: Speaker) -> list[Line]:
    """Two versions on the same rows: the verdict and what backs it, the scores, and which rows changed."""
    new, base = visible(comparison.new, 40), visible(comparison.base, 40)
    verdict = T("{new} against {base}: {verdict}", new=new, base=base, verdict=verdict_name(comparison.verdict))
    lines: list[Line] = [(say(verdict), HEADING)]
    lines.append((say(T("Recommended: {choice}.", choice=comparison.recommendation)), NORMAL))
    lines += [("", NORMAL), *_scores(T("Metric"), comparison.metrics, (base, new), say)]
    if comparison.classes:
        lines += [("", NORMAL), *_scores(T("Class"), comparison.classes, (base, new), say)]
    lines += [("", NORMAL), (say(T("Statistics")), HEADING)]
    lines += [("- " + visible(say(sentence)), NORMAL) for sentence in evidence_lines(comparison)]
    lines += _rows(T("Fixed rows"), comparison.fixed, (base, new), answers, say)
    return [*lines, *_rows(T("Broken rows"), comparison.broken, (base, new), answers, say)]


def _scores(first: Text, found: Sequence[MetricLine], names: tuple[str, str], say: Speaker) -> list[Line]:
    header = [say(first), *names, say(T("Change")), say(T("95 %"))]
    rows = []
    for line in found:
        name = visible(line.label, 40) if isinstance(line, ClassLine) else say(metric_name(line.metric))
        span = f"{points(line.range.low)} {points(line.range.high)}" if line.range else "-"
        rows.append([name, percent(line.old), percent(line.new), points(line.difference), span])
    widths = [max(width(row[n]) for row in (header, *rows)) for n in range(len(header))]
    lines = [
        "  ".join(pad(cell, cells, right=n > 0) for n, (cell, cells) in enumerate(zip(row, widths, strict=True)))
        for row in (header, *rows)
    ]
    return [(line.rstrip(), MUTED if number == 0 else NORMAL) for number, line in enumerate(lines)]


Answers = dict[str, list[Prediction]]
"""Row id to the answers of each seed."""


def answers_of(task_path: Path, version: str) -> Answers:
    """The stored answers of a version on valid; empty where they cannot be read."""
    result = latest(read_results(ReadResultsArgs(task_dir=task_path)), version, "valid")
    path = inside(task_path, result.predictions) if result is not None and result.predictions else None
    found: Answers = {}
    try:
        for row in read_predictions(path) if path is not None and path.is_file() else []:
            found.setdefault(row.id, []).append(row)
    except InputError:
        return {}
    return found


def _rows(
    title: Text, ids: Sequence[str], names: tuple[str, str], answers: tuple[Answers, Answers], say: Speaker
) -> list[Line]:
    lines: list[Line] = [("", NORMAL), (say(T("{title}: {count}", title=title, count=len(ids))), HEADING)]
    for row_id in ids[:_SHOWN_ROWS]:
        known = [side.get(row_id, []) for side in answers]
        row = next((found[0] for found in reversed(known) if found), None)
        lines.append((visible(row_id, 80) + "  " + _input(row), NORMAL))
        if row is not None:
            told = T(
                "expected {expected}; {base} said {old}, {new} said {answer}",
                expected=_plain(row.expected),
                base=names[0],
                old=_usual(known[0]),
                new=names[1],
                answer=_usual(known[1]),
            )
            lines.append(("  " + say(told), MUTED))
    if len(ids) > _SHOWN_ROWS:
        lines.append((say(T("and {count} more", count=len(ids) - _SHOWN_ROWS)), MUTED))
    return lines


def _input(row: Prediction | None) -> str:
    return " / ".join(" ".join(visible(value, 300).split()) for value in row.input.values()) if row else ""


def _usual(rows: Sequence[Prediction]) -> str:
    """The answer that most seeds gave."""
    given = Counter(_plain(row.parsed if row.parsed is not None else row.raw) for row in rows)
    return given.most_common(1)[0][0] if given else "?"


def _plain(value: JsonValue) -> str:
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 120)
