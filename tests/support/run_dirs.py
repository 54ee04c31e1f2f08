"""Run directories by hand, with the real models: what a worker would have left, or is just writing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import gethostname

from filelock import FileLock

from tools.config import Decoding, Launcher, Lora, Training
from tools.files import append_line, write_atomic, write_model
from tools.outcomes.predictions import read_predictions
from tools.reading.task import load_task
from tools.results import HistoryPoint, Prediction
from tools.runs import EvalEvent, PhaseEvent, RunDir, RunEvent, RunSpec, RunState, RunStatus, StepEvent
from tools.scoring.metrics import split_result
from tools.scoring.stored_results import predictions_file, store
from tools.task import AnswerFormat
from tools.text import T

TASKS = Path(__file__).resolve().parents[2] / "tasks"
RECORDS = Path(__file__).resolve().parent / "records"
"""Records of real trainings that stay as they are when a bundled task is trained anew."""
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
"""When every run of the tests began."""


def copy_task(folder: Path, name: str = "stance") -> Path:
    """A bundled task with a first version, without raw data."""
    ignored = shutil.ignore_patterns("raw", "runs", "models")
    return keep_record(Path(shutil.copytree(TASKS / name, folder / name, ignore=ignored)))


def keep_record(task: Path) -> Path:
    """Give the copy of a bundled task the record that the tests know, where they know one, and its configuration."""
    record = RECORDS / task.name
    if record.is_dir():
        for part in ("iterations", "benchmarks/results"):
            shutil.rmtree(task / part, ignore_errors=True)
            shutil.copytree(record / part, task / part)
        shutil.copyfile(record / "iterations/v1/config_snapshot.yaml", task / "configs/training_config.yaml")
    return task


def at(seconds: float) -> str:
    """The moment so long after the start."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def history() -> list[HistoryPoint]:
    """What was logged in one real training of stance, the one of the record that the tests know."""
    return _points(RECORDS / "stance")


def bundled_histories(task: str) -> dict[int | None, list[HistoryPoint]]:
    """What was logged in each training of a bundled task's first version, by seed."""
    found: dict[int | None, list[HistoryPoint]] = {}
    for point in _points(TASKS / task):
        found.setdefault(point.seed, []).append(point)
    return found


