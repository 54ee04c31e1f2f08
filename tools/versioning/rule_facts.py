"""What rules must know of a task besides the proposal: models whose terms were named here, rows of people, deploying.

It only reads, and approves nothing. Rules are in agent/policy.py and agent/overnight/rules.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.editing.yaml_read import Refusal, parse, plain
from tools.errors import IterateError
from tools.reading.config_keys import SHORT_FORMS
from tools.reading.task import load_task
from tools.training.base_models import EMBEDDED, EMBEDDED_PREFIX, resolve_base_model
from tools.versioning.records import list_versions

_BASE_MODEL = ("training", "base_model")
_PLACES = (_BASE_MODEL, *(short for short, key in SHORT_FORMS.items() if key == _BASE_MODEL))


class RuleFacts(BaseModel):
    """Facts of one task and its workspace; the defaults are those of a place where nothing was ever agreed to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    named_models: frozenset[str] = frozenset()
    """Base models whose licence was named here: installed with it on the screen, or trained before."""
    own_files: frozenset[str] = frozenset()
    """Files under data/ in which no row says that a language model wrote it, relative to the task folder."""
    deploys: bool = False
    """Adoption runs a command of the task."""


NO_FACTS = RuleFacts()
"""Nothing was agreed to."""


def rule_facts(task_path: Path) -> RuleFacts:
    """The facts of a task; what cannot be read counts as never agreed to, and as written by a model."""
    deploys = True
    with suppress(IterateError, OSError):
        deploys = load_task(task_path).definition.deploy_command is not None
    return RuleFacts(
        named_models=frozenset(_named(task_path)), own_files=frozenset(_own_files(task_path)), deploys=deploys
    )


def _named(task_path: Path) -> Iterator[str]:
    for name in EMBEDDED:
        if resolve_base_model(EMBEDDED_PREFIX + name).installed:
            yield EMBEDDED_PREFIX + name
    for task in sorted(task_path.parent.iterdir()):
        with suppress(IterateError, OSError):  # a neighbour that cannot be read tells nothing
            for record in list_versions(task) if (task / "iterations").is_dir() else []:
                trained = _base_model(record.snapshot) if record.manifest and record.snapshot else None
                if trained is not None:
                    yield trained


def _base_model(snapshot: Path) -> str | None:
    """The base model that a version's configuration names; None where it leaves it to the default."""
    try:
        data = plain(parse(snapshot.read_text(encoding="utf-8", errors="replace")))
    except (OSError, Refusal):
        return None
    found = [_value(data, place) for place in _PLACES]
    return next((one for one in found if isinstance(one, str)), None)


def _value(data: JsonValue, place: tuple[str, ...]) -> JsonValue:
    for key in place:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _own_files(task_path: Path) -> Iterator[str]:
    for file in sorted((task_path / "data").glob("**/*.*")):
        with suppress(OSError):
            found = file.stat()
            if file.is_file() and not _holds_generated(file, found.st_mtime_ns, found.st_size):
                yield file.relative_to(task_path).as_posix()


@lru_cache(maxsize=512)
def _holds_generated(file: Path, changed: int, size: int) -> bool:
    """True when a row says that a model wrote it, or cannot be read; remembered until the file changes.

    Only files of JSON lines can say so: this program writes generated rows in no other form.
    """
    if file.suffix != ".jsonl":
        return False
    try:
        with file.open(encoding="utf-8") as lines:
            return any(_is_generated(json.loads(line)) for line in lines if line.strip())
    except (OSError, ValueError):
        return True


def _is_generated(row: JsonValue) -> bool:
    if not isinstance(row, dict):
        return True
    provenance = row.get("provenance")
    return "generated_by" in row or (isinstance(provenance, dict) and "model" in provenance)
