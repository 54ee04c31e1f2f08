from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.toolkit import langchain_tools
from tools.contract import Effects
from tools.files import sha256_bytes


def test_a_model_gets_the_reading_tools_only_unless_more_is_asked_for() -> None:
    assert [tool.name for tool in langchain_tools({Effects.write})] == ["edit_config"]
    assert all(tool.metadata == {"effect": "read"} for tool in langchain_tools())


def test_a_wrapped_tool_takes_the_arguments_of_the_tool_and_answers_in_json(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    config = tmp_path / "configs" / "training_config.yaml"
    config.write_text("lora:\n  r: 32  # rank\n", encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"text": "a", "label": "x"}\n', encoding="utf-8")
    [tool] = langchain_tools({Effects.write})
    arguments = {
        "task_dir": str(tmp_path),
        "edits": [{"path": ["lora", "r"], "new": 64}],
        "expected_sha256": sha256_bytes(config.read_bytes()),
    }
    answer = json.loads(tool.invoke(arguments))
    assert answer["sha256"] == sha256_bytes(config.read_bytes())
    assert config.read_text(encoding="utf-8") == "lora:\n  r: 64  # rank\n"


def test_arguments_that_the_tool_does_not_know_are_refused(tmp_path: Path) -> None:
    [tool] = langchain_tools({Effects.write})
    with pytest.raises(ValueError, match="expected_sha256"):
        tool.invoke({"task_dir": str(tmp_path), "edits": [{"path": ["a"], "new": 1}]})
