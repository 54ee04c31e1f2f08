from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.errors import NotFound, Refused
from tools.outcomes.predictions import read_prediction_file
from tools.read_results import ReadResultsArgs, ReadResultsResult, latest, read_predictions, read_results
from tools.results import ClassScore, Prediction, SplitResult

REPORT = {
    "正面": {"precision": 0.8, "recall": 0.7, "f1-score": 0.75, "support": 20},
    "中立": {"precision": 0.5, "recall": 0.6, "f1-score": 0.55, "support": 10.0},
    "accuracy": 0.7,
    "macro avg": {"precision": 0.65, "recall": 0.65, "f1-score": 0.65, "support": 30},
    "weighted avg": {"precision": 0.7, "recall": 0.7, "f1-score": 0.68, "support": 30},
}


def put(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def read(folder: Path, *, opened: bool = False) -> ReadResultsResult:
    return read_results(ReadResultsArgs(task_dir=folder), opened=opened)


def only(folder: Path) -> SplitResult:
    found = read(folder)
    assert len(found.results) == 1, [str(problem.message) for problem in found.problems]
    return found.results[0]


def own(**changes: Any) -> dict[str, Any]:
    made = SplitResult(version="v1", split="valid", metrics={"macro_f1": 0.5}, rows=10, evaluator_hash="abc")
    return made.model_copy(update=changes).model_dump(mode="json")


def test_a_result_of_this_program_comes_back_whole(tmp_path: Path) -> None:
    made = SplitResult(
        version="v2",
        split="valid",
        metrics={"macro_f1": 0.5},
        per_class={"正面": ClassScore(precision=0.5, recall=0.5, f1=0.5, support=3)},
        confusion={"正面": {"": 1}},
        seeds={"42": {"macro_f1": 0.5}},
        rows=3,
        evaluator_hash="abc",
        predictions="benchmarks/results/v2_valid.predictions.jsonl",
    )
    put(tmp_path, "benchmarks/results/v2_valid.json", made.model_dump(mode="json"))
    assert only(tmp_path) == made.model_copy(update={"file": "benchmarks/results/v2_valid.json"})


def test_a_classification_report_of_scikit_learn_is_understood(tmp_path: Path) -> None:
    put(tmp_path, "benchmarks/results/v1_valid.json", REPORT)
    found = only(tmp_path)
    assert (found.source, found.version, found.split, found.rows) == ("sklearn", "v1", "valid", 30)
    assert found.metrics == {"macro_f1": 0.65, "weighted_f1": 0.68, "accuracy": 0.7}
    assert found.per_class["中立"] == ClassScore(precision=0.5, recall=0.6, f1=0.55, support=10)
    assert "accuracy" not in found.per_class
    assert found.evaluator_hash is None


def test_all_results_of_transformers_are_understood(tmp_path: Path) -> None:
    data = {"eval_macro_f1": 0.7, "eval_accuracy": 0.72, "eval_loss": 0.9, "eval_runtime": 3.0, "eval_samples": 240}
    put(tmp_path, "benchmarks/results/v3_validation.json", data | {"train_loss": 0.1, "epoch": 3.0})
    found = only(tmp_path)
    assert (found.source, found.version, found.rows) == ("transformers", "v3", 240)
    assert found.metrics == {"macro_f1": 0.7, "accuracy": 0.72}


def test_results_of_lm_evaluation_harness_are_understood(tmp_path: Path) -> None:
    data = {
        "results": {"stance": {"alias": "stance", "acc,none": 0.6, "acc_stderr,none": 0.02, "f1_macro,none": 0.55}},
        "configs": {"stance": {"validation_split": "validation", "test_split": None}},
        "n-samples": {"stance": {"original": 240, "effective": 240}},
    }
    put(tmp_path, "benchmarks/results/v1/results_2025-01-01.json", data)
    found = only(tmp_path)
    assert (found.source, found.split, found.version, found.rows) == ("lm-eval", "valid", "v1", 240)
    assert found.metrics == {"accuracy": 0.6, "macro_f1": 0.55}


def test_lm_evaluation_on_a_test_split_stays_closed(tmp_path: Path) -> None:
    data = {"results": {"stance": {"acc,none": 0.6}}, "configs": {"stance": {"test_split": "test"}}}
    put(tmp_path, "benchmarks/results/v1.json", data)
    found = read(tmp_path)
    assert (found.results, found.locked) == ([], ["benchmarks/results/v1.json"])


@pytest.mark.parametrize("score", [0.72, 72.0, "72.0%", "0.72", "72 %"])
def test_flat_metrics_may_be_shares_or_percentages(tmp_path: Path, score: object) -> None:
    put(
        tmp_path,
        "benchmarks/results/v1_valid.json",
        {"macro_f1": score, "f1_正面": score, "precision_正面": 0.5, "loss": 3},
    )
    found = only(tmp_path)
    assert found.metrics == {"macro_f1": pytest.approx(0.72)}
    assert found.per_class == {"正面": ClassScore(precision=0.5, f1=found.metrics["macro_f1"])}


@pytest.mark.parametrize("key", ["per_class", "per_class_metrics", "classes"])
@pytest.mark.parametrize("scores", [{"正面": 62, "中立": "50%"}, {"正面": {"f1": 0.62}, "中立": {"f1_score": 0.5}}])
def test_scores_per_class_are_understood_and_give_the_missing_macro_f1(
    tmp_path: Path, key: str, scores: object
) -> None:
    put(tmp_path, "benchmarks/results/v1_valid.json", {key: scores})
    found = only(tmp_path)
    assert {label: score.f1 for label, score in found.per_class.items()} == {"正面": 0.62, "中立": 0.5}
    assert found.metrics["macro_f1"] == pytest.approx(0.56)


def test_a_confusion_matrix_is_understood_as_objects_or_as_a_matrix_with_labels(tmp_path: Path) -> None:
    wanted = {"a": {"a": 3, "b": 1}, "b": {"a": 0, "b": 2}}
    put(tmp_path, "benchmarks/results/v1_valid.json", {"accuracy": 0.8, "confusion": wanted})
    put(
        tmp_path,
        "benchmarks/results/v2_valid.json",
        {"accuracy": 0.8, "confusion_matrix": [[3, 1], [0, 2]], "labels": ["a", "b"]},
    )
    assert [result.confusion for result in read(tmp_path).results] == [wanted, wanted]


def test_one_file_with_a_result_per_split_gives_valid_and_locks_test(tmp_path: Path) -> None:
    put(tmp_path, "benchmarks/results/v1.json", {"valid": {"accuracy": 0.7}, "test": {"accuracy": 0.9}})
    found = read(tmp_path)
    assert [(result.split, result.metrics) for result in found.results] == [("valid", {"accuracy": 0.7})]
    assert found.locked == ["benchmarks/results/v1.json"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("v2-test.json", {"accuracy": 0.99}),
        ("test/v2.json", {"accuracy": 0.99}),
        ("v2.json", {"accuracy": 0.99, "split": "test"}),
        ("v2_valid.json", {"accuracy": 0.99, "split": "test"}),
        ("v2.json", {"test_accuracy": 0.99}),
        ("v2.json", {"predict_accuracy": 0.99}),
        ("v2.json", {"accuracy": 0.99}),
        ("all_results.json", {"eval_accuracy": 0.99}),
        ("v2_test.json", "{broken"),
    ],
)
def test_results_of_test_or_of_an_unknown_split_are_listed_but_never_read(
    tmp_path: Path, name: str, data: object
) -> None:
    put(tmp_path, f"benchmarks/results/{name}", data)
    found = read(tmp_path)
    assert (found.results, found.locked) == ([], [f"benchmarks/results/{name}"])
    assert "99" not in found.model_dump_json()


