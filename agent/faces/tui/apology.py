"""An error in the program itself: its traceback goes to a log file, the person gets a short block and the screen stays."""

from __future__ import annotations

import traceback
from pathlib import Path

from tools.files import now

MOST_BYTES = 1_000_000
"""From here on the log begins anew."""


def write_log(folder: Path, error: BaseException, secrets: tuple[str, ...] = ()) -> Path | None:
    """Add the traceback to <workspace>/.iterate/log.txt and return its path; None when it cannot be written."""
    text = "".join(traceback.format_exception(error))
    for secret in secrets:
        text = text.replace(secret, "***")
    file = folder / "log.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mode = "w" if file.exists() and file.stat().st_size > MOST_BYTES else "a"
        with file.open(mode, encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"--- {now()}\n{text}\n")
    except OSError:
        return None
    return file
