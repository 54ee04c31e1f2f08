from __future__ import annotations

import importlib.metadata
import json
import signal
import sys

import pytest

from tools.config import Lora
from tools.runs import EvalEvent, RunState, WarningEvent
from tools.training.checkpoints import newest_checkpoint
from tools.training.worker import EXIT_CANCELLED, EXIT_FAILED, main

pytestmark = pytest.mark.training

METHODS = ["orpo", "dpo", "kto"]
LABELS = ["支持", "反對", "中立"]


@pytest.fixture
def make_pairs(make_run):
    """A run whose training rows have a wrong label as their rejected answer, all but every `without`-th of them."""

    def make(name="run", method="orpo", without=0, **fields):
        training = {"method": method, **fields.pop("training", {})}
        run = make_run(name, training=training, **fields)
        path = run.file("data") / "train.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for number, row in enumerate(rows):
            if not without or number % without:
                row["rejected"] = LABELS[(LABELS.index(row["completion"]) + 1) % 3]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        return run

    return make


def losses(run):
    return [point.loss for point in run.result().history if point.loss is not None]


@pytest.mark.parametrize("method", METHODS)
def test_each_method_trains_evaluates_and_writes_a_result(make_pairs, method):
    run = make_pairs(method=method)
    assert main(run.path) == 0
    result = run.result()
    steps = 12 if method == "kto" else 6
    assert [point.step for point in result.history if point.loss is not None] == list(range(1, steps + 1))
    assert [point.step for point in result.history if point.eval_loss is not None] == [steps // 2, steps]
    assert {point.method for point in result.history} == {method}
    assert result.sealed_test is not None
    assert result.tokens_per_second > 0
    names = {path.name for path in run.file(result.adapter).iterdir()}
    assert "adapter_model.safetensors" in names
    assert "ref" not in names
    assert not any((path / "ref").exists() for path in run.file("checkpoints").iterdir())


@pytest.mark.parametrize("method", METHODS)
def test_training_moves_the_model_from_the_rejected_answers_to_the_chosen_ones(make_pairs, method):
    run = make_pairs(
        method=method,
        rows=24,
        lora=None,
        training={"epochs": 8, "learning_rate": 0.005, "beta": 0.5, "early_stopping": None},
        test=0,
    )
    assert main(run.path) == 0
    found = losses(run)
    assert sum(found[-3:]) < 0.8 * sum(found[:3])


def test_dpo_begins_where_model_and_reference_are_the_same(make_pairs):
    run = make_pairs(method="dpo", test=0, training={"warmup": 5, "learning_rate": 1e-6})
    assert main(run.path) == 0
    assert losses(run)[0] == pytest.approx(0.6931, abs=1e-3)


def test_a_training_that_starts_from_a_version_answers_like_it_before_it_has_learned_anything(make_pairs, make_run):
    parent = make_run("parent", test=0, training={"epochs": 3, "learning_rate": 0.01})
    assert main(parent.path) == 0
    values = {"learning_rate": 1e-9, "epochs": 1}
    run = make_pairs("child", "dpo", test=0, training=values, start_from=str(parent.file("adapter")))
    fresh = make_pairs("fresh", "dpo", test=0, training=values)
    assert main(run.path) == 0
    assert main(fresh.path) == 0
    at_end = [point.eval_loss for point in parent.result().history if point.step == parent.result().best_step][-1]
    assert run.result().history[-1].eval_loss == pytest.approx(at_end, abs=1e-4)
    assert fresh.result().history[-1].eval_loss != pytest.approx(at_end, abs=1e-2)
    assert losses(run)[0] == pytest.approx(0.6931, abs=1e-3)


def test_weights_to_start_from_that_have_gone_are_a_missing_part(make_pairs, tmp_path):
    run = make_pairs(method="dpo", start_from=str(tmp_path / "gone"))
    assert main(run.path) == EXIT_FAILED
    assert run.status().error.kind == "missing_part"
    assert "training.start_from" in str(run.status().error.hint)


@pytest.mark.parametrize(
    ("method", "lora"),
    [("orpo", Lora(r=4, alpha=8, dropout=0.3)), ("dpo", Lora(r=4, alpha=8)), ("kto", None)],
    ids=["orpo", "dpo", "kto with all weights"],
)
def test_a_killed_run_ends_with_the_same_weights_as_one_that_was_not(make_pairs, start_worker, wait_for, method, lora):
    values = {"epochs": 8, "batch_size": 4, "micro_batch_size": 2, "evals_per_epoch": 2, "early_stopping": None}
    fields = {"training": values, "lora": lora, "test": 0, "rows": 12}
    whole, run = make_pairs("whole", method, **fields), make_pairs("killed", method, **fields)
    assert main(whole.path) == 0
    process = start_worker(run)
    wait_for(lambda: sum(isinstance(event, EvalEvent) for event in run.events()[0]) >= 3, "three evaluations")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run.status().state is RunState.running
    step = newest_checkpoint(run.file("checkpoints")).step
    assert main(run.path) == 0
    assert run.status().resumed_from == step
    assert run.result().resumed == 1
    assert run.result().metrics == whole.result().metrics
    assert run.result().best_step == whole.result().best_step
    assert losses(run) == pytest.approx(losses(whole), rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_weights(make_pairs, method):
    hashes = []
    for name in ("a", "b"):
        run = make_pairs(name, method, test=0, training={"epochs": 1})
        assert main(run.path) == 0
        hashes.append(run.result().adapter_sha256)
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("method", ["orpo", "dpo"])
def test_micro_batches_do_not_change_what_is_learned(make_pairs, method):
    found = []
    for name, micro in (("whole", 8), ("parts", 2)):
        run = make_pairs(name, method, test=0, training={"micro_batch_size": micro, "warmup": 0})
        assert main(run.path) == 0
        found.append(losses(run))
    # The mean over answer tokens of a part is not that of the whole, so ORPO's first term differs a little.
    assert found[0] == pytest.approx(found[1], rel=0.02)


def test_rows_without_a_pair_are_learned_by_orpo_and_left_out_by_dpo_and_both_say_so(make_pairs):
    said = {}
    for method in ("orpo", "dpo"):
        run = make_pairs(method, method, without=3, test=0)
        assert main(run.path) == 0
        said[method] = " ".join(str(event.message) for event in run.events()[0] if isinstance(event, WarningEvent))
        said[method] += f" {run.status().total_steps} steps"
    assert "8 training rows without a pair are learned as in SFT" in said["orpo"]
    assert "6 steps" in said["orpo"]
    assert "8 training rows without a pair are left out" in said["dpo"]
    assert "4 steps" in said["dpo"]


@pytest.mark.parametrize("method", METHODS)
def test_a_run_without_any_pair_fails_as_bad_data_and_names_the_way_to_make_some(make_run, method):
    run = make_run(training={"method": method})
    assert main(run.path) == EXIT_FAILED
    error = run.status().error
    assert error.kind == "bad_data"
    assert "iterate pairs" in str(error.hint)
    assert error.page == f"methods/{method}"


def test_settings_that_dpo_does_not_use_are_said(make_pairs):
    run = make_pairs(method="dpo", test=0, lora=Lora(r=4, alpha=8, dropout=0.2))
    assert main(run.path) == 0
    assert any("lora.dropout" in str(event.message) for event in run.events()[0] if isinstance(event, WarningEvent))


def test_a_pass_of_kto_with_one_answer_is_refused_before_anything_is_loaded(make_pairs):
    run = make_pairs(method="kto", training={"batch_size": 4, "micro_batch_size": 1})
    assert main(run.path) == EXIT_FAILED
    assert run.status().error.page == "methods/kto"


def test_cancelling_stops_while_the_reference_is_scored(make_pairs, monkeypatch):
    from tools.training import job

    run = make_pairs(method="dpo")
    watch = job.Job.watch

    def cancelled_then(self, total):
        run.file("cancel").touch()
        return watch(self, total)

    monkeypatch.setattr(job.Job, "watch", cancelled_then)
    assert main(run.path) == EXIT_CANCELLED
    assert run.status().state is RunState.cancelled


def test_an_orpo_trainer_that_has_gone_is_a_missing_part_that_names_the_version_of_trl(make_pairs, monkeypatch):
    run = make_pairs()
    monkeypatch.setitem(sys.modules, "trl.experimental.orpo", None)
    assert main(run.path) == EXIT_FAILED
    error = run.status().error
    assert error.kind == "missing_part"
    assert f"TRL {importlib.metadata.version('trl')}" in str(error.message)
    assert error.page == "methods/orpo"


def test_the_installed_trl_still_has_the_experimental_orpo_trainer():
    from tools.training.orpo import NEEDED, orpo_parts

    trainer, config = orpo_parts()
    assert all(hasattr(trainer, name) for name in NEEDED)
    assert {"beta", "disable_dropout", "max_length"} <= set(config.__dataclass_fields__)


def test_the_head_on_answers_only_gives_the_numbers_of_the_head_on_everything(tiny_model):
    import torch
    from transformers import AutoModelForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    from tools.training.preference_head import score_answers_only

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    add_fused_lm_head(model, outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
    ids = torch.randint(5, 60, (3, 12), generator=torch.Generator().manual_seed(0))
    labels = ids.clone()
    labels[:, :7] = -100
    labels[1, 10:] = -100
    whole = model(input_ids=ids, labels=labels, fused_lm_head=True)
    score_answers_only(model)
    some = model(input_ids=ids, labels=labels, fused_lm_head=True)
    for name in ("log_probs", "entropy", "mean_logits", "is_top1"):
        assert torch.allclose(getattr(whole, name).float(), getattr(some, name).float(), atol=1e-5), name
    assert torch.equal(model(input_ids=ids).logits, model(input_ids=ids, fused_lm_head=False).logits)
