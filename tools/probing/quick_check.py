"""Trying a change on a part of the training rows before its full training is paid for.

    plan_quick_check -> QuickPlan (what runs, what it takes) -> run_quick_check -> QuickResult (paired difference, interval)

The configuration as it is and the changed one are trained with the same seeds on the same part of train, and answer the same
validation rows. Fewer rows make fewer steps; everything else is as configured. Such runs are no versions: nothing is recorded
but the numbers, and test is not even read into them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tools.change import Change
from tools.edit_config import require_valid, text_after
from tools.errors import InputError
from tools.evidence.paired import measures, side_by_side
from tools.evidence.statistics import paired_bootstrap
from tools.files import now
from tools.probing.probe_runs import prepare_probe, probe_predictions, run_probe
from tools.probing.quick_records import QuickRecord, Trust, record_quick, trust_in_quick
from tools.probing.subset import at_most, part_of
from tools.reading.task import load_task
from tools.results import Prediction
from tools.running.plan_runs import RunPlan, plan_runs
from tools.running.start_weights import start_version
from tools.runs import Example, RunDir, RunEvent
from tools.task import Task
from tools.text import T
from tools.training.estimate import Estimate, Workload, answer_guess, estimate, tokens_guess
from tools.versioning.forecasts import change_key

PURPOSE = "quick"
"""The `version` of such a run; it is none."""
SHARE = 0.3
VALID_ROWS = 120
"""With fewer validation rows hardly any difference could be seen; more cost as much as training on them."""


class QuickCheckArgs(BaseModel):
    """What to try, on how much."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_dir: Path
    changes: list[Change] = Field(min_length=1)
    change_id: str
    """Proposal.id of the change."""
    metric: str
    """The metric that it is meant to move."""
    share: float = Field(default=SHARE, gt=0, le=1)
    """Of the training rows."""
    valid_rows: int = Field(default=VALID_ROWS, ge=2)
    """Validation rows at most."""
    seeds: int = Field(default=1, ge=1)
    """Trainings of each side."""


class QuickPlan(BaseModel):
    """A quick check that is ready to run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    args: QuickCheckArgs
    base: list[Path]
    """One run a seed."""
    changed: list[Path]
    train_rows: tuple[int, int]
    """Of the configuration as it is, and changed."""
    valid_rows: int
    estimate: Estimate | None
    """Of what is still to be computed; None when the size of the base model is not known."""
    waiting: int
    """Runs that were not computed before."""
    config_sha256: str
    """Hash of the configuration as it was."""


class QuickResult(BaseModel):
    """What the quick check found; all in fractions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    base: float
    changed: float
    low: float
    high: float
    """95 % interval of the difference, over rows and seeds."""
    p: float
    fixed: int
    """Rows that only the changed side answers correctly."""
    broken: int
    train_rows: tuple[int, int]
    valid_rows: int
    seeds: int
    minutes: float
    trust: Trust

    @property
    def difference(self) -> float:
        """Changed minus base."""
        return self.changed - self.base


def plan_quick_check(args: QuickCheckArgs) -> QuickPlan:
    """Write the runs of both sides down and price them; nothing is started.

    Raises InputError when the changed configuration is not valid or would be measured with other validation rows.
    """
    task = load_task(args.task_dir)
    edits = [edit for change in args.changes for edit in change.edits]
    after = task.model_copy(update={"config": require_valid(task, text_after(task.config, edits))})
    seeds = _seeds(task, args.seeds)
    plans = [_plans(one, seeds) for one in (task, after)]
    train, valid = ([_examples(side, split) for side in plans] for split in ("train", "valid"))
    _require_same_rows(*valid)
    parts = [part_of(train[0], args.share), part_of(train[1], args.share, base=train[0])]
    shown = [at_most(rows, args.valid_rows) for rows in valid]
    runs = [
        [prepare_probe(task.path, plan.spec, {"train": part, "valid": asked}) for plan in side]
        for side, part, asked in zip(plans, parts, shown, strict=True)
    ]
    waiting = [path for path in (*runs[0], *runs[1]) if RunDir(path).result() is None]
    return QuickPlan(
        args=args,
        base=runs[0],
        changed=runs[1],
        train_rows=(len(parts[0]), len(parts[1])),
        valid_rows=len(shown[0]),
        estimate=_price(waiting),
        waiting=len(waiting),
        config_sha256=task.config.sha256,
    )


