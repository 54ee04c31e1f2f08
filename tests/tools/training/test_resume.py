from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tools.config import Decoding, Lora
from tools.runs import EvalEvent, PhaseEvent, RunState, StepEvent
from tools.task import AnswerFormat
from tools.training.checkpoints import newest_checkpoint
from tools.training.examples import read_examples
from tools.training.worker import main

pytestmark = pytest.mark.training

DROPOUT = Lora(r=4, alpha=8, dropout=0.3)
TRAINING = {"epochs": 10, "batch_size": 4, "micro_batch_size": 2, "evals_per_epoch": 2, "early_stopping": None}
LAST_STEP = 60
SWITCH = Path(__file__).parents[2] / "support" / "kill_switch"


def killed_run(make_run, start_worker, wait_for, evaluations, **fields):
    """A run whose worker was killed with -9 somewhere after that many evaluations."""
    run = make_run("killed", **fields)
    process = start_worker(run)
    done = lambda: sum(isinstance(event, EvalEvent) for event in run.events()[0]) >= evaluations  # noqa: E731
    wait_for(done, f"{evaluations} evaluations")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run.status().state is RunState.running
    assert run.result() is None
    return run


@pytest.mark.parametrize("lora", [DROPOUT, None], ids=["adapter", "all weights"])
def test_a_run_killed_twice_ends_with_the_same_weights_as_one_that_was_not(
    make_run, start_worker, wait_for, tmp_path, lora
):
    """The second time between a checkpoint and the answers of its weights, which are the best so far."""
    fields = {"training": TRAINING, "lora": lora, "test": 0, "decoding": Decoding(constrained=True)}
    whole = make_run("whole", **fields)
    assert start_worker(whole).wait() == 0

    run = killed_run(make_run, start_worker, wait_for, 3, **fields)
    first = newest_checkpoint(run.file("checkpoints"))
    path = os.pathsep.join([str(SWITCH), str(Path.cwd())])
    switch = {"KILL_ROLE": "tools.training.worker", "KILL_ROOT": str(run.path), "KILL_AT": "answers.json"}
    again = start_worker(run, **switch, KILL_LOG=str(tmp_path / "moments"), PYTHONPATH=path)
    assert again.wait() == -signal.SIGKILL
    assert start_worker(run).wait() == 0

    expected, result = whole.result(), run.result()
    assert run.status().resumed_from > first.step
    assert result.resumed == 2
    assert result.adapter_sha256 == expected.adapter_sha256
    assert outcome(run) == outcome(whole)
    assert result.best_step == expected.best_step
    assert [point.model_dump() for point in result.history] == [point.model_dump() for point in expected.history]
    assert [point.step for point in result.history if point.loss is not None] == list(range(1, LAST_STEP + 1))


def test_half_a_checkpoint_is_thrown_away_and_the_one_before_it_used(make_run, start_worker, wait_for):
    run = killed_run(make_run, start_worker, wait_for, 3, training=TRAINING, test=0)
    good = newest_checkpoint(run.file("checkpoints"))
    broken = run.file("checkpoints") / "checkpoint-999"
    broken.mkdir()
    (broken / "adapter_model.safetensors").write_bytes(b"half of")
    assert newest_checkpoint(run.file("checkpoints")).step == good.step
    assert not broken.exists()
    assert start_worker(run).wait() == 0
    assert run.status().resumed_from == good.step


def outcome(run):
    """What is stored of the answers."""
    result = run.result()
    return result.metrics, run.file(result.predictions).read_bytes()


def answers_again(run):
    """How often the validation rows were answered after the training."""
    said = [str(event.message) for event in run.events()[0] if isinstance(event, PhaseEvent)]
    return sum("Answering the validation rows" in message for message in said)


def finish_again(run):
    """The run as a kill after its last step leaves it, taken up by another worker."""
    run.file("result.json").unlink()
    run.file("predictions_valid.jsonl").unlink()
    status = run.status().model_copy(update={"state": RunState.running})
    run.file("status.json").write_text(status.model_dump_json(), "utf-8")
    assert main(run.path) == 0


def test_a_run_killed_after_its_last_step_finishes_with_the_kept_answers_and_takes_no_others_for_them(make_run):
    run = make_run(training={**TRAINING, "epochs": 1})
    assert main(run.path) == 0
    before, weights = outcome(run), run.result().adapter_sha256
    kept = run.file("checkpoints") / f"checkpoint-{run.result().best_step}" / "answers.json"
    whole = json.loads(kept.read_text("utf-8"))
    false = [{**whole, key: "0" * 64, "said": [["x", None]] * 6} for key in ("weights_sha256", "rows_sha256")]
    for number, content in enumerate([*map(json.dumps, [whole, *false]), kept.read_text("utf-8")[:200], None]):
        kept.unlink() if content is None else kept.write_text(content, "utf-8")
        finish_again(run)
        assert outcome(run) == before
        assert answers_again(run) == number
    assert run.result().adapter_sha256 == weights
    steps = [event.step for event in run.events()[0] if isinstance(event, StepEvent)]
    assert len(steps) == len(set(steps))


@pytest.mark.parametrize(
    ("labels", "decoding", "pays"),
    [(3, Decoding(), True), (30, Decoding(), False), (30, Decoding(constrained=True), True), (40, Decoding(), True)],
    ids=["few labels", "many labels", "labels that are chosen by their probability", "too many to be scored at all"],
)
def test_label_probabilities_are_found_at_each_evaluation_only_where_that_is_cheaper_than_answering_again(
    make_run, tiny_model, labels, decoding, pays
):
    from tools.training.evaluation import Evaluator
    from tools.training.models import load_tokenizer

    answer = AnswerFormat(type="label", labels=[f"類{number}" for number in range(labels)])
    run = make_run(answer=answer, decoding=decoding)
    evaluator = Evaluator(run.spec(), load_tokenizer(tiny_model), "fp32", 4)
    assert evaluator.scoring_pays(read_examples(run.file("data") / "valid.jsonl"), 2) is pays
