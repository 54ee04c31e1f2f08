"""Whether the files can be read and written by whoever works here, whether there is room, and whether locks hold."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from filelock import lock_descriptor

from tools.auditing.keeping import Keeper
from tools.auditing.trouble import Trouble
from tools.text import T, visible

LEAST_FREE = 500_000_000
"""Bytes; a training of an adapter asks for as much before it starts (tools/launch_training.py)."""
_OWN = ("iterations", "runs", "models", "benchmarks", "configs", ".iterate")
"""Folders of a task that the program writes."""
_SHOWN = 5


def permissions(folder: Path) -> Iterator[Trouble]:
    """Files of a task, or the .iterate folder of a workspace, that cannot be read and written."""
    shut = [path for path in _places(folder) if not _is_open(path)]
    mine = [path for path in shut if path.lstat().st_uid == os.geteuid()]
    others = [path for path in shut if path not in mine]
    if mine:
        yield Trouble(
            kind="permission",
            place=mine[0],
            what=T("{count} of your own files or folders cannot be read and written: {paths}.", **_some(folder, mine)),
            matters=T("What cannot be written there is not recorded, and commands fail in the middle."),
            hint=T("chmod -R u+rwX {folder}", folder=visible(str(folder))),
            mend=T("Read and write are allowed to you again."),
            repair=lambda keeper: _allow(mine, keeper),
        )
    if others:
        yield Trouble(
            kind="permission",
            place=others[0],
            what=T(
                "{count} files or folders of {owner} cannot be read and written: {paths}.",
                owner=_owner(others[0]),
                **_some(folder, others),
            ),
            matters=T("What cannot be written there is not recorded, and commands fail in the middle."),
            hint=T(
                "Let the owner share them with a group: chgrp -R GROUP {folder}; chmod -R g+rwXs {folder}; and umask 002.",
                folder=visible(str(folder)),
            ),
        )


def _places(folder: Path) -> Iterator[Path]:
    for name in _OWN:
        top = folder / name
        if top.is_dir():
            yield top
            yield from (path for path in sorted(top.rglob("*")) if not path.is_symlink())


def _is_open(path: Path) -> bool:
    about = path.lstat()
    wanted = stat.S_IRWXU if stat.S_ISDIR(about.st_mode) else stat.S_IRUSR | stat.S_IWUSR
    if about.st_uid == os.geteuid():
        return about.st_mode & wanted == wanted
    return os.access(path, os.R_OK | os.W_OK)


def _allow(paths: list[Path], keeper: Keeper) -> None:
    for path in paths:
        more = stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR
        path.chmod(path.stat().st_mode | more)


def _some(folder: Path, paths: list[Path]) -> dict[str, str | int]:
    shown = ", ".join(path.relative_to(folder).as_posix() for path in paths[:_SHOWN])
    return {"count": len(paths), "paths": visible(shown, 300) + (" ..." if len(paths) > _SHOWN else "")}


def _owner(path: Path) -> str:
    try:
        return visible(path.owner())
    except (KeyError, OSError):
        return str(path.lstat().st_uid)


def room(folder: Path) -> Iterator[Trouble]:
    """Too little free space for a training."""
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        yield Trouble(
            kind="disk",
            place=folder,
            what=T("{free:.2f} GB are free on this disk.", free=free / 1e9),
            matters=T(
                "A training needs about {needed:.1f} GB, and decisions cannot be written on a full disk.",
                needed=LEAST_FREE / 1e9,
            ),
            hint=T("Free space; `iterate prune TASK` removes the weights of versions that came to nothing."),
            page="troubleshooting/installation",
        )


def locks_hold(folder: Path) -> Iterator[Trouble]:
    """A disk on which two holders can have one lock; says nothing about a folder that cannot be written."""
    probe = folder / f".lock-probe-{os.getpid()}"
    try:
        handles = [os.open(probe, os.O_RDWR | os.O_CREAT, 0o666) for _ in range(2)]
    except OSError:
        return
    try:
        both = all(lock_descriptor(handle, blocking=False) for handle in handles)
    except OSError:
        both = True
    finally:
        for handle in handles:
            os.close(handle)
        probe.unlink(missing_ok=True)
    if both:
        yield Trouble(
            kind="lock",
            place=folder,
            what=T("Locks do not hold on this disk."),
            matters=T("Two sessions could work on one task at once, and a training could be started twice."),
            hint=T("Move the workspace to a disk of this machine."),
            page="troubleshooting/sessions-and-locks",
        )
