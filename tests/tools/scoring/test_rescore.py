"""Stored outputs under the evaluator and the expected answers of today."""

from __future__ import annotations

import json

import pytest

from tools.errors import InputError, NotFound
from tools.files import write_atomic
from tools.reading.task import load_task
from tools.results import Prediction
from tools.scoring.evaluator import evaluator_hash
from tools.scoring.metrics import split_result
from tools.scoring.rescore import rescore
from tools.scoring.stored_results import own_predictions, own_result, predictions_file, result_file, store
from tools.task import AnswerFormat

DEFINITION = """\
task_type: classification
input_format: {template: '{text}'}
output_format: {type: label, labels: [支持, 反對]}
"""
ANSWER = AnswerFormat(type="label", labels=["支持", "反對"])
ROWS = {"a": "支持", "b": "反對"}


def write_valid(folder, rows):
    lines = [json.dumps({"id": id_, "text": id_, "label": label}) for id_, label in rows.items()]
    write_atomic(folder / "data/valid.jsonl", "\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path):
    """A task with a v1 whose stored outputs were scored by an evaluator that accepted nothing."""
    write_atomic(tmp_path / "task_definition.yaml", DEFINITION)
    write_valid(tmp_path, ROWS)
    write_atomic(tmp_path / "data/train.jsonl", json.dumps({"text": "t", "label": "支持"}) + "\n")
    by_seed = {
        seed: [
            Prediction(
                id=id_, input={"text": id_}, expected=label, raw=" " + raw, failure="empty", correct=False, score=0
            )
            for (id_, label), raw in zip(ROWS.items(), ("支持", "支持"), strict=True)
        ]
        for seed in (1, 2)
    }
    task = load_task(tmp_path)
    store(tmp_path, split_result(task.definition, "v1", "valid", by_seed, "old", predictions_file("v1")), by_seed)
    return tmp_path


def test_outputs_are_scored_again_and_the_former_result_is_kept(folder):
    before = own_result(folder, "v1")
    result = rescore(load_task(folder), "v1")
    assert before.metrics["parse_rate"] == 0
    assert (result.metrics["parse_rate"], result.metrics["accuracy"]) == (1.0, 0.5)
    assert result.evaluator_hash == evaluator_hash("classification", ANSWER, ROWS.items())
    assert own_result(folder, "v1") == result
    assert [(row.raw, row.parsed, row.seed) for row in own_predictions(folder, "v1")] == [
        (" 支持", "支持", seed) for seed in (1, 1, 2, 2)
    ]
    kept = sorted(file.name[:9] for file in (folder / "benchmarks/replaced").iterdir())
    assert kept == ["v1_valid-", "v1_valid-"]


def test_scoring_twice_changes_nothing_more(folder):
    def files():
        return {file: file.read_bytes() for file in (folder / "benchmarks").rglob("*") if file.is_file()}

    rescore(load_task(folder), "v1")
    once = files()
    rescore(load_task(folder), "v1")
    assert files() == once


def test_a_mended_expected_answer_counts(folder):
    write_valid(folder, {**ROWS, "b": "支持"})
    assert rescore(load_task(folder), "v1").metrics["accuracy"] == 1.0


def test_rows_taken_out_of_valid_are_left_out(folder):
    write_valid(folder, {"a": "支持"})
    result = rescore(load_task(folder), "v1")
    assert (result.rows, result.metrics["accuracy"]) == (1, 1.0)


def test_rows_the_version_never_answered_cannot_be_scored(folder):
    write_valid(folder, {**ROWS, "new": "支持"})
    before = (folder / result_file("v1")).read_bytes()
    with pytest.raises(InputError, match="new"):
        rescore(load_task(folder), "v1")
    assert (folder / result_file("v1")).read_bytes() == before


def test_without_stored_outputs_there_is_nothing_to_score(folder):
    with pytest.raises(NotFound):
        rescore(load_task(folder), "v9")


def test_a_broken_line_of_the_stored_outputs_is_named(folder):
    file = folder / predictions_file("v1")
    file.write_bytes(file.read_bytes() + b'{"id": 1\n')
    with pytest.raises(InputError, match="Line 5"):
        rescore(load_task(folder), "v1")
