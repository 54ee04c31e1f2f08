"""Labelling at a plain terminal: number keys, mistakes, stopping and going on, and what is said at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.faces import labelling, plain_samples, reviewing
from agent.faces.labelling import LabelWishes, label_task
from tools.labelling.agreement import Guess, keep_guesses
from tools.labelling.ask_person import LABELLING
from tools.reading.task import load_task
from tools.samples import load_batch
from tools.text import english

DEFINITION = """task_name: mood
task_type: classification
input_format: {template: "{text}"}
output_format: {type: label, labels: [good, bad]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "tasks" / "mood"
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "task_definition.yaml").write_text(DEFINITION, encoding="utf-8")
    for split in ("train", "valid", "test"):
        rows = [{"id": f"{split}{n}", "text": f"{split} words {n}", "label": ("good", "bad")[n % 2]} for n in range(6)]
        (folder / "data" / f"{split}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
    pool = [{"text": f"pooled {word} \u001b[31m"} for word in ("apples", "trains", "meetings", "taxes")]
    (folder / "data" / "raw" / "pool.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in pool), encoding="utf-8"
    )
    return folder


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What a person types, line by line; then the input ends."""

    def types(*lines: str) -> None:
        typed: Iterator[str] = iter(lines)
        for face in (labelling, reviewing, plain_samples):
            monkeypatch.setattr(face, "ask", lambda prompt: next(typed, None))
        for face in (labelling, plain_samples):
            monkeypatch.setattr(face, "interactive", lambda: True)

    return types


def test_without_a_terminal_rows_are_chosen_and_nothing_is_decided(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert label_task(path, LabelWishes(count=3), english) == 0
    said = capsys.readouterr().out
    assert "drawn at random" in said and "3 rows wait for a label" in " ".join(said.split())
    assert load_batch(path, LABELLING).counts.open == 3
    assert label_task(path, LabelWishes(count=1, use_model=False, more=True), english) == 0
    assert "as you asked" in capsys.readouterr().out
    assert not (path / "configs").exists()


def test_labels_mistakes_and_an_undo_end_in_one_line_of_the_recipe(
    path: Path, typing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    typing("1", "u", "2", "7", "l nonsense", "1", "r unclear", "l good", "y")
    assert label_task(path, LabelWishes(), english) == 0
    said = " ".join(capsys.readouterr().out.split())
    counts = load_batch(path, LABELLING).counts
    assert (counts.relabelled, counts.rejected, counts.open) == (3, 1, 0)
    assert "7 is not one of the choices" in said
    assert "\x1b" not in said
    train = load_task(path).config.values.data.train
    assert len(train) == 2 and train[1].startswith("data/reviewed/labelling-")
    assert "iterate train mood" in said


def test_stopping_keeps_the_labels_and_going_on_asks_only_for_the_rest(
    path: Path, typing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    typing("1", "", "2")
    assert label_task(path, LabelWishes(), english) == 0
    assert "Your labels are kept" in " ".join(capsys.readouterr().out.split())
    assert load_batch(path, LABELLING).counts.open == 2
    typing("1", "1", "n")
    assert label_task(path, LabelWishes(), english) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Pool" not in said and "2 left" in said
    assert not (path / "configs").exists()


def test_agreement_with_the_model_is_said_after_the_last_label_and_not_before(
    path: Path, typing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    label_task(path, LabelWishes(only_prepare=True), english)
    items = [item.candidate.id for item in load_batch(path, LABELLING).items]
    scores = {"good": 0.6, "bad": 0.4}
    guesses = [
        Guess(item=one, label="good", scores=scores, version="v1", at_random=number == 0)
        for number, one in enumerate(items)
    ]
    keep_guesses(path, LABELLING, guesses)
    capsys.readouterr()
    typing("1", "1", "2", "1", "n")
    label_task(path, LabelWishes(), english)
    before, _, after = " ".join(capsys.readouterr().out.split()).partition("You and v1 agree on 3 of 4 rows (75%)")
    assert after and "v1" not in before
    assert "bad / good ×1" in after
    assert "drawn at random" in after
