from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tools.diagnose import DiagnoseArgs, diagnose
from tools.errors import InputError
from tools.finding import FindingKind, Severity
from tools.results import ClassScore, Prediction, SplitResult

LABELS = ("正面", "負面", "中立")
DEFINITION = """\
task_name: mood
task_type: classification
language: zh-TW
input_format: {template: "文本：{text}"}
output_format: {type: label, labels: [正面, 負面, 中立]}
success_criteria: {primary_metric: macro_f1, threshold: 0.80}
"""
CONFIG = "lora: {r: 32, alpha: 64}\ntraining: {epochs: 4, learning_rate: 0.0005}\n"


def write_rows(path: Path, counts: dict[str, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps(
            {"id": f"{path.stem}{label}{n}", "text": sentence(f"{path.stem}{label}{n}"), "label": label},
            ensure_ascii=False,
        )
        for label, count in counts.items()
        for n in range(count)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def sentence(seed: str) -> str:
    return "".join(chr(code) for code in random.Random(seed).choices(range(0x4E00, 0x9FA5), k=16))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A healthy task folder with a trained v1."""
    task = tmp_path / "mood"
    write_rows(task / "data" / "train.jsonl", dict.fromkeys(LABELS, 200))
    write_rows(task / "data" / "valid.jsonl", dict.fromkeys(LABELS, 60))
    write_rows(task / "data" / "test.jsonl", dict.fromkeys(LABELS, 20))
    (task / "task_definition.yaml").write_text(DEFINITION, encoding="utf-8")
    (task / "configs").mkdir()
    (task / "configs" / "training_config.yaml").write_text(CONFIG, encoding="utf-8")
    write_result(task, "v1", dict.fromkeys(LABELS, 0.85))
    return task


def write_result(task: Path, version: str, f1: dict[str, float], predictions: list[Prediction] | None = None) -> None:
    results = task / "benchmarks" / "results"
    results.mkdir(parents=True, exist_ok=True)
    name = f"benchmarks/results/{version}_valid.predictions.jsonl" if predictions is not None else None
    result = SplitResult(
        version=version,
        split="valid",
        metrics={"macro_f1": sum(f1.values()) / len(f1), "accuracy": 0.8, "parse_rate": 1.0},
        per_class={
            label: ClassScore(precision=score, recall=score, f1=score, support=60) for label, score in f1.items()
        },
        rows=180,
        evaluator_hash="abc",
        predictions=name,
    )
    (results / f"{version}_valid.json").write_text(result.model_dump_json(), encoding="utf-8")
    if name:
        lines = "\n".join(one.model_dump_json() for one in predictions or [])
        (task / name).write_text(lines + "\n", encoding="utf-8")


def wrong_answers() -> list[Prediction]:
    return [
        Prediction(
            id=f"valid中立{n}",
            seed=1,
            input={"text": "央行維持利率不變"},
            expected="中立",
            raw="正面",
            parsed="正面",
            correct=False,
            score=0,
        )
        for n in range(30)
    ]


def found(folder: Path, **given):
    return diagnose(DiagnoseArgs(task_dir=folder, **given))


def test_a_healthy_task_folder_gets_nothing_to_fix(folder):
    diagnosis = found(folder)
    assert diagnosis.healthy, [(one.kind, str(one.title)) for one in diagnosis.findings]
    assert diagnosis.version == "v1"
    assert diagnosis.status.reached


def test_a_scarce_and_weak_class_is_named_first_with_its_errors(folder):
    write_rows(folder / "data" / "train.jsonl", {"正面": 200, "負面": 180, "中立": 50})
    write_result(folder, "v1", {"正面": 0.78, "負面": 0.72, "中立": 0.45}, wrong_answers())
    diagnosis = found(folder)
    assert not diagnosis.healthy
    assert diagnosis.findings[0].kind is FindingKind.class_imbalance
    assert diagnosis.findings[0].about["label"] == "中立"
    assert diagnosis.errors.pairs[0].model_dump() == {
        "expected": "中立",
        "predicted": "正面",
        "count": 30,
        "share": 1.0,
    }
    assert diagnosis.errors.cases[0].input == {"text": "央行維持利率不變"}


def test_the_recipe_in_the_configuration_is_taken_into_account(folder):
    write_rows(folder / "data" / "train.jsonl", {"正面": 200, "負面": 180, "中立": 50})
    write_result(folder, "v1", {"正面": 0.78, "負面": 0.72, "中立": 0.45})
    config = folder / "configs" / "training_config.yaml"
    config.write_text(CONFIG + "data: {oversample: {中立: 180}}\n", encoding="utf-8")
    assert FindingKind.class_imbalance not in [one.kind for one in found(folder).findings]
    assert FindingKind.weak_class in [one.kind for one in found(folder).findings]


def test_an_older_version_can_be_diagnosed(folder):
    write_result(folder, "v2", {"正面": 0.5, "負面": 0.5, "中立": 0.2})
    assert found(folder).version == "v2"
    assert found(folder, version="v1").healthy


def test_a_version_without_a_result_says_so(folder):
    diagnosis = found(folder, version="v9")
    assert (diagnosis.version, diagnosis.findings[0].kind) == (None, FindingKind.no_results)


def test_results_of_test_are_neither_used_nor_shown(folder):
    result = SplitResult(version="v1", split="test", metrics={"macro_f1": 0.123456}, rows=60)
    path = folder / "benchmarks" / "results" / "v1_test.json"
    path.write_text(result.model_dump_json(), encoding="utf-8")
    diagnosis = found(folder)
    assert "0.123456" not in diagnosis.model_dump_json()
    assert diagnosis.status.locked == ["benchmarks/results/v1_test.json"]
    (folder / "benchmarks" / "results" / "v1_valid.json").unlink()
    assert {one.kind for one in found(folder).findings} >= {FindingKind.no_results, FindingKind.unknown_split}


def test_a_copy_of_a_test_row_in_train_is_found_without_showing_the_test_row(folder):
    secret = "這句話只在上鎖的測試集裡出現過而已"
    for split, text in (("test", secret), ("train", secret + "！")):
        with (folder / "data" / f"{split}.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(
                json.dumps({"id": f"{split}-secret", "text": text, "label": "正面"}, ensure_ascii=False) + "\n"
            )
    leak = next(one for one in found(folder).findings if one.kind is FindingKind.split_leak)
    assert leak.rows == ["train-secret"]
    assert "test-secret" not in found(folder).model_dump_json()
    assert secret not in found(folder).model_dump_json()


def test_a_broken_test_row_is_counted_but_its_text_is_not_shown(folder):
    with (folder / "data" / "test.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"id": "secret text of test\n')
    shown = found(folder).model_dump_json()
    assert "secret text" not in shown
    assert "bad_rows" in shown


def test_a_missing_validation_file_is_carved_and_said_but_not_blamed(folder):
    (folder / "data" / "valid.jsonl").unlink()
    diagnosis = found(folder)
    kinds = {one.kind: one.severity for one in diagnosis.findings}
    assert kinds[FindingKind.no_valid_split] is Severity.info
    assert diagnosis.healthy


def test_slips_of_the_configuration_and_of_the_thresholds_are_findings(folder):
    (folder / "configs" / "training_config.yaml").write_text(
        "training: {epoch: 3, warmup_ratio: 0.1}\n", encoding="utf-8"
    )
    with (folder / "task_definition.yaml").open("a", encoding="utf-8") as stream:
        stream.write("diagnosis: {min_clas_f1: 0.7}\n")
    kinds = [one.kind for one in found(folder).findings]
    assert kinds.count(FindingKind.config_unknown_key) == 2
    assert FindingKind.config_renamed_key in kinds


def test_a_threshold_of_the_task_changes_the_diagnosis(folder):
    write_result(folder, "v1", {"正面": 0.78, "負面": 0.78, "中立": 0.58})
    assert FindingKind.weak_class in [one.kind for one in found(folder).findings]
    with (folder / "task_definition.yaml").open("a", encoding="utf-8") as stream:
        stream.write("diagnosis: {min_class_f1: 0.5, class_gap: 0.3}\n")
    assert FindingKind.weak_class not in [one.kind for one in found(folder).findings]


def test_rows_of_another_shape_in_train_are_the_first_finding(folder):
    path = folder / "data" / "train.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for item in lines[::2]:
        item["label"] = {"answer": {"is": item["label"]}, "why": "so"}
    path.write_text("\n".join(json.dumps(item, ensure_ascii=False) for item in lines), encoding="utf-8")
    write_result(folder, "v1", dict.fromkeys(LABELS, 0.45))
    first = found(folder).findings[0]
    assert (first.kind, first.about["where"], first.about["count"]) == (FindingKind.output_format, "train", 300)


def test_nothing_is_written_by_a_diagnosis(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_diagnosis_survives_being_stored_and_read_again(folder):
    write_result(folder, "v1", {"正面": 0.78, "負面": 0.72, "中立": 0.45}, wrong_answers())
    diagnosis = found(folder)
    assert type(diagnosis).model_validate(json.loads(diagnosis.model_dump_json())) == diagnosis


def test_a_folder_that_is_no_task_is_refused(tmp_path):
    with pytest.raises(InputError):
        diagnose(DiagnoseArgs(task_dir=tmp_path / "nothing"))


@pytest.mark.parametrize("name", ["stance", "entity-sentiment", "official-doc"])
def test_the_rows_of_a_bundled_task_are_in_order(name):
    path = Path(__file__).parents[2] / "tasks" / name
    rows = {FindingKind.split_leak, FindingKind.duplicate_rows, FindingKind.inconsistent_labels, FindingKind.bad_rows}
    kinds = {one.kind for one in found(path).findings}
    config = {FindingKind.config_unknown_key, FindingKind.config_mistyped_value, FindingKind.config_renamed_key}
    assert not kinds & (rows | config | {FindingKind.missing_class, FindingKind.truncated})
