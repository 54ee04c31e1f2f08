"""The vocabulary of preference pairs and the only code that reads and writes data/preference/*.jsonl.

A pair names the training row whose prompt it belongs to and never holds the prompt itself: a pair of a validation or test row
has no prompt to be trained with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum, auto
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.editing.text_lines import read_lines
from tools.editing.yaml_text import flow
from tools.errors import InputError, NotFound, Problem
from tools.files import sha256_bytes
from tools.reading.task import inside
from tools.text import T, Text, shell_word, visible

FOLDER = "data/preference"
_SHOWN_PROBLEMS = 20


class PairSource(StrEnum):
    """Where a rejected answer comes from."""

    out_of_fold = auto()
    """A model's own wrong answer to the row, which it was not trained on."""
    confusable = auto()
    """The label that the row's label was most often taken for on validation."""
    broken_format = auto()
    """The right answer in a form that cannot be parsed, or an unparsed answer of a model's own."""


class Pair(BaseModel):
    """One line of a file of pairs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    row: str
    """Id of the training row."""
    chosen: str
    """The row's own answer, as text."""
    rejected: str
    source: PairSource
    version: str | None = None
    """The version whose errors these are."""
    model: str | None = None
    """The base model that gave the rejected answer, or whose confusions chose it."""


def how_to_make(task: str) -> Text:
    """The next step where pairs are missing."""
    return T(
        "Make pairs with `iterate pairs {task} --write`, and name the file under data.preference.",
        task=shell_word(task),
    )


def pair_lines(pairs: Iterable[Pair]) -> str:
    """Pairs as the text of a file."""
    return "".join(json.dumps(pair.model_dump(mode="json"), ensure_ascii=False) + "\n" for pair in pairs)


def pair_file(name: str, content: str) -> str:
    """The path of a file of pairs, relative to the task folder; equal pairs have equal names."""
    return f"{FOLDER}/{name}-{sha256_bytes(content.encode('utf-8'))[:8]}.jsonl"


def read_pairs(task_path: Path, file: str) -> list[Pair]:
    """The pairs in a file of the task; raises NotFound without it, InputError with the lines that are no pairs."""
    path = inside(task_path, file)
    if path is None or not path.is_file():
        raise NotFound(
            T("The file of pairs {file} does not exist.", file=visible(file, 100)),
            hint=how_to_make(task_path.name),
            page="methods/comparison",
        )
    pairs: list[Pair] = []
    problems: list[Problem] = []
    for line in read_lines(path):
        if line.text is not None and not line.text.strip():
            continue
        try:
            pairs.append(Pair.model_validate_json(line.text or ""))
        except ValidationError as reason:
            problems.append(_problem(reason, file, line.number))
    if problems:
        raise InputError(
            T("{count} lines of {file} are no pairs.", count=len(problems), file=visible(file, 100)),
            hint=T("A pair has the keys {keys}.", keys=flow(list(Pair.model_fields), inside=False)),
            problems=problems[:_SHOWN_PROBLEMS],
            page="methods/comparison",
        )
    return pairs


def files_of(task_path: Path) -> list[str]:
    """The files of pairs that a task has, relative to its folder, oldest first."""
    found = [path for path in (task_path / FOLDER).glob("*.jsonl") if path.is_file()]
    return [f"{FOLDER}/{path.name}" for path in sorted(found, key=lambda path: (path.stat().st_mtime, path.name))]


def by_source(pairs: Sequence[Pair]) -> dict[PairSource, int]:
    """Pairs per source, in the order of the sources."""
    counts = {source: sum(pair.source is source for pair in pairs) for source in PairSource}
    return {source: count for source, count in counts.items() if count}


def _problem(reason: ValidationError, file: str, line: int) -> Problem:
    first = reason.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "-"
    return Problem(
        message=T("{field}: {what}", field=visible(field, 60), what=visible(first["msg"], 120)), path=file, line=line
    )
