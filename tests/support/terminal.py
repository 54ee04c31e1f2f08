"""The program in a real terminal of a fixed size, through tmux: keys go in, the lines on the screen come out."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import time
from pathlib import Path


class Screen:
    """One terminal of its own server, so that nobody else's tmux is touched."""

    def __init__(self, root: Path, environment: dict[str, str], *, columns: int = 100, lines: int = 34) -> None:
        root.mkdir(exist_ok=True)
        self._socket = str(root / "tmux")
        self._environment = environment
        self._size = ["-x", str(columns), "-y", str(lines)]

    def start(self, command: list[str]) -> None:
        """Run a command; its terminal stays after it has ended, so that its last words can be read."""
        line = f"{shlex.join(command)}; echo; echo left with $?; sleep 300"
        self._tmux("-f", "/dev/null", "new-session", "-d", *self._size, line)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys by their names, such as Enter."""
        self._tmux("send-keys", *keys)

    def press_until(self, key: str, text: str, *, times: int = 6) -> str:
        """Press a key that is not listened to at once, until this text is on the screen."""
        for _ in range(times):
            time.sleep(1.3)  # a card decides nothing within a second of the key before
            self.press(key)
            with contextlib.suppress(AssertionError):
                return self.wait_for(text, seconds=2)
        return self.wait_for(text)

    def shown(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def wait_for(self, *texts: str, seconds: float = 60) -> str:
        """The screen as soon as it shows all of these texts."""
        until = time.monotonic() + seconds
        while True:
            shown = self.shown()
            if all(text in shown for text in texts):
                return shown
            assert time.monotonic() < until, f"{texts} did not come:\n{shown}"
            time.sleep(0.1)

    def end(self) -> None:
        """End the terminal with everything in it."""
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], capture_output=True, check=False)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words], env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
