from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.change import Edit
from tools.edit_config import EditConfigArgs, apply_edits, config_diff, edit_config, text_after
from tools.errors import InputError, NotFound, StaleFile
from tools.files import sha256_file
from tools.reading.task import load_task
from tools.text import T, Text

CONFIG = """\
# configs/training_config.yaml (v1)
lora:
  r: 32          # rank
  alpha: 64

training:
  epochs: 8
  learning_rate: 0.0001
"""


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "feelings"
    (folder / "data").mkdir(parents=True)
    (folder / "configs").mkdir()
    (folder / "task_definition.yaml").write_text(
        "task_name: feelings\ntask_type: classification\n"
        "input_format: {template: '文本：{text}'}\n"
        "output_format: {type: label, labels: [正面, 負面, 中立]}\n"
        "training: {epochs: 3, method: sft}\n"
        "success_criteria: {primary_metric: macro_f1, threshold: 0.8}\n",
        encoding="utf-8",
    )
    for name in ("train", "valid"):
        rows = [
            {"id": f"{name}{n}", "text": f"{name} 句子 {n}", "label": ["正面", "負面", "中立"][n % 3]} for n in range(9)
        ]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "data" / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "configs" / "training_config.yaml").write_text(CONFIG, encoding="utf-8")
    return folder


def config_of(task: Path) -> Path:
    return task / "configs" / "training_config.yaml"


def args(task: Path, *edits: Edit, sha: str | None = None) -> EditConfigArgs:
    return EditConfigArgs(
        task_dir=task, edits=list(edits), expected_sha256=sha if sha is not None else sha256_file(config_of(task))
    )


def test_an_edit_changes_one_line_of_the_file_and_returns_the_diff_and_the_new_hash(task: Path) -> None:
    result = edit_config(args(task, Edit(path=("lora", "r"), old=32, new=64)))
    assert config_of(task).read_text(encoding="utf-8") == CONFIG.replace("r: 32 ", "r: 64 ")
    assert result.sha256 == sha256_file(config_of(task))
    assert result.path == "configs/training_config.yaml"
    assert "@@ -1,5 +1,5 @@" in result.diff
    assert "-  r: 32          # rank\n+  r: 64          # rank" in result.diff
    assert load_task(task).config.values.lora.r == 64  # type: ignore[union-attr]


def test_a_file_that_changed_since_is_refused_and_left_alone(task: Path) -> None:
    before = sha256_file(config_of(task))
    config_of(task).write_text(CONFIG + "# mine\n", encoding="utf-8")
    with pytest.raises(StaleFile):
        edit_config(args(task, Edit(path=("lora", "r"), new=64), sha=before))
    assert config_of(task).read_text(encoding="utf-8") == CONFIG + "# mine\n"


def test_every_invalid_value_is_named_at_once_and_nothing_is_written(task: Path) -> None:
    edits = [
        Edit(path=("lora", "r"), new=0),
        Edit(path=("training", "epochs"), new="many"),
        Edit(path=("training", "epcohs"), new=3),
        Edit(path=("training", "method"), new="magic"),
    ]
    with pytest.raises(InputError) as caught:
        edit_config(args(task, *edits))
    named = " ".join(str(problem.message) for problem in caught.value.problems)
    assert all(key in named for key in ("lora.r", "training.epochs", "training.epcohs", "training.method"))
    assert config_of(task).read_text(encoding="utf-8") == CONFIG


def test_an_old_problem_of_the_file_does_not_stop_an_edit_of_something_else(task: Path) -> None:
    config_of(task).write_text(CONFIG + "  epoch_count: 3\n", encoding="utf-8")
    edit_config(args(task, Edit(path=("lora", "r"), new=64)))
    assert "r: 64" in config_of(task).read_text(encoding="utf-8")


def test_a_value_that_differs_from_the_definition_is_allowed(task: Path) -> None:
    edit_config(args(task, Edit(path=("training", "epochs"), new=12)))
    assert load_task(task).config.values.training.epochs == 12


