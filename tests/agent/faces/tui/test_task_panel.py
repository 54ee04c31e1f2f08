"""The task panel: scores against targets with signs, weak classes with warnings, and a training while one runs."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len

from agent.events import Progress
from agent.faces.tui.widgets.task_panel import TaskPanel, bar
from tests.support.mood_task import MoodTask
from tools.outcomes.status import TaskStatus, task_status
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_task
from tools.runs import EvalEvent, StepEvent
from tools.text import english

NOW = "2026-01-01T00:00:00Z"


def status(root: Path, wrong: range) -> TaskStatus:
    task = MoodTask(root)
    task.version("v1", wrong=wrong)
    return task_status(load_task(task.path), read_results(ReadResultsArgs(task_dir=task.path)))


def shown(panel: TaskPanel, width: int = 34) -> str:
    text = panel.lines(width).plain
    assert all(cell_len(line) <= width for line in text.splitlines())
    return text


def test_a_missed_and_a_reached_target_differ_by_sign(tmp_path: Path) -> None:
    panel = TaskPanel(english)
    assert "No task yet" in shown(panel)
    panel.show(status(tmp_path / "missed", range(0, 60, 3)))
    assert "✗ Macro-F1" in shown(panel) and "of 80.0%  (-" in shown(panel) and "⚠ " in shown(panel)
    panel.show(status(tmp_path / "reached", range(0, 60, 59)))
    assert "✓ Macro-F1" in shown(panel) and "⚠" not in shown(panel)


def test_a_training_shows_its_place_until_it_is_over(tmp_path: Path) -> None:
    panel = TaskPanel(english)
    panel.show(status(tmp_path, range(0, 60, 6)))
    panel.begin("v2")
    step = StepEvent(at=NOW, step=5, total_steps=20, epoch=0.5, loss=0.731, eta_seconds=600)
    panel.progress(Progress(run_id="run", event=step))
    score = EvalEvent(at=NOW, step=5, epoch=0.5, eval_loss=0.8, metrics={"macro_f1": 0.6}, best=True)
    panel.progress(Progress(run_id="run", event=score))
    text = shown(panel)
    assert "Training v2" in text and "5/20" in text and "loss 0.731" in text and "10 min left" in text
    assert "60.0%" in text
    panel.end_training()
    assert "Training v2" not in shown(panel)


def test_a_share_is_drawn_as_blocks() -> None:
    assert bar(5, 20, 8) == "██░░░░░░" and bar(0, 0, 4) == "░░░░" and bar(20, 20, 4) == "████"
