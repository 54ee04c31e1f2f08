"""`/predict` and `/export` in the plain chat: asked for what is missing, an export only on yes; the worker is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.faces.plain_using import export_asked, predict_typed
from agent.i18n import speaker
from tests.support.mood_task import DEFINITION, MoodTask
from tools.errors import InputError, NotFound
from tools.text import english
from tools.training.errands import AnswerErrand, ExportErrand

NAMESPACE = "agent.faces.plain_using"


def person(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """A person at a terminal who gives these answers; returns what they were asked."""
    asked: list[str] = []
    given = iter(answers)
    monkeypatch.setattr(f"{NAMESPACE}.interactive", lambda: True)
    monkeypatch.setattr(f"{NAMESPACE}.ask", lambda prompt: asked.append(prompt) or next(given))
    return asked


def test_a_text_is_answered_with_its_probability_and_an_unreadable_output_is_shown_as_it_is(
    mood: MoodTask, worker: list[AnswerErrand], capsys: pytest.CaptureFixture[str]
):
    assert predict_typed(mood.path, {"version": "v1", "text": "今天，很好！"}, english) == 0
    said = capsys.readouterr().out
    assert "v1 answers: 正面 (80.0%)" in said
    assert "text: 今天，很好！" in said
    assert predict_typed(mood.path, {"version": "v1", "text": "an odd one"}, speaker("zh-TW")) == 1
    said = capsys.readouterr().out
    assert "我想是" in said and "不在宣告的標籤之中" in said and "\x1b" not in said


def test_a_field_that_is_missing_is_asked_for_and_without_a_person_the_line_to_type_is_shown(
    mood: MoodTask, worker: list[AnswerErrand], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    mood.write("task_definition.yaml", DEFINITION.replace("文本：{text}", "{target}：{text}"))
    with pytest.raises(InputError, match="target, text") as wrong:
        predict_typed(mood.path, {"version": "v1", "text": "很好"}, english)
    assert "/predict v1 target=... 很好" in str(wrong.value.hint)
    asked = person(monkeypatch, "長照")
    assert predict_typed(mood.path, {"version": "v1", "text": "很好"}, english) == 0
    assert len(asked) == 1 and "target" in asked[0]
    assert "target: 長照" in capsys.readouterr().out


def test_without_weights_the_next_step_is_said(mood: MoodTask, worker: list[AnswerErrand], tmp_path: Path):
    with pytest.raises(NotFound) as wrong:
        predict_typed(mood.path, {"text": "好"}, english)
    assert "/predict v2" in str(wrong.value.hint)
    bare = MoodTask(tmp_path / "bare", rows=9)
    bare.version("v1", [1])
    with pytest.raises(NotFound) as wrong:
        predict_typed(bare.path, {"text": "好"}, english)
    assert "Improve mood" in str(wrong.value.hint)
    assert worker == []


def test_an_export_is_shown_with_size_and_licence_and_written_only_on_yes(
    mood: MoodTask, worker: list[ExportErrand], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    folder = mood.root / "exports" / "mood-v2" / "adapter"
    asked = {"version": "v2"}
    assert export_asked(mood.path, mood.root, asked, english) == 0  # a pipe is no person
    said = capsys.readouterr().out
    assert f"{folder} (about 2.0 MB)" in said.replace("\n", " ")
    assert "licence of the base model is not known" in said and "Nothing was written" in said
    person(monkeypatch, "", "y")
    assert export_asked(mood.path, mood.root, asked, english) == 0
    assert worker == [] and not folder.parent.exists()
    capsys.readouterr()
    assert export_asked(mood.path, mood.root, asked, english) == 0
    assert (folder / "adapter_model.safetensors").is_file()
    said = " ".join(capsys.readouterr().out.split())
    assert f"iterate export mood --version v2 --seed 42 --form adapter --to {folder.parent} --hub USER/NAME" in said
