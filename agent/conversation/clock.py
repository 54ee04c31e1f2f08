"""Times of day in people's words: 7, 7am, 7:30, 早上七點半, midnight."""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.conversation.wording import numeral

_DAY = r"(?:(?:tomorrow|tonight|the morning|明天|明早|明晨|今晚|今天) ?(?:at )?)?"
_PART = r"(?P<part>早上|上午|凌晨|清晨|中午|下午|傍晚|晚上)?"
_HOUR = r"(?P<hour>\d{1,2}|[一二兩三四五六七八九十]{1,3})"
_CHINESE_TIME = (
    rf"{_DAY}{_PART} ?{_HOUR} ?[點時]"
    r"(?: ?(?P<half>半)|(?P<quarter>[一三])刻|(?P<minute>\d{1,2}|[一二三四五十]{1,3})分?)?(?:鐘|整)?"
)
_DIGITAL_TIME = (
    rf"{_DAY}{_PART} ?(?P<hour>\d{{1,2}})(?::(?P<minute>\d{{2}}))? ?(?P<half_day>a\.?m\.?|p\.?m\.?)?"
    r"(?: ?o'clock)?(?: in the (?P<when>morning|evening|afternoon)| tomorrow| tonight)?(?![\w:])"
)
_CUE = r"(?:\b(?:until|till|til|by|before)\b|到|至|直到) ?"
_NAMED = {"midnight": "00:00", "午夜": "00:00", "半夜": "00:00", "noon": "12:00", "中午": "12:00"}
_AFTERNOON = frozenset({"下午", "傍晚", "晚上", "evening", "afternoon"})


class Found(NamedTuple):
    """A time and where it stands in the text."""

    start: int
    end: int
    clock: str
    """HH:MM."""


def find_time(text: str) -> Found | None:
    """The time in a folded text: after a word such as until or 到, or with am, pm, a colon or 點 in it."""
    cue = re.search(rf"{_CUE}(?={_DAY}{_PART} ?(?:\d|[一二兩三四五六七八九十]|{'|'.join(_NAMED)}))", text, re.A)
    starts = [cue.end()] if cue else []
    starts += [match.start() for match in re.finditer(rf"{_CHINESE_TIME}|\d{{1,2}}(?::\d{{2}}| ?[ap]\.?m)", text)]
    for start in starts:
        found = _at(text, start)
        if found is not None:
            return found
    return None


def read_time(text: str) -> str | None:
    """The time when the folded text is nothing but a time, with or without until; None otherwise."""
    bare = re.sub(rf"^{_CUE}", "", text.strip())
    found = _at(bare, 0)
    return found.clock if found is not None and found.end == len(bare) else None


def _at(text: str, start: int) -> Found | None:
    for name, clock in _NAMED.items():
        if text.startswith(name, start) and not re.match(r" ?[\d一二兩三四五六七八九十]", text[start + len(name) :]):
            return Found(start, start + len(name), clock)
    match = re.compile(_CHINESE_TIME, re.A).match(text, start) or re.compile(_DIGITAL_TIME, re.A).match(text, start)
    found = _clock(match.groupdict()) if match else None
    return Found(start, match.end(), found) if match and found else None


def _clock(parts: dict[str, str | None]) -> str | None:
    hour = numeral(parts["hour"] or "")
    minute = _minute(parts)
    if hour is None or minute is None or minute > 59:
        return None
    half = (parts.get("half_day") or "").replace(".", "")
    late = half == "pm" or parts.get("part") in _AFTERNOON or parts.get("when") in _AFTERNOON
    if late and hour < 12:
        hour += 12
    if hour == 12 and (half == "am" or parts.get("part") in {"凌晨", "晚上"}):
        hour = 0
    return f"{hour % 24:02d}:{minute:02d}" if hour <= 24 else None


def _minute(parts: dict[str, str | None]) -> int | None:
    if parts.get("half"):
        return 30
    if parts.get("quarter"):
        return 15 if parts["quarter"] == "一" else 45
    return numeral(parts["minute"] or "") if parts.get("minute") else 0
