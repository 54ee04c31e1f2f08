from __future__ import annotations

import ast
from pathlib import Path

import pytest

from agent.model import prompts
from agent.model.prompts import load_prompt, prompt_slots
from tools.errors import MissingPart

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(prompts, "bundled_dir", lambda _: tmp_path)
    return tmp_path


def test_only_slots_are_filled_and_other_braces_stay(folder: Path):
    (folder / "x.md").write_text('Task {task}: answer {"label": "{}"} or {0} or { task }.', encoding="utf-8")
    assert load_prompt("x", task="stance") == 'Task stance: answer {"label": "{}"} or {0} or { task }.\n'


def test_a_row_that_looks_like_a_slot_is_not_filled_in_turn(folder: Path):
    (folder / "x.md").write_text("{rows}\n{rules}", encoding="utf-8")
    assert load_prompt("x", rows="{rules}", rules="none") == "{rules}\nnone\n"


@pytest.mark.parametrize("slots", [{}, {"task": "a", "other": "b"}])
def test_slots_that_do_not_fit_are_an_error_of_the_program(folder: Path, slots: dict[str, str]):
    (folder / "x.md").write_text("{task}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"task|other"):
        load_prompt("x", **slots)


def test_a_prompt_that_is_not_there_says_how_to_get_it(folder: Path):
    with pytest.raises(MissingPart) as caught:
        load_prompt("absent")
    assert "absent" in str(caught.value)
    assert caught.value.hint is not None


def calls() -> list[tuple[str, str, set[str]]]:
    """File, prompt and slots of every load_prompt in the program."""
    found = []
    for path in (ROOT / "agent").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load_prompt":
                assert isinstance(node.args[0], ast.Constant), f"{path.name} names its prompt at run time"
                found.append((path.name, str(node.args[0].value), {each.arg or "**" for each in node.keywords}))
    return found


def test_every_caller_fills_exactly_the_slots_of_its_prompt():
    wrong = [(path, name) for path, name, slots in calls() if prompt_slots(name) != slots]
    assert wrong == []


def test_every_prompt_is_used():
    written = {path.stem for path in (ROOT / "prompts").glob("*.md")} - {"README"}
    assert written == {name for _, name, _ in calls()}
