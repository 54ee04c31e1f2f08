"""Where things are: the program's own data folders and the user's workspace.

The workspace is the folder that holds tasks/. It is found, never guessed twice, and the reason is returned with it so
that a face can say it aloud. What happens inside a task folder is not known here (tools/reading/task.py).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.editing.nearest import nearest
from tools.errors import InputError, MissingPart, NotFound, write_failed
from tools.text import T, Text, visible

DataKind = Literal["tasks", "prompts", "references"]

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT_WORKSPACE = ".workspace"
_TASK_MARKS = ("task_definition.yaml", "configs", "data")
"""Any one of these makes a folder a task."""
_NEVER_COPIED = frozenset({"runs", "models"})  # and whatever starts with a dot
"""Parts of a task folder that belong to the place where they were made."""


class Workspace(BaseModel):
    """The folder a session works in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: Path
    tasks_dir: Path
    origin: Text
    """Why this folder, in one sentence."""
    is_checkout_copy: bool = False
    """True where the bundled tasks of a source checkout are worked on as copies."""
    added: list[str] = []
    """Bundled tasks that were copied into it just now."""

    @property
    def news(self) -> Text | None:
        """What was copied into the workspace just now, None when nothing was."""
        if not self.added:
            return None
        return T(
            "Copied the bundled tasks ({names}) to {folder}. The originals stay as they are; everything happens in the copies.",
            names=", ".join(self.added),
            folder=str(self.tasks_dir),
        )

    def task_names(self) -> list[str]:
        """Names of the task folders, sorted; empty when there is no tasks folder."""
        return _task_names(self.tasks_dir)

    def task_path(self, name_or_path: str) -> Path:
        """The folder of a task given by its name, or by a path to a folder that looks like a task.

        In a source checkout a path to a bundled task means its copy in the workspace, since the original is never
        written. Raises InputError for what cannot be a name or a task, NotFound with the nearest name.
        """
        if ".." in Path(name_or_path).parts or not name_or_path.strip() or "\0" in name_or_path:
            raise self._bad_name(name_or_path, T("A task is named by its folder under tasks/, without `..`."))
        if name_or_path == "." or _has_separator(name_or_path):
            return self._explicit(name_or_path)
        if name_or_path.startswith("."):  # hidden folders hold the program's own records
            raise self._bad_name(name_or_path, T("The name of a task does not start with a dot."))
        folder = self.tasks_dir / name_or_path
        if not folder.is_dir():
            raise self._unknown(name_or_path)
        return folder

    def _explicit(self, path: str) -> Path:
        folder = Path(path).expanduser().resolve()
        if not folder.is_dir():
            raise self._bad_name(path, T("There is no such folder."))
        if not any((folder / mark).exists() for mark in _TASK_MARKS):
            raise self._bad_name(
                path, T("That folder holds none of {marks}, so it is not a task.", marks=", ".join(_TASK_MARKS))
            )
        checkout = source_root()
        if self.is_checkout_copy and checkout is not None and folder.parent == checkout / "tasks":
            return self.tasks_dir / folder.name
        return folder

    def _bad_name(self, name: str, reason: Text) -> InputError:
        return InputError(
            T("{name} cannot be used as a task: {reason}", name=repr(visible(name, 80)), reason=reason),
            hint=self._choices(),
            page="troubleshooting/broken-files",
        )

    def _unknown(self, name: str) -> NotFound:
        near = nearest(name, self.task_names())
        shown = repr(visible(name, 80))
        folder = str(self.tasks_dir)
        if near is None:
            return NotFound(T("There is no task {name} in {folder}.", name=shown, folder=folder), hint=self._choices())
        return NotFound(
            T("There is no task {name} in {folder}. Did you mean {near}?", name=shown, folder=folder, near=near),
            hint=self._choices(),
        )

    def _choices(self) -> Text:
        names = self.task_names()
        if not names:
            return T("This workspace has no tasks yet: `iterate init` makes one from a table of your own.")
        return T("The tasks here are: {names}.", names=", ".join(names))


def find_workspace(
    flag: Path | None = None, environ: Mapping[str, str] = os.environ, cwd: Path | None = None
) -> Workspace:
    """The workspace to work in: flag, ITERATE_WORKSPACE, the source checkout's copy, the nearest parent with tasks/.

    Where none of them applies it is the current folder, whose `task_names()` is then empty: the caller can offer
    `offer_examples`. In a source checkout bundled tasks without a copy are copied first. Raises InputError when a named
    folder does not exist and WriteFailed when the copy cannot be made.
    """
    here = (cwd or Path.cwd()).resolve()
    if flag is not None:
        return _named(flag, T("It was named by --workspace."))
    if environ.get("ITERATE_WORKSPACE"):
        return _named(Path(environ["ITERATE_WORKSPACE"]), T("It was named by ITERATE_WORKSPACE."))
    checkout = _checkout_around(here)
    if checkout is not None:
        return checkout_workspace(checkout)
    nearest_folder = _with_tasks(here)
    if nearest_folder is not None:
        return _workspace(nearest_folder, T("It is the nearest folder that holds tasks/."))
    return _workspace(here, T("No folder with tasks/ was found here or above, so it is the current folder."))