def test_an_opening_reads_them(tmp_path: Path) -> None:
    put(tmp_path, "benchmarks/results/v2_test.json", {"accuracy": 0.9})
    put(tmp_path, "benchmarks/results/v2.json", {"accuracy": 0.8})
    found = read(tmp_path, opened=True)
    assert {(result.split, result.metrics["accuracy"]) for result in found.results} == {("test", 0.9), ("unknown", 0.8)}
    assert found.locked == []


def test_the_tool_has_no_argument_that_opens_the_test_split() -> None:
    assert set(ReadResultsArgs.model_fields) == {"task_dir"}


def test_the_user_can_say_which_split_a_file_is_of_but_cannot_unlock_a_test_file(tmp_path: Path) -> None:
    put(tmp_path, "benchmarks/results/baseline.json", {"accuracy": 0.7})
    put(tmp_path, "benchmarks/results/v2_test.json", {"accuracy": 0.9})
    first = read(tmp_path)
    assert [problem.about.get("what") for problem in first.problems] == ["unknown_split"]
    put(tmp_path, "configs/benchmark_config.yaml", "results: {baseline.json: valid, v2_test.json: valid}\n")
    found = read(tmp_path)
    assert [(result.version, result.metrics) for result in found.results] == [("v1", {"accuracy": 0.7})]
    assert found.locked == ["benchmarks/results/v2_test.json"]


