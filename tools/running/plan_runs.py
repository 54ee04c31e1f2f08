"""From a task and a version to run plans: which rows a worker gets, word for word, and the name that follows from them.

It reads and computes and writes nothing; tools/launch_training.py writes a plan down and starts it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.config import TrainingConfig
from tools.errors import InputError, Problem
from tools.files import sha256_bytes
from tools.making.first_rows import never_divided, next_step
from tools.preference.attach import attach
from tools.reading.config import require_usable
from tools.reading.task import load_split
from tools.running.recipe import apply_recipe
from tools.running.weights import start_folder, weights_folder
from tools.runs import Example, RunSpec
from tools.scoring.answers import expected_answer
from tools.scoring.asking import Asker
from tools.scoring.evaluator import evaluator_hash
from tools.task import Row, SplitName, Task, TaskDefinition
from tools.text import T, visible
from tools.words import split_name

_VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,39}")
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class RunPlan:
    """One run of one seed, ready to be written down."""

    spec: RunSpec
    """With the id of the first attempt and no time of creation yet."""
    data: dict[str, bytes]
    """File name in the run's data/ folder to its content: JSON lines of tools.runs.Example."""
    rows: dict[SplitName, int]
    left_out: dict[SplitName, int]
    """Rows without an answer, which cannot be trained or evaluated on."""


@dataclass(frozen=True)
class _Material:
    """The examples of a split."""

    examples: list[Example]
    left_out: int

    @property
    def content(self) -> bytes:
        return "".join(example.model_dump_json() + "\n" for example in self.examples).encode("utf-8")


def plan_runs(
    task: Task,
    version: str,
    *,
    seeds: Sequence[int] = (),
    train: bool = True,
    weights_from: str | None = None,
    start_from: str | None = None,
) -> list[RunPlan]:
    """One plan per seed (those of the configuration by default); equal input gives equal run ids.

    With `train` false nothing is trained: the base model, or the weights of version `weights_from`, is evaluated. A training
    begins with the weights of version `start_from`, or with the base model. Raises InputError with all rows that cannot be
    written as text, and NotFound for weights that are not there.
    """
    check_version(version)
    require_usable(task.config)
    config = task.config.values
    material = _materialise(task, train)
    data = {f"{name}.jsonl": split.content for name, split in material.items()}
    data_hash = sha256_bytes(b"\0".join(name.encode() + b"\0" + content for name, content in sorted(data.items())))
    shared = RunSpec(
        run_id="",
        task=task.name,
        version=version,
        seed=0,
        task_type=task.definition.task_type,
        answer=task.definition.answer,
        primary_metric=task.definition.primary_metric,
        lora=config.lora,
        training=config.training,
        decoding=config.decoding,
        label_words=config.prompt.label_words,
        launcher=config.launcher,
        config_hash=_config_hash(task.definition, config, train, (weights_from, start_from)),
        data_hash=data_hash,
        evaluator_hash=_evaluator(task.definition, material["valid"]),
        test_evaluator_hash=_evaluator(task.definition, material["test"]) if "test" in material else None,
        task_dir=str(task.path.resolve()),
        train=train,
        created_at="",
    )
    rows = {name: len(split.examples) for name, split in material.items()}
    left_out = {name: split.left_out for name, split in material.items()}
    return [
        RunPlan(_for_seed(shared, seed, task.path, (weights_from, start_from)), data, rows, left_out)
        for seed in dict.fromkeys(seeds or config.training.all_seeds)
    ]


def check_version(version: str) -> None:
    """Raise InputError for a version name that could not be a folder's name everywhere."""
    if not _VERSION.fullmatch(version):
        raise InputError(
            T("{version} cannot be the name of a version.", version=visible(repr(version), 60)),
            hint=T("Use letters, digits, dots, dashes and underscores, such as v2."),
            page="troubleshooting/configuration",
        )


