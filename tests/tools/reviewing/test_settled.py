"""The score on settled labels: beside the raw one, never in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.faces.views.status import status_lines
from tests.support.mood_task import LABELS, MoodTask
from tools.compare import CompareArgs, compare
from tools.comparing.report import markdown
from tools.outcomes.status import TaskStatus, task_status
from tools.read_results import ReadResultsArgs, read_predictions, read_results
from tools.reading.task import load_task
from tools.results import Prediction
from tools.reviewing.settled import settled_score
from tools.reviewing.suspects import valid_candidate
from tools.samples import Verb, add, decide, undo
from tools.text import english
from tools.versions import begin_version


@pytest.fixture
def mood(tmp_path: Path) -> MoodTask:
    """Two versions; both take row 0 for the next label, the second one less than the first."""
    task = MoodTask(tmp_path, rows=12)
    for name, wrong in (("v1", [0, 1, 2, 3]), ("v2", [0, 1])):
        begin_version(task.path, name, parent=None, config_text=task.config.read_text("utf-8"))
        task.version(name, wrong=wrong)
    return task


def predictions(mood: MoodTask, version: str = "v1") -> list[Prediction]:
    return read_predictions(mood.path / "benchmarks" / "results" / f"{version}_valid.predictions.jsonl")


def settle(mood: MoodTask, row: int, verb: Verb, answer: str | None = None) -> None:
    [asked] = [one for one in predictions(mood) if one.id == f"valid{row}"]
    add(mood.path, "suspects", [valid_candidate(asked, "test")])
    decide(load_task(mood.path), "suspects", f"valid:valid{row}", verb, answer=answer, by="t")


def status(mood: MoodTask, version: str = "v1") -> TaskStatus:
    return task_status(load_task(mood.path), read_results(ReadResultsArgs(task_dir=mood.path)), version=version)


def test_without_a_decision_there_is_no_second_score(mood: MoodTask) -> None:
    assert status(mood).settled is None
    add(mood.path, "suspects", [valid_candidate(predictions(mood)[0], "test")])
    assert status(mood).settled is None


def test_changed_confirmed_and_left_out_labels_count_and_the_raw_score_stays(mood: MoodTask) -> None:
    raw = status(mood).metrics
    settle(mood, 0, "relabel", LABELS[1])
    settle(mood, 1, "accept")
    settle(mood, 2, "reject")
    found = status(mood)
    assert found.metrics == raw
    assert found.settled is not None
    assert (found.settled.changed, found.settled.confirmed, found.settled.left_out) == (1, 1, 1)
    assert found.settled.raw == pytest.approx(raw[0].value)
    assert found.settled.value > found.settled.raw
    said = " ".join(" ".join(status_lines(found, english)).split())
    assert "On labels that a person settled: Macro-F1" in said
    assert "leans towards models" in said


def test_a_label_changed_away_from_the_model_lowers_the_score(mood: MoodTask) -> None:
    settle(mood, 4, "relabel", LABELS[0])
    found = settled_score(load_task(mood.path), "v1", predictions(mood))
    assert found is not None and found.value < found.raw


def test_a_decision_taken_back_or_about_another_label_than_today_counts_for_nothing(mood: MoodTask) -> None:
    settle(mood, 0, "relabel", LABELS[1])
    undo(mood.path, "suspects", by="t")
    assert status(mood).settled is None
    settle(mood, 3, "relabel", LABELS[1])
    lines = (mood.path / "data" / "valid.jsonl").read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace(LABELS[0], LABELS[1])
    mood.write("data/valid.jsonl", "\n".join(lines) + "\n")
    assert status(mood).settled is None


def test_a_comparison_shows_it_and_its_verdict_is_the_one_without_it(mood: MoodTask) -> None:
    args = CompareArgs(task_dir=mood.path, base="v1", new="v2")
    before = compare(args)
    settle(mood, 0, "relabel", LABELS[1])
    after = compare(args)
    assert after.settled is not None and after.settled.new > after.settled.old
    assert after.model_copy(update={"settled": None}) == before
    assert "## Settled labels" in markdown(after, english)
    assert "## Settled labels" not in markdown(before, english)
