"""The plots of a report as inline SVG: colours from the page's variables, shapes that tell apart without colour, no script.

Each picture has a title and a description for who listens to it; its numbers are in a table beside it (figures.py).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, isfinite, log10

from agent.overnight.reporting.document import Figure
from agent.overnight.reporting.figures import ScorePoint, band, elapsed_minutes, score_points, shares
from agent.overnight.reporting.shapes import NightFacts, TaskFacts, TrialFacts
from agent.overnight.reporting.words import OUTCOMES, clean, percent
from tools.text import Speaker, T

WIDTH = 760
_LABELS, _RIGHT, _ROW, _TOP = 250, 90, 26, 14
_LARGEST = 1e6
_DASHES = ("none", "7 4", "2 4", "9 3 2 3")
"""One for each limit of a budget, so that lines tell apart without colour."""


def svg(figure: Figure, facts: NightFacts, say: Speaker, name: str) -> str:
    """The picture of a figure; `name` makes its ids unique in the page."""
    match figure.kind:
        case "forest":
            body, height = _forest(facts.trials, say)
        case "scores":
            task = next(one for one in facts.tasks if one.name == figure.task)
            body, height = _scores(task, score_points(task, facts.trials))
        case _:
            body, height = _budget(facts, say)
    title, about = escape(clean(figure.title, say)), escape(clean(figure.about, say, 800))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{title}</title><desc id="{name}-desc">{about}</desc>{body}</svg>'
    )


# --- expected and observed


def _forest(trials: Sequence[TrialFacts], say: Speaker) -> tuple[str, int]:
    shown = [one for one in trials if one.expected is not None or one.observed is not None or one.quick is not None]
    ends = [0.0, *(value * 100 for one in shown for value in _ends(one))]
    height = _TOP + _ROW * len(shown) + 44
    across = _axis(min(ends), max(ends), _LABELS, WIDTH - _RIGHT)
    bottom = _TOP + _ROW * len(shown)
    parts = [_line(at, _TOP, at, bottom, "grid") for at, _ in across.ticks]
    parts.append(_line(across.at(0), _TOP, across.at(0), bottom, "zero"))
    for number, one in enumerate(shown):
        parts.append(_forest_row(one, _TOP + _ROW * number + _ROW / 2, across.at, say))
    parts += [_text(at, bottom + 16, label, "middle") for at, label in across.ticks]
    parts.append(_text((_LABELS + WIDTH - _RIGHT) / 2, bottom + 36, say(T("points on valid")), "middle", "soft"))
    return "".join(parts), height


def _forest_row(one: TrialFacts, y: float, x: Callable[[float], float], say: Speaker) -> str:
    title = clean(one.title, say) if one.title is not None else say(T("(its record is lost)"))
    parts = [_text(0, y + 4, clip(f"{one.number}. {title}", 36), "start")]
    parts.append(_text(WIDTH - _RIGHT + 12, y + 4, clip(say(OUTCOMES[one.outcome]), 12), "start", "soft"))
    if one.low is not None and one.high is not None and one.expected is not None:
        left, right = x(100 * one.low), x(100 * one.high)
        parts.append(
            f'<rect class="expected" x="{left:.1f}" y="{y - 7:.1f}" width="{max(1.0, right - left):.1f}" height="14" rx="3"/>'
        )
        parts.append(_line(x(100 * one.expected), y - 7, x(100 * one.expected), y + 7, "middle"))
    found = one.observed or one.quick
    if found is not None:
        value = one.observed.value if one.observed else one.quick.difference if one.quick else 0.0
        if found.low is not None and found.high is not None:
            parts.append(_line(x(100 * found.low), y, x(100 * found.high), y, "observed"))
        parts.append(_mark(x(100 * value), y, filled=one.observed is not None))
    return "".join(parts)


def _ends(one: TrialFacts) -> list[float]:
    quick = one.quick if one.observed is None else None
    found = [one.low, one.high]
    found += [one.observed.value, one.observed.low, one.observed.high] if one.observed else []
    found += [quick.difference, quick.low, quick.high] if quick else []
    return [_held(value) for value in found if value is not None and isfinite(value)]


# --- score over trials


def _scores(task: TaskFacts, found: Sequence[ScorePoint]) -> tuple[str, int]:
    height, left, right, top, bottom = 280, 62, WIDTH - 20, 16, 236
    start, around = task.before or 0.0, band(task)
    values = [start, *(one.score for one in found), *(one.best for one in found), *(around or ())]
    up = _axis(100 * min(values), 100 * max(values), bottom, top)
    step = (right - left) / max(1, len(found))
    places = [left + step * (number + 0.5) for number in range(len(found))]
    parts = []
    if around is not None:
        high, low = up.at(100 * around[1]), up.at(100 * around[0])
        parts.append(
            f'<rect class="band" x="{left}" y="{high:.1f}" width="{right - left}" height="{max(1.0, low - high):.1f}"/>'
        )
    for at, label in up.ticks:
        parts += [_line(left, at, right, at, "grid"), _text(left - 8, at + 4, label + "%", "end")]
    parts.append(_line(left, up.at(100 * start), right, up.at(100 * start), "zero"))
    path, before = [f"M{left:.1f} {up.at(100 * start):.1f}"], start
    for one, x in zip(found, places, strict=True):
        path.append(f"L{x:.1f} {up.at(100 * before):.1f} L{x:.1f} {up.at(100 * one.best):.1f}")
        before = one.best
    parts.append(f'<path class="best" d="{" ".join(path)} L{right:.1f} {up.at(100 * before):.1f}"/>')
    every = max(1, -(-len(found) // 16))
    for number, (one, x) in enumerate(zip(found, places, strict=True)):
        parts.append(_mark(x, up.at(100 * one.score), filled=one.kept))
        if number % every == 0:
            parts.append(_text(x, bottom + 18, str(one.trial), "middle"))
        if one.kept and len(found) <= 24:
            parts.append(
                _text(x, up.at(100 * one.score) - 10, f"{clip(one.version, 8)} {percent(one.score)}", "middle")
            )
    return "".join(parts), height


# --- budget


def _budget(facts: NightFacts, say: Speaker) -> tuple[str, int]:
    lines = shares(facts)
    left, right, top, bottom = 62, WIDTH - 20, 16, 226
    height = bottom + 74 + 22 * ((len(lines) - 1) // 2)
    minutes = elapsed_minutes(facts)
    up = _axis(0, min(_LARGEST, max([100.0, *(100 * share for one in lines for share in one.shares)])), bottom, top)
    hours = max(minutes) > 120
    across = _axis(0, max(max(minutes), 1) / (60 if hours else 1), left, right)
    parts = []
    for at, label in up.ticks:
        parts += [_line(left, at, right, at, "grid"), _text(left - 8, at + 4, label + "%", "end")]
    parts.append(_line(left, up.at(100), right, up.at(100), "zero"))
    parts += [_text(at, bottom + 18, label, "middle") for at, label in across.ticks]
    unit = T("hours since the start") if hours else T("minutes since the start")
    parts.append(_text((left + right) / 2, bottom + 38, say(unit), "middle", "soft"))
    room = (right - left) / 2
    for number, one in enumerate(lines):
        dashes = f' stroke-dasharray="{_DASHES[number % len(_DASHES)]}"'
        path = [f"{across.at(0):.1f} {up.at(0):.1f}"]
        path += [
            f"{across.at(at / (60 if hours else 1)):.1f} {up.at(min(_LARGEST, 100 * share)):.1f}"
            for at, share in zip(minutes, one.shares, strict=True)
        ]
        parts.append(f'<path class="used used-{number}" d="M{" L".join(path)}"{dashes}/>')
        x, y = left + room * (number % 2), bottom + 62 + 22 * (number // 2)
        parts.append(f'<path class="used used-{number}" d="M{x:.1f} {y} L{x + 28:.1f} {y}"{dashes}/>')
        parts.append(_text(x + 34, y + 4, clip(say(one.name), 40), "start"))
    return "".join(parts), height


# --- pieces


@dataclass(frozen=True)
class _Axis:
    at: Callable[[float], float]
    ticks: list[tuple[float, str]]


def _axis(low: float, high: float, begin: float, end: float) -> _Axis:
    """Places of values between two ends of the picture, with a little room, and round values to write there."""
    low, high = _held(low), _held(high)
    if high - low < 1e-9:
        low, high = low - 1, high + 1
    room = (high - low) * 0.05
    low, high = low - room, high + room

    def at(value: float) -> float:
        inside = max(low, min(high, value))
        return begin + (inside - low) / (high - low) * (end - begin)

    step = _round_step((high - low) / 6)
    first = floor(low / step) + 1
    digits = max(0, -floor(log10(step)))
    values = [(first + number) * step for number in range(12)]
    return _Axis(at, [(at(value), f"{value + 0.0:.{digits}f}") for value in values if value <= high])


def _held(value: float) -> float:
    """A value that a picture can still be drawn with."""
    return max(-_LARGEST, min(_LARGEST, value))


def _round_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= step), 10 * power)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _mark(x: float, y: float, *, filled: bool) -> str:
    return f'<circle class="{"mark" if filled else "hollow"}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'


def clip(text: str, cells: int) -> str:
    """At most so many cells, two for a wide character, with an ellipsis where something is left out."""
    used, kept = 0, list[str]()
    for char in text:
        used += 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
        if used > cells:
            return "".join(kept).rstrip() + "…"
        kept.append(char)
    return text
