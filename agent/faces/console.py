"""The only module that writes to the standard streams: data to stdout, narration and errors to stderr.

Everything written here has passed `visible()` or is our own text, so no data row can move the cursor.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from agent.faces.layout import wrap
from tools.errors import IterateError, Problem
from tools.text import Speaker, T, Text

MOST_PROBLEMS = 50
"""Problems shown before the rest is only counted."""


def out(text: str = "") -> None:
    """A line of the answer, on stdout."""
    _write(sys.stdout, text)


def tell(text: str = "") -> None:
    """A line about what is going on, on stderr."""
    _write(sys.stderr, text)


@contextmanager
def unheard() -> Iterator[None]:
    """Meanwhile a terminal, reader or log that takes no more lines ends nothing: what cannot be written is left out.

    For work that has a record of its own and goes on alone, such as a night whose SSH connection is lost.
    """
    global _unheard  # the streams are those of the whole process as well
    before, _unheard = _unheard, True
    try:
        yield
    finally:
        _unheard = before


_unheard = False


def out_texts(texts: Iterable[Text], say: Speaker) -> None:
    """Sentences on standard output, each folded to the width of the terminal."""
    for text in texts:
        for line in wrap(say(text)):
            out(line)


def is_yes(typed: str | None, *also: str) -> bool:
    """True for a clear yes; an empty line, the end of input and any other word are none. `also` are words that mean it here."""
    return typed is not None and typed.strip().casefold() in {"y", "yes", "是", "好", *also}


def ask(prompt: str) -> str | None:
    """One typed line without its newline; None when the input has ended."""
    sys.stdout.flush()
    try:
        return input(prompt)
    except EOFError:
        _write(sys.stdout, "")
        return None


def interactive() -> bool:
    """True when a person can read and answer: both streams are terminals."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def show_error(error: IterateError, say: Speaker) -> None:
    """What happened, every problem, the next step and the page to read, on stderr."""
    for line in error_lines(error, say):
        tell(line)


def error_lines(error: IterateError, say: Speaker) -> list[str]:
    """The lines of `show_error`."""
    lines = [say(T("Error: {message}", message=error.message))]
    for problem in error.problems[:MOST_PROBLEMS]:
        lines += problem_lines(problem, say)
    hidden = len(error.problems) - MOST_PROBLEMS
    if hidden > 0:
        lines.append("  " + say(T("... and {count} more.", count=hidden)))
    if error.hint:
        lines += wrap(say(T("Next step: {hint}", hint=error.hint)), indent="  ")
    if error.page:
        lines.append("  " + say(T("Read more: iterate refs {page}", page=error.page)))
    return lines


def problem_lines(problem: Problem, say: Speaker) -> list[str]:
    """One problem with its place, valid choices and next step."""
    place = ":".join(str(part) for part in (problem.path, problem.line) if part is not None)
    message = say(problem.message)
    lines = wrap("- " + (place + ": " if place else "") + message, indent="  ")
    if problem.choices:
        lines += wrap(say(T("valid: {choices}", choices=", ".join(problem.choices))), indent="    ")
    if problem.hint:
        lines += wrap(say(problem.hint), indent="    ")
    if problem.page:
        lines.append("    " + say(T("Read more: iterate refs {page}", page=problem.page)))
    return lines


def _write(stream: TextIO, text: str) -> None:
    assert stream is sys.stdout or stream is sys.stderr
    try:
        stream.write(text + "\n")
        stream.flush()
    except UnicodeEncodeError:
        stream.write(text.encode("ascii", "backslashreplace").decode("ascii") + "\n")
        stream.flush()
    except (OSError, RuntimeError) as wrong:  # RuntimeError: a signal came in the middle of a line, and says one itself
        _not_written(stream, wrong)


def _not_written(stream: TextIO, wrong: OSError | RuntimeError) -> None:
    """Without a reader (`iterate history | head`) stop quietly, as other command-line programs do; unheard, go on."""
    gone = isinstance(wrong, OSError) and wrong.errno in {errno.EPIPE, errno.EIO}
    if gone and (_unheard or isinstance(wrong, BrokenPipeError)):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if _unheard:
        return
    if isinstance(wrong, BrokenPipeError):
        raise SystemExit(0) from None
    raise wrong
