from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.config import TrainingConfig
from tools.errors import InputError, Problem
from tools.reading.config import read_config, require_usable
from tools.reading.config_keys import RENAMED, RENAMED_IN_LORA, known
from tools.task import ConfigFile

DEFINITION = "task_name: t\ntraining:\n  lora: {r: 32}\n  epochs: 8\n  learning_rate: 1e-5\n"
TRAINING: dict[str, Any] = {"lora": {"r": 32}, "epochs": 8, "learning_rate": 1e-5}


def read(tmp_path: Path, config: str | None = None, definition: str | None = None, training: Any = None) -> ConfigFile:
    if config is not None:
        (tmp_path / "configs").mkdir(exist_ok=True)
        (tmp_path / "configs" / "training_config.yaml").write_text(config, encoding="utf-8")
    if definition is not None:
        (tmp_path / "task_definition.yaml").write_text(definition, encoding="utf-8")
    return read_config(tmp_path, training or {})


def of_kind(config: ConfigFile, kind: str) -> list[Problem]:
    return [problem for problem in config.problems if problem.kind == kind]


def only(config: ConfigFile) -> Problem:
    assert len(config.problems) == 1, [str(problem.message) for problem in config.problems]
    return config.problems[0]


def test_without_any_file_the_defaults_stand(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert (config.values, config.path, config.problems, config.sha256) == (TrainingConfig(), None, [], "")


def test_the_configuration_of_the_specification_is_read_without_a_problem(tmp_path: Path) -> None:
    text = (
        "lora:\n  r: 64\n  alpha: 128\ntraining:\n  epochs: 6\n"
        '  class_weights:\n    正面: 1.0\n    負面: 1.2\n    中立: 1.5\n  method: "orpo"\n  beta: 0.1\n'
    )
    config = read(tmp_path, text)
    assert config.problems == []
    assert config.values.lora is not None
    assert (config.values.lora.r, config.values.training.epochs, config.values.training.method) == (64, 6, "orpo")
    assert config.values.training.class_weights == {"正面": 1.0, "負面": 1.2, "中立": 1.5}
    assert config.text == text


def test_the_configuration_wins_over_the_definition_and_both_are_named(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {epochs: 6}\n", DEFINITION, TRAINING)
    assert config.values.training.epochs == 6
    assert config.values.lora is not None
    assert config.values.lora.r == 32
    assert config.origins["training.epochs"] == "configs/training_config.yaml"
    assert config.origins["lora.r"] == "task_definition.yaml"
    conflict = of_kind(config, "config_conflict")[0]
    assert (conflict.about["config_value"], conflict.about["definition_value"], conflict.line) == (6, 8, 1)


def test_equal_values_in_both_files_are_no_conflict(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {epochs: 8.0}\n", DEFINITION, TRAINING)
    assert of_kind(config, "config_conflict") == []


@pytest.mark.parametrize("text", ["1e-5", "2e-4", "5E-6", "1.5e5"])
def test_a_number_that_yaml_1_1_takes_for_text_is_a_number_with_a_fix(tmp_path: Path, text: str) -> None:
    config = read(tmp_path, f"training:\n  weight_decay: {text}\n")
    assert config.values.training.weight_decay == float(text)
    problem = only(config)
    assert (problem.kind, problem.line, problem.value) == ("config_mistyped_value", 2, text)
    assert problem.about["fix_value"] == float(text)
    assert problem.about["fix_path"] == ["training", "weight_decay"]


def test_the_example_of_the_definition_gets_its_finding_with_its_line(tmp_path: Path) -> None:
    config = read(tmp_path, None, DEFINITION, TRAINING)
    assert config.values.training.learning_rate == 1e-5
    problem = only(config)
    assert (problem.path, problem.line, problem.kind) == ("task_definition.yaml", 5, "config_mistyped_value")


def test_a_slip_in_the_definition_is_moot_once_the_configuration_gives_the_value(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {learning_rate: 0.00001}\n", DEFINITION, TRAINING)
    assert config.problems == []


@pytest.mark.parametrize("text", ["0.0001", "1.0e-5", "3", "0.5"])
def test_a_number_that_every_reader_understands_is_no_problem(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"training: {{weight_decay: {text}}}\n").problems == []


def test_such_a_number_inside_class_weights_is_found_too(tmp_path: Path) -> None:
    config = read(tmp_path, "training:\n  class_weights:\n    中立: 1e-1\n")
    assert config.values.training.class_weights == {"中立": 0.1}
    assert only(config).about["path"] == ["training", "class_weights", "中立"]


def test_quoted_numbers_are_understood_and_reported(tmp_path: Path) -> None:
    config = read(tmp_path, "lora: {r: \"8\"}\ntraining: {learning_rate: '2e-4', seeds: [1, '2']}\n")
    assert config.values.lora is not None
    assert (config.values.lora.r, config.values.training.learning_rate) == (8, 2e-4)
    assert config.values.training.seeds == [1, 2]
    assert [problem.about["fix_value"] for problem in config.problems] == [8, 2e-4, 2]


def test_every_bad_value_is_reported_at_once_with_its_range_and_default(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "lora: {r: 0, dropout: 1.5}\ntraining:\n  epochs: many\n  method: sftt\n  max_length: true\n  batch_size: 2.5\n",
    )
    assert config.values == TrainingConfig()
    said = {str(problem.about["key"]): str(problem.message) for problem in config.problems}
    assert set(said) == {
        "lora.r",
        "lora.dropout",
        "training.epochs",
        "training.method",
        "training.max_length",
        "training.batch_size",
    }
    assert "at least 0 and below 1" in said["lora.dropout"]
    assert "above 0" in said["lora.r"]
    method = next(problem for problem in config.problems if problem.about["key"] == "training.method")
    assert method.choices == ["sft", "orpo", "dpo", "kto"]
    assert method.line == 4


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "1e999"])
def test_numbers_that_are_not_finite_fall_back_to_the_default(tmp_path: Path, value: str) -> None:
    config = read(tmp_path, f"training: {{max_grad_norm: {value}}}\n")
    assert config.values.training.max_grad_norm == 1.0
    assert of_kind(config, "config_mistyped_value")


def test_one_bad_class_weight_does_not_lose_the_others(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {class_weights: {正面: 1, 負面: heavy, 中立: -1}}\n")
    assert config.values.training.class_weights == {"正面": 1.0}
    assert len(config.problems) == 2


def test_labels_that_look_like_other_types_stay_labels(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {class_weights: {yes: 1.0, 1: 2.0, true: 3.0}}\n")
    assert config.values.training.class_weights == {"yes": 1.0, "1": 2.0, "true": 3.0}


def test_an_unknown_key_is_reported_with_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    config = read(tmp_path, "training:\n  epochs: 3\n  lerning_rate: 0.1\n")
    problem = only(config)
    assert (problem.kind, problem.line, problem.choices) == ("config_unknown_key", 3, ["training.learning_rate"])
    assert problem.about["fix_path"] == ["training", "learning_rate"]


def test_no_repair_is_offered_onto_a_key_that_is_given_already(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {learning_rate: 0.01, lerning_rate: 0.1}\n")
    assert config.values.training.learning_rate == 0.01
    assert "fix_path" not in only(config).about


@pytest.mark.parametrize(
    ("written", "path", "value"),
    [
        ("training: {warmup_ratio: 0.2}", ["training", "warmup"], 0.2),
        ("training: {num_train_epochs: 5}", ["training", "epochs"], 5),
        ("training: {max_seq_length: 256}", ["training", "max_length"], 256),
        ("training: {per_device_train_batch_size: 4}", ["training", "batch_size"], 4),
        ("training: {lora_alpha: 8}", ["lora", "alpha"], 8),
        ("lora_r: 4", ["lora", "r"], 4),
        ("lora: {rank: 4}", ["lora", "r"], 4),
        ("training: {evaluation_strategy: epoch}", ["training", "evals_per_epoch"], 1),
        ("epochs: 7", ["training", "epochs"], 7),
        ("training: {lora: {lora_dropout: 0.1}}", ["lora", "dropout"], 0.1),
    ],
)
def test_a_renamed_or_misplaced_key_is_understood_and_its_fix_named(
    tmp_path: Path, written: str, path: list[str], value: float
) -> None:
    config = read(tmp_path, written + "\n")
    problem = only(config)
    assert (problem.kind, problem.about["fix_path"], problem.about["fix_value"]) == ("config_renamed_key", path, value)
    held = config.values.model_dump()
    assert held[path[0]][path[1]] == value


@pytest.mark.parametrize("key", ["group_by_length", "tokenizer", "overwrite_output_dir", "logging_dir", "report_to"])
def test_a_dropped_key_is_reported_as_without_effect(tmp_path: Path, key: str) -> None:
    problem = only(read(tmp_path, f"training:\n  {key}: true\n"))
    assert (problem.kind, problem.about["fix_path"], problem.line) == ("config_renamed_key", None, 2)


def test_the_current_name_counts_when_both_names_are_given(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {warmup_ratio: 0.3, warmup: 0.1}\n")
    assert config.values.training.warmup == 0.1
    assert only(config).about["fix_path"] is None


def test_gradient_accumulation_becomes_rows_per_step_and_rows_per_part(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {per_device_train_batch_size: 4, gradient_accumulation_steps: 8}\n")
    assert (config.values.training.batch_size, config.values.training.micro_batch_size) == (32, 4)
    assert [problem.about["fix_value"] for problem in config.problems] == [32, 4]


def test_a_part_that_does_not_divide_the_batch_is_refused_with_the_divisors(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {batch_size: 12, micro_batch_size: 5}\n")
    assert config.values.training.micro_batch_size is None
    assert only(config).choices == ["1", "2", "3", "4", "6", "12"]
    assert only(config).about["fix_value"] == 4


@pytest.mark.parametrize(
    "text", ["base_model: a/b", "model: a/b", "training: {base_model: a/b}", "training: {model: a/b}"]
)
def test_the_base_model_may_stand_in_several_places(tmp_path: Path, text: str) -> None:
    config = read(tmp_path, text + "\n")
    assert (config.values.training.base_model, config.problems) == ("a/b", [])


def test_method_and_seeds_may_stand_at_the_top(tmp_path: Path) -> None:
    config = read(tmp_path, "method: dpo\nseeds: [1, 2]\nlora: null\n")
    assert (config.values.training.method, config.values.training.seeds, config.problems) == ("dpo", [1, 2], [])
    assert config.values.lora is None


def test_a_lora_section_in_the_configuration_undoes_no_lora_in_the_definition(tmp_path: Path) -> None:
    config = read(tmp_path, "lora: {r: 8}\n", "training: {lora: null}\n", {"lora": None})
    assert config.values.lora is not None


@pytest.mark.parametrize("value", ["3", "text", "[1]", "true"])
def test_a_section_that_is_no_mapping_is_reported(tmp_path: Path, value: str) -> None:
    config = read(tmp_path, f"data: {value}\ntraining:\n")
    assert config.values == TrainingConfig()
    assert only(config).about["key"] == "data"


def test_a_single_seed_or_file_where_a_list_belongs_is_understood(tmp_path: Path) -> None:
    config = read(tmp_path, "training: {seeds: 7}\ndata: {train: data/a.jsonl}\n")
    assert (config.values.training.seeds, config.values.data.train) == ([7], ["data/a.jsonl"])
    assert [problem.about["fix_value"] for problem in config.problems] == [[7], ["data/a.jsonl"]]


def test_blocks_of_other_tools_are_left_alone(tmp_path: Path) -> None:
    assert read(tmp_path, "huggingface: {org: x}\nserver: {host: y}\n").problems == []


def test_broken_yaml_is_one_exact_problem_and_stops_a_training(tmp_path: Path) -> None:
    config = read(tmp_path, "training:\n  epochs: 3\n lora: {\n")
    problem = only(config)
    assert (problem.kind, problem.path, problem.line) == ("broken_yaml", "configs/training_config.yaml", 3)
    with pytest.raises(InputError, match="line 3"):
        require_usable(config)


def test_a_readable_configuration_may_be_used_in_spite_of_slips(tmp_path: Path) -> None:
    require_usable(read(tmp_path, "training: {epochs: many}\n"))


def test_the_hash_is_that_of_the_bytes_on_disk(tmp_path: Path) -> None:
    first = read(tmp_path, "training: {epochs: 3}\n").sha256
    assert first != read(tmp_path, "training: {epochs: 3} # same\n").sha256
    assert len(first) == 64


def test_every_entry_of_the_rename_table_leads_to_a_key_that_exists() -> None:
    for name, entry in {**RENAMED, **RENAMED_IN_LORA}.items():
        assert entry.to is None or known(entry.to), name
        assert str(entry.reason).endswith("."), name