def _points(task: Path) -> list[HistoryPoint]:
    lines = (task / "iterations" / "v1" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [HistoryPoint.model_validate(json.loads(line)) for line in lines]


def events_of(
    points: Sequence[HistoryPoint], *, metric: str = "macro_f1", pace: float = 4.0, total: int | None = None
) -> list[RunEvent]:
    """The events that a worker would have written for these points, a step every `pace` seconds."""
    last = total or max(point.step for point in points)
    found: list[RunEvent] = [PhaseEvent(at=at(0), phase="training", message=T("Training."))]
    best = -1.0
    for point in points:
        moment = at(point.step * pace)
        if point.eval_loss is None and point.metric is None:
            found.append(
                StepEvent(
                    at=moment, step=point.step, total_steps=last, epoch=point.epoch or 0.0, loss=point.loss,
                    grad_norm=point.grad_norm, tokens_per_second=312.4, memory_mb=2513.0,
                    eta_seconds=(last - point.step) * pace,
                )
            )  # fmt: skip
            continue
        value = point.metric or 0.0
        found.append(
            EvalEvent(
                at=moment, step=point.step, epoch=point.epoch or 0.0, eval_loss=point.eval_loss,
                metrics={metric: value}, best=value > best,
            )
        )  # fmt: skip
        best = max(best, value)
    return found


def run_dir(task: Path, name: str = "v2-s42", *, version: str = "v2", seed: int = 42, **spec: object) -> RunDir:
    """A run directory in which nothing has happened yet."""
    run = RunDir(task / "runs" / name)
    known = {"primary_metric": "macro_f1", "created_at": at(seed - 42), **spec}
    write_model(
        run.file("spec.json"),
        RunSpec(
            run_id=name, task=task.name, version=version, seed=seed, task_type="classification",
            answer=AnswerFormat(type="label"), lora=Lora(), training=Training(), decoding=Decoding(),
            launcher=Launcher(), config_hash="c", data_hash="d", evaluator_hash="e", **known,
        ),
    )  # fmt: skip
    return run


def write_events(run: RunDir, events: Sequence[RunEvent]) -> None:
    """Append events, as the worker does."""
    for event in events:
        append_line(run.file("events.jsonl"), event.model_dump_json())


def write_status(run: RunDir, state: RunState = RunState.running, **fields: object) -> None:
    """Replace the status and beat the heart at the same moment."""
    known = {"phase": "training", "host": gethostname(), "updated_at": at(0), **fields}
    write_model(run.file("status.json"), RunStatus(state=state, **known))
    write_atomic(run.file("heartbeat"), str(known["updated_at"]) + "\n")


def live_run(task: Path, points: Sequence[HistoryPoint], *, total: int = 88, **given: object) -> RunDir:
    """A run in the middle of its training; `alive` makes it look as if its worker lived."""
    run = run_dir(task, **given)
    events = events_of(points, total=total)
    write_events(run, events)
    last = points[-1]
    write_status(
        run, step=last.step, total_steps=total, epoch=last.epoch or 0.0, eta_seconds=(total - last.step) * 4.0,
        updated_at=events[-1].at,
    )  # fmt: skip
    return run


@contextmanager
def alive(run: RunDir) -> Iterator[None]:
    """Hold the lock that a living worker holds."""
    with FileLock(run.file("run.lock")):
        yield


def make_child(task: Path, version: str = "v2", parent: str = "v1") -> Path:
    """The record of a version that began from another; it has no result yet."""
    folder = task / "iterations" / version
    manifest = json.loads((task / "iterations" / parent / "manifest.json").read_text(encoding="utf-8"))
    snapshot = (task / "iterations" / parent / "config_snapshot.yaml").read_text(encoding="utf-8")
    change = {"msgid": "Epochs: {old} → {new}", "params": {"old": 4, "new": 6}}
    made = {**manifest, "version": version, "parent": parent, "changes": [change]}
    write_atomic(folder / "manifest.json", json.dumps(made))
    write_atomic(folder / "config_snapshot.yaml", snapshot.replace("epochs: 4", "epochs: 6"))
    write_atomic(folder / "notes.md", f"# {version}\n\n**Goal**: more epochs.\n")
    write_atomic(folder / "changes.md", "- Epochs: 4 → 6\n")
    return folder


def make_result(
    task: Path, version: str = "v2", *, fixed: int = 30, broken: int = 8, seeds: Sequence[int] = (42,)
) -> None:
    """A result on valid: the answers of v1 with so many of its wrong rows right and so many of its right ones wrong."""
    rows = read_predictions(task / predictions_file("v1"))
    wrong, right = ([row.id for row in rows if row.correct is kind] for kind in (False, True))
    by_seed = {}
    for number, seed in enumerate(seeds):
        mended, spoiled = set(wrong[: fixed + number]), set(right[:broken])
        by_seed[seed] = [_answered(row, seed, mended, spoiled) for row in rows]
    definition = load_task(task).definition
    before = json.loads((task / "benchmarks/results/v1_valid.json").read_text(encoding="utf-8"))
    result = split_result(definition, version, "valid", by_seed, before["evaluator_hash"], predictions_file(version))
    store(task, result, by_seed)


def _answered(row: Prediction, seed: int, mended: set[str], spoiled: set[str]) -> Prediction:
    if row.id not in mended | spoiled:
        return row.model_copy(update={"seed": seed, "scores": None})
    other = "支持" if row.expected != "支持" else "反對"
    answer = row.expected if row.id in mended else other
    right = row.id in mended
    return row.model_copy(
        update={"seed": seed, "scores": None, "raw": answer, "parsed": answer, "correct": right, "score": float(right)}
    )
