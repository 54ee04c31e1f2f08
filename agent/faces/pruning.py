"""`iterate prune`: what would go, why, how much it frees; then the question; then the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.approval import user_name
from agent.faces.console import ask, interactive, is_yes, out
from agent.journal import Journal
from agent.manual import COMMAND
from agent.proposing.now import base_version
from agent.session import task_lock
from tools.errors import NeedsPerson
from tools.files import now
from tools.text import Speaker, T, Text
from tools.versioning.prune import Candidate, PrunePlan, judged_from, plan_prune, prune


def prune_task(path: Path, say: Speaker, *, versions: list[str], everything: bool, yes: bool, as_json: bool) -> int:
    """Show what would go, ask, remove; 1 when the person says no."""
    with task_lock(path):
        judged = judged_from(_events(path), base_version(path, ""))
        plan = plan_prune(path, judged, everything=everything, versions=versions)
        if as_json:
            _show_json(path, plan)
        else:
            _show(path, plan, say)
        if not plan.goes:
            return 0
        if not yes and not interactive():
            raise NeedsPerson(
                T("Removing weights needs a person or --yes; nothing was removed."),
                hint=T("Run it in a terminal, or add --yes after reading the list."),
            )
        if not yes and not _agrees(say):
            out(say(T("Nothing was removed.")))
            return 1
        freed = prune(path, plan, by=user_name(), say=say)
        names = [one.version for one in plan.goes]
        Journal(path).note(COMMAND, "pruned", now(), by="person", versions=list(names), bytes=freed, who=user_name())
    if not as_json:
        out(
            say(
                T(
                    "Removed the weights of {versions}: {size:.1f} MB freed.",
                    versions=", ".join(names),
                    size=freed / 1e6,
                )
            )
        )
    return 0


def _events(path: Path) -> Iterator[dict[str, object]]:
    """The journal as far as pruning asks of it."""
    for entry in Journal(path).entries():
        choice = entry.data.get("choice")
        said = choice.get("choice") if isinstance(choice, dict) else None
        yield {"event": entry.event, "version": entry.data.get("version"), "choice": said}


def _show(path: Path, plan: PrunePlan, say: Speaker) -> None:
    if plan.goes:
        out(say(T("These weights and checkpoints would be removed, {size:.1f} MB in all:", size=plan.size / 1e6)))
        for one in plan.goes:
            out("  " + say(_line(one)))
            for folder in one.folders:
                out(f"      {folder.relative_to(path).as_posix()}")
        out(say(T("Records, results, predictions, sealed files and journals stay; comparing still works.")))
    else:
        out(say(T("Nothing failed or rolled back is left to remove.")))
    if plan.could_go:
        out(say(T("Only with --all or --version:")))
        for one in plan.could_go:
            out("  " + say(_line(one)))
    kept = [one for one in plan.stays if one.size]
    if kept:
        out(say(T("These stay:")))
        for one in kept:
            out("  " + say(_line(one)))


def _line(one: Candidate) -> Text:
    return T("{version}: {size:.1f} MB, {why}", version=one.version, size=one.size / 1e6, why=one.why)


def _show_json(path: Path, plan: PrunePlan) -> None:
    import json

    groups = {"goes": plan.goes, "could_go": plan.could_go, "stays": plan.stays}
    shown = {
        name: [
            {
                "version": one.version,
                "why": str(one.why),
                "bytes": one.size,
                "folders": [folder.relative_to(path).as_posix() for folder in one.folders],
            }
            for one in group
        ]
        for name, group in groups.items()
    }
    out(json.dumps({**shown, "bytes": plan.size}, ensure_ascii=False, indent=2))


def _agrees(say: Speaker) -> bool:
    return is_yes(ask(say(T("Remove them? [y/N] "))), "刪除")
