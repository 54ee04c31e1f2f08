"""The versions of a task, the decisions taken, the openings of the test set, and how forecasts did."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.faces.layout import table, wrap
from agent.faces.views.words import VERBS, percent, points
from agent.journal import Entry, Journal
from tools.change import Decision, Proposal
from tools.comparing.words import metric_name
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import load_task
from tools.text import Speaker, T, Text, sayable, visible
from tools.versioning.adopt import current
from tools.versioning.forecasts import ForecastScore, Scored, scored, scored_forecasts
from tools.versioning.ledger import Opening, openings
from tools.versions import list_versions

SHOWN_DECISIONS = 20


class VersionLine(BaseModel):
    """One version in one line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    parent: str | None
    created_at: str | None
    value: float | None
    """Of the primary metric, on valid."""
    seeds: int
    in_use: bool
    changes: list[Text]


class TaskHistory(BaseModel):
    """Everything on record about a task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    versions: list[VersionLine]
    decisions: list[Entry]
    openings: list[Opening]
    forecasts: list[Scored]
    score: ForecastScore


def task_history(path: Path) -> TaskHistory:
    """Read the records of a task."""
    metric = load_task(path).definition.primary_metric
    results = read_results(ReadResultsArgs(task_dir=path))
    pointer = current(path)
    lines = []
    for record in list_versions(path):
        result = latest(results, record.version, "valid")
        manifest = record.manifest
        lines.append(
            VersionLine(
                version=record.version,
                parent=manifest.parent if manifest else None,
                created_at=manifest.created_at if manifest else None,
                value=result.metrics.get(metric) if result else None,
                seeds=max(1, len(result.seeds)) if result else 0,
                in_use=pointer is not None and pointer.version == record.version,
                changes=manifest.changes if manifest else [],
            )
        )
    decisions = [entry for entry in Journal(path).entries() if entry.event == "decision"]
    return TaskHistory(
        metric=metric,
        versions=lines,
        decisions=decisions,
        openings=openings(path),
        forecasts=scored_forecasts([path]),
        score=scored([path]),
    )


def history_lines(history: TaskHistory, say: Speaker) -> list[str]:
    """The records as tables and lines."""
    if not history.versions:
        return [say(T("No version is on record yet."))]
    before, after = [T("Version"), T("From")], [T("Seeds"), T("In use"), T("Changes")]
    header = [*map(say, before), say(metric_name(history.metric)), *map(say, after)]
    lines = table(header, [_version_row(one, say) for one in history.versions], indent="")
    return [*lines, "", *_decisions(history, say), *_openings(history, say), *_forecasts(history, say)]


def _version_row(line: VersionLine, say: Speaker) -> list[str]:
    value = percent(line.value) if line.value is not None else "-"
    changes = "; ".join(say(change) for change in line.changes) or "-"
    return [line.version, line.parent or "-", value, str(line.seeds), "*" if line.in_use else "", visible(changes, 120)]


def _decisions(history: TaskHistory, say: Speaker) -> list[str]:
    lines = ["### " + say(T("Decisions"))]
    for entry in history.decisions[-SHOWN_DECISIONS:]:
        decision = Decision.model_validate(entry.data["decision"])
        title = Proposal.model_validate(entry.data["proposal"]).title
        told = T(
            "{at} {verb}: {title} ({who})",
            at=entry.at,
            verb=VERBS[decision.decision],
            title=title,
            who=sayable(decision.who),
        )
        if decision.reason:
            told = T("{told} - {reason}", told=told, reason=sayable(decision.reason, 200))
        lines += wrap("- " + say(told))
    if not history.decisions:
        lines.append(say(T("none yet")))
    return [*lines, ""]


def _openings(history: TaskHistory, say: Speaker) -> list[str]:
    lines = ["### " + say(T("Openings of the locked test set"))]
    for one in history.openings:
        told = T(
            "{number}. {at}: {why} (by {who})", number=one.ordinal, at=one.at, why=sayable(one.why), who=visible(one.by)
        )
        scores = ", ".join(
            f"{version} {percent(values[history.metric])}"
            for version, values in one.scores.items()
            if history.metric in values
        )
        lines += wrap(say(told) + ": " + scores)
    if not history.openings:
        lines.append(say(T("none yet")))
    return [*lines, ""]


def _forecasts(history: TaskHistory, say: Speaker) -> list[str]:
    score = history.score
    if not score.count:
        return []
    lines = ["### " + say(T("Forecasts"))]
    for one in history.forecasts:
        told = T(
            "{version}: {metric} promised {low} to {high}, came {observed}",
            version=one.forecast.version,
            metric=metric_name(one.outcome.metric),
            low=points(one.forecast.effect.low),
            high=points(one.forecast.effect.high),
            observed=points(one.outcome.observed),
        )
        lines.append("- " + say(told))
    summary = T(
        "{coverage:.0%} of {count} inside their intervals ({level:.0%} expected), Brier score {brier:.2f}.",
        coverage=score.coverage,
        count=score.count,
        level=score.level,
        brier=score.brier,
    )
    return [*lines, say(summary), ""]
