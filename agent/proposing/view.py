"""What the rules look at: a task with its diagnosis, its rows and its configuration, read once per round of proposals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from tools.change import Change, ChangeKind, Edit
from tools.diagnose import Diagnosis
from tools.editing.yaml_read import Refusal, parse, plain
from tools.finding import Finding, FindingKind
from tools.generate_data import rows_per_label
from tools.reading.config import CONFIG_NAMES
from tools.reading.config_keys import SHORT_FORMS, renamed
from tools.reading.task import load_split
from tools.task import Split, Task
from tools.text import Text

KeyPath = tuple[str, ...]


@dataclass(frozen=True)
class TaskRows:
    """The rows of a task, read when they are first needed."""

    task: Task
    version: str = ""
    """The version that a change starts from; "" before there is one."""

    @cached_property
    def train(self) -> Split:
        """The training rows as they stand in the files."""
        return load_split(self.task, "train").split

    @cached_property
    def valid_count(self) -> int:
        """Rows that are evaluated."""
        return len(load_split(self.task, "valid").split.rows)

    @cached_property
    def test_count(self) -> int:
        """Rows of the locked split, whose answers are generated once and sealed."""
        return len(load_split(self.task, "test").split.rows)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Training rows per label, without repetitions."""
        return rows_per_label(self.task)


class View:
    """One task as the rules see it."""

    def __init__(self, task: Task, diagnosis: Diagnosis) -> None:
        self.task = task
        self.diagnosis = diagnosis
        self.rows = TaskRows(task, diagnosis.version or "")
        self.written = written_data(task.config.text)
        """The configuration file as plain data."""

    def found(self, *kinds: FindingKind) -> list[Finding]:
        """The findings of these kinds, most important first."""
        return [finding for finding in self.diagnosis.findings if finding.kind in kinds]

    @property
    def metric(self) -> str:
        """The primary metric."""
        return self.task.definition.primary_metric

    def now(self, metric: str) -> float | None:
        """A score of the diagnosed version on validation; None when it was not measured."""
        lines = {line.metric: line.value for line in self.diagnosis.status.metrics}
        lines |= {f"f1[{line.label}]": line.f1 for line in self.diagnosis.status.classes}
        return lines.get(metric)

    @property
    def target(self) -> float | None:
        """The threshold of the primary metric."""
        targets = self.task.definition.targets
        return targets[0].threshold if targets else None

    def change(self, kind: ChangeKind, summary: Text, values: Mapping[KeyPath, JsonValue]) -> Change:
        """A change that gives keys new values, whatever name they have in the user's file."""
        edits = []
        for path, new in values.items():
            place = self._place(path)
            edits.append(Edit(path=place, old=value_at(self.written, place), new=new))
        return Change(kind=kind, summary=summary, edits=edits)

    def _place(self, path: KeyPath) -> KeyPath:
        """Where the file gives a value: under its own name, a short form, or the name it had in older libraries."""
        if has(self.written, path[:2]):
            return path
        for place in _places(self.written):
            if stands_for(place) == path[:2]:
                return (*place, *path[2:])
        return path

    def is_in_config(self, file: JsonValue) -> bool:
        """True when a finding is about the configuration file, the only one that the program edits."""
        return file in CONFIG_NAMES


def written_data(text: str) -> dict[str, JsonValue]:
    """A configuration text as plain data; empty when it cannot be read."""
    try:
        data = plain(parse(text))
    except Refusal:
        return {}
    return data if isinstance(data, dict) else {}


def has(data: JsonValue, path: KeyPath) -> bool:
    """True when the key is written down."""
    for name in path:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


def value_at(data: JsonValue, path: KeyPath) -> JsonValue:
    """The value of a key; None when it is absent."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def stands_for(place: KeyPath) -> KeyPath | None:
    """The current name of a key that is written in another place or under an older name, its value unchanged."""
    if place in SHORT_FORMS:
        return SHORT_FORMS[place]
    if place[:2] == ("training", "lora") and len(place) == 3:
        return place[1:]
    entry = renamed(place)
    return entry.to if entry is not None and entry.value is None else None


def _places(data: dict[str, JsonValue]) -> Iterator[KeyPath]:
    """Every key down to the level of training.lora.r."""
    for key, value in data.items():
        yield (key,)
        for name, inner in value.items() if isinstance(value, dict) else ():
            yield (key, name)
            for field in inner if isinstance(inner, dict) else ():
                yield (key, name, field)
