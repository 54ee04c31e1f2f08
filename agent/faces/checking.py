"""`iterate doctor`: the checks as lines, each failing one with how to mend it."""

from __future__ import annotations

import json
import os

from agent.doctor import Check, checks
from agent.faces.console import out
from agent.faces.layout import wrap
from agent.paths import Workspace
from agent.settings import load_settings
from tools.text import Speaker, T, Text

_MARKS: dict[bool | None, Text] = {True: T("ok  "), False: T("FAIL"), None: T("note")}


def run_doctor(workspace: Workspace, say: Speaker, *, as_json: bool) -> int:
    """Show every check; 1 when one failed."""
    results = checks(workspace, load_settings(os.environ))
    if as_json:
        shown = [
            {"name": say(one.name), "ok": one.ok, "detail": say(one.detail), "mend": _mend(one, say)} for one in results
        ]
        out(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        for one in results:
            _show(one, say)
        failed = sum(one.ok is False for one in results)
        out(say(T("Everything needed is here.")) if not failed else say(T("{count} check(s) failed.", count=failed)))
    return 1 if any(one.ok is False for one in results) else 0


def _mend(check: Check, say: Speaker) -> str | None:
    return say(check.mend) if check.mend else None


def _show(check: Check, say: Speaker) -> None:
    lines = wrap(f"{say(check.name)}: {say(check.detail)}", indent=" " * 5)
    out(say(_MARKS[check.ok]) + " " + lines[0].lstrip())
    for line in lines[1:]:
        out(line)
    if check.mend:
        for line in wrap("-> " + say(check.mend), indent=" " * 7):
            out(line)