def test_a_file_in_the_record_of_a_version_is_of_that_version(tmp_path: Path) -> None:
    put(tmp_path, "iterations/v3/results.json", {"split": "valid", "accuracy": 0.7})
    assert only(tmp_path).version == "v3"


def test_this_programs_result_goes_before_others_of_the_same_version(tmp_path: Path) -> None:
    put(tmp_path, "benchmarks/results/a_v1_valid.json", {"accuracy": 0.9})
    put(tmp_path, "benchmarks/results/v1_valid.json", own())
    put(tmp_path, "iterations/v1/results.json", own())
    found = read(tmp_path)
    assert [result.file for result in found.results] == ["benchmarks/results/v1_valid.json"]
    assert len(found.problems) == 1


def test_versions_come_in_the_order_of_their_numbers_and_the_newest_is_found(tmp_path: Path) -> None:
    for version in ("v10", "v2", "v1"):
        put(tmp_path, f"benchmarks/results/{version}_valid.json", {"accuracy": 0.5})
    found = read(tmp_path)
    assert [result.version for result in found.results] == ["v1", "v2", "v10"]
    newest, second = latest(found), latest(found, "v2")
    assert newest is not None
    assert second is not None
    assert (newest.version, second.version) == ("v10", "v2")
    assert latest(found, "v7") is None
    assert latest(found, split="test") is None


@pytest.mark.parametrize(
    "content", ["{broken", "[1, 2]", "3", '{"note": "no score"}', "{}", "[" * 5000, '{"a": ' + "9" * 5000 + "}"]
)
def test_what_cannot_be_read_is_named_and_the_rest_still_works(tmp_path: Path, content: str) -> None:
    put(tmp_path, "benchmarks/results/v1_valid.json", content)
    put(tmp_path, "benchmarks/results/v2_valid.json", {"accuracy": 0.5})
    found = read(tmp_path)
    assert [result.version for result in found.results] == ["v2"]
    problem = found.problems[0]
    assert (problem.path, problem.kind) == ("benchmarks/results/v1_valid.json", "unreadable_file")


def test_broken_json_is_reported_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, "benchmarks/results/v1_valid.json", '{\n"a": 1,\n}')
    assert read(tmp_path).problems[0].line == 3


