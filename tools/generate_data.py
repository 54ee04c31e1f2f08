"""More for scarce labels: oversampling and class weights, planned as changes of the recipe, and new rows by a language model.

A planned change becomes a line of the configuration through tools/edit_config.py once it is approved. New rows need a `Writer`,
a language model behind a callable that the caller brings (tools never open a connection); they go to a person's review first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

from tools.change import Change, ChangeKind, Edit
from tools.editing.nearest import nearest
from tools.errors import InputError, MissingPart, NotFound, Problem
from tools.generating.asking import Limits
from tools.generating.order import Order
from tools.generating.run import Progress, Tell, generate_rows
from tools.generating.store import Generated
from tools.generating.writer import Writer
from tools.reading.config import CONFIG_NAMES
from tools.reading.task import load_split, load_task
from tools.running.recipe import apply_recipe, known_labels, label_counts
from tools.task import Task
from tools.text import T, shell_word, visible

MOST_REPEATS = 4
"""A target chosen by this program repeats no row more often; more invites learning the rows by heart (rule of thumb)."""
HIGHEST_WEIGHT = 3.0
"""Larger class weights mostly trade precision for recall and make the loss jump (rule of thumb)."""


class GenerateDataArgs(BaseModel):
    """What to do about scarce rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_dir: Path
    action: Literal["oversample", "class_weights", "generate"] = "oversample"
    """oversample: repeat rows; class_weights: weigh rows; generate: write new rows with a language model."""
    labels: list[str] = []
    """Only these labels; empty means every label that needs it."""
    count: PositiveInt | None = None
    """oversample: rows that each label gets at least (None: the largest label's, within bounds); generate: new rows."""
    output: str | None = None
    """generate: a new file for the rows that pass the checks, relative to the task folder."""
    batch: str | None = None
    """generate: name of the batch; None: the unfinished one of the label, else a new one."""
    dry_run: bool = False
    """generate: show rows and their checks, write nothing."""
    close: bool = False
    """generate: ask nothing more, take what is there."""
    keep_going: bool = False
    """generate: go on although no answer of the model held a usable row so far."""
    limits: Limits = Limits()
    """generate: of cost, rate and time."""


