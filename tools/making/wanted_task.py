"""What a person wants a new task to be, and everything that speaks against it, said at once and in their words.

Nothing is written here (tools/making/create_task.py), nobody is asked (agent/faces/creating.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.editing.nearest import nearest
from tools.errors import InputError, Problem
from tools.making.guess_columns import MOST_LABELS
from tools.reading.row_shapes import ANSWER_KEYS
from tools.task import TaskType
from tools.text import T, Text, visible
from tools.training.base_models import EMBEDDED, EMBEDDED_PREFIX, resolve_base_model

Language = Literal["en", "zh-TW"]
AnswerType = Literal["label", "json", "text"]

RESERVED = frozenset({"id", "messages", "prompt", "chosen", "rejected", *ANSWER_KEYS})
"""Keys of a row that mean something of their own, so that no input field can have them."""
METRICS: dict[TaskType, tuple[str, ...]] = {
    "classification": ("macro_f1", "accuracy"),
    "extraction": ("field_score", "exact_object"),
    "generation": ("rouge_l", "exact"),
}
"""The usual measure first."""
ANSWERS: dict[TaskType, tuple[AnswerType, ...]] = {
    "classification": ("label", "json"),
    "extraction": ("json",),
    "generation": ("text",),
}
BASE_MODEL = "embedded:gemma3-270m"
USUAL_TARGET = 0.8
_LONGEST_SENTENCE = 500
_LONGEST_NAME = 60
_MOST_FIELDS = 8
_MOST_ANSWER_FIELDS = 30


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Described(_Model):
    """A label, or a field of the answer, with what it means."""

    name: str
    means: str = ""
    """One sentence; empty while nobody has written it."""


class WantedTask(_Model):
    """Everything that a new task folder is made of."""

    name: str
    goal: str
    """What the model should do, in one sentence."""
    task_type: TaskType = "classification"
    language: Language = "en"
    fields: list[str] = ["text"]
    """Input fields of its rows, the main text first."""
    label_name: str = "label"
    """What the labels are called: sentiment, topic, 立場."""
    labels: list[Described] = []
    """For classification."""
    answer_fields: list[Described] = []
    """For extraction."""
    answer: AnswerType = "label"
    metric: str = "macro_f1"
    target: float = USUAL_TARGET
    """Fraction."""
    base_model: str = BASE_MODEL


def require_usable(wanted: WantedTask) -> None:
    """Raise InputError with every problem of the task."""
    problems = [Problem(message=text) for text in _wrong(wanted)]
    if problems:
        raise InputError(
            T("The task cannot be made like this."),
            hint=T("Change what is listed here, and make it again."),
            problems=problems,
        )


def _wrong(wanted: WantedTask) -> Iterator[Text]:
    yield from sentence_problems(wanted.goal)
    yield from field_problems(wanted.fields)
    match wanted.task_type:
        case "classification":
            yield from label_problems(wanted.labels)
            yield from label_name_problems(wanted.label_name, wanted.fields)
        case "extraction":
            yield from answer_field_problems(wanted.answer_fields, wanted.fields)
    if wanted.answer not in ANSWERS[wanted.task_type]:
        yield not_one_of(wanted.answer, ANSWERS[wanted.task_type])
    if wanted.metric not in METRICS[wanted.task_type]:
        yield not_one_of(wanted.metric, METRICS[wanted.task_type])
    yield from target_problems(wanted.target)
    yield from model_problems(wanted.base_model)


def sentence_problems(text: str) -> Iterator[Text]:
    """What speaks against a sentence of the definition."""
    if not text.strip():
        yield T("Say in one sentence what the model should do.")
    elif len(text) > _LONGEST_SENTENCE:
        yield T("That is {length} characters long; {most} is the most.", length=len(text), most=_LONGEST_SENTENCE)
    elif _odd(text):
        yield T("{text} has control characters in it.", text=visible(text, 80))


def field_problems(names: Sequence[str]) -> Iterator[Text]:
    """What speaks against the input fields."""
    if not names:
        yield T("Name at least one input field, such as text.")
    if len(names) > _MOST_FIELDS:
        yield T("{count} input fields are too many; {most} is the most.", count=len(names), most=_MOST_FIELDS)
    for name in names:
        if not name.isidentifier() or len(name) > _LONGEST_NAME:
            yield T(
                "{name} cannot be the name of a field: use letters, digits and underscores.", name=visible(name, 60)
            )
        elif name in RESERVED:
            yield T("{name} means something else in a row; choose another name for the field.", name=name)
    yield from _twice(names)


def label_problems(labels: Sequence[Described]) -> Iterator[Text]:
    """What speaks against the labels."""
    if len(labels) < 2:
        yield T("A classification needs at least two labels.")
    if len(labels) > MOST_LABELS:
        yield T("{count} labels are too many; {most} is the most.", count=len(labels), most=MOST_LABELS)
    for label in labels:
        yield from _described_problems(label)
    yield from _twice([label.name for label in labels])


def answer_field_problems(fields: Sequence[Described], inputs: Sequence[str] = ()) -> Iterator[Text]:
    """What speaks against the fields of the answer."""
    if not fields:
        yield T("Name at least one field that the answer has.")
    if len(fields) > _MOST_ANSWER_FIELDS:
        yield T("{count} fields are too many; {most} is the most.", count=len(fields), most=_MOST_ANSWER_FIELDS)
    for field in fields:
        yield from _described_problems(field)
        if field.name in inputs:
            yield T("{name} is an input field already.", name=visible(field.name, 60))
    yield from _twice([field.name for field in fields])


def label_name_problems(name: str, inputs: Sequence[str] = ()) -> Iterator[Text]:
    """What speaks against the word for what the labels say."""
    yield from _described_problems(Described(name=name))
    if name in inputs:
        yield T("{name} is an input field already.", name=visible(name, 60))


def target_problems(target: float) -> Iterator[Text]:
    """What speaks against the number to reach."""
    if not 0 < target <= 1:
        yield T("The target must be above 0 and at most 1, such as 0.8 or 80%.")


def model_problems(name: str) -> Iterator[Text]:
    """What speaks against the base model."""
    if name.startswith(EMBEDDED_PREFIX) and name.removeprefix(EMBEDDED_PREFIX) not in EMBEDDED:
        yield not_one_of(name, [EMBEDDED_PREFIX + known for known in EMBEDDED])
        return
    try:
        resolve_base_model(name, None)
    except InputError as error:
        yield error.message


def not_one_of(given: str, choices: Sequence[str]) -> Text:
    """That something is none of the choices, with the nearest one."""
    listed, near = ", ".join(choices), nearest(given, choices)
    if near is None:
        return T("{given} is none of {choices}.", given=visible(given, 60) or '""', choices=listed)
    return T(
        "{given} is none of {choices}; the nearest is {near}.", given=visible(given, 60), choices=listed, near=near
    )


def read_described(text: str) -> list[Described]:
    """Labels or fields from lines such as "good: the firm gains by it"; several names may share a line, with commas."""
    found: list[Described] = []
    for line in text.splitlines():
        name, colon, means = _first_colon(line)
        if colon:
            found.append(Described(name=_clean(name), means=" ".join(means.split())))
        else:
            found += [Described(name=_clean(part)) for part in re.split(r"[,，、;；]", line) if part.strip()]
    return found


def read_names(text: str) -> list[str]:
    """Names with commas or spaces between them."""
    return [_clean(part) for part in re.split(r"[,，、;；\s]+", text) if part.strip()]


def read_target(text: str) -> float:
    """A fraction from 0.8, 80% or 80; raises InputError for anything else."""
    bare = unicodedata.normalize("NFKC", text).strip()
    try:
        value = float(bare.removesuffix("%"))
    except ValueError:
        raise InputError(T("{text} is no number.", text=visible(text, 40) or '""'), hint=_TARGET_HINT) from None
    fraction = value / 100 if bare.endswith("%") or 1 < value <= 100 else value
    for problem in target_problems(fraction):
        raise InputError(problem, hint=_TARGET_HINT)
    return fraction


_TARGET_HINT = T("Write a share such as 0.8 or 80%.")


def _described_problems(one: Described) -> Iterator[Text]:
    if not one.name.strip():
        yield T("A name is empty.")
    elif len(one.name) > _LONGEST_NAME:
        yield T("{name} is too long; {most} characters is the most.", name=visible(one.name, 60), most=_LONGEST_NAME)
    elif one.name != one.name.strip():
        yield T("{name} begins or ends with a space.", name=repr(visible(one.name, 60)))
    if _odd(one.name + one.means):
        yield T("{text} has control characters in it.", text=visible(one.name + " " + one.means, 80))
    if len(one.means) > _LONGEST_SENTENCE:
        yield T(
            "What {name} means is {length} characters long; {most} is the most.",
            name=visible(one.name, 60),
            length=len(one.means),
            most=_LONGEST_SENTENCE,
        )


def _twice(names: Sequence[str]) -> Iterator[Text]:
    """Names that a reader cannot tell apart: case and width do not count."""
    seen: set[str] = set()
    for name in names:
        folded = unicodedata.normalize("NFKC", name).casefold()
        if folded in seen:
            yield T("{name} is there twice, or nearly.", name=visible(name, 60))
        seen.add(folded)


def _odd(text: str) -> bool:
    return "\n" in text or "\t" in text or visible(text) != text


def _clean(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split()))


def _first_colon(line: str) -> tuple[str, str, str]:
    place = min((at for at in (line.find(":"), line.find("：")) if at >= 0), default=-1)
    return (line, "", "") if place < 0 else (line[:place], line[place], line[place + 1 :])
