"""Which pairs a training really uses: those of the named files whose row is trained on and still has the chosen answer.

It reads files and writes nothing. Making pairs is tools/preference/derived.py and
out_of_fold.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.config import Method
from tools.errors import InputError
from tools.preference.pairs import Pair, how_to_make, read_pairs
from tools.runs import Example
from tools.task import Row, Task
from tools.text import T


@dataclass(frozen=True)
class Attached:
    """The training rows with their pairs."""

    examples: list[Example]
    pairs: int
    """Examples that have a rejected answer."""
    stale: int
    """Pairs of the files that are not used: their row is not trained on, or its answer is another one now."""


def attach(task: Task, rows: Sequence[Row], examples: Sequence[Example]) -> Attached:
    """The examples with chosen and rejected answer; SFT gets its own back unchanged.

    A row takes its pairs from the first file that has any for it, and with several pairs it comes several times; a repetition
    of a row takes the next of its pairs. A pair that a row brings itself counts when the files have none. Raises InputError
    for files that cannot be read, and when there is no pair at all.
    """
    config = task.config.values
    if config.training.method == "sft" or config.training.command is not None:
        return Attached(list(examples), 0, 0)
    named = named_pairs(task)
    origin = {row.id: _origin(row) for row in rows}
    used: set[str] = set()
    found: list[Example] = []
    for example in examples:
        source, number = origin.get(example.id, (example.id, 0))
        fitting = [pair for pair in named.get(source, []) if fits(pair, example.completion)]
        used.update(pair.id for pair in fitting)
        found += _with_pairs(example, fitting, number)
    pairs = sum(example.rejected is not None for example in found)
    if not pairs:
        raise no_pairs(task.name, config.training.method)
    return Attached(found, pairs, sum(len(of_row) for of_row in named.values()) - len(used))


Read = Callable[[Path, str], list[Pair]]
"""Task folder and file to its pairs."""


def named_pairs(task: Task, read: Read = read_pairs) -> dict[str, list[Pair]]:
    """Row id to its pairs, out of the files of data.preference."""
    found: dict[str, list[Pair]] = {}
    for file in task.config.values.data.preference:
        here: dict[str, list[Pair]] = {}
        for pair in read(task.path, file):
            if pair.row not in found:
                here.setdefault(pair.row, []).append(pair)
        found |= here
    return found


def no_pairs(task: str, method: Method) -> InputError:
    """The error for a preference method without a pair to learn from."""
    return InputError(
        T("training.method is {method}, and no training row has a pair of a better and a worse answer.", method=method),
        hint=how_to_make(task),
        page=f"methods/{method}",
    )


def _origin(row: Row) -> tuple[str, int]:
    """The row that a repetition repeats, and which repetition it is; the row itself is number 0."""
    parent, separator, number = row.id.rpartition("#")
    if separator and row.meta.get("parent_id") == parent and number.isdecimal():
        return parent, int(number) - 1
    return row.id, 0


def fits(pair: Pair, answer: str) -> bool:
    """True when the pair still prefers the row's answer to another one."""
    return pair.chosen == answer and pair.rejected.strip() != answer.strip()


def _with_pairs(example: Example, pairs: Sequence[Pair], repetition: int) -> list[Example]:
    if not pairs:
        own = example.rejected if example.rejected != example.completion else None
        return [example.model_copy(update={"chosen": example.completion if own else None, "rejected": own})]
    wanted = [pairs[repetition % len(pairs)]] if repetition else pairs
    return [
        example.model_copy(
            update={
                "id": example.id if number == 0 else f"{example.id}~{number + 1}",
                "chosen": example.completion,
                "rejected": pair.rejected,
            }
        )
        for number, pair in enumerate(wanted)
    ]
