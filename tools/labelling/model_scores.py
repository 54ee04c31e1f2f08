"""Label probabilities of unlabelled rows by a version's own weights: a run of the worker that trains nothing.

The rows are asked as the version asks: with its prompt, from its snapshot. Nothing but the declared labels is scored, so one
pass per label and no generated text. Without weights or declared labels there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tools.config import Decoding
from tools.edit_config import config_after
from tools.errors import NotFound
from tools.probing.probe_runs import prepare_probe, probe_predictions, run_probe
from tools.running.plan_runs import RunPlan, plan_runs
from tools.running.weights import read_weights, weights_folder
from tools.runs import Example, RunEvent
from tools.scoring.asking import Asker
from tools.task import Row, Task
from tools.versioning.records import snapshot_text

PURPOSE = "pool"
"""The `version` of such a run; it is none."""


def can_score(task: Task, version: str) -> bool:
    """True when the version's weights are kept here and the task declares its labels."""
    if not version or not task.definition.answer.labels or task.config.values.training.command is not None:
        return False
    try:
        weights_folder(task.path, version, _seed(task, version))
    except NotFound:
        return False
    return True


def plan_scores(task: Task, version: str, rows: Sequence[Row]) -> Path:
    """The prepared run that scores `rows` with the first seed of `version`; computed once for the same rows and weights."""
    text = snapshot_text(task.path, version)
    own = task if text is None else task.model_copy(update={"config": config_after(task, text)})
    plan = plan_runs(own, PURPOSE, seeds=[_seed(task, version)], train=False, weights_from=version)[0]
    spec = plan.spec.model_copy(update={"decoding": Decoding(constrained=True)})
    train = _shortest(plan)
    return prepare_probe(task.path, spec, {"train": train, "valid": _examples(own, rows)})


def model_scores(
    path: Path, on_event: Callable[[RunEvent], None], should_stop: Callable[[], bool] = lambda: False
) -> dict[str, dict[str, float]] | None:
    """Row id to label to probability; None when the run was cancelled or left. Raises RunFailed."""
    if run_probe(path, on_event, should_stop) is None:
        return None
    return {one.id: one.scores for one in probe_predictions(path) if one.scores is not None}


def _seed(task: Task, version: str) -> int:
    kept = read_weights(task.path, version).seeds
    return int(next(iter(kept))) if kept else task.config.values.training.all_seeds[0]


def _examples(task: Task, rows: Sequence[Row]) -> list[Example]:
    """The rows as the worker is asked them: no answer is known, none is expected."""
    asker = Asker(task)
    return [
        Example(id=row.id, messages=asker.messages(row), completion="", expected=None, input=row.fields) for row in rows
    ]


def _shortest(plan: RunPlan) -> list[Example]:
    """One training row: the worker looks there for the length of answers, which are not generated here."""
    first = plan.data["train.jsonl"].splitlines()[0]
    return [Example.model_validate_json(first)]
