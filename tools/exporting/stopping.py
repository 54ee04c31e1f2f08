"""Ending a process of this room early, because the person who waits for it does not want to any more."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 0.2


@contextmanager
def ended_by(stop: threading.Event | None, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> Iterator[None]:
    """While the block lasts, the process is ended as soon as `stop` is set; whoever reads from it then meets its end."""
    if stop is None:
        yield
        return
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(stop, over, process), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(
    stop: threading.Event, over: threading.Event, process: subprocess.Popen[bytes] | subprocess.Popen[str]
) -> None:
    while not over.is_set():
        if stop.wait(_LOOK_SECONDS):
            process.terminate()
            return
