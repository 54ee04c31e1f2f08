"""`iterate adopt` and `iterate rollback` at the terminal."""

from __future__ import annotations

from pathlib import Path

from agent.faces.console import ask, interactive, is_yes, out, out_texts, problem_lines
from agent.faces.views.opened import opened_lines
from agent.manual import adopt_opened, open_for_adoption, require_version, roll_back
from tools.errors import NeedsPerson
from tools.text import Speaker, T
from tools.versioning.adopt import how_to_use


def adopt_version(path: Path, version: str, say: Speaker, *, yes: bool) -> int:
    """Open the test set, show it, ask once more, adopt; 1 when the person says no."""
    require_version(path, version)
    if not yes and not interactive():
        raise NeedsPerson(
            T("Adopting {version} opens the locked test set and needs a person or --yes.", version=version),
            hint=T("Run it in a terminal, or add --yes if the decision is already made."),
            page="methods/locked-test",
        )
    for line in opened_lines(open_for_adoption(path, version), say):
        out(line)
    if not yes and not _agrees(version, say):
        out(say(T("{version} was not adopted; the opening of the test set stays in the ledger.", version=version)))
        return 1
    record = adopt_opened(path, version)
    out(say(T("{version} is now the version in use (models/current.json).", version=record.version)))
    out_texts([how_to_use(path)], say)
    return 0


def roll_back_version(path: Path, to: str | None, say: Speaker) -> int:
    """Restore an earlier version."""
    restored = roll_back(path, to).restored
    out(say(T("The configuration of {version} is restored.", version=restored.version)))
    if restored.saved:
        out(say(T("The configuration before it was in no version; it is kept in {file}.", file=restored.saved)))
    for problem in restored.problems:
        for line in problem_lines(problem, say):
            out(line)
    return 0


def _agrees(version: str, say: Speaker) -> bool:
    return is_yes(ask(say(T("Adopt {version}? [y/N] ", version=version))), "採用")
