"""`/predict` and `/export` in the plain chat: what is missing is asked for, an export only on a clear yes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import JsonValue

from agent.conversation.using import TypedRow, export_wish, typed_row, version_meant
from agent.faces.console import ask, interactive, is_yes, out_texts, tell
from agent.faces.views.using import (
    ASKED,
    NOTHING_WRITTEN,
    answered_texts,
    exported_texts,
    hub_text,
    loading_text,
    plan_texts,
    writing_text,
)
from tools.exporting.export import export
from tools.exporting.plan import plan_export
from tools.exporting.predict import predict
from tools.text import Speaker, T, visible
from tools.training.errands import PhaseSaid, RowsDone

_KEY = "Ctrl+C"


def predict_typed(task: Path, args: Mapping[str, JsonValue], say: Speaker) -> int:
    """Answer one text; 1 when the output could not be read as an answer."""
    row = _completed(typed_row(task, args), say)
    rows = row.examples()
    out_texts([loading_text(row.used, _KEY)], say)
    lines = [line for portion in predict(row.used, rows, _narrator(say)) for line in portion]
    out_texts([text for line in lines for text in answered_texts(line)], say)
    return 1 if any(line.failure is not None for line in lines) else 0


def export_asked(task: Path, workspace: Path, args: Mapping[str, JsonValue], say: Speaker) -> int:
    """Show what would be written, ask once, and write it."""
    used = version_meant(task, args)
    wish = export_wish(workspace, used, args)
    out_texts(plan_texts(used, plan_export(used, wish)), say)
    typed = ask(say(ASKED) + " [y/N] ") if interactive() else None
    if not is_yes(typed):
        out_texts([NOTHING_WRITTEN], say)
        return 0
    out_texts([writing_text(_KEY)], say)
    done = export(used, wish, _narrator(say), say)
    out_texts([text for one in done for text in exported_texts(one)], say)
    out_texts([hub_text(used, done[0].form, wish.target)], say)
    return 0


def _completed(row: TypedRow, say: Speaker) -> TypedRow:
    """With the fields that a person at the terminal gives when asked; what stays missing is an error that names it."""
    given: dict[str, str] = {}
    for name in row.missing if interactive() else ():
        typed = ask(say(T("{name} (a field of the task): ", name=visible(name, 40))))
        if typed is None or not typed.strip():
            break
        given[name] = typed.strip()
    return row.completed(given)


def _narrator(say: Speaker) -> Callable[[PhaseSaid | RowsDone], None]:
    """Says the phases of the worker on standard error."""

    def hear(event: PhaseSaid | RowsDone) -> None:
        if isinstance(event, PhaseSaid):
            tell(say(event.message))

    return hear
