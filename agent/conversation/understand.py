"""What a typed line means: a slash command, or free talk in English and Traditional Chinese, without a language model.

    line -> slash? -> strict phrase? (agent/conversation/strict.py) -> nearest phrase (agent/conversation/matching.py)

A line that is not understood, or that lacks something, is answered with what could be meant and never with a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue
from rapidfuzz import process

from agent.approval import ConfirmQuestion, DecideQuestion, ReviewQuestion
from agent.conversation.changes import read_change
from agent.conversation.clock import read_time
from agent.conversation.commands import BY_NAME, COMMANDS, Command, Slot
from agent.conversation.completing import Completion, complete
from agent.conversation.known import Known, known_in
from agent.conversation.matching import Match, best_matches, readings
from agent.conversation.situation import Situation
from agent.conversation.slots import Span, find_labels, find_pairs, find_slots, find_tasks, find_versions, read_numbers
from agent.conversation.strict import exact_order, read_version
from agent.conversation.typed import after_word, end_of, take_folder, take_forms, version_and_text
from agent.conversation.wording import fold, plain
from tools.errors import InputError
from tools.text import T, visible

__all__ = ["Completion", "Unclear", "Understood", "complete", "parse_slash", "understand"]

ENOUGH = 70.0
"""Score from which a sentence counts as understood."""
_NEAR = 45.0
"""Score from which a command is worth offering."""
_LONGEST = 400
"""Characters beyond which free talk is not a command."""
_NEGATED = re.compile(
    r"\b(?:not|never|no longer|without|stop|cannot|can't|won't)\b|n't\b|不要|不想|不用|不必|先別|別|勿|不需要|還不"
)
_ASKED = re.compile(r"\bshould\b|\bwhat happens\b|該不該|要不要|是否|是不是|會發生")


@dataclass(frozen=True)
class Understood:
    """A command with the values that were found."""

    command: Command
    args: dict[str, JsonValue]
    score: float
    """100 for a slash command and for a phrase word for word."""


@dataclass(frozen=True)
class Unclear:
    """What could be meant: the nearest commands, or one command that lacks something."""

    candidates: list[Command]
    missing: Slot | None = None
    args: dict[str, JsonValue] | None = None
    """What was found besides."""


def parse_slash(line: str, situation: Situation) -> Understood | Unclear:
    """A line that begins with a slash; raises InputError with the nearest names for a word that is no command."""
    word, _, rest = plain(line).lstrip("/").partition(" ")
    word, rest = _split_chinese(word, rest)
    command = BY_NAME.get(fold(word))
    if command is None:
        raise _unknown(word)
    if Slot.text in command.slots:
        found = version_and_text(after_word(line, word))._asdict()
        return _completed(command, {name: value for name, value in found.items() if value}, situation, 100.0)
    known = known_in(situation)
    args: dict[str, JsonValue] = {}
    left = rest.strip()
    for slot in command.slots:
        value, left = _take(slot, left, known)
        if value is not None:
            args[slot.value] = value
    if "change" in args:
        args |= _task_beside(rest, known)
    if "folder" in args:
        args["folder"] = end_of(after_word(line, word), str(args["folder"]))
    # What decides is taken only as a whole: "/approve 1 only if it is cheap" and "/approve 1-3" are no approval of 1.
    if left and command.slots and (command.strict or not args):
        return Unclear([command], command.slots[0])
    return _completed(command, args, situation, 100.0)


def brings_a_text(text: str) -> bool:
    """True for a message that hands over a text to be answered: what it names is nothing that the program should turn to."""
    word, _, rest = plain(text).partition(" ")
    if word.startswith("/"):
        command = BY_NAME.get(fold(_split_chinese(word.lstrip("/"), rest)[0]))
    else:
        order = exact_order(text)
        command = order[0] if order is not None else None
    return command is not None and Slot.text in command.slots


def understand(text: str, situation: Situation) -> Understood | Unclear:
    """Free talk; the commands that decide something count only word for word."""
    order = exact_order(text)
    if order is not None:
        return _completed(order[0], order[1], situation, 100.0)
    typed = plain(text)
    folded = fold(typed)
    if not folded or len(folded) > _LONGEST:
        return Unclear([])
    known = known_in(situation)
    spans = find_slots(typed, known)
    named = next((span.value for span in spans if span.slot is Slot.task and not span.weak), None)
    if named is not None:
        spans = find_slots(typed, known.of(named))
    matches = best_matches(readings(folded, spans))
    chosen = _chosen(matches, folded)
    if chosen is None:
        return Unclear([match.command for match in matches[:3] if match.score >= _NEAR])
    args = _args(chosen)
    if chosen.missing is not None:
        return Unclear([chosen.command], chosen.missing, args)
    owner = known.owner(_labels(args)) if "task" not in args else None
    return _completed(chosen.command, {**args, "task": owner} if owner else args, situation, chosen.score)


def _chosen(matches: list[Match], folded: str) -> Match | None:
    """The best match, unless it is too weak, decides something, or would do what the sentence speaks against."""
    if not matches or matches[0].score < ENOUGH:
        return None
    best = matches[0]
    against = _NEGATED.search(folded) or (best.command.name == "improve" and _ASKED.search(folded))
    if best.command.strict or (against and (best.command.acts or best.command.name == "try")):
        return None
    return best


def _args(match: Match) -> dict[str, JsonValue]:
    args: dict[str, JsonValue] = {slot.value: value for slot, value in match.rest.items()}
    versions = [span.value for span in match.spans if span.slot is Slot.version]
    for span in match.spans:
        if span.slot is not Slot.version and span.slot.value not in args:
            args[span.slot.value] = span.value
    if versions:
        wants_several = Slot.versions in match.command.slots
        args["versions" if wants_several else "version"] = (
            list(dict.fromkeys(versions)) if wants_several else versions[0]
        )
    wanted = {*match.command.slots, Slot.task, *((Slot.label,) if "change" in args else ())}
    return {name: value for name, value in args.items() if Slot(name) in wanted}


def _labels(args: dict[str, JsonValue]) -> list[JsonValue]:
    pair = args.get("pair")
    return [*([args["label"]] if "label" in args else []), *(pair if isinstance(pair, list) else [])]


def _completed(
    command: Command, args: dict[str, JsonValue], situation: Situation, score: float
) -> Understood | Unclear:
    """With what the question under discussion says by itself; unclear when something needed is still missing."""
    full = {**_from_question(command, situation), **args}
    missing = next((slot for slot in command.required if slot.value not in full), None)
    return Unclear([command], missing, full) if missing is not None else Understood(command, full, score)


def _from_question(command: Command, situation: Situation) -> dict[str, JsonValue]:
    match situation.question:
        case ReviewQuestion(number=number) if Slot.numbers in command.slots and command.strict:
            return {"numbers": [number]}
        case DecideQuestion(version=version) | ConfirmQuestion(version=version) if command.name == "adopt":
            return {"version": version}
    return {}


# --- slash commands ---------------------------------------------------------------------------------------------------


def _split_chinese(word: str, rest: str) -> tuple[str, str]:
    """/核准1 and /錯誤中立→正面 need no space after a Chinese word."""
    if fold(word) in BY_NAME:
        return word, rest
    for name in sorted(BY_NAME, key=len, reverse=True):
        if not name.isascii() and word.startswith(name):
            return name, f"{word[len(name) :]} {rest}"
    return word, rest


def _unknown(word: str) -> InputError:
    near = [name for name, score, _ in process.extract(fold(word), list(BY_NAME), limit=3) if score >= 50]
    shown = near or [command.name for command in COMMANDS[:3]]
    return InputError(
        T("There is no command /{word}.", word=visible(word, 40)),
        hint=T("The nearest ones: {names}. /help lists all of them.", names=", ".join(f"/{name}" for name in shown)),
    )


def _take(slot: Slot, rest: str, known: Known) -> tuple[JsonValue, str]:  # noqa: PLR0911 - one line for each kind of slot
    """The value of a slot and what is left of the line."""
    folded = fold(rest)
    match slot:
        case Slot.numbers:
            return _leading_numbers(rest)
        case Slot.reason | Slot.words | Slot.page:
            return (re.sub(r"^(?:because|since|因為|:|,|-)\s*", "", rest) or None), ""
        case Slot.change:
            return read_change(rest, known.labels) if rest else None, ""
        case Slot.until:
            clock = read_time(folded)
            return (clock, "") if clock else (None, rest)
        case Slot.version:
            version = read_version(folded) or (f"v{folded}" if folded.isdigit() else None)
            return (version, "") if version else _leading_version(rest)
        case Slot.form | Slot.folder:
            return _of_export(slot, rest)
        case Slot.task:
            return _task(rest, folded, known)
    return _first(slot, rest, folded, known)


def _first(slot: Slot, rest: str, folded: str, known: Known) -> tuple[JsonValue, str]:
    finders = {Slot.pair: find_pairs, Slot.label: find_labels, Slot.versions: find_versions}
    spans: list[Span] = list(finders[slot](folded, known))
    if not spans:
        return None, rest
    if slot is Slot.versions:
        return list(dict.fromkeys(span.value for span in spans)), ""
    return spans[0].value, (rest[: spans[0].start] + rest[spans[0].end :]).strip()


def _task_beside(rest: str, known: Known) -> dict[str, JsonValue]:
    """The task that is named beside a change: /try learning rate 2e-4 in stance; part of a value it is none."""
    spans = find_slots(rest, known)
    if all(span.slot is not Slot.change for span in spans):
        return {}
    return next(({"task": span.value} for span in spans if span.slot is Slot.task and not span.weak), {})


def _task(rest: str, folded: str, known: Known) -> tuple[JsonValue, str]:
    names = [task.name for task in known.tasks]
    if rest in names or (rest and ("/" in rest or Path(rest).is_absolute())):
        return rest, ""
    span = next(iter(find_tasks(folded, known)), None)
    return (span.value, "") if span is not None else (None, rest)


def _leading_version(rest: str) -> tuple[JsonValue, str]:
    first, _, left = rest.partition(" ")
    version = read_version(fold(first))
    return (version, left) if version else (None, rest)


def _of_export(slot: Slot, rest: str) -> tuple[JsonValue, str]:
    if slot is Slot.folder:
        return take_folder(rest), ""
    forms, left = take_forms(rest)
    return (list(forms), left) if forms else (None, rest)


def _leading_numbers(rest: str) -> tuple[JsonValue, str]:
    """The longest beginning that is only numbers, and the rest."""
    for end in range(len(rest), 0, -1):
        numbers = read_numbers(fold(rest[:end]))
        if numbers:
            return list(numbers), rest[end:].strip()
    return None, rest
