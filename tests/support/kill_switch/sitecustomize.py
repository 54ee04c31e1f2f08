"""Ends a process with -9 at a chosen moment of its writing. Python imports this by itself where its folder is on PYTHONPATH.

A moment is an act that changes what is on disk for good: a file about to take another's place, a line about to be appended, a
file about to be removed. They are counted by the interpreter's own audit events, so the program under test is not changed.

    KILL_ROLE   words that stand in the command line of the process that is meant, such as tools.training.worker
    KILL_ROOT   only acts in this folder count
    KILL_AT     number of the moment before which it dies, 0 for never; or names of files, one for each process in turn: the
                first dies before it writes the first, the next before it writes the second, those after them live; or the
                path of an order: once such a file holds a number, whoever comes to that moment, counted from then on, takes
                the file away and dies
    KILL_LOG    file that each moment is written to, a line each

    KEEP_FILE   a file that cannot be replaced, as on a disk that is mounted read-only; permissions do not stop everybody
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path

_PLACES = {"os.rename": 1, "open": 0, "os.remove": 0}
"""Which argument of the event names the file."""


class Switch:
    """Counts moments and kills this process before the one that was chosen."""

    def __init__(self, root: str, at: str, log: str) -> None:
        self._root = root
        self._at = at
        self._killed = Path(log + ".killed")
        self._count = 0
        self._ordered = 0
        self._busy = False
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take notice of an act."""
        if self._busy or event not in _PLACES:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & os.O_APPEND):
            return
        path = str(arguments[_PLACES[event]])
        if not path.startswith(self._root) or path.endswith("heartbeat"):
            return
        self._busy = True
        self._count += 1
        os.write(self._log, f"{os.getpid()} {event} {path[len(self._root) :]}\n".encode())
        if self._is_due(path):
            with self._killed.open("a") as killed:
                killed.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        self._busy = False

    def _is_due(self, path: str) -> bool:
        if self._at.startswith("/"):
            return self._is_ordered(Path(self._at))
        if self._at.isdigit():
            return self._count == int(self._at)
        done = len(self._killed.read_text()) if self._killed.exists() else 0
        return done < len(names := self._at.split(",")) and path.endswith(names[done])

    def _is_ordered(self, order: Path) -> bool:
        if not order.exists():
            self._ordered = 0
            return False
        self._ordered += 1
        if self._ordered < int(order.read_text()):
            return False
        order.unlink()
        return True


def keep(kept: str) -> None:
    """Let no process from here on replace a file."""

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.rename" and str(arguments[1]) == kept:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), kept)

    sys.addaudithook(refuse)


def arm(root: str, at: str, log: str) -> None:
    """Watch this process from now on."""
    sys.addaudithook(Switch(root, at, log))


if os.environ.get("KILL_ROLE") and os.environ["KILL_ROLE"] in " ".join(sys.orig_argv):
    arm(os.environ["KILL_ROOT"], os.environ["KILL_AT"], os.environ["KILL_LOG"])
if os.environ.get("KEEP_FILE"):
    keep(os.environ["KEEP_FILE"])
