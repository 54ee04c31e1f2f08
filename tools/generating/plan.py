"""What a batch is to hold and how each question for it reads: which examples, which names, how long, in which register.

A question follows from the plan, the training rows and its number alone, so that a batch that was killed asks the same again.
Examples come from train only; of validation nothing but the counts of confused labels is used.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, PositiveInt

from tools.editing.nearest import nearest
from tools.errors import NotFound
from tools.generating.facts import Facts
from tools.generating.forms import UNCLEAR, judged_label, label_key, written_rows
from tools.generating.writer import JudgeSlots, Message, Wording, WriteSlots
from tools.results import SplitResult
from tools.task import Row
from tools.text import T, visible

MOST_IN_REQUEST = 5
"""Rows that one question asks for; more come out alike."""
_ANSWER_TOKENS = 1_200
"""Tokens that the rows of one answer may fill."""
_OVERHEAD = 40
"""Tokens of a written row that are not its text."""
OWN_EXAMPLES, OTHER_EXAMPLES, JUDGE_EXAMPLES = 3, 2, 2
KNOWN_ROWS = 12
"""Training rows that the judge answers as well, to see whether its word counts."""
_LONGEST_EXAMPLE = 1_500
JUDGE_TOKENS = 256
_NOT_SHOWN = "(none may be shown)"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Confusion(_Model):
    """Another label that the one to be written is mixed up with, in validation answers over all seeds."""

    other: str
    taken_for: int
    """Rows of the label that were answered with the other."""
    taken_from: int
    """Rows of the other that were answered with the label."""


class Plan(_Model):
    """What a batch is to hold; written once, before the first question."""

    batch: str
    label: str
    wanted: PositiveInt
    per_request: PositiveInt
    seed: int = 0
    """Of another batch it is another one: the same questions would bring the same rows, which are copies then."""
    confusions: list[Confusion] = []
    version: str | None = None
    """Whose validation answers the confusions were counted in."""
    model: str
    output: str | None = None
    """Where the rows that pass are copied to, relative to the task folder."""
    created_at: str


@dataclass(frozen=True)
class Question:
    """One question to the model, whoever answers it."""

    id: str
    """w0001 asks for rows, j-w0001.2 judges one of them, k-ID judges a training row whose label is known."""
    messages: list[Message]
    form: type[BaseModel]
    most: int
    """Tokens of an answer."""

    @property
    def writes(self) -> bool:
        """True for a question for rows, False for one to the judge."""
        return self.id.startswith("w")


def choose_label(facts: Facts, wanted: str | None) -> str:
    """The label to write for: the one asked for, else the one with the fewest training rows; raises NotFound."""
    if wanted is None:
        counts = {label: sum(row.answer == label for row in facts.train) for label in facts.labels}
        return min(counts, key=lambda label: counts[label])
    if wanted not in facts.labels:
        near = nearest(wanted, facts.labels)
        labels = ", ".join(visible(label, 40) for label in facts.labels)
        hint = T("The labels are {labels}.", labels=labels)
        if near is not None:
            hint = T("Did you mean {label}? The labels are {labels}.", label=visible(near, 40), labels=labels)
        raise NotFound(T("This task has no label {label}.", label=visible(wanted, 80)), hint=hint)
    return wanted


def rows_in_request(facts: Facts, wanted: int) -> int:
    """How many rows one question asks for: fewer where texts are long."""
    tokens = facts.length_at(0.95) + _OVERHEAD
    return max(1, min(MOST_IN_REQUEST, _ANSWER_TOKENS // tokens, wanted))


def confusions_of(label: str, result: SplitResult | None) -> list[Confusion]:
    """What a label was mixed up with on validation, most often first."""
    counts: Mapping[str, Mapping[str, int]] = result.confusion if result else {}
    others = [other for other in counts if other != label]
    found = [
        Confusion(other=other, taken_for=counts.get(label, {}).get(other, 0), taken_from=counts[other].get(label, 0))
        for other in others
    ]
    mixed = [one for one in found if one.taken_for or one.taken_from]
    return sorted(mixed, key=lambda one: -(one.taken_for + one.taken_from))


class Questions:
    """Makes the questions of one batch."""

    def __init__(self, facts: Facts, plan: Plan, wording: Wording, *, may_see_rows: bool) -> None:
        self._facts, self._plan, self._wording = facts, plan, wording
        self._may_see_rows = may_see_rows
        self._definition = facts.task.definition
        self._by_label = {label: [row for row in facts.train if row.answer == label] for label in facts.labels}
        self._judge_form = judged_label(facts.labels)
        self._write_form = written_rows(self._definition, facts.labels)
        shuffled = random.Random(f"{plan.seed}:judge")
        mixed = {label: shuffled.sample(rows, len(rows)) for label, rows in self._by_label.items()}
        self._judge_examples = [row for rows in mixed.values() for row in rows[:JUDGE_EXAMPLES]]
        share = -(-KNOWN_ROWS // max(1, len(mixed)))
        self._known = [row for rows in mixed.values() for row in rows[JUDGE_EXAMPLES : JUDGE_EXAMPLES + share]]

    def write(self, number: int) -> Question:
        """The question for rows with this number, from 1 on."""
        rng = random.Random(f"{self._plan.seed}:{number}")
        other = self._other(rng)
        tokens = self._plan.per_request * (self._facts.length_at(1.0) * 2 + _OVERHEAD)
        slots = WriteSlots(
            task=self._task(),
            language=_LANGUAGES.get(
                self._definition.language or "", self._definition.language or "that of the examples"
            ),
            labels=", ".join(self._facts.labels),
            label=self._plan.label,
            confusion=self._confusion(other),
            examples=self._lines(self._examples(other, rng)),
            count=str(self._plan.per_request),
            fields=", ".join([*self._facts.fields, label_key(self._definition)]),
            cells="\n".join(self._cell(number, place, rng) for place in range(self._plan.per_request)),
        )
        return Question(f"w{number:04d}", _user(self._wording.write(slots)), self._write_form, 200 + tokens)

    def judge(self, row_id: str, fields: Mapping[str, str]) -> Question:
        """The question for a written row's label; the label itself is not in it."""
        return Question(f"j-{row_id}", self._judged(fields), self._judge_form, JUDGE_TOKENS)

    def known(self) -> dict[str, Row]:
        """Question id to training rows whose label the judge has to find; none where rows may not be shown."""
        return {f"k-{row.id}": row for row in self._known} if self._may_see_rows else {}

    def known_questions(self) -> list[Question]:
        """The questions for them."""
        return [
            Question(name, self._judged(row.fields), self._judge_form, JUDGE_TOKENS)
            for name, row in self.known().items()
        ]

    def _judged(self, fields: Mapping[str, str]) -> list[Message]:
        choices = [*self._facts.labels, *([] if UNCLEAR in self._facts.labels else [UNCLEAR])]
        slots = JudgeSlots(
            task=self._task(),
            labels=", ".join(choices),
            examples=self._lines(self._judge_examples),
            row=json.dumps(dict(fields), ensure_ascii=False),
        )
        return _user(self._wording.judge(slots))

    def _task(self) -> str:
        said = self._definition.raw.get("input_format")
        about = said.get("description") if isinstance(said, dict) else None
        parts = [self._definition.description, about if isinstance(about, str) else None]
        told = " ".join(part for part in parts if part)
        return f"{told}\nThe trained model is asked: {self._definition.template}".strip()

    def _other(self, rng: random.Random) -> str | None:
        """The label to come close to: one that is confused with it, the more often the likelier."""
        if self._plan.confusions:
            weights = [one.taken_for + one.taken_from for one in self._plan.confusions]
            return rng.choices(self._plan.confusions, weights)[0].other
        others = [label for label in self._facts.labels if label != self._plan.label]
        return rng.choice(others) if others else None

    def _confusion(self, other: str | None) -> str:
        label = self._plan.label
        if other is None:
            return ""
        count = next((one for one in self._plan.confusions if one.other == other), None)
        seen = f"The trained model mixes {label} and {other} up"
        if count is not None:
            seen += f" ({label} taken for {other}: {count.taken_for}, {other} taken for {label}: {count.taken_from})"
        return f"{seen}. Write rows that a careless reader takes for {other}, and that are {label} when read with care."

    def _examples(self, other: str | None, rng: random.Random) -> list[Row]:
        own = self._by_label[self._plan.label]
        near = self._by_label.get(other or "", [])
        return [
            *rng.sample(own, min(OWN_EXAMPLES, len(own))),
            *rng.sample(near, min(OTHER_EXAMPLES, len(near))),
        ]

    def _lines(self, rows: Sequence[Row]) -> str:
        if not self._may_see_rows:
            return _NOT_SHOWN
        key = label_key(self._definition)
        return "\n".join(json.dumps({**_short(row.fields), key: row.answer}, ensure_ascii=False) for row in rows)

    def _cell(self, number: int, place: int, rng: random.Random) -> str:
        """What one row is to be like; names and lengths come in turn, so that all of them are used equally often."""
        at = (number - 1) * self._plan.per_request + place
        shares = ((0.05, 0.35), (0.35, 0.65), (0.65, 0.95))[at % 3]
        low, high = (self._facts.length_at(share) for share in shares)
        parts = [*self._subject(at), f"{low} to {max(high, low + 2)} characters of {self._facts.text_field}"]
        parts += [rng.choice(list(words)) for words in (self._wording.registers, self._wording.angles) if words]
        return f"{place + 1}. {'; '.join(parts)}"

    def _subject(self, at: int) -> list[str]:
        """What the row is about: values of the other fields, else the subject of a training row."""
        if not self._may_see_rows:
            return []
        if not self._facts.names:
            rows = random.Random(f"{self._plan.seed}:subjects").sample(self._facts.train, len(self._facts.train))
            about = rows[at % len(rows)].fields[self._facts.text_field]
            return [f"on the subject of {json.dumps(about[:80], ensure_ascii=False)}, in other words"]
        found = []
        for name, values in self._facts.names.items():
            mixed = random.Random(f"{self._plan.seed}:{name}").sample(values, len(values))
            found.append(f"{name} {json.dumps(mixed[at % len(mixed)], ensure_ascii=False)}")
        return found


def _user(text: str) -> list[Message]:
    return [{"role": "user", "content": text}]


def _short(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: text[:_LONGEST_EXAMPLE] for name, text in fields.items()}


_LANGUAGES = {
    "zh-TW": "Traditional Chinese as it is written in Taiwan (繁體中文), never simplified characters",
    "zh-CN": "simplified Chinese (简体中文)",
    "en": "English",
    "ja": "Japanese",
}
