"""One more seed of a version that a night starts from or has kept: trained as `iterate train --version --seeds` does.

Which and how many is decided elsewhere (night.py, last_seeds.py). What is trained is written down before it begins: whoever
takes the night up finishes it, whatever limit its own run has used up, and whoever ends the night can end it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.context import Context, Left
from agent.events import Event, Progress, VersionBegun
from agent.journal import Journal
from agent.overnight.context import Night
from agent.overnight.ended import crash_of
from agent.overnight.last_seeds import Held, held_back, line_key
from agent.overnight.overtime import is_going, stops
from agent.overnight.records import Measured
from agent.overnight.watchman import seal_results
from agent.session import task_lock
from agent.steps.compare import compared_again
from agent.steps.execute import run_version
from tools.errors import Busy, IterateError, RunFailed
from tools.files import write_model
from tools.launch_training import LaunchArgs, active_runs, cancel
from tools.runs import RunDir
from tools.text import T
from tools.versioning.records import training_of

BEGUN = "seed.json"
"""File in the folder of a night."""


class _Begun(BaseModel):
    """What is being trained, and the key of the line that will say so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Path
    version: str
    seed: int
    minutes: float
    key: str


def train_last(night: Night) -> bool:
    """Train one of the seeds that were held back for the end; False when none is left or fits."""
    held = next((one for one in held_back(night) if night.has_room(one.minutes)), None)
    if held is not None:
        train_seed(night, held, line_key(held))
    return held is not None


def train_seed(night: Night, wanted: Held, key: str) -> None:
    """Train a version with one more seed, and write it down under this key."""
    begun = _Begun(task=wanted.path, version=wanted.version, seed=wanted.seed, minutes=wanted.minutes, key=key)
    write_model(night.folder / BEGUN, begun)
    _train(night, begun)


def finish_begun(night: Night) -> bool:
    """Finish the seed that an earlier process had begun; False where there is none."""
    begun = _read(night)
    if begun is None:
        return False
    if any(line.key == begun.key for line in night.record.lines()) or begun.task.name in night.standing().paused:
        _forget(night)
        return False
    _train(night, begun)
    return True


def stop_begun(night: Night) -> None:
    """End the training of a seed that goes on while the night is ended."""
    begun = _read(night)
    if begun is None:
        return
    for run in active_runs(begun.task):
        if RunDir(run).spec().version == begun.version:
            cancel(run)
    seal_results(night.folder, begun.task, begun.version)  # the process before may have been killed behind its training
    _forget(night)


def _train(night: Night, begun: _Begun) -> None:
    path, version, seed = begun.task, begun.version, begun.seed

    def hear(event: Event) -> None:
        if isinstance(event, Progress):
            night.meter.ran(event.run_id)
        night.watch(event)

    waiting = stops(night, path, begun.minutes, partial(is_going, path, version, seed))
    if waiting():  # before a training that was cut off is started once more only to be cancelled
        raise Left
    context = Context(session=night.who, emit=hear, say=night.say, leaving=waiting)
    once_more = T("Seed {seed} as well, so that luck can be told from gain", seed=seed)
    night.watch(VersionBegun(version=version, parent="", title=once_more, minutes=begun.minutes, memory_gb=None))
    try:
        with task_lock(path):
            run_version(LaunchArgs(task_dir=path, version=version, seeds=[seed]), context)
            compared_again(path, version, night.say)
    except Busy as busy:
        _forget(night)
        night.pause(path.name, busy.message, "run")
        return
    except RunFailed as failed:
        crash = crash_of(path, version, failed.message)
        night.guard(crash.guard or "kill", crash.reason, task=path.name, about=f"{version}:{seed}", page=crash.page)
    except IterateError as error:
        night.guard("evaluator", error.message, task=path.name, about=version, page=error.page)
    Journal(path).note(night.who, "measured", version, by="policy", version=version, seed=seed)
    seeds = sorted(one.seed for one in training_of(path, version))
    seal_results(night.folder, path, version)  # before the line, behind which nobody looks at this seed again
    night.add(Measured, begun.key, task=path.name, version=version, seeds=seeds)
    _forget(night)
    night.spend()


def _read(night: Night) -> _Begun | None:
    try:
        return _Begun.model_validate_json((night.folder / BEGUN).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _forget(night: Night) -> None:
    (night.folder / BEGUN).unlink(missing_ok=True)
