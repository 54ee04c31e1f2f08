"""Run directories: files that cannot be read, folders that never became a run, trainings that no worker holds any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tools.auditing.keeping import Keeper
from tools.auditing.trouble import Trouble
from tools.launchers.base import RunHealth, is_alive, state_of
from tools.runs import RunDir, RunResult, RunSpec, RunState, RunStatus
from tools.text import T, shell_word, visible

_PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("spec.json", RunSpec),
    ("status.json", RunStatus),
    ("result.json", RunResult),
)


def runs(task: Path) -> Iterator[Trouble]:
    """The runs of versions and of quick checks."""
    for folder in (task / "runs", task / "runs" / "quick"):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_dir() and not path.name.startswith(".") and path != task / "runs" / "quick":
                yield from _run(task, path)


def _run(task: Path, path: Path) -> Iterator[Trouble]:
    if is_alive(path):
        return
    broken = [name for name, model in _PARTS if not _reads(path / name, model)]
    if broken:
        yield _broken(path, broken)
    elif not (path / "spec.json").exists():
        yield _no_spec(path)
    elif state_of(path) is RunHealth.stalled:
        yield _stalled(task, path)
    elif _succeeded_without_result(path):
        yield _broken(path, ["result.json"])


def _reads(path: Path, model: type[BaseModel]) -> bool:
    try:
        model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return True
    except (OSError, ValidationError):
        return False
    return True


def _succeeded_without_result(path: Path) -> bool:
    status = RunDir(path).status()
    return status is not None and status.state is RunState.succeeded and not (path / "result.json").exists()


def _broken(path: Path, names: list[str]) -> Trouble:
    why = T("{name} of a run could not be read.", name=", ".join(names))
    # A run whose result is lost has to be taken up, and only one that has not ended is.
    moved = [*names, "status.json"] if "result.json" in names else names

    def repair(keeper: Keeper) -> None:
        for name in dict.fromkeys(moved):
            if (path / name).exists():
                keeper.move(path / name, why)

    return Trouble(
        kind="run",
        place=path,
        what=T("{names} cannot be read or is missing.", names=", ".join(names)),
        matters=T("The run can be neither shown nor continued nor collected, and may stop commands on its task."),
        hint=T("Train the version again with `iterate train`; whole checkpoints are used."),
        mend=T("The broken files are moved away; the same training then continues from its newest checkpoint."),
        repair=repair,
    )


def _no_spec(path: Path) -> Trouble:
    has_work = any((path / name).exists() for name in ("checkpoints", "adapter", "result.json"))
    why = T("A run directory without spec.json: its writer died before it became a run.")
    return Trouble(
        kind="run",
        place=path,
        what=T("A run directory without spec.json."),
        matters=T("No training knows it: whoever prepared it died first, or the file was removed by hand."),
        hint=T("Start the same training again: it writes the file and goes on with what is there."),
        mend=None if has_work else T("It is moved away; the same training makes it anew."),
        repair=None if has_work else lambda keeper: keeper.move(path, why),
    )


def _stalled(task: Path, path: Path) -> Trouble:
    version = RunDir(path).spec().version
    status = RunDir(path).status()
    step, total = (status.step, status.total_steps) if status is not None else (0, 0)
    names = {"task": shell_word(task.name), "version": visible(version)}
    is_probe = path.parent.name == "quick"
    resume = T("Ask for the same quick check again: it goes on where it was.")
    again = T(
        "iterate run {task} takes it up where the loop was; iterate train {task} --version {version} alone.", **names
    )
    return Trouble(
        kind="interrupted_run",
        place=path,
        what=T("A training that no worker holds any more: it stood at step {step} of {total}.", step=step, total=total),
        matters=T("It was interrupted and waits to be taken up; its newest checkpoint is there."),
        hint=resume if is_probe else again,
        page="troubleshooting/sessions-and-locks",
    )
