from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.errors import InputError, NotFound, Refused
from tools.outcomes.metric_names import fraction, metric_name
from tools.reading.task import SplitRead, find_task, list_tasks, load_split, load_task
from tools.task import SplitName, Task

FULL = """\
task_name: entity-sentiment
task_type: classification
domain: finance
language: zh-TW
input_format:
  description: 文本與實體
  template: "分析以下文本對「{entity}」的情感傾向。\\n文本：{text}"
output_format: {type: json, schema: {entity_sentiment: {type: string, enum: [正面, 負面, 中立]}}}
training: {base_model: Qwen/Qwen3-4B, method: sft, lora: {r: 32, alpha: 64}, epochs: 8, learning_rate: 0.00001}
success_criteria: {primary_metric: macro_f1, threshold: 0.80}
huggingface: {org: x}
diagnosis: {min_class_f1: 0.7}
slices: [entity]
deploy: {command: ./deploy.sh}
"""
LABELS = ["正面", "負面", "中立"]


def make(tmp_path: Path, definition: str | None = FULL, config: str | None = None, **splits: list[object]) -> Path:
    folder = tmp_path / "my-task"
    (folder / "data").mkdir(parents=True)
    (folder / "configs").mkdir()
    if definition is not None:
        (folder / "task_definition.yaml").write_text(definition, encoding="utf-8")
    if config is not None:
        (folder / "configs" / "training_config.yaml").write_text(config, encoding="utf-8")
    for name, rows in splits.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "data" / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def rows(count: int, start: int = 0) -> list[object]:
    return [{"text": f"文{n}", "entity": "甲", "label": LABELS[n % 3]} for n in range(start, start + count)]


def split(task: Task, name: SplitName) -> SplitRead:
    return load_split(task, name)


def whats(read: SplitRead) -> list[object]:
    return [problem.about.get("what") for problem in read.problems]


def test_the_definition_of_existing_tasks_is_understood_without_a_problem(tmp_path: Path) -> None:
    task = load_task(make(tmp_path, train=rows(9), valid=rows(3, 9), test=rows(3, 12)))
    made = task.definition
    assert (task.problems, task.config.problems) == ([], [])
    assert (task.name, made.task_name, made.task_type, made.language) == (
        "my-task",
        "entity-sentiment",
        "classification",
        "zh-TW",
    )
    assert made.input_fields == ["entity", "text"]
    assert (made.answer.type, made.answer.label_field, made.answer.labels) == ("json", "entity_sentiment", LABELS)
    assert [(target.metric, target.threshold) for target in made.targets] == [("macro_f1", 0.8)]
    assert (made.thresholds, made.slices, made.deploy_command) == ({"min_class_f1": 0.7}, ["entity"], "./deploy.sh")
    assert made.raw["huggingface"] == {"org": "x"}
    assert task.config.values.training.base_model == "Qwen/Qwen3-4B"


@pytest.mark.parametrize("threshold", ["0.8", "80", "80.0", "'80%'", "'0.8'", "80%"])
def test_a_threshold_may_be_a_share_or_a_percentage(tmp_path: Path, threshold: str) -> None:
    text = FULL.replace("threshold: 0.80", f"threshold: {threshold}")
    task = load_task(make(tmp_path, text, train=rows(3)))
    assert [target.threshold for target in task.definition.targets] == [0.8]


@pytest.mark.parametrize(
    "criteria",
    [
        "success_criteria: {macro_f1: 0.8, accuracy: 85}",
        "success_criteria: [{metric: macro_f1, threshold: 0.8}, {primary_metric: accuracy, threshold: '85%'}]",
        "success_criteria: {primary_metric: macro_f1, threshold: 0.8, accuracy: 0.85}",
        "success_criteria: {primary_metric: Macro-F1, threshold: 80, secondary_metrics: {acc: 85}}",
        "success_criteria: {targets: {macro_f1: {threshold: 0.8}, accuracy: {min: 0.85}}}",
        "targets: [{metric: f1_macro, threshold: 0.8}, {metric: accuracy, threshold: 0.85}]",
    ],
)
def test_targets_may_be_written_in_any_of_the_usual_ways(tmp_path: Path, criteria: str) -> None:
    text = FULL.replace("success_criteria: {primary_metric: macro_f1, threshold: 0.80}", criteria)
    task = load_task(make(tmp_path, text, train=rows(3)))
    assert task.problems == []
    assert [(target.metric, target.threshold) for target in task.definition.targets] == [
        ("macro_f1", 0.8),
        ("accuracy", 0.85),
    ]


