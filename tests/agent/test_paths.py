from __future__ import annotations

from pathlib import Path

import pytest

from agent import paths
from agent.paths import bundled_dir, checkout_workspace, copy_tasks, find_workspace, offer_examples, source_root
from tools.errors import InputError, MissingPart, NotFound, WriteFailed

BUNDLED = ["entity-sentiment", "official-doc", "stance"]


@pytest.fixture
def workspace_with_tasks(tmp_path: Path) -> Path:
    for name in ("banking", "stance"):
        make_task(tmp_path / "tasks" / name)
    return tmp_path


def make_task(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "task_definition.yaml").write_text("task_name: x\n", encoding="utf-8")
    (folder / "data" / "train.jsonl").write_text('{"text": "a", "label": "b"}\n', encoding="utf-8")
    return folder


def test_the_flag_wins_over_the_environment_and_the_current_folder(workspace_with_tasks: Path, tmp_path: Path):
    named = tmp_path / "named"
    named.mkdir()
    found = find_workspace(named, {"ITERATE_WORKSPACE": "/nowhere"}, workspace_with_tasks)
    assert found.root == named
    assert "--workspace" in str(found.origin)


def test_the_environment_wins_over_the_current_folder(workspace_with_tasks: Path, tmp_path: Path):
    named = tmp_path / "named"
    named.mkdir()
    found = find_workspace(None, {"ITERATE_WORKSPACE": str(named)}, workspace_with_tasks)
    assert found.root == named


def test_a_named_workspace_that_does_not_exist_is_an_error_with_its_name(tmp_path: Path):
    with pytest.raises(InputError, match="missing"):
        find_workspace(tmp_path / "missing", {}, tmp_path)


def test_the_workspace_is_found_from_deep_inside_a_task(workspace_with_tasks: Path):
    deep = workspace_with_tasks / "tasks" / "stance" / "data"
    assert find_workspace(None, {}, deep).root == workspace_with_tasks


def test_an_empty_folder_is_a_workspace_without_tasks_and_nothing_is_written_into_it(tmp_path: Path):
    found = find_workspace(None, {}, tmp_path)
    assert (found.root, found.task_names(), found.added) == (tmp_path, [], [])
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_gets_the_bundled_tasks_on_request(tmp_path: Path):
    assert offer_examples(tmp_path) == BUNDLED
    assert find_workspace(None, {}, tmp_path).task_names() == BUNDLED
    assert (tmp_path / "tasks" / "stance" / "data" / "train.jsonl").is_file()


def test_examples_never_overwrite_a_task_of_the_same_name(tmp_path: Path):
    mine = make_task(tmp_path / "tasks" / "stance")
    assert offer_examples(tmp_path) == ["entity-sentiment", "official-doc"]
    assert (mine / "task_definition.yaml").read_text(encoding="utf-8") == "task_name: x\n"


def test_a_source_checkout_works_on_copies_and_says_so_once(tmp_path: Path):
    make_task(tmp_path / "tasks" / "stance")
    first = checkout_workspace(tmp_path)
    assert first.is_checkout_copy
    assert first.tasks_dir == tmp_path / ".workspace" / "tasks"
    assert first.news is not None
    assert "stance" in str(first.news)
    assert checkout_workspace(tmp_path).news is None


def test_a_copy_in_the_workspace_is_never_overwritten_and_a_new_bundled_task_is_added(tmp_path: Path):
    make_task(tmp_path / "tasks" / "stance")
    copy = checkout_workspace(tmp_path).tasks_dir / "stance" / "task_definition.yaml"
    copy.write_text("task_name: mine\n", encoding="utf-8")
    make_task(tmp_path / "tasks" / "later")
    assert checkout_workspace(tmp_path).added == ["later"]
    assert copy.read_text(encoding="utf-8") == "task_name: mine\n"


