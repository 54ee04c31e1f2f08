"""`iterate fsck`: every trouble with what, why and what to do; with --mend what was mended, and where the rest is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.faces.console import out
from agent.faces.layout import wrap
from agent.fsck import Mended, Part, audit, mend
from agent.paths import Workspace
from tools.auditing.trouble import Trouble
from tools.text import Speaker, T, Text, visible


def check_workspace(workspace: Workspace, tasks: Sequence[Path], say: Speaker, *, mending: bool, as_json: bool) -> int:
    """Show what is wrong, mend it when asked; 1 when a problem is left."""
    parts = audit(workspace, tasks)
    mended = mend(parts) if mending else None
    left = audit(workspace, tasks) if mended is not None and mended.done else parts
    if as_json:
        out(json.dumps(_json(left, mended, say), ensure_ascii=False, indent=2))
    else:
        _show(parts, left, mended, say)
    return 1 if any(part.problems for part in left) else 0


def _show(parts: Sequence[Part], left: Sequence[Part], mended: Mended | None, say: Speaker) -> None:
    for part in parts:
        if part.troubles:
            _show_part(part, say, mending=mended is not None)
    if mended is not None:
        _show_mended(mended, say)
    problems = [trouble for part in left for trouble in part.problems]
    if not problems:
        out(say(T("Nothing is wrong.")))
        return
    out(say(T("{count} problem(s) left.", count=len(problems))))
    if mended is None and any(one.mend for one in problems):
        out(say(T("iterate fsck --mend mends what can be mended; nothing is deleted.")))


def _show_part(part: Part, say: Speaker, *, mending: bool) -> None:
    out(say(T("== {name} ==", name=visible(part.name))) if part.name else say(T("== The workspace ==")))
    for trouble in part.troubles:
        place = _relative(trouble.place, part.folder)
        mark = say(T("PROBLEM")) if trouble.is_problem else say(T("note"))
        _lines(f"{mark} {place}: {say(trouble.what)}", "")
        _lines(say(trouble.matters), "  ")
        if trouble.mend is None or not mending:
            _lines("-> " + say(trouble.hint), "  ")
        if trouble.mend is not None and not mending:
            _lines(say(T("--mend: {how}", how=trouble.mend)), "  ")
        _lines(say(T("read: iterate refs {page}", page=trouble.page)), "  ")


def _show_mended(mended: Mended, say: Speaker) -> None:
    for trouble in mended.done:
        _lines(say(T("mended: {place}: {how}", place=visible(str(trouble.place)), how=trouble.mend or "")), "")
    for trouble, reason in mended.failed:
        _lines(say(T("not mended: {place}: {reason}", place=visible(str(trouble.place)), reason=reason)), "")
    for folder in mended.kept:
        _lines(say(T("What was taken away is kept in {folder}.", folder=visible(str(folder)))), "")


def _lines(text: str, indent: str) -> None:
    for line in wrap(text, indent=indent):
        out(line)


def _relative(path: Path, folder: Path) -> str:
    shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
    return visible(shown if shown != "." else str(folder))


def _json(parts: Sequence[Part], mended: Mended | None, say: Speaker) -> dict[str, Any]:
    said: dict[str, Any] = {
        "clean": not any(part.problems for part in parts),
        "troubles": [_trouble_json(part, one, say) for part in parts for one in part.troubles],
    }
    if mended is not None:
        said["mended"] = [{"place": str(one.place), "how": _said(one.mend, say)} for one in mended.done]
        said["not_mended"] = [{"place": str(one.place), "reason": say(reason)} for one, reason in mended.failed]
        said["kept"] = [str(folder) for folder in mended.kept]
    return said


def _trouble_json(part: Part, trouble: Trouble, say: Speaker) -> dict[str, Any]:
    return {
        "task": part.name or None,
        "kind": trouble.kind,
        "problem": trouble.is_problem,
        "place": str(trouble.place),
        "what": say(trouble.what),
        "matters": say(trouble.matters),
        "mend": _said(trouble.mend, say),
        "hint": say(trouble.hint),
        "page": trouble.page,
    }


def _said(text: Text | None, say: Speaker) -> str | None:
    return None if text is None else say(text)
