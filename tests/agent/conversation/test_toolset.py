from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.conversation import toolset
from agent.conversation.said import Filed, PageRead
from agent.conversation.situation import Situation
from agent.conversation.toolset import TOOLS, Outcome, specs, use
from agent.library import Library
from agent.model.client import ToolCall
from tests.support.mood_task import TEST_TEXT, MoodTask
from tools.text import english


@pytest.fixture
def mood(tmp_path: Path) -> MoodTask:
    task = MoodTask(tmp_path)
    task.version("v1", wrong=[0, 3, 2, 5, 8])
    task.version("v2", wrong=[0, 2])
    return task


@pytest.fixture
def situation(mood: MoodTask) -> Situation:
    return Situation(workspace=mood.workspace, library=Library(), say=english, language="en", task=mood.path)


def called(situation: Situation, name: str, **arguments: Any) -> Outcome:
    return use(ToolCall("c", name, json.dumps(arguments)), situation)


def read(situation: Situation, name: str, **arguments: Any) -> dict[str, Any]:
    outcome = called(situation, name, **arguments)
    assert outcome.ok, outcome.text
    value: dict[str, Any] = json.loads(outcome.text)
    return value


def test_the_table_has_reading_tools_and_the_filing_of_a_proposal_and_no_other() -> None:
    assert set(TOOLS) == {
        "task_status",
        "read_results",
        "diagnose",
        "compare",
        "error_rows",
        "search_references",
        "read_reference",
        "propose_change",
    }
    for spec in specs(rows=True):
        assert spec.parameters["type"] == "object"
        assert "path" not in json.dumps(spec.parameters)


def test_numbers_are_those_of_validation(situation: Situation) -> None:
    status = read(situation, "task_status")
    assert status["version"] == "v2"
    assert {line["metric"] for line in status["validation_scores"]} >= {"macro_f1", "accuracy"}
    assert read(situation, "read_results", version="v1")["versions"][0]["metrics"]["accuracy"] == pytest.approx(
        55 / 60, abs=1e-3
    )
    assert read(situation, "compare", base="v1", new="v2")["fixed_rows"] == ["valid3", "valid5", "valid8"]
    assert "findings" in read(situation, "diagnose", version="v1")


def test_wrong_rows_are_found_by_confusion_or_by_id_and_counted(situation: Situation) -> None:
    found = read(situation, "error_rows", version="v1", expected="中立", limit=2)
    assert [row["id"] for row in found["wrong_rows"]] == ["valid2", "valid5"]
    assert found["of"] == 3
    by_id = read(situation, "error_rows", version="v1", ids=["valid0", "train7", "valid1"])
    assert [(row["id"], row.get("answered")) for row in by_id["rows"]] == [
        ("valid0", "負面"),
        ("train7", None),
        ("valid1", None),
    ]


def test_no_tool_gives_a_test_row_or_a_test_score(situation: Situation, mood: MoodTask) -> None:
    mood.write("benchmarks/results/v1_test.json", json.dumps({"macro_f1": 0.4321, "split": "test"}))
    mood.write("benchmarks/results/v1_test_predictions.jsonl", '{"id": "test0", "label": "中立", "prediction": "正面"}')
    asked: list[tuple[str, dict[str, Any]]] = [
        ("error_rows", {"ids": ["test0", "test1"]}),
        ("error_rows", {"version": "v1_test"}),
        ("error_rows", {"limit": 10}),
        ("read_results", {}),
        ("read_results", {"version": "test"}),
        ("task_status", {}),
        ("diagnose", {}),
        ("compare", {"base": "v1", "new": "v2", "split": "test"}),
        ("read_reference", {"page": "../../tasks/mood/data/test.jsonl"}),
        ("search_references", {"query": "test.jsonl"}),
    ]
    told = "".join(called(situation, name, **arguments).text for name, arguments in asked)
    assert TEST_TEXT not in told
    assert "0.4321" not in told


@pytest.mark.parametrize("task", ["../mood", "/etc", ".", "~", "mood/../mood", "nobody"])
def test_a_task_is_named_and_never_reached_by_a_path(situation: Situation, mood: MoodTask, task: str) -> None:
    assert not called(situation, "task_status", task=task).ok
    assert not called(situation, "task_status", task=str(mood.path)).ok
    assert read(situation, "task_status", task="mood")["task"] == "mood"


def test_what_is_too_long_is_cut_and_says_so(
    situation: Situation, mood: MoodTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    mood.version("v3", wrong=range(60), texts={n: "長" * 900 for n in range(60)})
    assert "長" * 301 not in called(situation, "error_rows", version="v3").text
    monkeypatch.setattr(toolset, "MOST_CHARACTERS", 500)
    outcome = called(situation, "error_rows", version="v3", limit=10)
    assert len(outcome.text) < 600
    assert "more characters" in outcome.text


def test_a_page_is_read_and_named_to_the_person(situation: Situation) -> None:
    outcome = called(situation, "read_reference", page="troubleshooting/overfitting")
    assert isinstance(outcome.event, PageRead)
    assert outcome.event.page == "troubleshooting/overfitting"
    wrong = called(situation, "read_reference", page="overfiting")
    assert not wrong.ok
    assert "overfitting" in wrong.text


def test_a_proposal_is_filed_once_and_at_most_two_at_a_time(situation: Situation) -> None:
    arguments = json.dumps({"edits": [{"key": "epochs", "value": 5}], "why": "x\x1b[2J\n\ny"})
    call = ToolCall("c", "propose_change", arguments)
    filed = use(call, situation)
    assert isinstance(filed.event, Filed)
    assert filed.event.proposal.origin == "model"
    assert filed.event.proposal.comment is not None
    assert "\x1b" not in filed.event.proposal.comment
    assert not use(call, situation, filed=[filed.event.proposal.id]).ok
    assert not use(call, situation, filed=["a", "b"]).ok


def test_a_wrong_wish_names_the_nearest_key_and_the_valid_values(situation: Situation) -> None:
    text = called(
        situation,
        "propose_change",
        edits=[{"key": "training.lerning_rate", "value": 1}, {"key": "epochs", "value": "many"}],
        why="x",
    ).text
    assert "training.learning_rate" in text
    assert "a number above 0" in text


@pytest.mark.parametrize("arguments", ["", "null", "[]", '{"task": 3}', '{"limit": 99}', "{" * 5000, '{"unknown": 1}'])
def test_broken_arguments_are_an_error_the_model_can_read(situation: Situation, arguments: str) -> None:
    outcome = use(ToolCall("c", "error_rows", arguments), situation)
    assert not outcome.ok
    assert "arguments are not valid" in outcome.text
