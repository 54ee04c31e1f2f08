"""From finished runs to the files of a version: result and predictions, history, sealed test predictions, weights.

It moves and adds up what the runs left and reads no test prediction. Collecting twice writes the same files; seeds that are
added later join the result. The version's record under iterations/ is tools/versions.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.errors import InputError, Refused, RunFailed
from tools.files import sha256_bytes, write_atomic
from tools.results import HistoryPoint, Prediction, SplitResult
from tools.running.weights import keep_weights, owns
from tools.runs import RunDir, RunResult, RunSpec, RunState
from tools.scoring.metrics import split_result
from tools.scoring.stored_results import own_predictions, own_result, predictions_file, read_lines, result_file, store
from tools.task import Task
from tools.text import T, visible
from tools.words import state_name


class SeedOutcome(BaseModel):
    """What is worth remembering of one run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    seed: int
    trained: bool
    """False when weights were only evaluated."""
    config_hash: str
    data_hash: str
    best_step: int
    best_epoch: float
    stopped_early: bool
    rows_truncated: int
    minutes: float
    tokens_per_second: float
    peak_memory_mb: float
    precision: str
    reason_precision: str
    resumed: int
    rows_at_once: int | None = None
    """Rows that went through the model together after memory had run out; None when it never did."""
    adapter_sha256: str
    weights: str | None
    """Folder of the weights, relative to the task folder; None when the base model was evaluated as it is."""
    sealed: str | None
    """Sealed test predictions, relative to the task folder; None without a test split."""
    sealed_sha256: str | None


class VersionOutcome(BaseModel):
    """A version as collected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    result: SplitResult
    """All seeds of the version so far, on valid."""
    result_file: str
    """Relative to the task folder, like all paths here."""
    predictions: str
    history: str | None
    """None when nothing was trained."""
    evaluator_hash: str
    test_evaluator_hash: str | None
    seeds: list[SeedOutcome]
    """The runs collected now, by seed."""

    @property
    def minutes(self) -> float:
        """Time of the collected runs together."""
        return sum(seed.minutes for seed in self.seeds)

    @property
    def sealed(self) -> list[str]:
        """The sealed test predictions of the collected runs."""
        return [seed.sealed for seed in self.seeds if seed.sealed is not None]


class _Finished(NamedTuple):
    """A run that succeeded."""

    run: RunDir
    spec: RunSpec
    result: RunResult


def collect(task: Task, version: str, run_dirs: Sequence[Path]) -> VersionOutcome:
    """Bring the runs of a version into the task folder, the result file last.

    Raises RunFailed for a run without a result, InputError for runs that do not belong together, and Refused when the
    version already has other weights or sealed predictions of a seed.
    """
    runs = sorted((_finished(path, version) for path in run_dirs), key=lambda finished: finished.spec.seed)
    _check_together(runs, version)
    spec = runs[0].spec
    by_seed = _earlier_seeds(task.path, version, runs)
    by_seed.update(
        {finished.spec.seed: read_lines(finished.run.file(finished.result.predictions)) for finished in runs}
    )
    # In the order given, so that the configuration's first seed gets the folder `adapter`.
    order = {path.name: number for number, path in enumerate(run_dirs)}
    outcomes = [_keep(task.path, finished) for finished in sorted(runs, key=lambda each: order[each.run.run_id])]
    history = _write_history(task.path, version, runs)
    result = split_result(spec, version, "valid", by_seed, spec.evaluator_hash, predictions_file(version))
    store(task.path, result, by_seed)
    return VersionOutcome(
        version=version,
        result=result,
        result_file=result_file(version),
        predictions=predictions_file(version),
        history=history,
        evaluator_hash=spec.evaluator_hash,
        test_evaluator_hash=spec.test_evaluator_hash,
        seeds=sorted(outcomes, key=lambda outcome: outcome.seed),
    )


def _finished(path: Path, version: str) -> _Finished:
    run = RunDir(path)
    status, result, spec = run.status(), run.result(), run.spec()
    if status is None or status.state is not RunState.succeeded or result is None:
        state = "queued" if status is None else status.state.value
        raise RunFailed(
            T(
                "The run {run} has no result to collect: it is {state}.",
                run=visible(run.run_id),
                state=state_name(state),
            ),
            hint=T("Train it to the end first with `iterate train`."),
            page="troubleshooting/sessions-and-locks",
        )
    if spec.version != version:
        raise InputError(
            T(
                "The run {run} belongs to {other}, not to {version}.",
                run=visible(run.run_id),
                other=visible(spec.version),
                version=visible(version),
            )
        )
    return _Finished(run, spec, result)


def _check_together(runs: Sequence[_Finished], version: str) -> None:
    """One version is one configuration, one set of rows and one evaluator, with each seed once."""
    if not runs:
        raise InputError(T("There are no runs of {version} to collect.", version=visible(version)))
    kinds = {(finished.spec.config_hash, finished.spec.data_hash, finished.spec.evaluator_hash) for finished in runs}
    if len(kinds) > 1 or len({finished.spec.seed for finished in runs}) < len(runs):
        raise InputError(
            T("The runs of {version} differ in more than their seed.", version=visible(version)),
            hint=T("Give the changed configuration or data a version of its own."),
            page="methods/comparing-versions",
        )


def _earlier_seeds(task_dir: Path, version: str, runs: Sequence[_Finished]) -> dict[int, list[Prediction]]:
    """Predictions of the version's other seeds, so far as they were judged in the same way."""
    before = own_result(task_dir, version)
    others = set(before.seeds) - {str(finished.spec.seed) for finished in runs} if before is not None else set()
    if before is None or not others:
        return {}
    if before.evaluator_hash != runs[0].spec.evaluator_hash:
        raise InputError(
            T("{file} was scored by another evaluator than the new runs.", file=result_file(version)),
            hint=T(
                "Score its stored outputs again first: `iterate evaluate --version {version} --rescore`.",
                version=version,
            ),
            page="methods/comparing-versions",
        )
    by_seed: dict[int, list[Prediction]] = {}
    for row in own_predictions(task_dir, version):
        if str(row.seed) in others and row.seed is not None:
            by_seed.setdefault(row.seed, []).append(row)
    return by_seed


