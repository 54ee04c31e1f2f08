"""`iterate export`: the forms as they are written, and what would go to the hub; nothing is sent without --yes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.faces.console import out, tell
from agent.faces.views.using import exported_texts
from tools.exporting.export import FORMS, Exported, Form, Wish, export
from tools.exporting.gguf import find_converter, missing_converter
from tools.exporting.hub import check_name, plan_upload, upload
from tools.exporting.version import UsedVersion, used_version
from tools.text import Speaker, T, visible
from tools.training.errands import PhaseSaid

_SHOWN_FILES = 12


@dataclass(frozen=True)
class ExportWish:
    """What a command line asked for."""

    to: Path
    form: Literal["adapter", "merged", "gguf", "ollama", "all"]
    version: str | None
    seed: int | None
    numbers: Literal["bf16", "fp32"]
    converter: Path | None
    hub: str | None
    yes: bool


def export_version(path: Path, wish: ExportWish, say: Speaker) -> int:
    """Write the forms wished for and say what they are; then the hub, when it was named."""
    if wish.hub is not None:
        check_name(wish.hub)
    used = used_version(path, wish.version, wish.seed)
    forms = _forms(used, wish, say)

    def hear(event: PhaseSaid) -> None:
        tell(say(event.message))

    done = export(used, Wish(wish.to, forms, wish.numbers, wish.converter), hear, say)
    for one in done:
        _show(one, say)
    if wish.hub is not None:
        _hub(used, done[0], wish.hub, say, yes=wish.yes)
    return 0


def _forms(used: UsedVersion, wish: ExportWish, say: Speaker) -> tuple[Form, ...]:
    """The forms of --form; of `all`, those that are not possible here are named and left out."""
    if wish.form != "all":
        return (wish.form,)
    left_out: set[Form] = set()
    if used.task.config.values.lora is None:
        left_out.add("adapter")
        tell(say(T("No adapter: {version} trained all weights.", version=used.version)))
    if find_converter(wish.converter) is None:
        left_out.add("gguf")
        missing = missing_converter(wish.converter)
        tell(say(T("No GGUF: {reason}", reason=missing.message)))
        if missing.hint is not None:
            tell("  " + say(missing.hint))
    return tuple(form for form in FORMS if form not in left_out)


def _show(one: Exported, say: Speaker) -> None:
    first, *notes = exported_texts(one)
    out(say(first))
    for note in notes:
        out("  " + say(note))


def _hub(used: UsedVersion, one: Exported, name: str, say: Speaker, *, yes: bool) -> None:
    plan = plan_upload(one.folder, name)
    total = sum(plan.files.values()) / 1e6
    out(
        say(
            T(
                "To the hub, {name} (private): {count} files, {size:.1f} MB",
                name=name,
                count=len(plan.files),
                size=total,
            )
        )
    )
    for file, size in list(plan.files.items())[:_SHOWN_FILES]:
        out(f"  {visible(file)}  {size / 1e6:.1f} MB")
    if len(plan.files) > _SHOWN_FILES:
        out("  " + say(T("... and {count} more.", count=len(plan.files) - _SHOWN_FILES)))
    if not yes:
        out(say(T("Nothing was sent. To send it, run the same command with --yes.")))
        return
    address = upload(plan, f"{used.task.name} {used.version}")
    out(say(T("Sent: {address}", address=visible(address))))
