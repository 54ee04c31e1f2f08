"""The clipboard: terminals take OSC 52 from Textual; for those that do not, the desktop's own program is tried as well."""

from __future__ import annotations

import shutil
import subprocess

PROGRAMS: tuple[tuple[str, ...], ...] = (
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("pbcopy",),
    ("clip.exe",),
)
_SECONDS = 2.0


def copy_with_program(text: str) -> str | None:
    """Hand the text to the first clipboard program that is installed; its name, None when there is none."""
    for program in PROGRAMS:
        if shutil.which(program[0]) is None:
            continue
        try:
            done = subprocess.run(
                program,
                input=text.encode(),
                timeout=_SECONDS,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return program[0]
    return None
