"""Reading the rows that were put into a run directory. Free of torch."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from tools.errors import InputError, Problem
from tools.runs import Example
from tools.text import T, visible

_SHOWN_PROBLEMS = 20


def read_examples(path: Path) -> list[Example]:
    """The examples of one split; [] when the file is not there. Raises InputError with the broken lines."""
    if not path.is_file():
        return []
    examples: list[Example] = []
    problems: list[Problem] = []
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                examples.append(Example.model_validate_json(line))
            except ValidationError as reason:
                problems.append(_problem(reason, path, number))
    if problems:
        first = problems[0]
        raise InputError(
            T(
                "{count} lines of {file} cannot be read; the first is line {line}: {reason}",
                count=len(problems),
                file=path.name,
                line=first.line,
                reason=first.message,
            ),
            hint=T("Start the training again: its rows are written anew from the task's data."),
            problems=problems[:_SHOWN_PROBLEMS],
            page="troubleshooting/broken-files",
        )
    return examples


def _problem(reason: ValidationError, path: Path, line: int) -> Problem:
    first = reason.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return Problem(
        message=T("{field}: {what}", field=field or "-", what=visible(first["msg"], 120)), path=path.name, line=line
    )
