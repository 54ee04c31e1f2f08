"""The reference pages: an index read from their front matter, and the text of one page when it is wanted.

    references/troubleshooting/overfitting.en.md        id "troubleshooting/overfitting", English
    references/methods/lora.zh-TW.md                    id "methods/lora", Traditional Chinese

Searching looks at the cards of the index only (id, title, symptoms, when to read, in both languages). This is not a
full-text search: a page body is read by `Library.read` and by nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import fuzz, process
from ruamel.yaml import YAML, YAMLError

from agent.i18n import LANGUAGES, normalise_language
from agent.i18n import Language as PageLanguage
from agent.paths import bundled_dir
from tools.errors import MissingPart, NotFound
from tools.text import T, visible

_FENCE = b"---"


class PageCard(BaseModel):
    """The front matter of one page: enough to list it, find it and decide whether to open it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    """Section and name, such as "troubleshooting/overfitting"."""
    title: str
    symptoms: list[str] = Field(min_length=1)
    """What a person would say who needs this page."""
    tools: list[str]
    """Commands of this program that the page uses."""
    when_to_read: str
    """One sentence."""
    related: list[str] = []
    """Ids of pages to read next."""
    language: PageLanguage

    @property
    def section(self) -> str:
        """The part before the slash: troubleshooting or methods."""
        return self.id.partition("/")[0]


class Page(BaseModel):
    """A whole page: its card and its Markdown text without front matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    card: PageCard
    text: str


class Library:
    """The reference pages under one folder; each file is opened at most once for its card."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root if root is not None else bundled_dir("references")
        self._cards: dict[Path, PageCard] = {}

    @cached_property
    def ids(self) -> list[str]:
        """All page ids, from the file names alone."""
        return sorted(f"{path.parent.name}/{path.name.removesuffix('.en.md')}" for path in self.root.glob("*/*.en.md"))

    def index(self, language: str = "en") -> list[PageCard]:
        """Cards of all pages in `language`, English where a translation is missing; reads front matter only."""
        return [self._card(page_id, page_language(language)) for page_id in self.ids]

    def read(self, page_id: str, language: str = "en") -> Page:
        """One page in `language`, else in English; raises NotFound with the nearest ids, MissingPart when damaged."""
        if page_id not in self.ids:
            raise self._unknown(page_id)
        wanted = page_language(language)
        path, found = self._file(page_id, wanted)
        head, body = _split(path, path.read_bytes())
        return Page(card=_parse_card(path, head, found), text=_decode(path, body))

    def search(self, query: str, language: str = "en", limit: int = 5) -> list[PageCard]:
        """The cards that fit `query` best, best first; the query may be in either language and misspelt."""
        words = _query_words(query)
        if not words or limit < 1:
            return []
        shelves = [_Shelf.of(page_id, [self._card(page_id, each) for each in LANGUAGES]) for page_id in self.ids]
        scores = _score(words, shelves)
        best = sorted(
            (page_id for page_id in scores if scores[page_id] >= _ENOUGH), key=lambda each: _rank(each, scores)
        )
        return [self._card(page_id, page_language(language)) for page_id in best[:limit]]

    def _card(self, page_id: str, language: PageLanguage) -> PageCard:
        path, found = self._file(page_id, language)
        if path not in self._cards:
            self._cards[path] = _parse_card(path, _read_head(path), found)
        return self._cards[path]

    def _file(self, page_id: str, language: PageLanguage) -> tuple[Path, PageLanguage]:
        wanted = self.root / f"{page_id}.{language}.md"
        return (wanted, language) if wanted.is_file() else (self.root / f"{page_id}.en.md", "en")

    def _unknown(self, page_id: str) -> NotFound:
        names = {page: page.partition("/")[2] for page in self.ids}
        near = [name for _, _, name in process.extract(page_id.rpartition("/")[2], names, limit=3)]
        return NotFound(
            T("There is no reference page {page}.", page=repr(visible(page_id, 80))),
            hint=T("The nearest pages are {pages}. `iterate refs` lists all of them.", pages=", ".join(near)),
        )


def page_language(language: str) -> PageLanguage:
    """The language of the pages for a locale name such as zh_TW.UTF-8; English for every language without pages."""
    return normalise_language(language) or "en"


def _read_head(path: Path) -> bytes:
    """The lines between the two fences, reading no further than the second one."""
    lines: list[bytes] = []
    with path.open("rb") as stream:
        if stream.readline().rstrip() != _FENCE:
            raise _damaged(path, "no front matter")
        for line in stream:
            if line.rstrip() == _FENCE:
                return b"".join(lines)
            lines.append(line)
    raise _damaged(path, "front matter without an end")


