"""Finding in typed text what may follow a command: tasks, labels, versions, numbers of proposals, times, changes.

Everything here works on text that agent/conversation/wording.py has folded, and knows names from agent/conversation/known.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import JsonValue
from rapidfuzz import fuzz

from agent.conversation.changes import find_change
from agent.conversation.clock import find_time
from agent.conversation.commands import COMMANDS, Slot
from agent.conversation.known import CHINESE_RUN, Known, TaskFacts, named_by
from agent.conversation.wording import NUMBER_WORD, fold, numeral

_SAME_NAME = 80
"""rapidfuzz ratio from which a misspelt name is taken for a known one."""
_SHORTEST_MISSPELT = 5
_SYNONYMS = (
    ("neutral", "中立", "中性"),
    ("positive", "正面", "正向"),
    ("negative", "負面", "負向"),
    ("support", "supportive", "支持", "贊成"),
    ("oppose", "opposed", "opposing", "反對"),
)
"""Labels that people name in the other language."""


@dataclass(frozen=True)
class Span:
    """A slot's value and where it stands in the folded text."""

    start: int
    end: int
    slot: Slot
    value: JsonValue
    weak: bool = False
    """True when it may be a plain word as well."""


def find_slots(typed: str, known: Known) -> list[Span]:
    """Everything found, without overlaps, in the order of the text."""
    kept: list[Span] = []
    text = fold(typed)
    for finder in _FINDERS:
        for span in finder(typed if finder is find_changes else text, known):  # values keep their case
            if all(span.end <= one.start or one.end <= span.start for one in kept):
                kept.append(span)
    return sorted(kept, key=lambda span: span.start)


# --- labels and pairs -------------------------------------------------------------------------------------------------

_FORWARD = (
    r"\s*(?:[-=]+>|→|➜|➡|⇒|>|\bto\b|\bas\b|\binto\b|\bfor\b|\bbecame\b|\bwith\b|\bvs\.?\b"
    r"|(?:(?:is |was |were |are )?(?:mis)?(?:predicted|classified|labell?ed|taken|answered|confused|read|called|judged)"
    r" (?:as|for|with|to be))"
    r"|(?:的)?(?:卻|都)?(?:被|給)?(?:誤|錯)?(?:判斷?|認|看|分類?|預測|當|答|標|讀|變|猜|歸)?(?:成|成了|為|作|做|到|錯成))\s*"
)
_BACKWARD = r"\s*(?:instead of|rather than|but should be|where it should be|而不是|應該是|應為|其實是)\s*"


def find_pairs(text: str, known: Known) -> Iterator[Span]:
    """Expected and answered label: 中立→正面, "中立 to 正面", 「中立被誤判成正面」, "正面 instead of 中立"."""
    labels = list(find_labels(text, known))
    for one, other in pairwise(labels):
        between = text[one.end : other.start]
        if re.fullmatch(_FORWARD, between, re.A):
            yield Span(one.start, other.end, Slot.pair, [one.value, other.value])
        elif re.fullmatch(_BACKWARD, between, re.A):
            yield Span(one.start, other.end, Slot.pair, [other.value, one.value])


def find_labels(text: str, known: Known) -> Iterator[Span]:
    """Labels in the order of the text, also in the other language and, for long Latin names, misspelt."""
    found: list[Span] = []
    for name, label in sorted(_label_names(known.labels), key=lambda pair: -len(pair[0])):
        for match in re.finditer(_word(name), text, re.A):
            if all(match.end() <= one.start or one.end <= match.start() for one in found):
                found.append(Span(match.start(), match.end(), Slot.label, label))
    if not found:
        found = [*_misspelt(text, {fold(label): label for label in known.labels}, Slot.label)]
    yield from sorted(found, key=lambda span: span.start)


