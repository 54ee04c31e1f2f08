"""From finished run directories to the files of a version: complete, repeatable, and never over something else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tools.config import Decoding, Launcher, Lora, Training
from tools.errors import InputError, NotFound, Refused, RunFailed
from tools.files import now, sha256_file, write_atomic, write_model
from tools.reading.task import load_task
from tools.results import HistoryPoint, Prediction, SplitResult
from tools.running.collect import collect
from tools.running.weights import read_weights, weights_folder
from tools.runs import RunResult, RunSpec, RunState, RunStatus
from tools.scoring.evaluator import evaluator_hash
from tools.scoring.stored_results import own_predictions
from tools.task import AnswerFormat
from tools.versioning.sealing import seal

DEFINITION = """\
task_type: classification
input_format: {template: '{text}'}
output_format: {type: label, labels: [支持, 反對]}
"""
ANSWER = AnswerFormat(type="label", labels=["支持", "反對"])
EXPECTED = {"a": "支持", "b": "反對", "c": "反對"}
HASH = evaluator_hash("classification", ANSWER, EXPECTED.items())


@pytest.fixture
def folder(tmp_path):
    """A task folder whose valid split is EXPECTED."""
    task = tmp_path / "stance"
    write_atomic(task / "task_definition.yaml", DEFINITION)
    for split in ("train", "valid"):
        rows = [json.dumps({"id": id_, "text": "句" + id_, "label": label}) for id_, label in EXPECTED.items()]
        write_atomic(task / "data" / f"{split}.jsonl", "\n".join(rows) + "\n")
    return task


def predictions(**outputs):
    return [
        Prediction(
            id=id_, input={"text": id_}, expected=EXPECTED.get(id_), raw=raw, parsed=raw,
            correct=raw == EXPECTED.get(id_), score=float(raw == EXPECTED.get(id_)),
        )
        for id_, raw in outputs.items()
    ]  # fmt: skip


RIGHT = {"a": "支持", "b": "反對", "c": "反對"}
WRONG = {"a": "支持", "b": "支持", "c": "反對"}


def run(folder, seed, outputs=RIGHT, *, name="", state=RunState.succeeded, weights=b"w", **spec):
    """A finished run directory, as a worker leaves it."""
    path = folder / "runs" / (name or f"v2-s{seed}")
    made = {
        "version": "v2", "config_hash": "c", "data_hash": "d", "evaluator_hash": HASH, "test_evaluator_hash": "t",
        "train": True, "adapter_from": None, **spec,
    }  # fmt: skip
    write_model(
        path / "spec.json",
        RunSpec(
            run_id=path.name, task="stance", seed=seed, task_type="classification", answer=ANSWER,
            primary_metric="macro_f1", lora=Lora(), training=Training(), decoding=Decoding(), launcher=Launcher(),
            created_at=now(), **made,
        ),
    )  # fmt: skip
    write_atomic(path / "adapter" / "adapter_model.safetensors", weights + str(seed).encode())
    lines = "".join(row.model_dump_json() + "\n" for row in predictions(**outputs))
    write_atomic(path / "predictions_valid.jsonl", lines)
    sealed = seal(predictions(t="支持" + weights.decode()), path / "sealed" / f"test_seed{seed}.sealed")
    history = [HistoryPoint(step=2, loss=0.5), HistoryPoint(step=1, loss=None, bad=True)] if made["train"] else []
    write_model(
        path / "result.json",
        RunResult(
            run_id=path.name, version=made["version"], seed=seed, metrics={"macro_f1": 1.0}, best_step=2, best_epoch=1.0,
            stopped_early=False, predictions="predictions_valid.jsonl", sealed_test=f"sealed/test_seed{seed}.sealed",
            sealed_sha256=sealed, adapter="adapter", adapter_sha256="sha" + weights.decode() + str(seed),
            history=history, rows_truncated=0, minutes=1.5, tokens_per_second=10.0, peak_memory_mb=100.0,
            precision="fp32", reason_precision="why",
        ),
    )  # fmt: skip
    write_model(path / "status.json", RunStatus(state=state, updated_at=now()))
    return path


def gather(folder, *runs, version="v2"):
    return collect(load_task(folder), version, list(runs))


def snapshot(folder):
    """Every file outside runs/ with its content."""
    files = (file for file in folder.rglob("*") if file.is_file() and "runs" not in file.relative_to(folder).parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_two_seeds_become_one_version_with_all_its_files(folder):
    outcome = gather(folder, run(folder, 7, RIGHT), run(folder, 3, WRONG))
    result = SplitResult.model_validate_json((folder / "benchmarks/results/v2_valid.json").read_bytes())
    assert result == outcome.result
    assert (result.rows, list(result.seeds), result.evaluator_hash) == (3, ["3", "7"], HASH)
    assert result.metrics["accuracy"] == pytest.approx((1 + 2 / 3) / 2)
    assert [row.seed for row in own_predictions(folder, "v2")] == [3] * 3 + [7] * 3
    assert result.predictions == outcome.predictions == "benchmarks/results/v2_valid.predictions.jsonl"
    assert outcome.sealed == ["iterations/v2/sealed/test_seed3.sealed", "iterations/v2/sealed/test_seed7.sealed"]
    assert [sha256_file(folder / one.sealed) for one in outcome.seeds] == [one.sealed_sha256 for one in outcome.seeds]
    assert outcome.minutes == 3.0
    lines = (folder / outcome.history).read_text(encoding="utf-8").splitlines()
    points = [HistoryPoint.model_validate_json(line) for line in lines]
    assert [(point.seed, point.step) for point in points] == [(3, 1), (3, 2), (7, 1), (7, 2)]


def test_the_first_seed_of_the_configuration_has_the_plain_adapter_folder(folder):
    outcome = gather(folder, run(folder, 7), run(folder, 3))
    assert {one.seed: one.weights for one in outcome.seeds} == {7: "models/v2/adapter", 3: "models/v2/adapter_seed3"}
    assert (folder / "models/v2/adapter/adapter_model.safetensors").read_bytes() == b"w7"
    assert weights_folder(folder, "v2", 3).name == "adapter_seed3"


def test_collecting_twice_writes_the_same_files(folder):
    runs = [run(folder, 7), run(folder, 3)]
    first = gather(folder, *runs)
    before = snapshot(folder)
    assert gather(folder, *runs) == first
    assert snapshot(folder) == before


def test_collecting_goes_on_where_a_crash_left_it(folder):
    runs = [run(folder, 7), run(folder, 3)]
    gather(folder, *runs)
    whole = snapshot(folder)
    for lost in ("benchmarks/results/v2_valid.json", "iterations/v2/history.jsonl"):
        (folder / lost).unlink()
    weights = folder / "models/v2/adapter_seed3"
    weights.rename(weights.with_name(".adapter_seed3.4711"))  # killed before it had its name
    gather(folder, *runs)
    assert snapshot(folder) == whole


def test_later_seeds_join_the_result(folder):
    gather(folder, run(folder, 7))
    outcome = gather(folder, run(folder, 3, WRONG))
    together = snapshot(folder)
    assert list(outcome.result.seeds) == ["3", "7"]
    assert [one.seed for one in outcome.seeds] == [3]
    assert "iterations/v2/sealed/test_seed7.sealed" in together
    assert {name: entry.folder for name, entry in read_weights(folder, "v2").seeds.items()} == {
        "7": "adapter",
        "3": "adapter_seed3",
    }
    assert not (folder / "benchmarks/replaced").exists(), "nothing was lost, so nothing is set aside"


def test_seeds_scored_by_different_evaluators_are_not_mixed(folder):
    gather(folder, run(folder, 7, evaluator_hash="old"))
    before = snapshot(folder)
    with pytest.raises(InputError, match="evaluator"):
        gather(folder, run(folder, 3))
    assert snapshot(folder) == before


@pytest.mark.parametrize("content", ['{"macro_f1": 0.72}', "not json"])
def test_a_result_of_another_tool_is_set_aside_and_not_lost(folder, content):
    write_atomic(folder / "benchmarks/results/v2_valid.json", content)
    gather(folder, run(folder, 7))
    kept = list((folder / "benchmarks/replaced").glob("v2_valid-*.json"))
    assert [file.read_text() for file in kept] == [content]


@pytest.mark.parametrize("state", [RunState.running, RunState.failed, RunState.cancelled])
def test_a_run_without_an_end_is_not_collected(folder, state):
    with pytest.raises(RunFailed, match=state.value):
        gather(folder, run(folder, 7, state=state))


def test_a_run_that_was_never_started_is_not_collected(folder):
    path = run(folder, 7)
    (path / "status.json").unlink()
    with pytest.raises(RunFailed, match="queued"):
        gather(folder, path)


@pytest.mark.parametrize("spec", [{"config_hash": "x"}, {"data_hash": "x"}, {"evaluator_hash": "x"}])
def test_runs_that_differ_in_more_than_the_seed_are_no_version(folder, spec):
    with pytest.raises(InputError, match="more than their seed"):
        gather(folder, run(folder, 7), run(folder, 3, **spec))
    assert not (folder / "benchmarks").exists()


def test_runs_of_another_version_or_none_are_refused(folder):
    with pytest.raises(InputError, match="v9"):
        gather(folder, run(folder, 7, version="v9"))
    with pytest.raises(InputError):
        gather(folder)


def test_sealed_predictions_that_were_changed_are_refused(folder):
    path = run(folder, 7)
    file = path / "sealed" / "test_seed7.sealed"
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(Refused, match="changed"):
        gather(folder, path)


def test_a_version_never_gets_other_weights_or_other_sealed_predictions(folder):
    gather(folder, run(folder, 7))
    before = snapshot(folder)
    with pytest.raises(Refused):
        gather(folder, run(folder, 7, name="other", weights=b"x"))
    (folder / "models/v2/weights.json").unlink()
    shutil.rmtree(folder / "models/v2/adapter")
    with pytest.raises(Refused, match="sealed"):
        gather(folder, folder / "runs/other")
    after = snapshot(folder)
    assert {name: after[name] for name in after if not name.startswith("models/")} == {
        name: before[name] for name in before if not name.startswith("models/")
    }


def test_weights_of_unknown_origin_are_left_alone(folder):
    write_atomic(folder / "models/v2/adapter/adapter_model.safetensors", b"mine")
    with pytest.raises(Refused):
        gather(folder, run(folder, 7))
    assert (folder / "models/v2/adapter/adapter_model.safetensors").read_bytes() == b"mine"


def test_weights_that_were_only_evaluated_become_the_new_versions_too(folder):
    gather(folder, run(folder, 7))
    source = str(weights_folder(folder, "v2", 7))
    path = run(folder, 7, WRONG, name="v3-s7", version="v3", train=False, adapter_from=source)
    outcome = gather(folder, path, version="v3")
    assert outcome.history is None
    assert not outcome.seeds[0].trained
    assert (folder / "models/v3/adapter/adapter_model.safetensors").read_bytes() == b"w7"


def test_evaluating_a_version_again_keeps_its_weights_and_replaces_its_result(folder):
    gather(folder, run(folder, 7))
    path = run(folder, 7, WRONG, name="again", train=False, adapter_from=str(weights_folder(folder, "v2", 7)))
    outcome = gather(folder, path)
    assert outcome.result.metrics["accuracy"] == pytest.approx(2 / 3)
    assert outcome.seeds[0].weights == "models/v2/adapter"
    assert outcome.history is not None, "how the weights came about is still known"
    assert len(list((folder / "benchmarks/replaced").iterdir())) == 2


def test_the_base_model_as_it_is_has_no_weights_to_keep(folder):
    outcome = gather(folder, run(folder, 7, train=False))
    assert outcome.seeds[0].weights is None
    assert not (folder / "models").exists()


def test_a_version_without_a_test_split_has_nothing_sealed(folder):
    path = run(folder, 7)
    result = RunResult.model_validate_json((path / "result.json").read_bytes())
    write_model(path / "result.json", result.model_copy(update={"sealed_test": None, "sealed_sha256": None}))
    assert gather(folder, path).sealed == []
    assert not (folder / "iterations/v2/sealed").exists()


def test_weights_can_be_kept_after_the_runs_are_deleted(folder):
    gather(folder, run(folder, 7))
    shutil.rmtree(folder / "runs")
    assert Path(weights_folder(folder, "v2", 7) / "adapter_model.safetensors").read_bytes() == b"w7"
    with pytest.raises(NotFound):
        weights_folder(folder, "v2", 8)


def test_weights_may_lie_on_another_disk_that_models_links_to(folder, tmp_path):
    (tmp_path / "large disk").mkdir()
    (folder / "models").symlink_to(tmp_path / "large disk")
    first = gather(folder, run(folder, 7))
    own = str(weights_folder(folder, "v2", 7).resolve())
    again = gather(folder, run(folder, 7, WRONG, name="again", train=False, adapter_from=own))
    assert [outcome.seeds[0].weights for outcome in (first, again)] == ["models/v2/adapter"] * 2
