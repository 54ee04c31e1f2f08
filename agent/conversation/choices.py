"""The values that fit a slot at this moment: for completion, for help, and for asking back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from agent.conversation.changes import DIRECTED
from agent.conversation.commands import Slot
from agent.conversation.known import known_in, version_names
from agent.conversation.situation import Situation
from tools.exporting.export import FORMS
from tools.exporting.gguf import find_converter


class Choice(NamedTuple):
    """One value as it would be typed."""

    value: str
    note: str = ""
    """What it is, in the person's language."""


def choices(slot: Slot, situation: Situation) -> Iterator[Choice]:
    """Every fitting value; none for slots that take any words."""
    found = _CHOICES.get(slot)
    if found is not None:
        yield from found(situation)


def _tasks(situation: Situation) -> Iterator[Choice]:
    yield from map(Choice, situation.workspace.task_names())


def _labels(situation: Situation) -> Iterator[Choice]:
    yield from map(Choice, known_in(situation).labels)


def _pairs(situation: Situation) -> Iterator[Choice]:
    labels = known_in(situation).labels
    yield from (Choice(f"{one}→{other}") for one in labels for other in labels if one != other)


def _versions(situation: Situation) -> Iterator[Choice]:
    if situation.task is not None:
        yield from map(Choice, reversed(version_names(situation.task)))


def _numbers(situation: Situation) -> Iterator[Choice]:
    for number, proposal in enumerate(situation.proposals, start=1):
        yield Choice(str(number), situation.say(proposal.title))


def _pages(situation: Situation) -> Iterator[Choice]:
    yield from (Choice(card.id, card.title) for card in situation.library.index(situation.language))


def _changes(_situation: Situation) -> Iterator[Choice]:
    examples = ("oversampling", "class weights", "learning rate 2e-4", "epochs 6", "rank 64", "constrained decoding")
    yield from map(Choice, [*examples, *(key for key in DIRECTED)])


def _times(_situation: Situation) -> Iterator[Choice]:
    yield from map(Choice, ("07:00", "7:30", "早上七點半"))


def _forms(_situation: Situation) -> Iterator[Choice]:
    """Those that can be written here: GGUF needs a converter."""
    yield from (Choice(form) for form in FORMS if form != "gguf" or find_converter() is not None)


_CHOICES: dict[Slot, Callable[[Situation], Iterator[Choice]]] = {
    Slot.task: _tasks,
    Slot.label: _labels,
    Slot.pair: _pairs,
    Slot.version: _versions,
    Slot.versions: _versions,
    Slot.numbers: _numbers,
    Slot.page: _pages,
    Slot.change: _changes,
    Slot.until: _times,
    Slot.form: _forms,
}
