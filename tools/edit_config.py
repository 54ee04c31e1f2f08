"""Changing configs/training_config.yaml: the only way in which the program changes what a version is made of.

An edit touches the keys it names and nothing else, is refused when the file is no longer the one it was made for, and is
refused when the configuration would have a problem that it did not have before. How the text is changed is
tools/editing/yaml_edit.py.
"""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tools.change import Edit
from tools.editing import yaml_edit
from tools.editing.text_lines import decode, encoding_name
from tools.errors import InputError, Problem, StaleFile
from tools.files import sha256_bytes, write_atomic
from tools.finding import FindingKind
from tools.reading.config import CONFIG_NAMES, DEFINITION_NAMES, read_config
from tools.reading.config_keys import SECTIONS
from tools.reading.task import load_task
from tools.task import ConfigFile, Task
from tools.text import Speaker, T, english, visible

CONFIG_FILE = CONFIG_NAMES[0]


class EditConfigArgs(BaseModel):
    """Which keys of a task's configuration get which values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_dir: Path
    edits: list[Edit] = Field(min_length=1)
    expected_sha256: str
    """Hash of the file that the edits were made for; "" when there was no file."""


class EditConfigResult(BaseModel):
    """The configuration as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    """Relative to the task folder."""
    sha256: str
    """Of the new bytes."""
    diff: str
    """Unified diff; "" when nothing had to change."""


def edit_config(args: EditConfigArgs, say: Speaker = english) -> EditConfigResult:
    """Make the edits and write the file, atomically.

    Raises, with nothing written, StaleFile when the file changed since and InputError with every problem of the edits.
    """
    task = load_task(args.task_dir)
    path = task.config.path or args.task_dir / CONFIG_FILE
    content = path.read_bytes() if path.exists() else b""
    found = sha256_bytes(content) if path.exists() else ""
    name = path.relative_to(args.task_dir).as_posix()
    if found != args.expected_sha256:
        raise StaleFile(
            T("{path} changed since this edit was prepared, so nothing was written.", path=visible(name)),
            hint=T("Look at the file, then ask for new proposals."),
            page="troubleshooting/sessions-and-locks",
        )
    text, encoding = _decode(name, content)
    new_text = apply_edits(text if path.exists() else new_file_header(say), args.edits)
    require_valid(task, new_text)
    new_content = _encode(name, new_text, encoding)
    if new_content != content:
        write_atomic(path, new_content)
    return EditConfigResult(path=name, sha256=sha256_bytes(new_content), diff=config_diff(text, new_text))


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text of a configuration with the edits made, new keys in their usual places; raises InputError with every problem."""
    return yaml_edit.apply_edits(text, edits, usual_order)


def text_after(config: ConfigFile, edits: Sequence[Edit], say: Speaker = english) -> str:
    """What the configuration file would hold after the edits; a task without one gets the header of a new file."""
    return apply_edits(new_file_header(say) if config.path is None else config.text, edits)


def new_file_header(say: Speaker = english) -> str:
    """The comment that opens a new configuration file."""
    lines = [
        T(
            "How the next version is trained. Values that are not given here come from task_definition.yaml or are defaults."
        ),
        T("Train it with: iterate train TASK    Be guided with: iterate run TASK"),
        T("The program changes single lines and keeps your comments and your order."),
    ]
    return "".join(f"# {say(line)}\n" for line in lines) + "\n"


def usual_order(path: tuple[str, ...]) -> list[str]:
    """The sections of a configuration, and the keys of each, in the order of the schema."""
    if not path:
        return list(SECTIONS)
    model = SECTIONS.get(path[0]) if len(path) == 1 else None
    return list(model.model_fields) if model else []


def config_diff(old: str, new: str, context: int = 2) -> str:
    """A unified diff with line numbers, control characters shown; "" when the texts are equal."""
    lines = difflib.unified_diff(
        _lines(old), _lines(new), f"a/{CONFIG_FILE}", f"b/{CONFIG_FILE}", n=context, lineterm=""
    )
    return "\n".join(visible(line) for line in lines)


def _lines(text: str) -> list[str]:
    return (
        [line.removesuffix("\r") for line in text.removeprefix("\ufeff").removesuffix("\n").split("\n")] if text else []
    )


def require_valid(task: Task, new_text: str) -> ConfigFile:
    """The configuration as it would be read; raises InputError with every problem that it does not have now."""
    after = config_after(task, new_text)
    refuse_new_problems(task.config.problems, after.problems)
    return after


def refuse_new_problems(before: Sequence[Problem], after: Sequence[Problem]) -> None:
    """Raise InputError with the problems that an edit would bring; that the definition says otherwise is none."""
    known = {str(problem.message) for problem in before}
    new = [one for one in after if str(one.message) not in known and one.kind != FindingKind.config_conflict]
    if new:
        raise InputError(
            T("The configuration would not be valid, so nothing was changed."),
            hint=T("Choose other values; all problems are listed."),
            page="troubleshooting/configuration",
            problems=new,
        )


def config_after(task: Task, new_text: str) -> ConfigFile:
    """How the task's configuration would be read if its file held `new_text`; it is read in a folder of its own."""
    training = task.definition.raw.get("training")
    with tempfile.TemporaryDirectory(prefix="iterate-") as folder:
        place = Path(folder)
        (place / CONFIG_FILE).parent.mkdir()
        (place / CONFIG_FILE).write_text(new_text, encoding="utf-8", newline="")
        for name in DEFINITION_NAMES:
            if (task.path / name).is_file():
                shutil.copyfile(task.path / name, place / name)
        return read_config(place, training if isinstance(training, dict) else {})


def _decode(name: str, content: bytes) -> tuple[str, str]:
    """The text of the file in the encoding it has; raises InputError when it could not be written back as it is."""
    text, encoding = decode(content)
    if text.encode(encoding, errors="replace") != content:
        raise InputError(
            T(
                "{path} is not clean {encoding} text, so it cannot be changed safely.",
                path=name,
                encoding=encoding_name(encoding),
            ),
            hint=T("Save the file as UTF-8, then try again."),
            page="troubleshooting/broken-files",
        )
    return text, encoding


def _encode(name: str, text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise InputError(
            T(
                "{path} is written in {encoding}, which has no character for {value}.",
                path=name,
                encoding=encoding_name(encoding),
                value=visible(text[error.start : error.end], 20),
            ),
            hint=T("Save the file as UTF-8, then try again."),
            page="troubleshooting/broken-files",
        ) from error