def _split(path: Path, content: bytes) -> tuple[bytes, bytes]:
    match = re.match(rb"---[ \t]*\r?\n(.*?\n)---[ \t]*(?:\r?\n|\Z)", content, re.DOTALL)
    if match is None:
        raise _damaged(path, "no front matter")
    return match[1], content[match.end() :].lstrip()


def _parse_card(path: Path, head: bytes, language: PageLanguage) -> PageCard:
    try:
        values = YAML(typ="safe", pure=True).load(_decode(path, head))
        return PageCard.model_validate({**values, "language": language})
    except (YAMLError, ValidationError, TypeError) as reason:
        raise _damaged(path, type(reason).__name__) from reason


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as reason:
        raise _damaged(path, "not UTF-8") from reason


def _damaged(path: Path, reason: str) -> MissingPart:
    return MissingPart(
        T("The reference page {path} is damaged ({reason}).", path=str(path), reason=reason),
        hint=T("Install the program again; the pages come with it."),
    )


# --- search ---------------------------------------------------------------------------------------------------------
# A query is a set of words: Latin words, and pairs of neighbouring Chinese characters (words without a segmenter). Rare
# words weigh more (inverse document frequency); a word in a title weighs more than one in a sentence.

_ENOUGH = 0.3
"""Share of the query's weight that a page must match to be listed."""
_TITLE, _SYMPTOM, _SENTENCE = 1.0, 0.9, 0.6
_SAME_WORD = 82
"""rapidfuzz ratio (0 to 100) from which two Latin words count as the same: plurals and one slip of the finger."""
_LATIN = re.compile(r"[a-z0-9]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]+")


def _latin_words(text: str) -> set[str]:
    return set(_LATIN.findall(text.lower()))


def _query_words(query: str) -> set[str]:
    runs = _CHINESE.findall(query)
    pairs = {run[i : i + 2] for run in runs for i in range(max(len(run) - 1, 1))}
    return _latin_words(query) | pairs


@dataclass(frozen=True)
class _Field:
    weight: float
    text: str
    words: frozenset[str]

    @classmethod
    def of(cls, weight: float, text: str) -> _Field:
        return cls(weight, text, frozenset(_latin_words(text)))

    def match(self, word: str) -> float:
        """How well one query word is found here, 0 to its weight."""
        if not word.isascii():
            return self.weight if word in self.text else 0.0
        return self.weight * max((_similar(word, mine) for mine in self.words), default=0.0)


@dataclass(frozen=True)
class _Shelf:
    """What can be searched of one page, in both languages."""

    id: str
    fields: tuple[_Field, ...]

    @classmethod
    def of(cls, page_id: str, cards: Iterable[PageCard]) -> _Shelf:
        fields = [_Field.of(_TITLE, page_id.partition("/")[2].replace("-", " "))]
        for card in cards:
            fields += [_Field.of(_TITLE, card.title), _Field.of(_SENTENCE, card.when_to_read)]
            fields += [_Field.of(_SYMPTOM, symptom) for symptom in card.symptoms]
        return cls(page_id, tuple(fields))

    def match(self, words: dict[str, float]) -> float:
        """Share of the query's weight found in the page, plus a tenth for finding it within one field."""
        total = sum(words.values()) or 1.0
        found = {word: [each.match(word) for each in self.fields] for word in words}
        anywhere = sum(weight * max(found[word]) for word, weight in words.items())
        together = max(sum(weight * found[w][i] for w, weight in words.items()) for i in range(len(self.fields)))
        return (anywhere + 0.1 * together) / total


def _similar(word: str, other: str) -> float:
    if word == other:
        return 1.0
    if len(word) >= 4 and other.startswith(word):
        return 0.95
    if min(len(word), len(other)) < 5:
        return 0.0  # low and slow are two words
    return float(fuzz.ratio(word, other, score_cutoff=_SAME_WORD)) / 100


def _score(words: set[str], shelves: list[_Shelf]) -> dict[str, float]:
    """Page id to score; words that no page knows count half, so that one odd word does not hide a good page."""
    weights: dict[str, float] = {}
    for word in words:
        pages = sum(any(each.match(word) for each in shelf.fields) for shelf in shelves)
        weights[word] = math.log(1 + len(shelves) / pages) if pages else 0.5
    return {shelf.id: shelf.match(weights) for shelf in shelves}


def _rank(page_id: str, scores: dict[str, float]) -> tuple[float, bool, str]:
    """Order of two pages: the better score, then symptoms before methods, since people search for what they see."""
    return -round(scores[page_id], 6), not page_id.startswith("troubleshooting/"), page_id