def run_quick_check(
    plan: QuickPlan,
    on_event: Callable[[Path, RunEvent], None] = lambda path, event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> QuickResult | None:
    """Run both sides one after the other and compare them; None when it was cancelled or left. Raises RunFailed."""
    minutes = 0.0
    for path in (*plan.base, *plan.changed):

        def tell(event: RunEvent, run: Path = path) -> None:
            on_event(run, event)

        result = run_probe(path, tell, should_stop)
        if result is None:
            return None
        minutes += result.minutes
    return _compared(plan, minutes)


def _compared(plan: QuickPlan, minutes: float) -> QuickResult:
    args = plan.args
    task = load_task(args.task_dir)
    old, new = (_predictions(paths) for paths in (plan.base, plan.changed))
    rows = side_by_side(old, new)
    assert rows is not None  # both sides were given the same validation rows
    found = measures(task.definition.task_type, task.definition.answer, rows)
    metric = args.metric if args.metric in found else next(iter(found))
    estimated = paired_bootstrap({metric: found[metric]})[metric]
    fixed, broken = rows.fixed_and_broken()
    record = QuickRecord(
        at=now(),
        change_id=args.change_id,
        kinds=sorted({change_key(change) for change in args.changes}),
        metric=metric,
        difference=estimated.difference,
        low=estimated.low,
        high=estimated.high,
        share=args.share,
        valid_rows=plan.valid_rows,
        seeds=args.seeds,
        config_sha256=plan.config_sha256,
    )
    record_quick(args.task_dir, record)
    return QuickResult(
        metric=metric,
        base=estimated.old,
        changed=estimated.new,
        low=estimated.low,
        high=estimated.high,
        p=estimated.p,
        fixed=len(fixed),
        broken=len(broken),
        train_rows=plan.train_rows,
        valid_rows=plan.valid_rows,
        seeds=args.seeds,
        minutes=round(minutes, 1),
        trust=trust_in_quick(sorted(path for path in args.task_dir.parent.glob("*") if path.is_dir())),
    )


def _seeds(task: Task, count: int) -> list[int]:
    """The first seeds of the configuration, then the numbers behind the last."""
    seeds = task.config.values.training.all_seeds[:count]
    return [*seeds, *(max(seeds) + number for number in range(1, count - len(seeds) + 1))]


def _plans(task: Task, seeds: Sequence[int]) -> list[RunPlan]:
    return plan_runs(task, PURPOSE, seeds=seeds, start_from=start_version(task, PURPOSE))


def _examples(plans: Sequence[RunPlan], split: str) -> list[Example]:
    """The rows of a split as the worker gets them; they are the same for all seeds."""
    return [Example.model_validate_json(line) for line in plans[0].data[f"{split}.jsonl"].splitlines()]


def _require_same_rows(base: Sequence[Example], changed: Sequence[Example]) -> None:
    if [(row.id, row.expected) for row in base] != [(row.id, row.expected) for row in changed]:
        raise InputError(
            T("The change would be measured with other validation rows, so the two sides could not be compared."),
            hint=T("Try a change that leaves data.valid and the carved validation rows as they are."),
            page="methods/quick-check",
        )


def _predictions(paths: Sequence[Path]) -> list[Prediction]:
    return [one for path in paths for one in probe_predictions(path)]


def _price(waiting: Sequence[Path]) -> Estimate | None:
    """Minutes of all waiting runs together, with the memory of the largest."""
    try:
        found = [estimate(_workload(RunDir(path))) for path in waiting]
    except InputError:
        return None
    if not found:
        return Estimate(minutes=0.0, memory_gb=None, basis=T("both sides were computed before"))
    sizes = [one.memory_gb for one in found if one.memory_gb is not None]
    minutes = round(sum(one.minutes for one in found), 1)
    return found[0].model_copy(update={"minutes": minutes, "memory_gb": max(sizes, default=None)})


def _workload(run: RunDir) -> Workload:
    spec = run.spec()
    rows = [
        [Example.model_validate_json(line) for line in run.file(f"data/{name}.jsonl").read_bytes().splitlines()]
        for name in ("train", "valid")
    ]
    texts = ["".join(turn["content"] for turn in row.messages) + row.completion for row in rows[0]]
    return Workload(
        base_model=spec.training.base_model,
        rows=len(rows[0]),
        epochs=spec.training.epochs,
        valid_rows=len(rows[1]),
        tokens_per_row=min(tokens_guess(texts), float(spec.training.max_length)),
        tokens_per_answer=answer_guess([row.completion for row in rows[1]]),
        evals_per_epoch=spec.training.evals_per_epoch,
        micro_batch_size=spec.training.micro_batch_size,
        all_weights=spec.lora is None,
        folder=spec.task_folder,
    )
