"""`iterate predict`, `export`, `prune` and `models list|check` at the terminal; the worker is played, the files are real."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from agent.faces.catalogue import check_base_model, show_catalogue
from agent.faces.exporting import ExportWish, export_version
from agent.faces.predicting import PredictWish, predict_rows
from agent.faces.pruning import prune_task
from agent.i18n import speaker
from agent.journal import Journal
from tests.support.mood_task import MoodTask
from tools.errors import InputError, MissingPart, Refused
from tools.text import english
from tools.training.errands import AnswerErrand, ExportErrand


def wish(**given: object) -> PredictWish:
    usual = {"file": None, "output": None, "text": None, "target": None, "fields": [], "version": "v1", "seed": None}
    return PredictWish(**{**usual, "as_json": False, **given})


def test_one_text_is_answered_on_stdout_with_the_probabilities_beside_it(
    mood: MoodTask, worker: list[AnswerErrand], capsys: pytest.CaptureFixture[str]
):
    assert predict_rows(mood.path, wish(text="今天很好"), english) == 0
    said = capsys.readouterr()
    assert said.out == "正面\n"
    assert "正面 80.0%, 負面 15.0%, 中立 5.0%" in said.err
    assert predict_rows(mood.path, wish(text="an odd one"), english) == 1
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "unknown_label" in said.err


def test_rows_come_from_standard_input_and_what_cannot_be_read_is_counted(
    mood: MoodTask,
    worker: list[AnswerErrand],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    class Stdin:
        buffer = io.BytesIO('{"text": "好"}\n{"text": "odd", "id": "b"}\n'.encode())

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert predict_rows(mood.path, wish(file="-"), english) == 0
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [(line["id"], line["answer"], line["failure"]) for line in lines] == [
        ("1", "正面", None),
        ("b", None, "unknown_label"),
    ]
    assert "1 of 2 outputs could not be read" in said.err


def test_a_wrong_question_is_answered_with_what_can_be_asked(mood: MoodTask, worker: list[AnswerErrand]):
    with pytest.raises(InputError, match="either --file or --text"):
        predict_rows(mood.path, wish(), english)
    with pytest.raises(InputError, match="not a field"):
        predict_rows(mood.path, wish(fields=["text"]), english)
    with pytest.raises(InputError, match="No version of mood is in use") as none:
        predict_rows(mood.path, wish(text="好", version=None), english)
    assert "v1, v2" in str(none.value.hint)
    assert worker == []


def test_the_hub_is_only_shown_what_it_would_get_until_a_person_says_yes(
    mood: MoodTask,
    worker: list[ExportErrand],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "nobody"))
    asked = ExportWish(tmp_path / "out", "adapter", "v2", None, "bf16", None, "alice/mood", yes=False)
    assert export_version(mood.path, asked, english) == 0
    said = capsys.readouterr().out
    assert "To the hub, alice/mood (private)" in said
    assert "adapter_model.safetensors  2.0 MB" in said
    assert "Nothing was sent" in said
    sent: list[object] = []
    monkeypatch.setattr(
        "agent.faces.exporting.upload", lambda plan, title: sent.append(plan) or "https://hub/alice/mood"
    )
    assert sent == []
    said_yes = ExportWish(tmp_path / "out", "adapter", "v2", None, "bf16", None, "alice/mood", yes=True)
    assert export_version(mood.path, said_yes, english) == 0
    assert len(sent) == 1
    assert "Sent: https://hub/alice/mood" in capsys.readouterr().out


def test_all_forms_without_a_converter_leave_gguf_out_and_say_how_to_get_one(
    mood: MoodTask, worker: list[ExportErrand], capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    asked = ExportWish(tmp_path / "out", "gguf", "v1", None, "bf16", tmp_path / "none.py", None, yes=False)
    with pytest.raises(MissingPart, match="converter"):
        export_version(mood.path, asked, english)
    assert worker == []


def test_pruning_shows_asks_removes_and_is_in_the_journal(
    mood: MoodTask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    say = speaker("zh-TW")

    def run(**given: object) -> int:
        return prune_task(
            mood.path, say, **{"versions": [], "everything": False, "yes": False, "as_json": False, **given}
        )

    with pytest.raises(Refused, match="needs a person"):
        run()
    assert (mood.path / "models" / "v2" / "adapter").is_dir()
    shown = capsys.readouterr().out
    assert "models/v2/adapter" in shown
    assert "2.0 MB" in shown
    monkeypatch.setattr("agent.faces.pruning.interactive", lambda: True)
    monkeypatch.setattr("agent.faces.pruning.ask", lambda prompt: "n")
    assert run() == 1
    assert (mood.path / "models" / "v2" / "adapter").is_dir()
    assert run(yes=True) == 0
    assert not (mood.path / "models" / "v2" / "adapter").exists()
    assert (mood.path / "models" / "v1" / "adapter").is_dir()
    assert [entry.data["versions"] for entry in Journal(mood.path).entries() if entry.event == "pruned"] == [["v2"]]
    with pytest.raises(MissingPart, match="removed to free space") as gone:
        predict_rows(mood.path, wish(text="好", version="v2"), english)
    assert "iterate train mood --version v2" in str(gone.value.hint)
    capsys.readouterr()
    assert run(as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["goes"] == []


def test_the_catalogue_is_listed_and_a_folder_is_checked(model: Path, capsys: pytest.CaptureFixture[str]):
    assert show_catalogue(speaker("zh-TW"), as_json=False) == 0
    assert "Qwen/Qwen3-30B-A3B" in capsys.readouterr().out
    assert show_catalogue(english, as_json=True) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["Qwen/Qwen3-30B-A3B"]["lora_targets"] == ["q_proj", "k_proj", "v_proj", "o_proj"]
    assert check_base_model(str(model), None, english, as_json=False) == 0
    assert "[ok] Its context of 512 tokens" in capsys.readouterr().out
    assert check_base_model("nobody/unknown-model", None, english, as_json=False) == 1
    assert "could not be reached" in capsys.readouterr().out
