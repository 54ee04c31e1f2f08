"""The values of a proposal as text that people edit: one field each, or a small YAML file in their own editor.

It makes typed changes of what was typed and checks nothing else; agent/proposing/edited.py does that.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from tools.change import Change, Edit, Proposal
from tools.editing.yaml_read import Refusal, parse, plain
from tools.editing.yaml_text import flow
from tools.errors import InputError, MissingPart
from tools.text import Speaker, T, Text, visible

_PAGE = "troubleshooting/configuration"


def edits_of(proposal: Proposal) -> list[Edit]:
    """Every edit of the proposal, in its order."""
    return [edit for change in proposal.changes for edit in change.edits]


def value_text(value: JsonValue) -> str:
    """A value as it is typed; "" where the key is to be removed."""
    return "" if value is None else flow(value, inside=False)


def typed_value(key: str, text: str) -> JsonValue:
    """What a typed text means as a value of the configuration; raises InputError when it is not YAML."""
    try:
        return plain(parse(text.strip()))
    except Refusal as reason:
        raise InputError(
            T(
                "{value} cannot be read as a value of {key}: {reason}",
                value=visible(text, 60),
                key=key,
                reason=reason.message,
            ),
            hint=T("Type a number, a word, true or false, or a list such as [1, 2]."),
            page=_PAGE,
        ) from reason


def with_values(proposal: Proposal, values: Sequence[JsonValue]) -> list[Change]:
    """The proposal's changes with other values, given in the order of `edits_of`."""
    left = list(values)
    changes = []
    for change in proposal.changes:
        edits = [edit.model_copy(update={"new": left.pop(0)}) for edit in change.edits]
        changes.append(change.model_copy(update={"edits": edits}))
    return changes


def values_file(proposal: Proposal, say: Speaker) -> str:
    """The values as a YAML file: one line for each key, the present value beside it."""
    head = [
        T("Change the values, save and close the editor. Nothing runs before you approve."),
        T("A value of null removes the key. Other keys are not taken from here."),
    ]
    lines = [f"# {say(line)}" for line in head]
    for edit in edits_of(proposal):
        now = say(T("now: {value}", value=value_text(edit.old) or say(T("not set"))))
        lines.append(f"{flow(edit.dotted)}: {flow(edit.new, inside=False)}  # {visible(now)}")
    return "\n".join(lines) + "\n"


def changes_from_file(text: str, proposal: Proposal) -> list[Change]:
    """The changes that an edited file asks for; raises InputError when it is no mapping of exactly the proposal's keys."""
    keys = [edit.dotted for edit in edits_of(proposal)]
    try:
        data = plain(parse(text))
    except Refusal as reason:
        raise _unusable(reason.message) from reason
    if not isinstance(data, dict) or set(data) != set(keys):
        raise _unusable(T("it must hold exactly these keys: {keys}", keys=visible(", ".join(keys))))
    return with_values(proposal, [data[key] for key in keys])


def run_editor(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """The text as the person's editor left it; raises MissingPart when no editor could be run, InputError for no text."""
    wanted = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        words = shlex.split(wanted) if wanted else [name for name in ("nano", "vim", "vi") if shutil.which(name)][:1]
    except ValueError:  # a quotation mark without its second
        words = []
    with tempfile.TemporaryDirectory(prefix="iterate-") as folder:
        file = Path(folder) / "values.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*words, str(file)], check=False) if words else None
        except OSError:
            done = None
        if done is None or done.returncode:
            raise MissingPart(
                T("The editor {editor} could not be run or ended with an error.", editor=visible(wanted or "vi")),
                hint=T("Set EDITOR to an editor that waits until you close the file, such as nano or `code --wait`."),
                page="troubleshooting/installation",
            )
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as reason:
            raise _unusable(T("the file that the editor left is no UTF-8 text")) from reason


def _unusable(reason: Text) -> InputError:
    return InputError(
        T("The edited values cannot be used: {reason}", reason=reason),
        hint=T("Nothing was changed. Edit again, and touch only what stands after the colons."),
        page=_PAGE,
    )
