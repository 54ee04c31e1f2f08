"""What makes two rows the same question: exactly, but for width, case and punctuation, or nearly.

Near copies are found through an index of character 5-grams and settled by rapidfuzz, field by field: the same text about
another entity is another question. Comparing 500 with 5,000 texts takes about 0.1 s.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from rapidfuzz import fuzz

from tools.task import Row

GRAM = 5
SHORT = 8
"""Fields of fewer characters must be equal: one other character makes another name."""
SHARED_GRAMS = 0.4
"""Part of the rarer grams that near copies share at least; each changed character breaks up to five grams."""
TEMPLATE_ROWS = 10
"""From this many different prompts on, what all of them begin and end with is the template, not the question."""

Question = tuple[tuple[str, str], ...]
"""Field names with their texts, normalised."""


def plain(text: str) -> str:
    """The text without differences of width, case, space and punctuation (NFKC, case-folded, letters and digits)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum()) or folded.strip()


class Questions:
    """Normalises rows of several splits alike; whole prompts and chats lose the template that all of them share."""

    def __init__(self, *splits: Sequence[Row]) -> None:
        asked = {text for rows in splits for row in rows for name, text in _texts(row) if name == _WHOLE}
        shared = len(asked) >= TEMPLATE_ROWS
        self._head = _common_start(asked) if shared else 0
        self._tail = _common_start({text[self._head :][::-1] for text in asked}) if shared else 0

    def of(self, row: Row) -> Question:
        """The normalised question of a row."""
        return tuple(sorted((name, plain(self._bare(name, text))) for name, text in _texts(row)))

    def _bare(self, name: str, text: str) -> str:
        return text[self._head : len(text) - self._tail] if name == _WHOLE else text


_WHOLE = "\0prompt"


def _common_start(texts: set[str]) -> int:
    """Number of characters that all texts begin with: what the first and the last in order share."""
    first, last = min(texts), max(texts)
    different = (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return next(different, min(len(first), len(last)))


def _texts(row: Row) -> list[tuple[str, str]]:
    """The fields of a row; a chat counts as the text of its user turns."""
    if set(row.fields) == {"messages"}:
        return [(_WHOLE, _user_text(row.fields["messages"]))]
    return [(_WHOLE if name == "prompt" else name, text) for name, text in row.fields.items()]


def _user_text(messages: str) -> str:
    try:
        turns = json.loads(messages)
        return "\n".join(turn["content"] for turn in turns if turn["role"] == "user")
    except (ValueError, TypeError, KeyError):
        return messages


class NearIndex:
    """Finds, among given questions, one that is nearly the same as another."""

    def __init__(self, questions: Sequence[Question], similarity: float) -> None:
        self._questions = questions
        self._similarity = similarity
        self._postings: dict[str, list[int]] = {}
        grams = [_grams(question) for question in questions]
        for number, found in enumerate(grams):
            for gram in found:
                self._postings.setdefault(gram, []).append(number)
        common = max(50, len(questions) // 20)
        self._postings = {gram: numbers for gram, numbers in self._postings.items() if len(numbers) <= common}
        self._sizes = [sum(gram in self._postings for gram in found) for found in grams]

    def nearest(self, question: Question, accept: Callable[[int], bool]) -> int | None:
        """Number of an accepted question that is nearly this one; None when there is none."""
        hits = Counter(number for gram in _grams(question) for number in self._postings.get(gram, ()))
        near = (number for number, shared in hits.most_common() if shared >= SHARED_GRAMS * self._sizes[number])
        alike = (number for number in near if similarity(question, self._questions[number]) >= self._similarity)
        return next((number for number in alike if accept(number)), None)


def similarity(first: Question, second: Question) -> float:
    """The smallest similarity over the fields, 0 to 1; 0 for different fields."""
    if [name for name, _ in first] != [name for name, _ in second]:
        return 0.0
    pairs: Iterable[tuple[str, str]] = ((a, b) for (_, a), (_, b) in zip(first, second, strict=True))
    return min((_alike(a, b) for a, b in pairs), default=0.0)


def _alike(first: str, second: str) -> float:
    if min(len(first), len(second)) < SHORT:
        return float(first == second)
    return float(fuzz.ratio(first, second)) / 100


def _grams(question: Question) -> set[str]:
    text = " ".join(text for _, text in question)
    return {text[start : start + GRAM] for start in range(max(1, len(text) - GRAM + 1))}
