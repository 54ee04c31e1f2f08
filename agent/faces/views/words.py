"""Small words and numbers that several views share: percentages, minutes, names of grades."""

from __future__ import annotations

from tools.change import Difficulty, Tier, Verb
from tools.finding import Severity
from tools.scoring.answers import ParseFailure
from tools.text import Speaker, T, Text

SOURCES: dict[str, Text] = {
    "measured": T("measured on this task"),
    "learned": T("learned from earlier iterations"),
    "prior": T("rule of thumb"),
}
DIFFICULTIES = {Difficulty.low: T("low"), Difficulty.medium: T("medium"), Difficulty.high: T("high")}
TIERS = {Tier.quick: T("quick win"), Tier.medium: T("medium term"), Tier.long: T("long term")}
VERBS: dict[Verb, Text] = {
    Verb.approve: T("approved"),
    Verb.edit: T("approved as edited"),
    Verb.reject: T("rejected"),
    Verb.defer: T("left for later"),
}
FAILURES: dict[str, Text] = {
    ParseFailure.empty: T("it is empty"),
    ParseFailure.not_json: T("it is not JSON"),
    ParseFailure.extra_text: T("there is other text around the answer"),
    ParseFailure.not_object: T("it is JSON, but not an object"),
    ParseFailure.missing_field: T("a field is missing"),
    ParseFailure.extra_field: T("it has a field that was not declared"),
    ParseFailure.wrong_type: T("a field with declared values holds something that is not text"),
    ParseFailure.unknown_label: T("it is not one of the declared labels"),
    ParseFailure.repeated: T("the answer is given several times"),
    ParseFailure.cut_off: T("it ends before the answer does"),
}
"""Why an output is no answer."""
SEVERITIES = {Severity.error: T("ERROR"), Severity.warning: T("WARNING"), Severity.info: T("note")}


def percent(value: float) -> str:
    """0.724 as "72.4%"."""
    return f"{value:.1%}"


def points(value: float) -> str:
    """A difference of fractions as signed points: 0.05 as "+5.0"."""
    return f"{value * 100:+.1f}"


def minutes(value: float, say: Speaker) -> str:
    """A duration for people: seconds, minutes or hours."""
    if value < 1:
        return say(T("{count} s", count=max(1, round(value * 60))))
    if value < 90:
        return say(T("{count} min", count=round(value)))
    return say(T("{count:.1f} h", count=value / 60))
