"""The systemd unit by which a night goes on after a restart of the machine; it is printed, and whoever wants it installs it."""

from __future__ import annotations

import sys
from pathlib import Path


def service_text(workspace: Path) -> str:
    """A systemd user unit that takes up the newest open night of a workspace after a restart."""
    words = [sys.executable, "-P", "-m", "agent.cli", "--workspace", str(workspace), "overnight", "--resume"]
    return "\n".join(
        [
            "[Unit]",
            "Description=Iterate Mode: take up the open night of " + str(workspace),
            "",
            "[Service]",
            "ExecStart=" + " ".join(_unit_word(word) for word in words),
            "WorkingDirectory=" + str(workspace).replace("%", "%%"),
            "Restart=on-failure",
            "RestartSec=60",
            "# Done, wrong use (no open night), stopped by its budget, something waits, ended by a person: nothing to restart.",
            "RestartPreventExitStatus=0 2 3 4 130",
            "SuccessExitStatus=2 3 4 130",
            "# A training outlives the night's process, as it does when that is killed.",
            "KillMode=process",
            "",
            "[Install]",
            "WantedBy=default.target",
        ]
    )


def _unit_word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if set(escaped) & set(" \t\"'\\") else escaped
