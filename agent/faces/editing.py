"""Changes written into the configuration: `iterate oversample`, one recipe line for the next version, shown as a diff."""

from __future__ import annotations

from pathlib import Path

from agent.faces.console import out
from agent.manual import apply_change
from tools.generate_data import plan_oversampling
from tools.reading.task import load_task
from tools.text import Speaker, T, shell_word, visible


def oversample_task(path: Path, target_count: int, labels: list[str], say: Speaker) -> int:
    """Raise every label (or the given ones) to `target_count` rows in the recipe."""
    result = apply_change(path, plan_oversampling(load_task(path), target_count, labels))
    for line in result.diff.splitlines():
        out(visible(line))
    tell_written(path, say)
    return 0


def tell_written(path: Path, say: Speaker) -> None:
    """The next step once a change stands in the configuration."""
    task = shell_word(path.name)
    out(say(T("Written to configs/training_config.yaml. Train it with: iterate train {task}", task=task)))
