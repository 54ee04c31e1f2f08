"""Where a run happens: one file per kind of place, each with a `launcher` that follows tools/launchers/base.py."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from tools.launchers.base import Launcher


def launcher_for(kind: str) -> Launcher:
    """The launcher of a `launcher.kind` of the configuration, which is the name of a module here."""
    return cast(Launcher, import_module(f"tools.launchers.{kind}").launcher)