@pytest.mark.parametrize("threshold", ["high", "-1", "200", "[1]", "null", "true"])
def test_an_impossible_threshold_is_reported_with_its_line(tmp_path: Path, threshold: str) -> None:
    text = FULL.replace("threshold: 0.80", f"threshold: {threshold}")
    task = load_task(make(tmp_path, text, train=rows(3)))
    assert task.definition.targets == []
    assert [problem.line for problem in task.problems] == [10]


def test_all_problems_of_a_definition_are_reported_at_once(tmp_path: Path) -> None:
    text = (
        "task_name: ../evil\ntask_type: clasification\noutput_format: {type: xml, labels: [a, b]}\n"
        "input_format: {template: no field}\nsuccess_criteria: {macro: x}\ndiagnosis: {k: v}\nslices: 3\ntraining: 4\n"
    )
    task = load_task(make(tmp_path, text, train=[{"text": "x", "label": "a"}]))
    assert {problem.about["key"] for problem in task.problems} == {
        "task_name",
        "task_type",
        "output_format.type",
        "input_format.template",
        "success_criteria.macro",
        "diagnosis.k",
        "slices",
        "training",
    }
    assert all(problem.line is not None for problem in task.problems)
    assert (task.definition.task_type, task.definition.task_name) == ("classification", "my-task")


def test_broken_yaml_in_the_definition_is_one_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"task_definition\.yaml, line 3") as caught:
        load_task(make(tmp_path, "task_name: x\ntask_type: classification\nbad: a: b\nmore: 1\n", train=rows(3)))
    assert len(caught.value.problems) == 1


def test_a_task_with_data_but_no_definition_is_inferred_and_said(tmp_path: Path) -> None:
    task = load_task(make(tmp_path, None, train=rows(40)))
    made = task.definition
    assert (made.task_type, made.input_fields, set(made.answer.labels)) == (
        "classification",
        ["text", "entity"],
        set(LABELS),
    )
    assert made.template == "text: {text}\nentity: {entity}"
    assert task.problems[0].about["what"] == "no_definition"
    assert len(split(task, "train").split.rows) + len(split(task, "valid").split.rows) == 40


