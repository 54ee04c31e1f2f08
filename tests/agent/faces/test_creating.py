"""A new task at a plain terminal and from flags: asked line by line, shown once more, and made only on a clear yes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.faces import creating, labelling, splitting
from agent.faces.creating import CreateWishes, create_from_flags, no_model
from agent.faces.labelling import LabelWishes, label_task
from agent.faces.splitting import SplitWishes, split_task
from agent.i18n import speaker
from agent.paths import Workspace
from tools.errors import InputError, Refused
from tools.reading.task import load_task
from tools.text import T, english


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path, tasks_dir=tmp_path / "tasks", origin=T("for a test"))


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What a person types, line by line; then the input ends."""

    def types(*lines: str) -> None:
        typed: Iterator[str] = iter(lines)
        for face in (creating, labelling, splitting):
            monkeypatch.setattr(face, "ask", lambda prompt: next(typed, None))
            monkeypatch.setattr(face, "interactive", lambda: True)

    return types


def create(workspace: Workspace, language: str = "en", **wishes) -> int:
    return create_from_flags(workspace, CreateWishes(**wishes), speaker(language), language, no_model)


def test_asked_line_by_line_with_a_mistake_a_step_back_and_a_change(
    workspace: Workspace, typing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    first = ("a/b", "mood", "Tell the mood.", "/back", "Tell the mood of it.", "", "", "")
    typing(*first, "good: glad", "Good", "", "good: glad", "bad", "", "", "", "80", "", "9", "65%", "maybe", "y")
    assert create(workspace) == 0
    told = capsys.readouterr()
    assert "cannot be a task's name" in told.err and "there twice" in told.err
    assert "Target: 65%" in told.out and "maybe is not one of the choices" in told.out
    definition = load_task(workspace.tasks_dir / "mood").definition
    assert definition.template.startswith("Tell the mood of it.") and definition.targets[0].threshold == 0.65
    assert "iterate label mood" in " ".join(told.out.split())


@pytest.mark.parametrize(
    "lines",
    [(), ("/cancel",), ("mood", "/q"), ("mood", "Tell it.", "", "", "", "good", "bad", "", "", "", "", "", "q")],
)
def test_leaving_at_any_place_makes_nothing(
    workspace: Workspace, typing: Callable[..., None], lines: tuple[str, ...]
) -> None:
    typing(*lines)
    assert create(workspace) == 130
    assert not workspace.tasks_dir.exists()


def test_enter_alone_never_makes_a_task(workspace: Workspace, typing: Callable[..., None]) -> None:
    typing("mood", "Tell it.", "", "", "", "good", "bad", "", "", "", "", "", "", "", "")
    assert create(workspace) == 130
    assert not workspace.tasks_dir.exists()


def test_without_a_model_a_suggestion_is_declined_and_what_was_typed_stays(
    workspace: Workspace, typing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    typing("mood", "Tell it.", "", "", "", "good: glad", "bad", "", "", "", "", "", "6", "calm", "/建議", "", "", "q")
    assert create(workspace) == 130
    assert "No language model is set up" in capsys.readouterr().out


def test_flags_alone_make_a_task_and_every_flag_that_is_missing_is_named(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError) as caught:
        create(workspace, given={"task_type": "extraction"})
    assert [str(one.message).split()[0] for one in caught.value.problems] == ["NAME", "--goal", "--answer-field"]
    given = {"name": "發票", "goal": "抄錄日期。", "task_type": "extraction", "answer_fields": "日期：照原文"}
    assert create(workspace, "zh-TW", given=given, as_json=True) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["task"] == "發票" and "ANNOTATION_GUIDE.md" in made["files"]
    assert load_task(workspace.tasks_dir / "發票").definition.language == "zh-TW"
    with pytest.raises((Refused, InputError)):
        create(workspace, given=given, as_json=True)


def test_from_flags_to_divided_rows_at_the_terminal(
    workspace: Workspace, typing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    create(workspace, given={"name": "mood", "goal": "Tell it.", "labels": "good\nbad"}, yes=True)
    path = workspace.tasks_dir / "mood"
    with pytest.raises(Exception, match="no rows to label"):
        label_task(path, LabelWishes(), english)
    words = [
        "river",
        "copper",
        "window",
        "lantern",
        "orchard",
        "saddle",
        "mirror",
        "thunder",
        "pocket",
        "violin",
        "oak",
        "ink",
    ]
    (path / "data" / "raw" / "texts.txt").write_text(
        "\n".join(f"{one} {one[::-1]} {n * 37}" for n, one in enumerate(words)), encoding="utf-8"
    )
    typing("1", "2", "1", "q")
    assert label_task(path, LabelWishes(), english) == 0
    assert "9 rows wait" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(InputError, match="Only 3 rows"):
        split_task(path, english, SplitWishes())
    typing(*"12" * 4, "1", "n")
    assert label_task(path, LabelWishes(), english) == 0
    assert (path / "data" / "train.jsonl").read_text(encoding="utf-8") == ""
    capsys.readouterr()
    assert split_task(path, english, SplitWishes(), as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == {"valid": 2, "test": 2, "train": 8}
    journal = (path / "iterations" / "journal.jsonl").read_text(encoding="utf-8")
    assert '"split"' in journal
