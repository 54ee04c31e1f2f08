"""Loads prompts/<name>.md and fills its slots; everything else in the text, braces included, stays as it is written.

A slot's value is never looked at again, so a data row that holds `{task}` is not filled in turn.
"""

from __future__ import annotations

import re

from agent.paths import bundled_dir
from tools.errors import MissingPart
from tools.text import T

_SLOT = re.compile(r"\{([a-z][a-z_]*)\}")


def load_prompt(name: str, **slots: str) -> str:
    """The prompt with its slots filled; raises MissingPart for an absent file and ValueError for slots that do not fit."""
    text = _read(name)
    wanted = set(_SLOT.findall(text))
    if wanted != set(slots):
        differing = ", ".join(sorted(wanted ^ set(slots)))
        raise ValueError(f"prompts/{name}.md and its caller differ in the slots: {differing}")
    return _SLOT.sub(lambda found: slots[found[1]], text)


def prompt_slots(name: str) -> set[str]:
    """The slots that a prompt asks for."""
    return set(_SLOT.findall(_read(name)))


def _read(name: str) -> str:
    path = bundled_dir("prompts") / f"{name}.md"
    try:
        return path.read_text(encoding="utf-8").strip() + "\n"
    except OSError:
        raise MissingPart(
            T("The prompt {name} is missing from {folder}.", name=name, folder=str(path.parent)),
            hint=T("Install the program again: its wheel carries prompts, references and the bundled tasks."),
            page="troubleshooting/installation",
        ) from None
