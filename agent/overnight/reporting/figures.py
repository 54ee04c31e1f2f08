"""The figures of a report: what is drawn, in words, and the table that says the same; the drawing is plots.py's.

The series are worked out here, so that a picture and its table can never differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.overnight.reporting.document import Figure, Table
from agent.overnight.reporting.shapes import NightFacts, TaskFacts, TrialFacts
from agent.overnight.reporting.words import clock, local, number, percent, plain
from tools.comparing.words import metric_name
from tools.text import T, Text

BAND = 2.0
"""Noise floors on either side of the starting score: about what seeds alone do in 19 of 20 cases."""
MOST_ROWS = 12
"""Rows of the table about the budget; the picture has every point."""


# --- expected and observed


def forest_figure(facts: NightFacts) -> Iterator[Figure]:
    """Expected interval against what was observed, one line for each trial; its table is that of the trials."""
    if any(one.expected is not None or one.observed is not None for one in facts.trials):
        yield Figure(
            "forest",
            T("Expected and observed, trial by trial"),
            T(
                "One line for each trial, in points on valid: the pale bar is what was expected, the mark with its line what "
                "was observed with its 95 percent interval (hollow: quick check only). A line that crosses zero shows no "
                "difference. The same numbers are in the table of the trials."
            ),
            None,
        )


# --- score over trials


@dataclass(frozen=True)
class ScorePoint:
    """A trial that was measured on valid."""

    trial: int
    version: str
    score: float
    best: float
    """The best kept score up to here."""
    kept: bool


def score_points(one: TaskFacts, trials: Sequence[TrialFacts]) -> list[ScorePoint]:
    """The trials of a task with a score, and the best that was kept so far."""
    best = one.before
    found = []
    for trial in trials:
        if trial.task != one.name or trial.after is None:
            continue
        kept = trial.outcome == "kept"
        best = trial.after if kept or best is None else best
        found.append(ScorePoint(trial.number, trial.version or "-", trial.after, best, kept))
    return found


def band(one: TaskFacts) -> tuple[float, float] | None:
    """The scores that seeds alone may give the starting version."""
    if one.before is None or one.noise_floor is None:
        return None
    return one.before - BAND * one.noise_floor, one.before + BAND * one.noise_floor


def score_figures(facts: NightFacts) -> Iterator[Figure]:
    """For each task the score of every measured trial, with the noise floor around where the night began."""
    for one in facts.tasks:
        points = score_points(one, facts.trials)
        if not points or one.before is None:
            continue
        around = band(one)
        told: Text | str = T("The noise floor of {start} was not measured.", start=plain(one.start, 40))
        if around is not None:
            told = T(
                "The band, {low} to {high}, is two noise floors on either side of {start}: inside it, seeds alone explain a "
                "difference.",
                low=percent(around[0]),
                high=percent(around[1]),
                start=plain(one.start, 40),
            )
        rows: list[list[Text | str]] = [
            ["-", plain(one.start, 40), percent(one.before), percent(one.before), T("start")]
        ]
        rows += [
            [
                str(at.trial),
                plain(at.version, 40),
                percent(at.score),
                percent(at.best),
                T("yes") if at.kept else T("no"),
            ]
            for at in points
        ]
        header = [T("Trial"), T("Version"), metric_name(one.metric), T("Best kept so far"), T("Kept")]
        name = plain(one.name, 60)
        yield Figure(
            "scores",
            T("Score over the trials of {task}", task=name),
            T(
                "{metric} on valid after each measured trial, filled marks kept, hollow ones not; the line is the best kept so "
                "far. {band}",
                metric=metric_name(one.metric),
                band=told,
            ),
            Table(T("Scores of {task}", task=name), header, rows, frozenset({0, 2, 3})),
            one.name,
        )


# --- budget


@dataclass(frozen=True)
class Share:
    """How much of one limit was used at each point, in parts of it."""

    name: Text
    shares: list[float]


def elapsed_minutes(facts: NightFacts) -> list[float]:
    """Minutes since the start at each point of the budget; a clock that was set back stands still here."""
    start = local(facts.started_at)
    found, latest = [], 0.0
    for point in facts.budget.points:
        at = local(point.at)
        if at is not None and start is not None:
            latest = max(latest, (at - start).total_seconds() / 60)
        found.append(latest)
    return found


def shares(facts: NightFacts) -> list[Share]:
    """The use of every limit that was given."""
    limits, points = facts.budget.limits, facts.budget.points
    found = []
    if limits.until and (span := _span(facts.started_at, limits.until)) > 0:
        found.append(Share(T("Time until its end"), [at / span for at in elapsed_minutes(facts)]))
    if limits.hours:
        found.append(Share(T("Hours of work"), [one.minutes / (60 * limits.hours) for one in points]))
    if limits.runs:
        found.append(Share(T("Trainings and quick checks"), [one.runs / limits.runs for one in points]))
    if limits.dollars:
        found.append(Share(T("Money for tokens"), [one.dollars / limits.dollars for one in points]))
    return found


def budget_figure(facts: NightFacts) -> Iterator[Figure]:
    """The use of the budget over time."""
    used = shares(facts)
    if not used or not facts.budget.points:
        return
    chosen = _spread(len(facts.budget.points))
    elapsed = elapsed_minutes(facts)
    header = [T("Time"), T("Minutes since the start"), T("Minutes of work"), T("Trainings"), T("US dollars")]
    points = facts.budget.points
    rows: list[list[Text | str]] = [
        [
            clock(points[at].at),
            number(elapsed[at], 1),
            number(points[at].minutes, 1),
            str(points[at].runs),
            number(points[at].dollars, 2),
        ]
        for at in chosen
    ]
    yield Figure(
        "budget",
        T("Use of the budget over time"),
        T("How much of each limit was used, from the start of the night on; the line at 100 percent is the limit."),
        Table(T("Use of the budget"), header, rows, frozenset({1, 2, 3, 4})),
    )


def _spread(count: int) -> list[int]:
    """At most MOST_ROWS places spread over so many, the last one included."""
    if count <= MOST_ROWS:
        return list(range(count))
    return sorted({round(step * (count - 1) / (MOST_ROWS - 1)) for step in range(MOST_ROWS)})


def _span(start: str, end: str) -> float:
    begin, until = local(start), local(end)
    return (until - begin).total_seconds() / 60 if begin is not None and until is not None else 0.0
