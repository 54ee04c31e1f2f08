"""`iterate models list` and `iterate models check`: the base models that are known, and whether one fits."""

from __future__ import annotations

import json
from pathlib import Path

from agent.faces.console import out, out_texts
from agent.faces.layout import table, wrap
from tools.catalogue.checks import Check, check_model, machine_gb, reach
from tools.catalogue.entries import Entry
from tools.catalogue.known import CATALOGUE
from tools.catalogue.memory import answering_gb, training_gb
from tools.config import Lora, TrainingConfig
from tools.reading.task import load_task
from tools.text import Speaker, T
from tools.training.base_models import resolve_base_model
from tools.training.speeds import speed_of

_MARKS = {True: T("ok"), False: T("NO"), None: T("note")}


def show_catalogue(say: Speaker, *, as_json: bool) -> int:
    """Every base model that is known, small to large within its family."""
    if as_json:
        out(json.dumps([_facts(entry) for entry in CATALOGUE.values()], ensure_ascii=False, indent=2))
        return 0
    here = machine_gb()
    header = [T("model"), T("millions"), T("context"), T("training GB"), T("answering GB"), T("tokens/s"), T("licence")]
    for line in table(
        [say(title) for title in header], [_row(entry, here, say) for entry in CATALOGUE.values()], indent=""
    ):
        out(line)
    notes = [
        T(
            "* on this machine. Training: LoRA of rank 16, 1024 tokens in a pass, bf16; ! is more than the {here:.0f} GB here.",
            here=here,
        ),
        T("Tokens/s are of trainings on this machine. In a mixture the second number is what one token goes through."),
        T("A local folder is read from its config.json: iterate models check FOLDER"),
    ]
    out_texts(notes, say)
    return 0


def check_base_model(name: str, path: Path | None, say: Speaker, *, as_json: bool) -> int:
    """Every check, with the hub asked where the model is not here; 1 when one says no."""
    config = load_task(path).config.values if path is not None else TrainingConfig()
    checks = check_model(name, config, path)
    info = resolve_base_model(name, path)
    if info.kind == "hub" and not info.installed:
        checks.append(reach(name))
    if as_json:
        out(json.dumps([{"ok": one.ok, "message": str(one.message)} for one in checks], ensure_ascii=False, indent=2))
    else:
        for check in checks:
            _show(check, say)
    return 1 if any(check.ok is False for check in checks) else 0


def _show(check: Check, say: Speaker) -> None:
    lines = wrap(f"[{say(_MARKS[check.ok])}] {say(check.message)}")
    for line in lines + (wrap(say(check.hint), indent="      ") if check.hint is not None else []):
        out(line)


def _row(entry: Entry, here: float, say: Speaker) -> list[str]:
    needed = training_gb(entry.shape, Lora())
    speed = speed_of(entry.name)
    sizes = f"{entry.shape.parameters:,.0f}"
    if entry.shape.experts:
        sizes += f" / {entry.shape.active:,.0f}"
    installed = resolve_base_model(entry.name).installed
    terms = entry.terms.name if entry.terms is not None else "?"
    asks = " " + say(T("(to be accepted)")) if entry.terms is not None and entry.terms.must_accept else ""
    return [
        entry.name + (" *" if installed else ""),
        sizes,
        f"{entry.context:,}",
        f"{needed:.1f}" + ("!" if needed > here else ""),
        f"{answering_gb(entry.shape):.1f}",
        "" if speed is None else f"{speed.train:.0f}",
        terms + asks,
    ]


def _facts(entry: Entry) -> dict[str, object]:
    return {
        **entry.model_dump(mode="json"),
        "parameters_millions": round(entry.shape.parameters, 1),
        "active_millions": round(entry.shape.active, 1),
        "lora_targets": entry.lora_targets,
        "training_gb": training_gb(entry.shape, Lora()),
        "answering_gb": answering_gb(entry.shape),
        "installed": resolve_base_model(entry.name).installed,
    }