def test_a_task_without_a_configuration_gets_one_that_explains_itself(task: Path) -> None:
    config_of(task).unlink()
    shown = text_after(load_task(task).config, [Edit(path=("training", "learning_rate"), new=0.00005)])
    result = edit_config(args(task, Edit(path=("training", "learning_rate"), new=0.00005), sha=""))
    text = config_of(task).read_text(encoding="utf-8")
    assert text == shown
    assert text.startswith("# ")
    assert text.endswith("training:\n  learning_rate: 0.00005\n")
    assert result.diff.count("\n+") >= 4


def test_the_header_of_a_new_file_is_written_in_the_users_language(task: Path) -> None:
    config_of(task).unlink()

    def shouting(text: Text) -> str:
        return str(text).upper()

    edit_config(args(task, Edit(path=("training", "epochs"), new=4), sha=""), say=shouting)
    assert config_of(task).read_text(encoding="utf-8").startswith("# HOW THE NEXT VERSION IS TRAINED")


def test_a_configuration_that_appeared_meanwhile_is_not_overwritten(task: Path) -> None:
    with pytest.raises(StaleFile):
        edit_config(args(task, Edit(path=("lora", "r"), new=64), sha=""))
    assert config_of(task).read_text(encoding="utf-8") == CONFIG


def test_windows_files_stay_windows_files(task: Path) -> None:
    config_of(task).write_bytes(b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode())
    result = edit_config(args(task, Edit(path=("lora", "dropout"), new=0.1)))
    content = config_of(task).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == CONFIG.count("\n") + 1
    assert "\\u000d" not in result.diff


def test_a_file_in_big5_is_edited_in_big5(task: Path) -> None:
    text = "# 訓練設定：請勿刪除這一行註解，謝謝各位同仁\nlora:\n  r: 32  # 秩\n"
    config_of(task).write_bytes(text.encode("big5"))
    edit_config(args(task, Edit(path=("lora", "r"), new=64)))
    assert config_of(task).read_bytes() == text.replace("32", "64").encode("big5")


def test_broken_yaml_is_refused_with_the_line(task: Path) -> None:
    config_of(task).write_text("lora:\n  r: 32\n alpha: [\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        edit_config(args(task, Edit(path=("lora", "r"), new=64)))
    assert caught.value.problems[0].line is not None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        edit_config(EditConfigArgs(task_dir=tmp_path / "nothing", edits=[Edit(path=("a",), new=1)], expected_sha256=""))


def test_new_sections_and_keys_take_their_usual_places() -> None:
    text = "lora:\n  r: 32\n\ndecoding:\n  constrained: true\n"
    new = apply_edits(text, [Edit(path=("training", "epochs"), new=3), Edit(path=("training", "batch_size"), new=8)])
    new = apply_edits(new, [Edit(path=("training", "learning_rate"), new=0.0001)])
    assert new == (
        "lora:\n  r: 32\n\ntraining:\n  epochs: 3\n  learning_rate: 0.0001\n  batch_size: 8\n\ndecoding:\n  constrained: true\n"
    )


def test_equal_texts_have_no_diff_and_line_ends_do_not_count_as_changes() -> None:
    assert config_diff("a: 1\n", "a: 1\n") == ""
    diff = config_diff("a: 1\r\nb: 2\r\n", "a: 1\r\nb: 3\r\n")
    assert [line for line in diff.split("\n") if line[:1] in "+-" and line[:3] not in {"+++", "---"}] == [
        "-b: 2",
        "+b: 3",
    ]


def test_control_characters_of_a_file_cannot_colour_the_diff() -> None:
    diff = config_diff("a: 1\n", 'a: "\x1b[31m"\n')
    assert "\x1b" not in diff


def test_messages_are_translatable(task: Path) -> None:
    with pytest.raises(StaleFile) as caught:
        edit_config(args(task, Edit(path=("lora", "r"), new=64), sha="0"))
    assert caught.value.message == T(
        "{path} changed since this edit was prepared, so nothing was written.", path="configs/training_config.yaml"
    )