def workspace_words(root: Path, cwd: Path | None = None) -> list[str]:
    """What names a workspace on a command line: nothing where the current folder leads to it without being told."""
    here = (cwd or Path.cwd()).resolve()
    checkout = _checkout_around(here)
    found = checkout / _CHECKOUT_WORKSPACE if checkout is not None else _with_tasks(here) or here
    return [] if found == root.resolve() else ["--workspace", str(root.resolve())]


def task_word(root: Path, task: Path) -> str:
    """What names a task on a command line in this workspace: its name where the workspace has it, else its path."""
    return task.name if task.parent == root.resolve() / "tasks" else str(task)


def checkout_workspace(checkout: Path) -> Workspace:
    """The git-ignored copy of the bundled tasks in a source checkout; copies that exist are left as they are."""
    root = checkout / _CHECKOUT_WORKSPACE
    added = copy_tasks(checkout / "tasks", root / "tasks")
    origin = T("The source checkout keeps its bundled tasks as they are and works on copies of them.")
    return _workspace(root, origin, is_checkout_copy=True, added=added)


def offer_examples(target: Path) -> list[str]:
    """Copy the bundled tasks into `target`/tasks as examples and return the names copied; nothing is overwritten."""
    return copy_tasks(bundled_dir("tasks"), target / "tasks")


def bundled_dir(kind: DataKind) -> Path:
    """The program's own data folder, in the source tree or in the installed package; raises MissingPart."""
    checkout = source_root()
    folder = checkout / kind if checkout is not None else _PACKAGE / "_data" / kind
    if folder.is_dir():
        return folder
    raise MissingPart(
        T("The program's own folder {folder} is missing.", folder=str(folder)),
        hint=T("Install the program again: its wheel carries prompts, references and the bundled tasks."),
        page="troubleshooting/installation",
    )


def source_root() -> Path | None:
    """The source checkout this program runs from, None when it is installed as a package."""
    root = _PACKAGE.parent
    try:
        head = (root / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return None
    return root if 'name = "iterate-mode"' in head else None


def copy_tasks(source: Path, target: Path) -> list[str]:
    """Copy each task folder of `source` that `target` lacks, in one step each; runs and weights stay behind."""
    added = []
    for name in _task_names(source):
        if not (target / name).exists() and _copy_whole(source / name, target / name):
            added.append(name)
    return added


def _copy_whole(source: Path, target: Path) -> bool:
    """Copy beside `target` and rename, so that an interrupted copy is never taken for a task; False if another was first."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
            shutil.copytree(source, Path(scratch) / "task", ignore=_left_behind(source))
            try:
                (Path(scratch) / "task").rename(target)
            except OSError:
                if target.exists():
                    return False
                raise
    except OSError as reason:
        raise write_failed(target, reason) from reason
    return True


def _checkout_around(folder: Path) -> Path | None:
    checkout = source_root()
    return checkout if checkout is not None and folder.is_relative_to(checkout) else None


def _with_tasks(folder: Path) -> Path | None:
    """The nearest folder that holds tasks/."""
    return next((one for one in (folder, *folder.parents) if (one / "tasks").is_dir()), None)


def _left_behind(task: Path) -> Callable[[str, list[str]], set[str]]:
    def ignore(folder: str, names: list[str]) -> set[str]:
        unwanted = {"__pycache__"} | {name for name in names if name.startswith(".")}
        return unwanted | _NEVER_COPIED if Path(folder) == task else unwanted

    return ignore


def _named(folder: Path, origin: Text) -> Workspace:
    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise InputError(
            T("The workspace {folder} does not exist.", folder=visible(str(folder))),
            hint=T("Name a folder that holds tasks/, or make that folder first."),
        )
    return _workspace(root, origin)


def _workspace(
    root: Path, origin: Text, *, is_checkout_copy: bool = False, added: list[str] | None = None
) -> Workspace:
    return Workspace(
        root=root, tasks_dir=root / "tasks", origin=origin, is_checkout_copy=is_checkout_copy, added=added or []
    )


def _task_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _has_separator(name: str) -> bool:
    return os.sep in name or "/" in name or "\\" in name or name.startswith("~")
