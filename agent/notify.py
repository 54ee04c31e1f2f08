"""Calling a person who is elsewhere: the program of their settings file is run when somebody is needed or something has ended.

    notify: [/home/me/bin/ping-me, --quiet]     in the settings file; no shell reads it

The program gets the facts as one JSON object on its standard input, and ITERATE_HAPPENING, ITERATE_TITLE, ITERATE_MESSAGE and
ITERATE_TASK in its environment. It hears names, counts and commands: never a key, a row or a score. Whatever goes wrong with it
is a warning; nothing waits for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from agent.settings import Settings
from tools.files import now
from tools.text import T, Text, visible

Happening = Literal["waiting", "finished", "failed", "task_paused", "night_over"]
"""A question waits; a training has ended, well or badly; a night left a task alone; a night has ended."""

SECONDS = 10.0
"""How long the program may take."""
_SECRETS = ("OPENAI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN")
"""Environment variables that it does not get."""
_LONGEST = 300


def notify(  # noqa: PLR0913 - the facts, each by its name, so that no other can slip in
    settings: Settings,
    happening: Happening,
    message: str,
    *,
    task: str = "",
    version: str = "",
    night: str = "",
    command: str = "",
) -> Text | None:
    """Run the user's program and wait for it, 10 seconds at most; what went wrong, or None. Without a program nothing happens.

    `message` is a sentence of this program; `command` is what a person would type next.
    """
    if not settings.notify:
        return None
    facts = {
        "happening": happening,
        "title": _one_line(" - ".join(part for part in ("iterate", task or night) if part)),
        "message": _one_line(message),
        "task": _one_line(task),
        "version": _one_line(version),
        "night": _one_line(night),
        "command": _one_line(command),
        "at": now(),
    }
    return _run(settings, facts)


def notify_soon(  # noqa: PLR0913 - as above
    settings: Settings,
    happening: Happening,
    message: str,
    *,
    warn: Callable[[Text], None],
    task: str = "",
    version: str = "",
    command: str = "",
) -> None:
    """The same in a thread of its own, for faces that must not stand still; `warn` is called from there."""
    if not settings.notify:
        return

    def work() -> None:
        wrong = notify(settings, happening, message, task=task, version=version, command=command)
        if wrong is not None:
            warn(wrong)

    threading.Thread(target=work, name="notify", daemon=False).start()


def program_of(settings: Settings) -> str | None:
    """The path of the user's program, which is named whole or found on PATH; None when it is not there or may not be run."""
    try:
        return shutil.which(str(Path(settings.notify[0]).expanduser())) if settings.notify else None
    except RuntimeError:  # ~somebody, who has no home here
        return None


def _run(settings: Settings, facts: dict[str, str]) -> Text | None:
    name, program = visible(settings.notify[0], 120), program_of(settings)
    if program is None:
        return T("The program {name} of the setting notify is not there, or may not be run.", name=name)
    try:
        process = subprocess.Popen(
            [program, *settings.notify[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(facts),
            start_new_session=True,  # it has no terminal: it cannot write to the screen or read what is typed
        )
    except (OSError, ValueError) as reason:
        return T("The program {name} of the setting notify did not start: {reason}.", name=name, reason=_words(reason))
    try:
        process.communicate(json.dumps(facts, ensure_ascii=False).encode("utf-8"), timeout=SECONDS)
    except subprocess.TimeoutExpired:
        _end(process)
        return T("The program {name} of the setting notify took longer than {most:.0f} s.", name=name, most=SECONDS)
    if process.returncode:
        return T("The program {name} of the setting notify ended with {code}.", name=name, code=process.returncode)
    return None


def _environment(facts: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    return kept | {f"ITERATE_{name.upper()}": facts[name] for name in ("happening", "title", "message", "task")}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with everything it started."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _words(reason: Exception) -> str:
    return visible(getattr(reason, "strerror", None) or str(reason), 120)


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()), _LONGEST)
