"""Runs that are no versions: prepared under runs/quick/, trained or evaluated by the same worker, never collected.

    runs/quick/<run_id>/   spec.json  data/  result.json ...   as any run directory (tools/runs.py)

A probe has no test split at all, so nothing of it is answered or sealed. Its name follows from its content: asking for the same
probe twice computes it once. Weights that a probe leaves are removed when it has ended; what it measured stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from tools.errors import RunFailed
from tools.files import now, sha256_bytes, write_atomic, write_model
from tools.launch_training import start, wait
from tools.results import Prediction
from tools.runs import Example, RunDir, RunEvent, RunResult, RunSpec, RunState
from tools.scoring.stored_results import read_lines
from tools.text import T, visible
from tools.training.check import check_spec

QUICK_DIR = "runs/quick"
_RESUMES = 3
"""How often a worker that was killed is started again."""


def prepare_probe(task_dir: Path, spec: RunSpec, rows: dict[str, Sequence[Example]]) -> Path:
    """The run directory of a probe, written if it is not there; `rows` is split to examples, without test.

    A probe that failed or was cancelled is begun anew. Raises what is known to fail (a missing model, wrong settings).
    """
    assert "test" not in rows
    data = {name: "".join(one.model_dump_json() + "\n" for one in examples) for name, examples in rows.items()}
    named = spec.model_copy(update={"run_id": _name(spec, data), "data_hash": _hash(data), "test_evaluator_hash": None})
    folder = task_dir / QUICK_DIR
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / named.run_id
    with FileLock(folder / ".lock"):
        if _is_lost(path):
            shutil.rmtree(path)
        if not path.joinpath("spec.json").exists():
            check_spec(named)
            for name, content in data.items():
                write_atomic(path / "data" / f"{name}.jsonl", content)
            write_model(path / "spec.json", named.model_copy(update={"created_at": now()}))
    return path


def run_probe(
    path: Path,
    on_event: Callable[[RunEvent], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> RunResult | None:
    """Run a prepared probe to its end; None when it was cancelled, or left running because `should_stop` said so.

    Raises RunFailed for a failure. A probe that has ended already is only read.
    """
    for attempt in range(_RESUMES + 1):
        start(path)
        try:
            wait(path, on_event, should_stop=should_stop)
        except RunFailed:
            status = RunDir(path).status()
            if attempt == _RESUMES or (status is not None and status.state.ended):
                raise
            continue
        result = RunDir(path).result()
        if result is not None:
            _forget_weights(path)
        return result
    raise AssertionError("the last attempt returns or raises")


def probe_predictions(path: Path) -> list[Prediction]:
    """What a finished probe answered; raises RunFailed when it has no answers."""
    result = RunDir(path).result()
    if result is None or not result.predictions:
        raise RunFailed(T("The probe {run} has no answers to read.", run=visible(path.name)))
    return read_lines(path / result.predictions)


def _name(spec: RunSpec, data: dict[str, str]) -> str:
    said = spec.model_dump_json(exclude={"run_id", "created_at", "data_hash", "evaluator_hash", "test_evaluator_hash"})
    return f"{spec.version}-s{spec.seed}-{sha256_bytes((said + _hash(data)).encode('utf-8'))[:10]}"


def _hash(data: dict[str, str]) -> str:
    return sha256_bytes("\0".join(f"{name}\0{content}" for name, content in sorted(data.items())).encode("utf-8"))


def _is_lost(path: Path) -> bool:
    status = RunDir(path).status() if path.joinpath("spec.json").exists() else None
    return status is not None and status.state in {RunState.failed, RunState.cancelled}


def _forget_weights(path: Path) -> None:
    """Checkpoints and the adapter of a probe serve nothing more; predictions, history and the log stay."""
    for name in ("checkpoints", "adapter"):
        shutil.rmtree(path / name, ignore_errors=True)
