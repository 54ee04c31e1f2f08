"""The questions that make a new task, one at a time: what is asked, what an answer may be, where one can go back to.

    Interview -> asked -> answer(text) ... -> summary -> wanted -> tools.making.create_task

Both chats and `iterate create` ask through this. Nothing is shown and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.comparing.words import metric_name
from tools.errors import InputError, Problem, Refused
from tools.making.new_folder import free_place
from tools.making.wanted_task import (
    ANSWERS,
    BASE_MODEL,
    METRICS,
    USUAL_TARGET,
    Described,
    WantedTask,
    answer_field_problems,
    field_problems,
    label_name_problems,
    label_problems,
    model_problems,
    not_one_of,
    read_described,
    read_names,
    read_target,
    sentence_problems,
)
from tools.task import TaskType
from tools.text import T, Text
from tools.training.base_models import EMBEDDED, EMBEDDED_PREFIX

Choice = tuple[str, Text]


@dataclass(frozen=True)
class Asked:
    """One question."""

    key: str
    title: Text
    """What it is about, in a word or two."""
    question: Text
    help: Text
    choices: tuple[Choice, ...] = ()
    """Values with what they mean; empty for free text."""
    free: bool = False
    """True where other values than the choices will do."""
    many: bool = False
    """True where the answer has several lines."""
    now: str = ""
    """The answer as it stands, else what is usual; an empty line takes it."""


_NAME = Asked(
    "name",
    T("Name"),
    T("What should the task be called?"),
    T("The name of its folder: letters, digits, hyphens and underscores, such as news-sentiment."),
)
_GOAL = Asked(
    "goal",
    T("Purpose"),
    T("What should the model do?"),
    T("One sentence, as you would ask a person. It is the question that the model is asked about every row."),
)
_TYPE = Asked(
    "task_type",
    T("Type"),
    T("What kind of answer does it give?"),
    T("This decides how answers are read and measured."),
    choices=(
        ("classification", T("one of several labels")),
        ("extraction", T("an object with fields that are copied from the text")),
        ("generation", T("a free text")),
    ),
    now="classification",
)
_LANGUAGE = Asked(
    "language",
    T("Language"),
    T("In which language are its texts?"),
    T("The guide, the README and the reports of the task are written in it."),
    choices=(("en", T("English")), ("zh-TW", T("Traditional Chinese"))),
)
_FIELDS = Asked(
    "fields",
    T("Input"),
    T("Which fields does a row have?"),
    T("The main text first, with commas between them, such as: text, entity. Usually text alone will do."),
    now="text",
)
_LABELS = Asked(
    "labels",
    T("Labels"),
    T("Which labels are there, and what does each of them mean?"),
    T(
        'One a line, such as "neutral: facts only, nothing good or bad for the company". What one means can be added later.'
    ),
    many=True,
)
_ANSWER_FIELDS = Asked(
    "answer_fields",
    T("Fields of the answer"),
    T("Which fields does the answer have, and what stands in each of them?"),
    T('One a line, such as "date: day of the invoice, as it is written there".'),
    many=True,
)
_ANSWER = Asked(
    "answer",
    T("Form of the answer"),
    T("How should the model write the label?"),
    T("The bare label is the shortest; an object suits programs that read JSON."),
    choices=(("label", T("the label alone")), ("json", T("a JSON object with one field"))),
    now="label",
)
_ANSWER_NAME = Asked(
    "label_name",
    T("Name of the field"),
    T("What is the field with the label called?"),
    T("Such as sentiment or topic."),
    now="label",
)
_METRIC = Asked(
    "metric", T("Measure"), T("What is it judged by?"), T("The first one is usual for this kind of answer.")
)
_TARGET = Asked(
    "target",
    T("Target"),
    T("Which score is good enough?"),
    T("A share such as 0.8 or 80%. It can be changed later in task_definition.yaml."),
    now=f"{USUAL_TARGET:.0%}",
)
_MODEL = Asked(
    "base_model",
    T("Base model"),
    T("Which base model should the first version start from?"),
    T("One of these, a local folder, or a hub id such as Qwen/Qwen3-0.6B."),
    choices=tuple(
        (EMBEDDED_PREFIX + name, T("{title}, {size} MB", title=model.title, size=model.download_mb))
        for name, model in EMBEDDED.items()
    ),
    free=True,
    now=BASE_MODEL,
)
_ALL = (
    *(_NAME, _GOAL, _TYPE, _LANGUAGE, _FIELDS, _LABELS, _ANSWER_FIELDS),
    *(_ANSWER, _ANSWER_NAME, _METRIC, _TARGET, _MODEL),
)
_BY_TYPE = frozenset({"labels", "answer_fields", "answer", "label_name", "metric"})
"""Answers that another type of task has no use for."""


class Interview:
    """The answers so far, and the question that is asked now."""

    def __init__(self, tasks_dir: Path, language: str, given: Mapping[str, str] | None = None) -> None:
        """With answers `given` beforehand, such as flags; raises InputError with all that cannot be used."""
        self.tasks_dir = tasks_dir
        self._language = "zh-TW" if language.lower().startswith("zh") else "en"
        self._answers: dict[str, str] = {}
        self._at: str | None = None
        """A question gone back to; else the first without an answer is asked."""
        self._take(given or {})

    def _take(self, given: Mapping[str, str]) -> None:
        problems: list[Problem] = []
        for one in _ALL:
            if one.key in given:
                try:
                    self._answers[one.key] = self._read(one, given[one.key])
                except InputError as error:
                    problems += error.problems or [Problem(message=error.message, hint=error.hint)]
                except Refused as error:
                    problems.append(Problem(message=error.message, hint=error.hint))
        applying = {one.key for one in self._applying()}
        problems += [_useless(one, self._task_type) for one in _ALL if one.key in given and one.key not in applying]
        if problems:
            raise InputError(
                T("The task cannot be made like this."),
                hint=T("Change what is listed here, and make it again."),
                problems=problems,
            )

    # --- what is asked

    @property
    def answers(self) -> Mapping[str, str]:
        """Question to its answer, as far as there is one."""
        return self._answers

    @property
    def asked(self) -> Asked | None:
        """The question now; None when everything is answered and the summary is due."""
        keys = [one.key for one in self._applying()]
        key = self._at if self._at in keys else next((key for key in keys if key not in self._answers), None)
        return None if key is None else self._filled(key)

    @property
    def place(self) -> tuple[int, int]:
        """Number of the question and how many there are, as far as is known now."""
        keys = [one.key for one in self._applying()]
        asked = self.asked
        return (len(keys) if asked is None else keys.index(asked.key) + 1, len(keys))

    def answer(self, text: str) -> None:
        """Answer the question; an empty text takes what stands there. Raises InputError with what is wrong."""
        asked = self.asked
        if asked is None:
            return
        value = self._read(asked, text if text.strip() else asked.now)
        if asked.key == "task_type" and self._answers.get("task_type") not in (None, value):
            for key in _BY_TYPE:
                self._answers.pop(key, None)
        self._answers[asked.key] = value
        self._at = None

    def back(self) -> bool:
        """Ask the question before again; False at the first one."""
        keys = [one.key for one in self._applying()]
        asked = self.asked
        at = len(keys) if asked is None else keys.index(asked.key)
        if at == 0:
            return False
        self._at = keys[at - 1]
        return True

    def go(self, number: int) -> bool:
        """Ask question `number` of the summary again; False when there is none."""
        keys = [one.key for one in self._applying()]
        if not 1 <= number <= len(keys):
            return False
        self._at = keys[number - 1]
        return True

    def summary(self) -> list[tuple[Asked, str]]:
        """Every question with its answer, in order; "" where there is none yet."""
        return [(one, self._answers.get(one.key, "")) for one in self._applying()]

    def missing(self) -> list[Asked]:
        """Questions without an answer that nothing usual can stand for."""
        return [one for one in self._applying() if one.key not in self._answers and not self._filled(one.key).now]

    def settle(self) -> None:
        """Take what is usual for every question that is still open and has such an answer."""
        while (asked := self.asked) is not None and asked.now:
            self.answer("")

    def wanted(self) -> WantedTask:
        """The task as answered."""
        known = self._answers
        task_type = self._task_type
        return WantedTask.model_validate(
            {
                "name": known["name"],
                "goal": known["goal"],
                "task_type": task_type,
                "language": known["language"],
                "fields": read_names(known["fields"]),
                "label_name": known.get("label_name", "label"),
                "labels": read_described(known.get("labels", "")),
                "answer_fields": read_described(known.get("answer_fields", "")),
                "answer": known.get("answer", ANSWERS[task_type][0]),
                "metric": known["metric"],
                "target": read_target(known["target"]),
                "base_model": known["base_model"],
            }
        )

    # --- which questions there are

    @property
    def _task_type(self) -> TaskType:
        given = self._answers.get("task_type")
        return next((kind for kind in METRICS if kind == given), "classification")

    def _applying(self) -> list[Asked]:
        """The questions that this type of task has."""
        kind = self._task_type
        left_out = {
            "labels": kind != "classification",
            "answer": kind != "classification",
            "label_name": kind != "classification" or self._answers.get("answer") != "json",
            "answer_fields": kind != "extraction",
        }
        return [one for one in _ALL if not left_out.get(one.key, False)]

    def _filled(self, key: str) -> Asked:
        """The question with what depends on earlier answers."""
        one = next(one for one in _ALL if one.key == key)
        if key == "metric":
            names = METRICS[self._task_type]
            one = replace(one, choices=tuple((name, metric_name(name)) for name in names), now=names[0])
        elif key == "language":
            one = replace(one, now=self._language)
        return replace(one, now=self._answers.get(key, one.now))

    # --- reading an answer

    def _read(self, asked: Asked, text: str) -> str:
        """The answer in its one form; raises InputError."""
        if asked.choices or asked.key == "metric":
            choices = [value for value, _ in asked.choices] or list(METRICS[self._task_type])
            chosen = _chosen(text.strip(), choices)
            if chosen is not None:
                return chosen
            if not asked.free:
                raise InputError(not_one_of(text.strip(), choices), hint=T("Give its number or its name."))
        return _READERS[asked.key](self, text)

    def _name(self, text: str) -> str:
        return free_place(self.tasks_dir, text.strip()).name

    def _fields(self, text: str) -> str:
        names = read_names(text)
        _refuse(field_problems(names))
        return ", ".join(names)

    def _labels(self, text: str) -> str:
        labels = read_described(text)
        _refuse(label_problems(labels))
        return written(labels)

    def _answer_fields(self, text: str) -> str:
        fields = read_described(text)
        _refuse(answer_field_problems(fields, read_names(self._answers.get("fields", ""))))
        return written(fields)

    def _label_name(self, text: str) -> str:
        _refuse(label_name_problems(text.strip(), read_names(self._answers.get("fields", ""))))
        return text.strip()

    def _goal(self, text: str) -> str:
        _refuse(sentence_problems(text.strip()))
        return " ".join(text.split())

    def _target(self, text: str) -> str:
        return f"{read_target(text) * 100:g}%"

    def _base_model(self, text: str) -> str:
        _refuse(model_problems(text.strip()))
        return text.strip()


_READERS: dict[str, Callable[[Interview, str], str]] = {
    "name": Interview._name,
    "goal": Interview._goal,
    "fields": Interview._fields,
    "labels": Interview._labels,
    "answer_fields": Interview._answer_fields,
    "label_name": Interview._label_name,
    "target": Interview._target,
    "base_model": Interview._base_model,
}


def written(described: Sequence[Described]) -> str:
    """Labels or fields as a person types them, one a line."""
    return "\n".join(f"{one.name}: {one.means}" if one.means else one.name for one in described)


def _chosen(text: str, choices: Sequence[str]) -> str | None:
    """The choice of this number or name."""
    if text.isdecimal() and 1 <= int(text) <= len(choices):
        return choices[int(text) - 1]
    return next((choice for choice in choices if choice.casefold() == text.casefold()), None)


def _useless(asked: Asked, task_type: TaskType) -> Problem:
    return Problem(
        message=T("A task of the type {type} has no use for this answer: {title}.", type=task_type, title=asked.title)
    )


def _refuse(problems: Iterable[Text]) -> None:
    """Raise InputError with everything that is wrong."""
    found = [Problem(message=text) for text in problems]
    if found:
        raise InputError(found[0].message, problems=found if len(found) > 1 else ())
