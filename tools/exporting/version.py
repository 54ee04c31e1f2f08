"""A version ready to be used: its weights, and everything it is asked with, out of its own record.

The prompt, decoding and base model are those of the version's snapshot, whatever the configuration on disk says by now.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from tools.edit_config import config_after
from tools.errors import InputError, IterateError, MissingPart, NotFound, Refused
from tools.files import now
from tools.reading.task import load_split, load_task
from tools.running.collect import SeedOutcome
from tools.running.recipe import apply_recipe
from tools.running.weights import has_weights, read_weights, weights_folder
from tools.runs import Example, RunSpec
from tools.scoring.answers import expected_answer
from tools.scoring.asking import Asker
from tools.task import Row, SplitName, Task
from tools.text import T, Text, shell_word, visible
from tools.training.base_models import missing_model, resolve_base_model
from tools.versioning.adopt import current
from tools.versioning.pruned import pruned_note
from tools.versioning.records import find_version, list_versions, snapshot_text, training_of

_PAGE = "troubleshooting/results-files"
Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class UsedVersion:
    """A version that can be loaded."""

    task: Task
    """With the configuration of the version."""
    version: str
    seed: int
    weights: Path | None
    """None for the base model as it is, which was only evaluated."""
    precision: Precision
    """What it was evaluated in."""

    @property
    def spec(self) -> RunSpec:
        """How its own evaluation asked it."""
        definition, config = self.task.definition, self.task.config.values
        return RunSpec(
            run_id=f"{self.version}-s{self.seed}",
            task=self.task.name,
            version=self.version,
            seed=self.seed,
            task_type=definition.task_type,
            answer=definition.answer,
            primary_metric=definition.primary_metric,
            lora=config.lora,
            training=config.training,
            decoding=config.decoding,
            label_words=config.prompt.label_words,
            launcher=config.launcher,
            config_hash="",
            data_hash="",
            evaluator_hash="",
            task_dir=str(self.task.path.resolve()),
            train=False,
            adapter_from=None if self.weights is None else str(self.weights.resolve()),
            created_at=now(),
        )

    @cached_property
    def asker(self) -> Asker:
        """Puts rows as the version's prompt says."""
        return Asker(self.task)

    def example(self, row: Row) -> Example:
        """A row as the version is asked it; raises InputError when the template asks for a field that it lacks."""
        return Example(
            id=row.id,
            messages=self.asker.messages(row),
            completion=self.asker.completion(row),
            expected=None if row.answer is None else expected_answer(self.task.definition.answer, row.answer),
            input=row.fields,
        )

    def turns_before(self) -> list[dict[str, str]]:
        """The turns that stand before every question: the system text and the examples of the prompt."""
        fields = dict.fromkeys(self.task.definition.input_fields, "\n")  # no example asks this
        return self.asker.messages(Row(id="", fields=fields))[:-1]

    def labelled(self, split: SplitName, limit: int | None = None) -> list[Example]:
        """The first labelled rows of a split (never test), as the version is asked them; [] when there are none."""
        try:
            rows = load_split(self.task, split).split
        except IterateError:
            return []
        kept = apply_recipe(self.task, rows).rows if split == "train" else rows.rows
        return [self.example(row) for row in kept if row.answer is not None][:limit]

    def longest_answers(self) -> list[Example]:
        """A row with each different training answer: the longest of them sets how long answers may be."""
        found = {row.completion: row for row in self.labelled("valid")}
        trained = {row.completion: row for row in self.labelled("train")}
        return list((trained or found).values())


def used_version(task_path: Path, version: str | None, seed: int | None = None) -> UsedVersion:
    """The version named, else the one in use; its first seed unless another is named.

    Raises NotFound when there is none or its weights are gone, Refused for a version that this program did not train, and
    MissingPart when its base model is not here.
    """
    name = version or _in_use(task_path)
    find_version(task_path, name)
    task = _with_snapshot(load_task(task_path), name)
    training = task.config.values.training
    if training.command is not None:
        raise Refused(
            T("{version} was trained by the task's own command, so only that knows how to load it.", version=name),
            page=_PAGE,
        )
    known = {one.seed: one for one in training_of(task_path, name)}
    chosen = seed if seed is not None else _first_seed(task_path, name, known, training.all_seeds)
    trained = known.get(chosen)
    weights = None if _is_bare(trained) else _weights(task_path, name, chosen)
    info = resolve_base_model(training.base_model, task_path)
    if not info.installed and info.kind != "hub":
        raise missing_model(info)
    return UsedVersion(task, name, chosen, weights, _precision(trained))


def _precision(trained: SeedOutcome | None) -> Precision:
    """As it was trained and evaluated, so far as its record says."""
    if trained is None:
        return "auto"
    return "bf16" if trained.precision == "bf16" else "fp32"


def _in_use(task_path: Path) -> str:
    pointer = current(task_path)
    if pointer is not None:
        return pointer.version
    names = [record.version for record in list_versions(task_path) if has_weights(task_path, record.version)]
    message, task = T("No version of {task} is in use yet.", task=task_path.name), task_path.name
    if not names:
        raise NotFound(message, hint=_no_weights(task), page=_PAGE)
    raise NotFound(
        message,
        hint=T(
            "Adopt one: iterate adopt {task} {example}. Or name one: --version {example}, in the chat /predict {example} or "
            "/export {example}. Versions with weights here: {names}.",
            task=shell_word(task),
            example=names[-1],
            names=", ".join(names),
        ),
        page="methods/comparing-versions",
    )


def _no_weights(task: str) -> Text:
    return T(
        "None has weights here, and results alone answer nothing. Improve {task}: the training that you approve there makes "
        "weights, and keeps them.",
        task=task,
    )


def _with_snapshot(task: Task, version: str) -> Task:
    """The task with the configuration of a version."""
    text = snapshot_text(task.path, version)
    if text is None:
        raise InputError(
            T("{version} has no configuration snapshot, so how it is asked is not known.", version=visible(version)),
            page=_PAGE,
        )
    return task.model_copy(update={"config": config_after(task, text)})


def _first_seed(task_path: Path, version: str, known: dict[int, SeedOutcome], configured: list[int]) -> int:
    kept = [int(seed) for seed in read_weights(task_path, version).seeds]
    return next(iter([*kept, *(seed for seed in configured if seed in known), *known, *configured]))


def _is_bare(trained: SeedOutcome | None) -> bool:
    """True for an evaluation of the base model as it is."""
    return trained is not None and not trained.trained and trained.weights is None


def _weights(task_path: Path, version: str, seed: int) -> Path:
    try:
        return weights_folder(task_path, version, seed)
    except NotFound as gone:
        kept = [known for known in read_weights(task_path, version).seeds if known != str(seed)]
        if kept and has_weights(task_path, version):
            raise
        raise _gone(task_path, version) from gone


def _gone(task_path: Path, version: str) -> MissingPart:
    """The error for a version whose weights are not here, with the way to have them again."""
    note = pruned_note(task_path, version)
    if note is not None:
        message = T("The weights of {version} were removed to free space on {day}.", version=version, day=note.at[:10])
    else:
        message = T("The weights of {version} are not in this folder.", version=version)
    return MissingPart(
        message,
        hint=T(
            "The next version that is trained keeps its weights. Or train this one again from its record: "
            "iterate rollback {task} --to {version}, then iterate train {task} --version {version}",
            task=shell_word(task_path.name),
            version=version,
        ),
        page=_PAGE,
    )
