"""Calls the installed program for this task; used by the scripts beside it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

TASK = Path(__file__).resolve().parent.parent


def iterate(command: str, *arguments: str) -> int:
    """Run `iterate COMMAND` for this task with the Python that runs the script; returns its exit code."""
    if find_spec("agent") is None or find_spec("agent.cli") is None:
        sys.stderr.write(
            f"The program iterate-mode is not installed for {sys.executable}.\n"
            "Install it with: python -m pip install iterate-mode\n"
            "or run this script with the Python of the environment that has it, such as .venv/bin/python.\n"
        )
        return 69
    return subprocess.call([sys.executable, "-m", "agent.cli", command, *arguments])
