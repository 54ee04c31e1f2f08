"""`iterate doctor`: the checks as lines, each failing one with how to mend it; with --endpoint what the server can do."""

from __future__ import annotations

import json
import os

from agent.conformance import Ability, State, abilities
from agent.doctor import Check, checks
from agent.faces.console import out
from agent.faces.layout import pad, wrap
from agent.model.client import open_model
from agent.paths import Workspace
from agent.settings import load_settings
from tools.text import Speaker, T, Text

_MARKS: dict[bool | None, Text] = {True: T("ok  "), False: T("FAIL"), None: T("note")}


def run_doctor(workspace: Workspace, say: Speaker, *, language: str | None, as_json: bool) -> int:
    """Show every check; 1 when one failed."""
    results = checks(workspace, load_settings(os.environ), language)
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


_STATES: dict[State, Text] = {
    "ok": T("ok"),
    "degraded": T("degraded"),
    "failed": T("failed"),
    "note": T("note"),
}


def run_endpoint_check(say: Speaker, *, as_json: bool) -> int:
    """Ask the configured endpoint what it can do and show each line as it is known; 1 when it cannot chat."""
    model = open_model(load_settings(os.environ).settings)
    found = abilities(model) if model is not None else iter([_NO_ENDPOINT])
    seen: list[Ability] = []
    for ability in found:
        seen.append(ability)
        if not as_json:
            _show_ability(ability, say)
    if as_json:
        shown = [_ability_json(ability, say) for ability in seen]
        out(json.dumps(shown, ensure_ascii=False, indent=2))
    return 1 if any(ability.state == "failed" for ability in seen) else 0


_NO_ENDPOINT = Ability(
    name=T("Language model endpoint"),
    state="note",
    detail=T("None is configured; every step works without one."),
    effect=T("Optional: set OPENAI_BASE_URL, OPENAI_API_KEY and ITERATE_MODEL to let a language model help."),
)


def _ability_json(ability: Ability, say: Speaker) -> dict[str, str | None]:
    return {
        "name": say(ability.name),
        "state": ability.state,
        "detail": say(ability.detail),
        "effect": say(ability.effect) if ability.effect else None,
    }


def _show_ability(ability: Ability, say: Speaker) -> None:
    lines = wrap(f"{say(ability.name)}: {say(ability.detail)}", indent=" " * 9)
    out(pad(say(_STATES[ability.state]), 9) + lines[0].lstrip())
    for line in lines[1:]:
        out(line)
    if ability.effect:
        for line in wrap("-> " + say(ability.effect), indent=" " * 11):
            out(line)
