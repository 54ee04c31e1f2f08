"""Which rows of a batch a person looks at: words that must occur, undecided ones only, those with a failed check only."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.reviewing.batch import Batch, Item


class ItemFilter(BaseModel):
    """What is shown; the default shows everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: str = ""
    """Each word must occur somewhere in the row: text, labels, reasons, source."""
    undecided: bool = False
    failed: bool = False
    """Only rows with a check that failed."""


def filter_items(batch: Batch, wanted: ItemFilter) -> list[Item]:
    """The items of the batch that fit, in its order."""
    return [item for item in batch.items if _fits(item, wanted)]


def has_words(words: str, texts: Iterable[str]) -> bool:
    """True when every word of `words` occurs in one of the texts, whatever its width and case."""
    hay = "\n".join(map(_folded, texts))
    return all(word in hay for word in _folded(words).split())


def answer_words(value: JsonValue) -> str:
    """An answer as one line of text: a label or a text as it is, everything else as JSON, nothing as ""."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fits(item: Item, wanted: ItemFilter) -> bool:
    if wanted.undecided and item.decision is not None:
        return False
    if wanted.failed and all(check.passed for check in item.candidate.checks):
        return False
    return has_words(wanted.words, _texts(item)) if wanted.words else True


def _texts(item: Item) -> list[str]:
    one = item.candidate
    checks: Sequence[str] = [str(part) for check in one.checks for part in (check.name, check.reason) if part]
    answers = [answer_words(value) for value in (one.answer, one.suggested, one.answered, item.answer)]
    said = [item.decision.reason] if item.decision else []
    return [
        one.id,
        *_values(one.fields),
        *_values(item.fields),
        *answers,
        one.source,
        str(one.why or ""),
        *checks,
        *said,
    ]


def _values(fields: Mapping[str, str]) -> list[str]:
    return list(fields.values())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
