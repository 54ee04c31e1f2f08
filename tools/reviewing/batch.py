"""The vocabulary of a review batch, and reading one: candidates that wait for a person, and what was decided about them.

    <task>/data/review/suspects.jsonl             one Candidate a line; only grows
    <task>/data/review/suspects.decisions.jsonl   one SampleDecision a line; only grows

The state of a batch is what its two files say; a line that a crash tore is passed over. Writing is tools/samples.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from tools.editing.nearest import nearest
from tools.errors import InputError, NotFound
from tools.text import T, Text, visible

REVIEW_DIR = "data/review"
_NAME = re.compile(r"\w[\w-]{0,59}")
_CANDIDATES, _DECISIONS = ".jsonl", ".decisions.jsonl"

Origin = Literal["new", "train", "valid"]
Verb = Literal["accept", "edit", "relabel", "reject", "undo"]
ItemState = Literal["open", "accepted", "edited", "relabelled", "rejected"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(_Model):
    """One thing that was checked about a candidate before a person sees it."""

    name: Text
    passed: bool
    reason: Text | None = None
    """Why it failed, or what was measured."""


class Twin(_Model):
    """A row that is much like a candidate."""

    row: str
    split: Literal["train", "valid"]
    """Never test: its text stays closed."""
    fields: dict[str, str]
    answer: JsonValue
    similarity: float
    """0 to 1, by the field that differs most."""


class Candidate(_Model):
    """One row that a person should look at."""

    id: str
    """Unique in its batch."""
    origin: Origin
    """new: would be added to train; train: stands there; valid: a question about a label, which changes no training data."""
    row: str | None = None
    """Its id in the split; None for a new row."""
    fields: dict[str, str]
    answer: JsonValue = None
    """What the row says now; None for a new row without one."""
    suggested: JsonValue = None
    """The answer that is suggested; None when there is no suggestion."""
    answered: JsonValue = None
    """What the model answered; None when it was not asked or could not be read."""
    scores: dict[str, float] | None = None
    """Label to probability, where the model gave them."""
    leave_out: bool = False
    """True when the suggestion is to leave the row out of training."""
    why: Text | None = None
    """Why it is here."""
    source: str = ""
    """Who made or found it: diagnosis, errors, the name of a model, a file."""
    provenance: dict[str, JsonValue] = {}
    checks: list[Check] = []
    twins: list[Twin] = []

    @property
    def offered(self) -> JsonValue:
        """The answer that accepting stands for: the suggestion, else what the row says."""
        return self.answer if self.suggested is None else self.suggested


class SampleDecision(_Model):
    """What a person said about one candidate; one line of the decisions file."""

    id: str
    item: str
    """Id of the candidate; "" for undo."""
    verb: Verb
    fields: dict[str, str] | None = None
    """The text as edited; only with `edit`."""
    answer: JsonValue = None
    """The answer as edited or relabelled."""
    reason: str = ""
    group: str | None = None
    """Decisions taken at once share it, and are undone at once."""
    undoes: list[str] = []
    """Ids of the decisions that are taken back; only with `undo`."""
    by: str
    at: str
    """ISO 8601 UTC."""


_STATES: dict[str, ItemState] = {
    "accept": "accepted",
    "edit": "edited",
    "relabel": "relabelled",
    "reject": "rejected",
}


class Item(_Model):
    """A candidate with its present decision."""

    candidate: Candidate
    decision: SampleDecision | None = None

    @property
    def state(self) -> ItemState:
        """In one word."""
        return _STATES[self.decision.verb] if self.decision else "open"

    @property
    def fields(self) -> dict[str, str]:
        """The text as it stands after the decision."""
        edited = self.decision.fields if self.decision else None
        return self.candidate.fields if edited is None else edited

    @property
    def answer(self) -> JsonValue:
        """The answer as it stands after the decision; of an undecided row what it says itself."""
        if self.decision is None or self.decision.verb == "reject":
            return self.candidate.answer
        return self.candidate.offered if self.decision.verb == "accept" else self.decision.answer


class Counts(_Model):
    """How far the review is."""

    total: int
    open: int
    accepted: int
    edited: int
    relabelled: int
    rejected: int

    @property
    def reviewed(self) -> int:
        """Candidates with a decision."""
        return self.total - self.open


class Batch(_Model):
    """A review batch as its two files say it."""

    name: str
    items: list[Item]
    unreadable: int = 0
    """Lines of the two files that are neither a candidate nor a decision, torn ones included."""

    @property
    def counts(self) -> Counts:
        """How far it is."""
        states = [item.state for item in self.items]
        return Counts(
            total=len(states),
            open=states.count("open"),
            accepted=states.count("accepted"),
            edited=states.count("edited"),
            relabelled=states.count("relabelled"),
            rejected=states.count("rejected"),
        )

    def find(self, item: str) -> Item:
        """The item of that id; raises NotFound."""
        found = next((one for one in self.items if one.candidate.id == item), None)
        if found is None:
            raise NotFound(
                T("Batch {batch} has no row {item}.", batch=self.name, item=visible(item, 80)),
                hint=T("Open the batch again; it has {count} rows.", count=len(self.items)),
            )
        return found


def list_batches(task_path: Path) -> list[str]:
    """Names of the task's batches, sorted."""
    files = (task_path / REVIEW_DIR).glob(f"*{_CANDIDATES}")
    names = [file.name.removesuffix(_CANDIDATES) for file in files if not file.name.endswith(_DECISIONS)]
    return sorted(name for name in names if _NAME.fullmatch(name))


