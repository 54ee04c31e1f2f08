"""An error of the vocabulary as a few lines of plain text: what happened, every problem, the next step."""

from __future__ import annotations

from tools.errors import IterateError
from tools.text import Speaker, visible


def trouble(error: IterateError, say: Speaker) -> str:
    """The error in words, safe to show."""
    problems = [say(problem.message) for problem in error.problems]
    parts = [say(error.message), *problems, *([say(error.hint)] if error.hint else [])]
    return visible("\n".join(parts))