def test_runs_weights_and_hidden_records_stay_behind_when_a_task_is_copied(tmp_path: Path):
    task = make_task(tmp_path / "from" / "stance")
    for made in (
        "runs/r1/status.json",
        "models/v1/adapter.bin",
        ".iterate/lock",
        "data/.hidden",
        "data/models/kept.txt",
    ):
        (task / made).parent.mkdir(parents=True, exist_ok=True)
        (task / made).write_text("x", encoding="utf-8")
    copy_tasks(tmp_path / "from", tmp_path / "to")
    copied = {
        path.relative_to(tmp_path / "to" / "stance").as_posix()
        for path in (tmp_path / "to").rglob("*")
        if path.is_file()
    }
    assert copied == {"task_definition.yaml", "data/train.jsonl", "data/models/kept.txt"}


def test_a_file_where_the_tasks_folder_should_be_is_an_error_that_names_it(tmp_path: Path):
    make_task(tmp_path / "from" / "stance")
    (tmp_path / "to").write_text("", encoding="utf-8")
    with pytest.raises(WriteFailed, match="stance"):
        copy_tasks(tmp_path / "from", tmp_path / "to")


def test_no_half_copied_folder_is_listed_as_a_task(tmp_path: Path):
    make_task(tmp_path / "from" / "stance")
    (tmp_path / "to" / ".stance.abc" / "task").mkdir(parents=True)
    copy_tasks(tmp_path / "from", tmp_path / "to")
    assert sorted(each.name for each in (tmp_path / "to").iterdir() if not each.name.startswith(".")) == ["stance"]


def test_a_task_is_found_by_name_and_by_path(
    workspace_with_tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    workspace = find_workspace(None, {}, workspace_with_tasks)
    stance = workspace_with_tasks / "tasks" / "stance"
    assert workspace.task_path("stance") == stance
    assert workspace.task_path(str(stance)) == stance
    monkeypatch.chdir(stance)
    assert workspace.task_path(".") == stance


def test_a_misspelt_task_gets_the_nearest_name_and_the_list(workspace_with_tasks: Path):
    with pytest.raises(NotFound, match="Did you mean stance") as raised:
        find_workspace(None, {}, workspace_with_tasks).task_path("stanse")
    assert "banking, stance" in str(raised.value.hint)


@pytest.mark.parametrize(
    "name", ["..", "../stance", "a/../../b", "", "  ", ".iterate", "no/such/folder", "a\0b", "~/../x"]
)
def test_a_name_that_leads_out_of_the_workspace_or_nowhere_is_refused(workspace_with_tasks: Path, name: str):
    with pytest.raises(InputError):
        find_workspace(None, {}, workspace_with_tasks).task_path(name)


def test_an_explicit_path_to_a_folder_that_is_no_task_is_refused(workspace_with_tasks: Path):
    with pytest.raises(InputError, match=r"task_definition\.yaml"):
        find_workspace(None, {}, workspace_with_tasks).task_path(str(workspace_with_tasks))


def test_escape_sequences_in_a_name_do_not_reach_the_terminal(workspace_with_tasks: Path):
    with pytest.raises(NotFound) as raised:
        find_workspace(None, {}, workspace_with_tasks).task_path("\x1b[2Jstance")
    assert "\x1b" not in str(raised.value.message)


def test_in_a_checkout_a_path_to_a_bundled_task_means_its_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    original = make_task(tmp_path / "tasks" / "stance")
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "agent")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "iterate-mode"\n', encoding="utf-8")
    workspace = find_workspace(None, {}, original)
    assert workspace.is_checkout_copy
    assert workspace.task_path(str(original)) == tmp_path / ".workspace" / "tasks" / "stance"


def test_the_source_tree_is_recognised_and_gives_its_own_data():
    root = source_root()
    assert root is not None
    assert bundled_dir("tasks") == root / "tasks"


def test_an_installed_package_gives_the_data_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "agent")
    (tmp_path / "agent" / "_data" / "tasks").mkdir(parents=True)
    assert source_root() is None
    assert bundled_dir("tasks") == tmp_path / "agent" / "_data" / "tasks"
    with pytest.raises(MissingPart, match="prompts"):
        bundled_dir("prompts")
