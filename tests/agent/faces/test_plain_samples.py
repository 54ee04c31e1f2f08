from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.faces import plain_samples
from agent.faces.plain_samples import review_samples
from tests.support.mood_task import MoodTask
from tools.samples import SUSPECTS, load_batch
from tools.text import english


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A task in which one training text stands twice, with two different labels."""
    mood = MoodTask(tmp_path, rows=30)
    lines = (mood.path / "data" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    twice = {**json.loads(lines[0]), "label": "負面", "text": json.loads(lines[0])["text"]}
    twice.pop("id", None)
    mood.write("data/train.jsonl", "\n".join([*lines, json.dumps(twice, ensure_ascii=False)]) + "\n")
    return mood.path


@pytest.fixture
def reviews(task, monkeypatch, capsys):
    """What a person who types these lines is shown, and the proposal that comes of it."""

    def review(*lines: str):
        left = list(lines)
        monkeypatch.setattr(plain_samples, "interactive", lambda: True)
        monkeypatch.setattr(plain_samples, "ask", lambda prompt: left.pop(0) if left else None)
        proposal = review_samples(task, english)
        return proposal, capsys.readouterr().out

    return review


def states(task: Path) -> list[str]:
    return [item.state for item in load_batch(task, SUSPECTS).items]


def test_empty_lines_and_unknown_words_decide_nothing(reviews, task):
    proposal, shown = reviews("", "hm?", "approve", "q")
    assert proposal is None
    assert "Row " in shown
    assert set(states(task)) == {"open"}


def test_a_decision_is_kept_at_once_and_can_be_taken_back(reviews, task):
    _, shown = reviews("r copied twice", "u", "r copied twice")  # then the input ends, as when a terminal is closed
    assert "1 decision(s) taken back" in shown
    assert states(task).count("rejected") == 1


def test_a_finished_review_becomes_a_proposal_and_changes_nothing_by_itself(reviews, task):
    before = (task / "configs" / "training_config.yaml").read_bytes()
    proposal, _ = reviews("r copied twice", "f")
    assert proposal is not None
    assert "exclude" in proposal.diff
    assert (task / "configs" / "training_config.yaml").read_bytes() == before


def test_through_a_pipe_the_rows_are_only_listed(task, capsys):
    assert review_samples(task, english) is None
    assert "Row " in capsys.readouterr().out
    assert set(states(task)) == {"open"}