def _label_names(labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    for label in labels:
        name = fold(label)
        if len(name) > 1 or not name.isascii():
            yield name, label
        for group in _SYNONYMS:
            if name in group:
                yield from ((other, label) for other in group if other != name and other not in labels)


def _word(name: str) -> str:
    """A pattern for a name: Latin names stand alone, and their parts may be joined by spaces, hyphens or underscores."""
    if not name.isascii():
        return re.escape(name)
    return r"(?<![a-z0-9])" + r"[ _-]?".join(map(re.escape, re.split(r"[ _-]+", name))) + r"(?![a-z0-9])"


def _misspelt(text: str, names: dict[str, str], slot: Slot) -> Iterator[Span]:
    words = list(re.finditer(r"[a-z0-9]+(?:[_-][a-z0-9]+)*", text))
    for name, value in names.items():
        size = len(re.split(r"[ _-]+", name))
        for first in range(len(words)):
            for length in {1, size}:
                window = words[first : first + length]
                typed = text[window[0].start() : window[-1].end()]
                near = len(typed) >= _SHORTEST_MISSPELT and fuzz.ratio(typed, name) >= _SAME_NAME
                if near and typed not in _PHRASE_WORDS:
                    yield Span(window[0].start(), window[-1].end(), slot, value)


# --- tasks ------------------------------------------------------------------------------------------------------------

_AROUND_TASK = r"(?: (?:task|dataset|model)\b)?"


def find_tasks(text: str, known: Known) -> Iterator[Span]:
    """Names of tasks as they are, misspelt, or by a word that only one task's description has (立場, 公文, sentiment)."""
    for task in sorted(known.tasks, key=lambda one: -len(one.name)):
        for match in re.finditer(_word(fold(task.name)) + _AROUND_TASK, text, re.A):
            yield Span(match.start(), match.end(), Slot.task, task.name)
    yield from _misspelt(text, {fold(task.name): task.name for task in known.tasks}, Slot.task)
    yield from _described(text, known.tasks)


def _described(text: str, tasks: tuple[TaskFacts, ...]) -> Iterator[Span]:
    for match in re.finditer(r"[a-z]{4,}(?: [a-z]{4,})?" + _AROUND_TASK, text, re.A):
        words = re.sub(r" (?:task|dataset|model)$", "", match[0])
        for part in (words, *words.split()):
            name = named_by(part, tasks)
            if name is not None and part not in _PHRASE_WORDS:
                start = match.start() + match[0].index(part)
                yield Span(start, start + len(part), Slot.task, name, weak=True)
                break
    for run in CHINESE_RUN.finditer(text):
        for start, end in _longest_first(run[0]):
            words = run[0][start:end]
            name = named_by(words, tasks) if words not in _PHRASE_CHINESE else None
            if name is not None:
                tail = re.match(r"(?:分析|分類|判斷|抽取|欄位)?(?:的?任務|模型)?", text[run.start() + end :])
                extra = tail.end() if tail else 0
                yield Span(run.start() + start, run.start() + end + extra, Slot.task, name, weak=True)
                break


def _longest_first(run: str) -> Iterator[tuple[int, int]]:
    """Places of all parts of two to six characters, longest first."""
    for size in range(min(6, len(run)), 1, -1):
        yield from ((start, start + size) for start in range(len(run) - size + 1))


# --- versions, numbers, times, changes ----------------------------------------------------------------------------------

VERSION = (
    rf"(?:(?<![a-z0-9])v ?(\d{{1,6}})(?!\w|\.\d)|\bversion (\d{{1,6}})\b|版本 ?(\d{{1,6}})|第 ?({NUMBER_WORD}) ?版)"
)
_ONE_NUMBER = (
    r"(?:\bthe )?(?:\bproposals?\b|\bnumber\b|\bno\.|#|提案|提議|建議|編號)? ?(?:#|第)? ?"
    rf"({NUMBER_WORD}) ?(?:個|號|項|案|\bone\b)?(?:提案|建議)?"
)
_AND = r"(?: ?(?:,|、|\band\b|&|\+|和|跟|與|及) ?(?:and |和)?| )"
NUMBERS = rf"{_ONE_NUMBER}(?:{_AND}{_ONE_NUMBER})*"


def find_versions(text: str, _known: Known) -> Iterator[Span]:
    """v2, version 2, 版本2, 第二版."""
    for match in re.finditer(VERSION, text, re.A):
        number = numeral(next(group for group in match.groups() if group))
        yield Span(match.start(), match.end(), Slot.version, f"v{number}")


def find_numbers(text: str, _known: Known) -> Iterator[Span]:
    """Numbers of proposals: 1 and 3, 1、3, #2, 第二個."""
    for match in re.finditer(NUMBERS, text, re.A):
        value = read_numbers(match[0])
        if value:
            yield Span(match.start(), match.end(), Slot.numbers, list(value))


def read_numbers(text: str) -> list[int] | None:
    """The numbers when the folded text is nothing but numbers, each once; None when anything else is in it."""
    bare = text.strip()
    if not re.fullmatch(NUMBERS, bare, re.A):
        return None
    words = [match[1] for match in re.finditer(_ONE_NUMBER, bare, re.A)]
    numbers = [numeral(word) for word in words]
    if not numbers or any(number is None or number < 1 for number in numbers):
        return None
    return list(dict.fromkeys(number for number in numbers if number is not None))


def find_times(text: str, _known: Known) -> Iterator[Span]:
    """The time of day until which something is to go on."""
    found = find_time(text)
    if found is not None:
        yield Span(found.start, found.end, Slot.until, found.clock)


def find_changes(typed: str, known: Known) -> Iterator[Span]:
    """What is to be changed."""
    found = find_change(typed, known.labels)
    if found is not None:
        yield Span(found.start, found.end, Slot.change, found.change)


_FINDERS: tuple[Callable[[str, Known], Iterator[Span]], ...] = (
    find_pairs,
    find_versions,
    find_changes,
    find_times,
    find_labels,
    find_tasks,
    find_numbers,
)
"""In the order in which they may claim a part of the text."""

_PHRASE_WORDS = frozenset(
    word
    for one in COMMANDS
    for phrase in one.phrases
    for word in re.findall(r"[a-z]+", re.sub(r"\{\w+\}", " ", phrase))
)
_PHRASE_CHINESE = frozenset(
    run[0][start:end]
    for one in COMMANDS
    for phrase in one.phrases
    for run in CHINESE_RUN.finditer(re.sub(r"\{\w+\}", " ", phrase))
    for start, end in _longest_first(run[0])
)
"""Words of the phrases themselves are never taken for a name of a task."""
