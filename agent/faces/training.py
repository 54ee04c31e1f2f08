"""`iterate train` and `iterate evaluate`: a single training or evaluation, watched on the terminal."""

from __future__ import annotations

from pathlib import Path

from agent.faces.console import out
from agent.faces.plain import PlainFace
from agent.faces.stream import StreamFace
from agent.faces.views.result import result_lines
from agent.manual import evaluate, parse_seeds, score_again, stop, train
from agent.proposing.now import base_version
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.text import Speaker, T


def train_version(path: Path, version: str | None, seeds: str | None, say: Speaker, *, as_json: bool) -> int:
    """Train and record a version; 130 when the training was cancelled."""
    face = StreamFace() if as_json else PlainFace(say)
    name = train(path, version, parse_seeds(seeds), face.watch, say)
    if name is None:
        out(say(T("The training was cancelled; its newest checkpoint is kept. `iterate train` continues it.")))
        return 130
    if not as_json:
        _show_result(path, name, say)
    return 0


def stop_training(path: Path, say: Speaker) -> int:
    """Stop what is running; 0 also when nothing was."""
    stopped = stop(path)
    if not stopped:
        out(say(T("No training of {task} is running.", task=path.name)))
    for run_id in stopped:
        out(say(T("Stopped {run}; its newest checkpoint is kept.", run=run_id)))
    return 0


def evaluate_version(path: Path, version: str | None, say: Speaker, *, again: bool, as_json: bool) -> int:
    """Evaluate a version on valid, from its weights or (not `again`) from its stored answers; 130 when it was cancelled."""
    name = version or base_version(path, "")
    face = StreamFace() if as_json else PlainFace(say)
    if not again:
        result = score_again(path, name)
        if as_json:
            out(result.model_dump_json(indent=2))
    elif not evaluate(path, name, face.watch, say):
        return 130
    if not as_json:
        _show_result(path, name, say)
    return 0


def _show_result(path: Path, version: str, say: Speaker) -> None:
    result = latest(read_results(ReadResultsArgs(task_dir=path)), version, "valid")
    if result:
        for line in result_lines(result, say):
            out(line)