def _keep(task_dir: Path, finished: _Finished) -> SeedOutcome:
    """Weights and sealed predictions of one run, at their place in the task folder."""
    spec, result = finished.spec, finished.result
    return SeedOutcome(
        run_id=spec.run_id,
        seed=spec.seed,
        trained=spec.train,
        config_hash=spec.config_hash,
        data_hash=spec.data_hash,
        best_step=result.best_step,
        best_epoch=result.best_epoch,
        stopped_early=result.stopped_early,
        rows_truncated=result.rows_truncated,
        minutes=result.minutes,
        tokens_per_second=result.tokens_per_second,
        peak_memory_mb=result.peak_memory_mb,
        precision=result.precision,
        reason_precision=result.reason_precision,
        resumed=result.resumed,
        rows_at_once=result.rows_at_once,
        adapter_sha256=result.adapter_sha256,
        weights=_keep_weights(task_dir, finished),
        sealed=_keep_sealed(task_dir, finished),
        sealed_sha256=result.sealed_sha256,
    )


def _keep_weights(task_dir: Path, finished: _Finished) -> str | None:
    spec, result = finished.spec, finished.result
    source = Path(spec.adapter_from) if spec.adapter_from is not None else finished.run.file(result.adapter)
    if spec.adapter_from is None and not (spec.train and result.adapter):
        return None  # the base model as it is, or a training command that leaves no weights here
    if owns(task_dir, spec.version, spec.adapter_from):
        own = (task_dir / "models" / spec.version).resolve()
        return f"models/{spec.version}/{source.resolve().relative_to(own).as_posix()}"
    # Not resolved: models/ may be a link to a larger disk.
    kept = keep_weights(task_dir, spec.version, spec.seed, source, (spec.run_id, result.adapter_sha256))
    return kept.relative_to(task_dir).as_posix()


def _keep_sealed(task_dir: Path, finished: _Finished) -> str | None:
    """Copy the sealed file byte by byte, unread; raises Refused when it, or the one already kept, is not what was sealed."""
    spec, result = finished.spec, finished.result
    if result.sealed_test is None:
        return None
    relative = f"iterations/{spec.version}/sealed/test_seed{spec.seed}.sealed"
    target = task_dir / relative
    content = finished.run.file(result.sealed_test).read_bytes()
    if sha256_bytes(content) != result.sealed_sha256:
        raise Refused(
            T("The sealed test predictions of {run} were changed after they were sealed.", run=visible(spec.run_id)),
            hint=T("Train the version again: changed test predictions cannot support any claim."),
            page="methods/locked-test",
        )
    if target.exists() and target.read_bytes() != content and spec.train:
        raise Refused(
            T("{file} already holds other sealed test predictions.", file=relative),
            hint=T("A version never changes: train under a new version name."),
            page="methods/locked-test",
        )
    write_atomic(target, content)
    return relative


def _write_history(task_dir: Path, version: str, runs: Sequence[_Finished]) -> str | None:
    """The logged moments of all seeds, by seed and step; those of seeds that were not trained now stay as they are."""
    relative = f"iterations/{version}/history.jsonl"
    seeds = {finished.spec.seed for finished in runs if finished.spec.train}
    points = [point for point in _points(task_dir / relative) if point.seed not in seeds]
    for finished in runs:
        points += [point.model_copy(update={"seed": finished.spec.seed}) for point in finished.result.history]
    if not points:
        return None
    points.sort(key=lambda point: (-1 if point.seed is None else point.seed, point.step))
    write_atomic(task_dir / relative, "".join(point.model_dump_json() + "\n" for point in points))
    return relative


def _points(path: Path) -> list[HistoryPoint]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [HistoryPoint.model_validate_json(line) for line in lines if line.strip()]
