from __future__ import annotations

import signal

import pytest

from tools.config import Lora
from tools.runs import EvalEvent, RunState, StepEvent
from tools.training.checkpoints import newest_checkpoint

pytestmark = pytest.mark.training

DROPOUT = Lora(r=4, alpha=8, dropout=0.3)
TRAINING = {"epochs": 10, "batch_size": 4, "micro_batch_size": 2, "evals_per_epoch": 2, "early_stopping": None}
LAST_STEP = 60


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
def test_a_run_killed_twice_ends_with_the_same_weights_as_one_that_was_not(make_run, start_worker, wait_for, lora):
    fields = {"training": TRAINING, "lora": lora, "test": 0}
    whole = make_run("whole", **fields)
    assert start_worker(whole).wait() == 0

    run = killed_run(make_run, start_worker, wait_for, 3, **fields)
    first = newest_checkpoint(run.file("checkpoints"))
    again = start_worker(run)
    wait_for(lambda: any(e.step > first.step + 9 for e in run.events()[0] if isinstance(e, EvalEvent)), "further steps")
    again.send_signal(signal.SIGKILL)
    again.wait()
    assert start_worker(run).wait() == 0

    expected, result = whole.result(), run.result()
    assert run.status().resumed_from > first.step
    assert result.resumed == 2
    assert result.adapter_sha256 == expected.adapter_sha256
    assert result.metrics == expected.metrics
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


def test_a_run_killed_after_its_last_step_only_finishes(make_run, start_worker, wait_for):
    fields = {"training": {**TRAINING, "epochs": 1}, "valid": 6, "test": 0}
    run = make_run(**fields)
    assert start_worker(run).wait() == 0
    before = run.result()
    run.file("result.json").unlink()
    status = run.status().model_copy(update={"state": RunState.running})
    run.file("status.json").write_text(status.model_dump_json(), "utf-8")
    assert start_worker(run).wait() == 0
    after = run.result()
    assert after.adapter_sha256 == before.adapter_sha256
    assert after.metrics == before.metrics
    steps = [event.step for event in run.events()[0] if isinstance(event, StepEvent)]
    assert len(steps) == len(set(steps))