def load_batch(task_path: Path, name: str) -> Batch:
    """A batch with its present decisions; raises NotFound with the names there are."""
    path = candidates_file(task_path, name)
    if not path.is_file():
        raise _no_batch(task_path, name)
    lines = list(_models(path, Candidate))
    candidates: dict[str, Candidate] = {}
    for line in lines:
        if line is not None:
            candidates.setdefault(line.id, line)
    decisions = list(_models(decisions_file(task_path, name), SampleDecision))
    present = {one.item: one for one in standing([one for one in decisions if one is not None])}
    return Batch(
        name=name,
        items=[Item(candidate=one, decision=present.get(one.id)) for one in candidates.values()],
        unreadable=lines.count(None) + decisions.count(None),
    )


def read_decisions(task_path: Path, name: str) -> list[SampleDecision]:
    """Every decision of a batch in its order, undone ones and undos included."""
    return [one for one in _models(decisions_file(task_path, name), SampleDecision) if one is not None]


def standing(decisions: list[SampleDecision]) -> list[SampleDecision]:
    """The decisions that were not taken back, oldest first."""
    undone = {taken for one in decisions for taken in one.undoes}
    return [one for one in decisions if one.verb != "undo" and one.id not in undone]


def candidates_file(task_path: Path, name: str) -> Path:
    """Where a batch's candidates are; raises InputError for a name that is no plain word."""
    return _file(task_path, name, _CANDIDATES)


def decisions_file(task_path: Path, name: str) -> Path:
    """Where a batch's decisions are; raises InputError for a name that is no plain word."""
    return _file(task_path, name, _DECISIONS)


def _file(task_path: Path, name: str, ending: str) -> Path:
    if not _NAME.fullmatch(name):
        raise InputError(
            T("{name} is not a name for a batch.", name=visible(repr(name), 80)),
            hint=T("Use letters, digits, hyphens and underscores, at most 60."),
        )
    return task_path / REVIEW_DIR / f"{name}{ending}"


def _no_batch(task_path: Path, name: str) -> NotFound:
    names = list_batches(task_path)
    near = nearest(name, names)
    hint = T("Batches: {names}.", names=", ".join(names)) if names else T("This task has no batch to review yet.")
    if near is not None:
        hint = T("The nearest one is {near}. All: {names}.", near=near, names=", ".join(names))
    return NotFound(T("There is no batch {name} to review.", name=visible(name, 80)), hint=hint)


_M = TypeVar("_M", bound=BaseModel)


def _models(path: Path, model: type[_M]) -> Iterator[_M | None]:
    """The models of a file's lines, None for a line that is none; nothing without the file."""
    if not path.is_file():
        return
    for line in path.read_bytes().splitlines():
        if line.strip():
            try:
                yield model.model_validate_json(line)
            except ValidationError:
                yield None