def test_an_extraction_and_a_chat_are_inferred_from_their_rows(tmp_path: Path) -> None:
    objects = [{"text": f"t{n}", "output": {"機關": f"甲{n}", "主旨": f"乙{n}"}} for n in range(30)]
    made = load_task(make(tmp_path / "a", None, train=objects)).definition
    assert (made.task_type, made.answer.type, made.answer.fields) == ("extraction", "json", ["機關", "主旨"])
    chats = [
        {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": LABELS[n % 3]}]}
        for n in range(30)
    ]
    task = load_task(make(tmp_path / "b", None, train=chats))
    assert (task.definition.task_type, task.definition.input_fields) == ("classification", ["messages"])
    assert split(task, "train").split.rows[0].answer in LABELS


def test_declared_labels_that_are_missing_are_taken_from_the_rows(tmp_path: Path) -> None:
    text = FULL.replace(", enum: [正面, 負面, 中立]", "")
    task = load_task(make(tmp_path, text, train=rows(30)))
    assert set(task.definition.answer.labels) == set(LABELS)
    assert [problem.about["what"] for problem in task.problems] == ["labels"]


def test_an_extraction_knows_its_fields_choices_and_long_fields(tmp_path: Path) -> None:
    text = (
        "task_type: extraction\ninput_format: {template: '{text}'}\noutput_format:\n  type: json\n  long_fields: [主旨, 無]\n"
        "  schema: {properties: {機關: {type: string}, 類型: {enum: [函, 公告]}, 主旨: string}}\n"
    )
    task = load_task(make(tmp_path, text, train=[{"text": "x", "output": {"機關": "a", "類型": "函", "主旨": "b"}}]))
    answer = task.definition.answer
    assert (answer.fields, answer.enums, answer.long_fields) == (
        ["機關", "類型", "主旨"],
        {"類型": ["函", "公告"]},
        ["主旨"],
    )
    assert [problem.value for problem in task.problems] == ["無"]


def test_a_template_with_a_json_example_in_it_names_only_its_fields(tmp_path: Path) -> None:
    text = FULL.replace("文本：{text}", '文本：{text}\\n例：{\\"a\\": 1}')
    assert load_task(make(tmp_path, text, train=rows(3))).definition.input_fields == ["entity", "text"]


def test_a_prompt_template_that_asks_for_other_fields_is_reported(tmp_path: Path) -> None:
    task = load_task(make(tmp_path, config="prompt: {template: '{text} {date}'}\n", train=rows(3)))
    assert [problem.value for problem in task.problems] == ["date"]


def test_three_files_give_three_splits(tmp_path: Path) -> None:
    task = load_task(make(tmp_path, train=rows(9), valid=rows(3, 9), test=rows(6, 12)))
    names: tuple[SplitName, ...] = ("train", "valid", "test")
    assert [len(split(task, name).split.rows) for name in names] == [9, 3, 6]
    assert [split(task, name).problems for name in names] == [[], [], []]
    assert split(task, "valid").split.carved is False


def test_a_missing_valid_split_is_carved_stratified_and_gone_from_train(tmp_path: Path) -> None:
    task = load_task(make(tmp_path, train=rows(60), test=rows(3, 60)))
    train, valid = split(task, "train").split, split(task, "valid").split
    assert valid.carved is True
    assert valid.label_counts() == {"正面": 3, "負面": 3, "中立": 3}
    assert len(train.rows) == 51
    assert not {row.key for row in train.rows} & {row.key for row in valid.rows}
    assert whats(split(task, "valid")) == ["carved"]


def test_the_carved_split_depends_on_seed_and_fraction_but_not_on_added_files(tmp_path: Path) -> None:
    def carved(folder: Path) -> list[str]:
        return [row.id for row in split(load_task(folder), "valid").split.rows]

    folder = make(tmp_path, train=rows(60), extra=rows(20, 100))
    config = folder / "configs" / "training_config.yaml"
    first = carved(folder)
    config.write_text("data: {train: [data/train.jsonl, data/extra.jsonl]}\n", encoding="utf-8")
    assert carved(folder) == first
    config.write_text("data: {carve_seed: 1}\n", encoding="utf-8")
    assert carved(folder) != first
    config.write_text("data: {valid_fraction: 0.4}\n", encoding="utf-8")
    assert len(carved(folder)) == 24


def test_added_rows_that_repeat_a_carved_question_stay_out_of_train(tmp_path: Path) -> None:
    folder = make(
        tmp_path, config="data: {train: [data/train.jsonl, data/extra.jsonl]}\n", train=rows(30), extra=rows(30)
    )
    task = load_task(folder)
    train, valid = split(task, "train").split, split(task, "valid").split
    assert not {row.key for row in train.rows} & {row.key for row in valid.rows}


def test_generated_rows_are_never_carved(tmp_path: Path) -> None:
    made = [{**row, "generated_by": "gpt"} for row in rows(30) if isinstance(row, dict)]
    task = load_task(make(tmp_path, train=[*made, *rows(6, 30)]))
    assert all("generated_by" not in row.meta for row in split(task, "valid").split.rows)


def test_a_valid_file_without_a_usable_row_is_replaced_by_a_carved_one(tmp_path: Path) -> None:
    task = load_task(make(tmp_path, train=rows(30), valid=[{"text": "x", "entity": "y", "label": "??"}]))
    read = split(task, "valid")
    assert read.split.carved is True
    assert "unknown_label" in whats(read)
    assert len(split(task, "train").split.rows) + len(read.split.rows) == 30


def test_rows_without_an_answer_are_left_out_unless_the_recipe_settles_them(tmp_path: Path) -> None:
    bare = [{"id": "a", "text": "x", "entity": "y"}, {"id": "b", "text": "z", "entity": "y", "label": "?"}]
    folder = make(tmp_path, config="data: {relabel: {b: 中立}}\n", train=[*rows(6), *bare], valid=rows(3, 6))
    read = split(load_task(folder), "train")
    assert [row.id for row in read.split.rows[6:]] == ["b"]
    assert whats(read) == ["unknown_label", "unlabelled"]


def test_ids_stay_unique_over_several_training_files(tmp_path: Path) -> None:
    same = [{"id": "a", "text": "x", "entity": "y", "label": "正面"}]
    config = "data: {train: [data/train.jsonl, data/more.jsonl]}\n"
    folder = make(tmp_path, config=config, train=same, more=same, valid=rows(3))
    assert [row.id for row in split(load_task(folder), "train").split.rows] == ["a", "a~2"]


@pytest.mark.parametrize("file", ["../secret.jsonl", "/etc/passwd", "data/../../secret.jsonl", "data/link.jsonl"])
def test_a_recipe_file_outside_the_task_folder_is_not_read(tmp_path: Path, file: str) -> None:
    (tmp_path / "secret.jsonl").write_text('{"text": "s", "entity": "s", "label": "正面"}\n', encoding="utf-8")
    folder = make(tmp_path, config=f"data: {{train: ['{file}']}}\n", valid=rows(3))
    (folder / "data" / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    read = split(load_task(folder), "train")
    assert (read.split.rows, whats(read)) == ([], ["outside", "empty_split"])


def test_missing_files_are_problems_and_not_errors(tmp_path: Path) -> None:
    task = load_task(make(tmp_path))
    assert whats(split(task, "train")) == ["no_file", "empty_split"]
    assert whats(split(task, "test")) == ["no_file", "empty_split"]


def test_a_folder_that_holds_nothing_of_a_task_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no task"):
        load_task(tmp_path / "empty")


def test_a_missing_task_names_those_that_exist(tmp_path: Path) -> None:
    make(tmp_path, train=rows(3))
    with pytest.raises(NotFound) as caught:
        load_task(tmp_path / "my-tsk")
    assert "my-task" in str(caught.value.hint)


def test_only_folders_that_look_like_tasks_are_listed(tmp_path: Path) -> None:
    make(tmp_path, train=rows(3))
    (tmp_path / "notes").mkdir()
    (tmp_path / ".hidden" / "data").mkdir(parents=True)
    (tmp_path / ".hidden" / "data" / "train.jsonl").write_text("{}", encoding="utf-8")
    assert list_tasks(tmp_path) == ["my-task"]
    assert list_tasks(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["../my-task", "..", ".", "", "/etc", "a/b", "a\\b", "x\x00y"])
def test_a_name_that_leaves_the_folder_of_tasks_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused):
        find_task(tmp_path, name)


def test_a_task_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "elsewhere", train=rows(3))
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "linked").symlink_to(folder)
    with pytest.raises(Refused):
        find_task(tmp_path / "tasks", "linked")
    assert find_task(tmp_path / "elsewhere", "my-task") == folder


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Macro-F1", "macro_f1"),
        ("macro avg f1-score", "macro_f1"),
        ("f1_macro", "macro_f1"),
        ("weighted_f1", "weighted_f1"),
        ("acc", "accuracy"),
        ("rougeL", "rouge_l"),
        ("f1_正面", "f1[正面]"),
        ("f1[正面]", "f1[正面]"),
        ("中立_f1", "f1[中立]"),
        ("f1_score_正面", "f1[正面]"),
        ("f1_score_macro", "macro_f1"),
        ("f1-score", "f1_score"),
        ("f1", "f1"),
        ("my metric", "my_metric"),
    ],
)
def test_metric_names_of_other_tools_are_recognised(raw: str, name: str) -> None:
    assert metric_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "value"),
    [(0.72, 0.72), (72.0, 0.72), ("72.0%", 0.72), ("0.72", 0.72), (1, 1.0), (100, 1.0), ("1%", 0.01), (0, 0.0)],
)
def test_scores_may_be_shares_or_percentages(raw: object, value: float) -> None:
    assert fraction(raw) == pytest.approx(value)


@pytest.mark.parametrize("raw", [-0.1, 101, float("nan"), float("inf"), True, None, "high", [], {}])
def test_what_is_no_score_is_none(raw: object) -> None:
    assert fraction(raw) is None