class GenerateDataResult(BaseModel):
    """What would be changed, or the rows that were written and wait for a person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    change: Change | None = None
    """None for new rows: only those that a person accepts become a change (tools/samples.py)."""
    generated: Generated | None = None
    """The new rows with their checks."""
    rows_before: dict[str, int]
    """Training rows per label as the recipe leaves them now."""


def untold(_: Progress) -> None:
    """Nobody watches."""


def generate_data(args: GenerateDataArgs, writer: Writer | None = None, tell: Tell = untold) -> GenerateDataResult:
    """Plan oversampling or class weights for a task, or have new rows written, checked, judged and put up for review.

    Raises MissingPart for new rows without a writer, and what tools.generating.run.generate_rows raises.
    """
    if args.action == "generate" and writer is None:
        raise no_generator(args.task_dir.name)
    task = load_task(args.task_dir)
    before = rows_per_label(task)
    if args.action == "generate" and writer is not None:
        done = generate_rows(task, _order(args), writer, args.limits, tell)
        return GenerateDataResult(generated=done, rows_before=before)
    if args.action == "class_weights":
        change = plan_class_weights(task, args.labels)
    else:
        change = plan_oversampling(task, args.count, args.labels)
    return GenerateDataResult(change=change, rows_before=before)


def _order(args: GenerateDataArgs) -> Order:
    if len(args.labels) > 1:
        raise InputError(
            T("New rows are written for one label at a time, not for {count}.", count=len(args.labels)),
            hint=T("Call it once for each label."),
            page="methods/data-generation",
        )
    return Order(
        label=args.labels[0] if args.labels else None,
        wanted=args.count,
        batch=args.batch,
        output=args.output,
        dry_run=args.dry_run,
        close=args.close,
        keep_going=args.keep_going,
    )


def no_generator(task: str) -> MissingPart:
    """The error without a language model, with what works without one."""
    return MissingPart(
        T("Writing new rows needs a language model, and none is set up."),
        hint=T(
            "Set OPENAI_BASE_URL (and OPENAI_API_KEY) to an OpenAI-compatible server. Without one: repeat scarce rows (iterate "
            "oversample {task} --target-count 500), weigh their labels (training.class_weights), settle rows whose label is "
            "in doubt (iterate review {task}), or label rows of your own and name their file in data.train.",
            task=shell_word(task),
        ),
        page="methods/data-generation",
    )


def rows_per_label(task: Task, *, oversampled: bool = False) -> dict[str, int]:
    """Training rows per label after excluding, relabelling and deduplication, declared labels without rows included as 0."""
    train = load_split(task, "train").split
    counts = label_counts(apply_recipe(task, train, oversample=oversampled).rows)
    return {label: 0 for label in known_labels(task, train.rows)} | counts


def plan_oversampling(task: Task, target_count: int | None = None, labels: Iterable[str] = ()) -> Change:
    """Raise every label (or the given ones) with fewer training rows to `target_count` rows by repeating them.

    Without a count the largest label sets it, as far as MOST_REPEATS allows. Raises InputError when a label is unknown,
    has no rows, or when no label is below the count.
    """
    counts = rows_per_label(task)
    chosen = _chosen(counts, labels)
    largest = max(counts.values(), default=0)
    wanted = {label: target_count or min(largest, MOST_REPEATS * counts[label]) for label in chosen}
    now = task.config.values.data.oversample
    seen = {label: max(counts[label], now.get(label, 0)) for label in chosen}
    low = {label: number for label, number in wanted.items() if seen[label] < number}
    if not low:
        raise InputError(
            T("No label has fewer than {count} training rows that could be repeated.", count=target_count or largest),
            hint=T("Give a larger count. Rows now: {counts}.", counts=_listed(counts)),
            page="methods/oversampling",
        )
    shown = ", ".join(f"{visible(label, 40)} {seen[label]} → {number}" for label, number in low.items())
    edits = entry_edits(task, ("data", "oversample"), now, low)
    return Change(kind=ChangeKind.recipe, summary=T("Oversampling, rows: {labels}", labels=shown), edits=edits)


def plan_class_weights(task: Task, labels: Iterable[str] = (), highest: float = HIGHEST_WEIGHT) -> Change:
    """Weigh labels in inverse proportion to their frequency, as the loss sees them with oversampling.

    weight = rows / (number of labels x rows of the label), as scikit-learn's class_weight="balanced" (King and Zeng,
    2001), at most `highest`, at least 1 / `highest`, rounded to two digits. Raises InputError when a label is unknown
    or when the weights are already so.
    """
    counts = {label: count for label, count in rows_per_label(task, oversampled=True).items() if count}
    chosen = _chosen(counts, labels)
    total = sum(counts.values())
    weights = {}
    for label in chosen:
        balanced = total / (len(counts) * counts[label])
        weights[label] = round(min(highest, max(1 / highest, balanced)), 2)
    change = weights_change(task, weights)
    if change is None:
        raise InputError(
            T("The labels already weigh what their frequency asks for."),
            hint=T("Rows now: {counts}.", counts=_listed(counts)),
            page="methods/class-weights",
        )
    return change


def weights_change(task: Task, weights: dict[str, float]) -> Change | None:
    """The change that gives labels these weights; None when they have them (a label that is not named weighs 1)."""
    now = task.config.values.training.class_weights
    new = {
        label: weight for label, weight in weights.items() if not math.isclose(now.get(label, 1), weight, abs_tol=0.005)
    }
    edits = entry_edits(task, ("training", "class_weights"), now, new)
    if not edits:
        return None
    shown = ", ".join(f"{visible(label, 40)} {now.get(label, 1):g} → {weight:g}" for label, weight in new.items())
    return Change(kind=ChangeKind.recipe, summary=T("Class weights: {labels}", labels=shown), edits=edits)


def entry_edits(
    task: Task, path: tuple[str, str], now: Mapping[str, float | str], new: Mapping[str, float | str]
) -> list[Edit]:
    """Edits that give labels new values in a section of the configuration file.

    When the section stands in the definition so far, its other labels are written down as well: the file's section replaces it.
    """
    changed = {label: value for label, value in new.items() if now.get(label) != value}
    origin = task.config.origins.get(".".join(path))
    inherited = origin is not None and origin not in CONFIG_NAMES
    if not changed:
        return []
    if inherited:
        return [Edit(path=(*path, label), new=value) for label, value in {**now, **changed}.items()]
    return [Edit(path=(*path, label), old=now.get(label), new=value) for label, value in changed.items()]


def _chosen(counts: dict[str, int], labels: Iterable[str]) -> list[str]:
    """The labels asked for, else all that have rows; every unknown label is named at once."""
    asked = list(dict.fromkeys(labels))
    problems = [_unknown(label, counts) for label in asked if label not in counts]
    problems += [_no_rows(label) for label in asked if counts.get(label) == 0]
    if not counts:
        problems.append(
            Problem(message=T("The training rows of this task have no labels."), page="methods/oversampling")
        )
    if problems:
        raise NotFound(T("Nothing was planned."), problems=problems, page="methods/oversampling")
    return asked or [label for label, count in counts.items() if count]


def _unknown(label: str, counts: dict[str, int]) -> Problem:
    near = nearest(label, counts)
    return Problem(
        message=T("This task has no label {label}.", label=visible(label, 80)),
        value=visible(label, 80),
        choices=[visible(choice, 80) for choice in counts],
        hint=T("Did you mean {label}?", label=visible(near, 80)) if near else None,
    )


def _no_rows(label: str) -> Problem:
    return Problem(
        message=T("No training row has the label {label}, so there is nothing to repeat.", label=visible(label, 80)),
        value=visible(label, 80),
        hint=T("Add rows of this label first."),
        page="troubleshooting/class-imbalance",
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{visible(label, 40)} {count}" for label, count in counts.items())
