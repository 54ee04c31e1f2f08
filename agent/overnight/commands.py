"""The command lines that a night prints: they name its workspace, so that they can be pasted anywhere.

The plan's own command says whether the workspace has to be named; every other command follows it.
"""

from __future__ import annotations

import shlex


def command_like(command: str, *words: str) -> str:
    """A command line of this program, quoted for a shell, in the workspace that the command of the night names, if any."""
    return shlex.join(["iterate", *_workspace_words(command), *words])


def _workspace_words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    for at, word in enumerate(words):
        if word in {"--workspace", "-w"} and at + 1 < len(words):
            return ["--workspace", words[at + 1]]
        if word.startswith("--workspace="):
            return ["--workspace", word.partition("=")[2]]
    return []