def _for_seed(shared: RunSpec, seed: int, task_dir: Path, weights: tuple[str | None, str | None]) -> RunSpec:
    """The spec of one seed, with its id; `weights` are the versions to evaluate and to start from."""
    evaluated, start = weights
    said = [shared.task, shared.version, shared.config_hash, shared.data_hash, seed]
    short = sha256_bytes(json.dumps(said, ensure_ascii=False).encode("utf-8"))[:8]
    return shared.model_copy(
        update={
            "run_id": f"{shared.version}-s{seed}-{short}",
            "seed": seed,
            "training": shared.training.model_copy(update={"seed": seed, "seeds": []}),
            "adapter_from": str(weights_folder(task_dir, evaluated, seed).resolve()) if evaluated else None,
            "start_from": str(start_folder(task_dir, start, seed).resolve()) if start else None,
        }
    )


def _config_hash(
    definition: TaskDefinition, config: TrainingConfig, train: bool, weights: tuple[str | None, str | None]
) -> str:
    """Over what decides about weights and predictions. The data recipe and the prompt count through the rows they make."""
    decisive = {
        "lora": None if config.lora is None else config.lora.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json", exclude={"seed", "seeds"}),
        "decoding": config.decoding.model_dump(mode="json"),
        "task_type": definition.task_type,
        "answer": definition.answer.model_dump(mode="json"),
        **({"label_words": config.prompt.label_words} if config.prompt.label_words else {}),
        "primary_metric": definition.primary_metric,
        "train": train,
        "weights_from": weights[0],
        "start_from": weights[1],
    }
    return sha256_bytes(json.dumps(decisive, ensure_ascii=False, sort_keys=True).encode("utf-8"))


def _evaluator(definition: TaskDefinition, split: _Material) -> str:
    rows = ((example.id, example.expected) for example in split.examples)
    return evaluator_hash(definition.task_type, definition.answer, rows)


def _materialise(task: Task, train: bool) -> dict[SplitName, _Material]:
    """The examples of each split, with pairs where a preference method is trained; test only when it has rows.

    Raises InputError when train or valid has none.
    """
    recipe = apply_recipe(task, load_split(task, "train").split)
    rows = _examples(task, recipe.rows, recipe.weights)
    if train and rows.examples:
        rows = _Material(attach(task, recipe.rows, rows.examples).examples, rows.left_out)
    material: dict[SplitName, _Material] = {"train": rows}
    for name in ("valid", "test"):
        split = load_split(task, name).split
        material[name] = _examples(task, split.rows, [1.0] * len(split.rows))
    if not material["test"].examples:
        del material["test"]
    for name, found in material.items():
        if not found.examples:
            raise InputError(
                T("There are no labelled rows in the {split} split.", split=split_name(name)),
                hint=next_step(task)
                if name == "train" and never_divided(task)
                else T("Check the files named in `data:` of configs/training_config.yaml."),
                page="troubleshooting/small-data",
            )
    return material


def _examples(task: Task, rows: Iterable[Row], weights: Sequence[float]) -> _Material:
    asker = Asker(task)
    examples: list[Example] = []
    problems: list[Problem] = []
    left_out = 0
    for row, weight in zip(rows, weights, strict=True):
        try:
            example = _example(asker, task, row, weight)
        except InputError as error:
            problems.append(
                Problem(message=error.message, path=row.file, line=row.line, hint=error.hint, page=error.page)
            )
            continue
        if example is None:
            left_out += 1
        else:
            examples.append(example)
    if problems:
        raise InputError(
            T("{count} rows cannot be written as prompt and answer.", count=len(problems)),
            problems=problems[:_SHOWN_PROBLEMS],
            page=problems[0].page,
        )
    return _Material(examples, left_out)


def _example(asker: Asker, task: Task, row: Row, weight: float) -> Example | None:
    """The row as the worker sees it; None without an answer."""
    answer = task.definition.answer
    if row.answer is None and row.chosen is None:
        return None
    expected = expected_answer(answer, row.answer) if row.answer is not None else row.chosen
    return Example(
        id=row.id,
        messages=asker.messages(row),
        completion=asker.completion(row),
        expected=expected,
        input=row.fields,
        weight=weight,
        chosen=row.chosen,
        rejected=row.rejected,
    )
