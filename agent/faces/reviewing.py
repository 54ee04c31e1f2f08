"""`iterate review`: the waiting rows at a plain terminal; what was decided is shown as a diff and written on a clear yes."""

from __future__ import annotations

from pathlib import Path

from agent.faces.console import ask, is_yes, out, out_texts
from agent.faces.editing import tell_written
from agent.faces.plain_samples import review_batches
from agent.faces.views.blocks import bullet
from agent.manual import apply_change
from tools.edit_config import config_diff, text_after
from tools.reading.task import load_task
from tools.text import Speaker, T, shell_word, visible


def review_task(path: Path, batch: str | None, say: Speaker) -> int:
    """Review a batch, or all with open rows; a finished one becomes a line of the recipe when the person says so."""
    change = review_batches(path, say, batch)
    if change is None:
        return 0
    config = load_task(path).config
    for line in bullet(say(change.summary)):
        out(line)
    for line in config_diff(config.text, text_after(config, change.edits, say)).splitlines():
        out("  " + visible(line))
    typed = ask(say(T("Write this into the configuration of the next version? [y/N] ")))
    if is_yes(typed):
        apply_change(path, change)
        tell_written(path, say)
        return 0
    told = T(
        "Nothing was written into the configuration; your decisions are kept, and iterate run {task} proposes this change.",
        task=shell_word(path.name),
    )
    out_texts([told], say)
    return 0
