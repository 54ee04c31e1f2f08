from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from tools.contract import TOOLS, Effects, call, find_tool
from tools.errors import InputError, NotFound
from tools.files import sha256_bytes

CONFIG = "lora:\n  r: 32  # rank\n"


@pytest.fixture
def task(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "configs" / "training_config.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "data" / "train.jsonl").write_text('{"text": "a", "label": "x"}\n', encoding="utf-8")
    return tmp_path


def test_the_six_tools_of_the_specification_are_there() -> None:
    assert list(TOOLS) == ["read_results", "diagnose", "edit_config", "generate_data", "launch_training", "compare"]


@pytest.mark.parametrize("name", list(TOOLS))
def test_every_tool_takes_one_model_and_returns_one(name: str) -> None:
    signature = find_tool(name).resolve()
    assert issubclass(signature.args, BaseModel)
    assert issubclass(signature.result, BaseModel)
    assert "task_dir" in signature.args.model_fields
    assert signature.args.model_config.get("extra") == "forbid"
    json.dumps(signature.args.model_json_schema())


def test_only_editing_and_training_do_more_than_read() -> None:
    strong = {name: tool.effect for name, tool in TOOLS.items() if tool.effect is not Effects.read}
    assert strong == {"edit_config": Effects.write, "launch_training": Effects.spend}


def test_a_tool_is_called_with_json_and_answers_in_json(task: Path) -> None:
    edits = [{"path": ["lora", "r"], "new": 64}]
    sha = sha256_bytes(CONFIG.encode())
    answer = call("edit_config", json.dumps({"task_dir": str(task), "edits": edits, "expected_sha256": sha}))
    assert json.loads(answer)["sha256"] == sha256_bytes(CONFIG.replace("32", "64").encode())


def test_wrong_arguments_are_all_named_and_nothing_happens(task: Path) -> None:
    with pytest.raises(InputError) as caught:
        call("edit_config", json.dumps({"task_dir": str(task), "edits": [], "hash": "x"}))
    named = " ".join(str(problem.message) for problem in caught.value.problems)
    assert all(field in named for field in ("edits", "hash", "expected_sha256"))
    with pytest.raises(InputError):
        call("edit_config", "{broken")
    assert (task / "configs" / "training_config.yaml").read_text(encoding="utf-8") == CONFIG


def test_a_mistyped_tool_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(NotFound) as caught:
        find_tool("edit-config")
    assert "edit_config" in str(caught.value.hint)


def test_importing_the_table_imports_no_tool() -> None:
    code = "import sys, tools.contract; print([m for m in sys.modules if m in %r])" % [
        tool.path.split(":")[0] for tool in TOOLS.values()
    ]
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert shown.stdout.strip() == "[]"