def test_the_history_of_a_version_is_read_from_its_record(tmp_path: Path) -> None:
    lines = '{"seed": 42, "step": 1, "loss": 2.0}\n{"step": 2, "loss": null, "bad": true}\n{"step": 3, "lo'
    put(tmp_path, "iterations/v2/history.jsonl", lines)
    found = read(tmp_path)
    assert [(point.step, point.loss, point.bad) for point in found.histories["v2"].points] == [
        (1, 2.0, False),
        (2, None, True),
    ]
    assert found.problems[0].line == 3


def test_a_trainer_state_becomes_a_history(tmp_path: Path) -> None:
    log = [
        {"step": 5, "epoch": 0.5, "loss": 2.5, "learning_rate": 1e-4, "grad_norm": 1.5},
        {"step": 10, "epoch": 1.0, "eval_loss": 2.0, "eval_macro_f1": 0.4, "eval_runtime": 3},
        {"step": 15, "loss": "nan"},
        {"step": 20, "train_runtime": 60, "train_loss": 2.0},
        "odd",
    ]
    put(tmp_path, "models/v4/adapter/trainer_state.json", {"log_history": log})
    points = read(tmp_path).histories["v4"].points
    assert [(point.step, point.loss, point.eval_loss, point.metric, point.bad) for point in points] == [
        (5, 2.5, None, None, False),
        (10, None, 2.0, 0.4, False),
        (15, None, None, None, True),
    ]


def test_rows_that_were_cut_in_training_are_known_from_the_record(tmp_path: Path) -> None:
    put(tmp_path, "iterations/v1/results.json", own() | {"training": {"rows_truncated": 7}})
    put(tmp_path, "iterations/v1/history.jsonl", '{"step": 1, "loss": 1.0}\n')
    assert read(tmp_path).histories["v1"].train_tokens_cut == 7


def test_a_result_file_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    secret = put(tmp_path, "outside/v1_valid.json", {"accuracy": 0.5})
    task = tmp_path / "task"
    (task / "benchmarks" / "results").mkdir(parents=True)
    (task / "benchmarks" / "results" / "v1_valid.json").symlink_to(secret)
    put(task, "benchmarks/results/v2_valid.json", own(version="v2", predictions="../../outside/v1_valid.json"))
    found = read(task)
    assert [(result.version, result.predictions) for result in found.results] == [("v2", None)]
    assert len(found.problems) == 2


def test_a_task_without_results_has_none(tmp_path: Path) -> None:
    assert read(tmp_path) == ReadResultsResult(results=[])


def test_predictions_of_this_program_come_back_whole(tmp_path: Path) -> None:
    made = Prediction(id="a", input={"text": "x"}, expected="正面", raw="正面", parsed="正面", correct=True, score=1.0)
    path = put(
        tmp_path, "v1_valid.predictions.jsonl", made.model_dump_json() + "\n\n{broken\n[1]\n" + made.model_dump_json()
    )
    found = read_prediction_file(path)
    assert found.predictions == [made, made]
    assert [problem.line for problem in found.problems] == [3, 4]
    assert read_predictions(path) == found.predictions


def test_predictions_of_other_tools_are_understood(tmp_path: Path) -> None:
    rows = [
        {"text": "x", "label": "正面", "prediction": "負面"},
        {"id": 7, "text": "y", "gold": "正面", "pred": "正面", "raw_output": " 正面"},
    ]
    path = put(tmp_path, "p.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    first, second = read_predictions(path)
    assert (first.id, first.expected, first.parsed, first.correct, first.input) == (
        "line-1",
        "正面",
        "負面",
        False,
        {"text": "x"},
    )
    assert (second.id, second.raw, second.correct, second.score) == ("7", " 正面", True, 1.0)


def test_predictions_on_the_test_split_stay_closed(tmp_path: Path) -> None:
    path = put(tmp_path, "v1_test.predictions.jsonl", "")
    with pytest.raises(Refused):
        read_predictions(path)
    assert read_predictions(path, opened=True) == []


def test_predictions_that_are_not_there_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_predictions(tmp_path / "v1_valid.predictions.jsonl")
