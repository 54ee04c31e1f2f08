"""Programs that are started, and killed, by the hundred: each is a fork of a process that has imported everything already.

with Nursery(environment) as nursery:
    life = nursery.begin(["--workspace", ..., "run", "mood"], out)      # a process of its own, with its own signals
    os.kill(life.pid, signal.SIGKILL)
    life.end()                                                          # its exit status, negative for a signal
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.support.kill_switch.sitecustomize import arm

_PRELOADED = """
agent.cli agent.faces.runner agent.faces.plain_chat agent.faces.fsck agent.faces.adopting agent.manual agent.session
agent.overnight.records tools.compare tools.diagnose agent.proposing.now agent.chat
"""


@dataclass
class Life:
    """One process."""

    pid: int
    nursery: Nursery

    def end(self) -> int:
        """Wait until it is gone; its exit code, or minus the signal that ended it."""
        return self.nursery.ended()


class Nursery:
    """The process that forks; one life at a time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.stdin.close()
        self._process.wait()

    def begin(
        self, argv: Sequence[str], out: Path, *, env: Mapping[str, str] | None = None, switch: Sequence[str | int] = ()
    ) -> Life:
        """Start `iterate` with these words; `switch` is what tests/support/kill_switch takes: root, moment, log."""
        order = {"argv": list(argv), "out": str(out), "env": dict(env or {}), "switch": [str(one) for one in switch]}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Life(int(self._process.stdout.readline()), self)

    def run(self, argv: Sequence[str], out: Path, **given: object) -> int:
        """Start and wait."""
        return self.begin(argv, out, **given).end()

    def ended(self) -> int:
        """The status of the life that was begun last."""
        return int(self._process.stdout.readline())


def _serve() -> None:
    for name in _PRELOADED.split():
        __import__(name)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order)
        print(pid, flush=True)
        status = os.waitpid(pid, 0)[1]
        print(os.waitstatus_to_exitcode(status), flush=True)


def _live(order: dict) -> None:
    """What the child does: become the program, as if it had been started afresh."""
    from agent.cli import main

    os.setsid()
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # ignored by what a program started in the background begins
    out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for number, target in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (out, 2)):
        os.dup2(number, target)
    os.environ.update(order["env"])
    sys.argv = ["iterate", *order["argv"]]
    code = 1
    try:
        if order["switch"]:
            arm(*order["switch"])
        main()
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 0 if done.code is None else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
