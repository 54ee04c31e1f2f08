"""How far the person who labels and the model agree: the share of equal labels, and Cohen's kappa beside it.

The model's answers are kept apart from the rows while they are labelled, so that nobody is led by them. On rows chosen where
the model is unsure agreement is lower than elsewhere; those drawn at random are counted apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.files import append_line
from tools.reviewing.batch import REVIEW_DIR, Batch


class Guess(BaseModel):
    """One line beside a batch: what was thought of a row before a person saw it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: str
    """Id of the candidate."""
    label: str
    """The likeliest one."""
    scores: dict[str, float]
    version: str
    """Whose weights gave them."""
    at_random: bool
    """True when chance chose the row."""


class Agreement(BaseModel):
    """The labels of a person beside those of a model, on the same rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    share: float
    """Of rows with the same label."""
    expected: float
    """Share that two who label at random with their own frequencies would reach."""
    kappa: float | None
    """(share - expected) / (1 - expected); None when both use one and the same label only (Cohen 1960)."""
    error: float | None
    """Its large-sample standard error, sqrt(share (1 - share) / rows) / (1 - expected) (Cohen 1960, eq. 7)."""
    differing: dict[str, int]
    """"<person> / <model>" to the number of rows, most frequent first."""


def keep_guesses(task_path: Path, batch: str, guesses: Sequence[Guess]) -> None:
    """Write down what the model thought of the rows of a batch."""
    if guesses:
        append_line(_file(task_path, batch), "\n".join(one.model_dump_json() for one in guesses))


def read_guesses(task_path: Path, batch: str) -> dict[str, Guess]:
    """Candidate id to guess; the first one counts, and a torn line is passed over."""
    found: dict[str, Guess] = {}
    path = _file(task_path, batch)
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            guess = Guess.model_validate_json(line)
        except ValidationError:
            continue
        found.setdefault(guess.item, guess)
    return found


class Agreements(BaseModel):
    """On all labelled rows, and on those that were drawn at random, which speak for the pool."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    all: Agreement
    at_random: Agreement | None


def agreement(task_path: Path, batch: Batch) -> Agreements | None:
    """The agreement on the rows that a person has labelled; None when the model was asked about none of them."""
    guesses = read_guesses(task_path, batch.name)
    pairs = [
        (item.answer, guesses[item.candidate.id])
        for item in batch.items
        if item.decision is not None and item.state != "rejected" and item.candidate.id in guesses
    ]
    labels = [(person, guess) for person, guess in pairs if isinstance(person, str)]
    if not labels:
        return None
    drawn = [(person, guess.label) for person, guess in labels if guess.at_random]
    return Agreements(
        version=labels[-1][1].version,
        all=agree([(person, guess.label) for person, guess in labels]),
        at_random=agree(drawn) if drawn else None,
    )


def agree(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """The agreement of pairs (person, model); at least one pair."""
    rows = len(pairs)
    share = sum(person == model for person, model in pairs) / rows
    persons, models = Counter(person for person, _ in pairs), Counter(model for _, model in pairs)
    expected = sum(persons[label] * models[label] for label in persons) / rows**2
    usable = expected < 1
    differing = Counter(f"{person} / {model}" for person, model in pairs if person != model)
    return Agreement(
        rows=rows,
        share=share,
        expected=expected,
        kappa=(share - expected) / (1 - expected) if usable else None,
        error=math.sqrt(share * (1 - share) / rows) / (1 - expected) if usable else None,
        differing=dict(differing.most_common()),
    )


def _file(task_path: Path, batch: str) -> Path:
    # The second dot keeps it out of the list of batches.
    return task_path / REVIEW_DIR / f"{batch}.guesses.jsonl"
