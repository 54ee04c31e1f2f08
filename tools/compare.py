"""The compare tool: two versions of a task on the same rows. It reads stored results and writes nothing.

The valid split is compared from its stored predictions. For the test split it only shows what an opening showed
(tools/versioning/ledger.py); it never opens anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.comparing.paired_comparison import Setting, Side, compare_sides
from tools.comparison import Comparison, SettledLine
from tools.errors import InputError, NotFound, Refused
from tools.outcomes.predictions import read_predictions
from tools.read_results import ReadResultsArgs, ReadResultsResult, latest, read_results
from tools.reading.task import inside, load_split, load_task
from tools.reviewing.settled import settled_score
from tools.task import Task
from tools.text import T, visible
from tools.versioning.ledger import shown
from tools.versioning.records import changes_between, find_version
from tools.versioning.same_weights import same_weights

__all__ = ["CompareArgs", "Comparison", "compare"]

_PAGE = "methods/comparing-versions"


class CompareArgs(BaseModel):
    """Which versions of a task to compare, older first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_dir: Path
    base: str
    new: str
    split: Literal["valid", "test"] = "valid"
    """For test, only what was already opened for these two versions."""


def compare(args: CompareArgs) -> Comparison:
    """Compare two versions; raises NotFound for an unknown version or one without a result, Refused for an unopened test."""
    for version in (args.base, args.new):
        find_version(args.task_dir, version)
    if args.split == "test":
        return _opened(args)
    task = load_task(args.task_dir)
    results = read_results(ReadResultsArgs(task_dir=args.task_dir))
    sides = [_side(args.task_dir, results, version) for version in (args.base, args.new)]
    setting = Setting(
        definition=task.definition,
        split="valid",
        changes=changes_between(args.task_dir, args.base, args.new),
        rows={row.id: row for row in load_split(task, "valid").split.rows},
        same_weights=same_weights(args.task_dir, args.base, args.new),
    )
    found = compare_sides(setting, *sides)
    return found.model_copy(update={"settled": _settled(task, *sides)})


def _settled(task: Task, base: Side, new: Side) -> SettledLine | None:
    """Both versions on the labels that a person settled; None where there are none."""
    old = settled_score(task, base.result.version, base.predictions)
    after = settled_score(task, new.result.version, new.predictions) if old is not None else None
    if old is None or after is None:
        return None
    return SettledLine(
        metric=old.metric,
        old=old.value,
        new=after.value,
        changed=after.changed,
        confirmed=after.confirmed,
        left_out=after.left_out,
    )


def _opened(args: CompareArgs) -> Comparison:
    opened = shown(args.task_dir, args.base, args.new)
    if opened is None or opened.comparison is None:
        raise Refused(
            T("The test set was not opened for {base} and {new}.", base=visible(args.base), new=visible(args.new)),
            hint=T("Compare them on valid; `iterate adopt` opens the test set once, for the decision."),
            page="methods/locked-test",
        )
    return opened.comparison


def _side(task_dir: Path, results: ReadResultsResult, version: str) -> Side:
    result = latest(results, version, "valid")
    if result is None:
        measured = dict.fromkeys(one.version for one in results.results if one.split == "valid")
        raise NotFound(
            T("{version} has no result on the validation split.", version=visible(version)),
            hint=T(
                "Run `iterate evaluate` for it. Versions with one: {versions}.", versions=", ".join(measured) or "-"
            ),
            page=_PAGE,
            problems=results.problems,
        )
    path = inside(task_dir, result.predictions) if result.predictions else None
    try:
        return Side(result, read_predictions(path) if path is not None and path.is_file() else [])
    except InputError:
        # Unreadable predictions are as good as none: the comparison says that they cannot be paired.
        return Side(result, [])
