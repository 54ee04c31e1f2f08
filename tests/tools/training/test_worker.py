from __future__ import annotations

import base64
import json
import os
import signal
import sys
import zlib

import pytest
from filelock import FileLock

from tools.config import Decoding, Lora
from tools.launchers.base import RunHealth, state_of
from tools.runs import EvalEvent, RunState, StepEvent, WarningEvent
from tools.training.checkpoints import newest_checkpoint
from tools.training.worker import EXIT_BUSY, EXIT_CANCELLED, EXIT_FAILED, EXIT_INTERRUPTED, main

pytestmark = pytest.mark.training


def open_sealed(path):
    return [
        json.loads(line) for line in zlib.decompress(base64.b85decode(path.read_bytes().split(b"\n")[1])).splitlines()
    ]


def test_a_run_ends_with_everything_a_version_record_needs(make_run):
    run = make_run(training={"epochs": 3})
    assert main(run.path) == 0
    result, status = run.result(), run.status()
    assert status.state is RunState.succeeded
    assert status.phase == "done"
    assert [point.step for point in result.history if point.loss is not None] == list(range(1, 10))
    assert [point.step for point in result.history if point.eval_loss is not None] == [3, 6, 9]
    assert all(point.grad_norm is not None for point in result.history if point.loss is not None)
    predictions = [json.loads(line) for line in run.file(result.predictions).read_text("utf-8").splitlines()]
    assert [row["id"] for row in predictions] == [f"r{number}" for number in range(100, 106)]
    assert all(abs(sum(row["scores"].values()) - 1) < 1e-4 for row in predictions)
    assert {row["id"] for row in open_sealed(run.file(result.sealed_test))} == {f"r{n}" for n in range(200, 206)}
    assert result.tokens_per_second > 0
    assert (run.file(result.adapter) / "adapter_model.safetensors").is_file()
    assert run.file("heartbeat").read_text("utf-8").strip()


def test_the_kept_weights_are_those_of_the_best_evaluation_and_nothing_is_answered_twice(make_run, monkeypatch):
    from tools.training import evaluation

    run = make_run(training={"epochs": 4, "learning_rate": 5e-3})
    ask, asked = evaluation.ask, []
    monkeypatch.setattr(evaluation, "ask", lambda *given: asked.append(len(given[1])) or ask(*given))
    assert main(run.path) == 0
    assert asked == [6] * 5, "four evaluations, and the test rows"
    events, _ = run.events()
    evaluations = [event for event in events if isinstance(event, EvalEvent)]
    best = max(evaluations, key=lambda event: (event.metrics["macro_f1"], -event.eval_loss))
    result = run.result()
    assert result.best_step == best.step
    assert result.metrics == best.metrics


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(make_run):
    hashes = []
    for name, seed in [("a", 7), ("b", 7), ("c", 8)]:
        run = make_run(name, seed=seed, test=0, lora=Lora(r=4, alpha=8, dropout=0.2))
        assert main(run.path) == 0
        hashes.append(run.result().adapter_sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_tiny_model_learns_what_its_rows_teach(make_run):
    run = make_run(rows=48, valid=12, training={"epochs": 12, "learning_rate": 0.02, "early_stopping": None}, lora=None)
    assert main(run.path) == 0
    result = run.result()
    losses = [point.loss for point in result.history if point.loss is not None]
    assert losses[-1] < losses[0] / 3
    assert result.metrics["parse_rate"] > 0.5


def test_all_weights_can_be_trained_and_read_again(make_run):
    run = make_run(lora=None, test=0)
    assert main(run.path) == 0
    again = make_run("again", lora=None, test=0, train=False, adapter_from=str(run.file("adapter")))
    assert main(again.path) == 0
    assert again.file("predictions_valid.jsonl").read_text("utf-8") == run.file("predictions_valid.jsonl").read_text(
        "utf-8"
    )


def test_training_stops_early_when_the_metric_does_not_rise(make_run):
    run = make_run(training={"epochs": 20, "learning_rate": 1e-8, "early_stopping": 2})
    assert main(run.path) == 0
    result = run.result()
    assert result.stopped_early
    assert run.status().step < 60


def test_micro_batches_do_not_change_what_is_learned(make_run):
    losses = []
    for name, micro in [("whole", 8), ("parts", 2)]:
        run = make_run(name, test=0, training={"micro_batch_size": micro})
        assert main(run.path) == 0
        losses.append([point.loss for point in run.result().history if point.loss is not None])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_rows_longer_than_max_length_are_cut_counted_and_said(make_run):
    run = make_run(training={"max_length": 24})
    assert main(run.path) == 0
    events, _ = run.events()
    warnings = [event for event in events if isinstance(event, WarningEvent)]
    assert run.result().rows_truncated == 24
    assert warnings[0].page == "troubleshooting/truncation"


def test_a_loss_that_is_not_a_number_ends_the_run_with_its_name(make_run):
    run = make_run(training={"learning_rate": 0.1, "max_grad_norm": 1e30, "epochs": 30, "warmup": 0}, lora=None)
    rows = run.file("data") / "train.jsonl"
    rows.write_text(rows.read_text("utf-8").replace('"weight":1.0', '"weight":3e38'), "utf-8")
    assert main(run.path) == EXIT_FAILED
    status = run.status()
    assert status.state is RunState.failed
    assert status.error.kind == "nan_loss"
    assert status.error.page == "troubleshooting/unstable-training"


def test_a_run_without_training_rows_fails_as_bad_data(make_run):
    run = make_run(rows=0)
    assert main(run.path) == EXIT_FAILED
    assert run.status().error.kind == "bad_data"


def test_broken_rows_are_named_with_their_line(make_run):
    run = make_run()
    with (run.file("data") / "train.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"id": "x"\n')
    assert main(run.path) == EXIT_FAILED
    error = run.status().error
    assert error.kind == "bad_data"
    assert "line 25" in str(error.message)


def test_unknown_target_modules_are_answered_with_the_ones_there_are(make_run):
    run = make_run(lora=Lora(r=4, target_modules=["q_prj"]))
    assert main(run.path) == EXIT_FAILED
    message = str(run.status().error.message)
    assert "q_prj" in message
    assert "q_proj" in message
    assert "lm_head" not in message


def test_a_base_model_that_is_not_installed_is_a_missing_part(make_run, tmp_path):
    (tmp_path / "empty").mkdir()
    run = make_run(training={"base_model": str(tmp_path / "empty")})
    assert main(run.path) == EXIT_FAILED
    assert run.status().error.kind == "missing_part"


def test_a_second_worker_leaves_at_once_and_writes_nothing(make_run):
    run = make_run()
    with FileLock(run.file("run.lock")):
        assert main(run.path) == EXIT_BUSY
    assert run.status() is None


def test_a_worker_on_a_finished_run_does_nothing(make_run):
    run = make_run(test=0, training={"epochs": 1})
    assert main(run.path) == 0
    before = run.file("events.jsonl").read_bytes()
    assert main(run.path) == 0
    assert run.file("events.jsonl").read_bytes() == before


def test_a_run_cancelled_before_it_starts_never_loads_a_model(make_run):
    run = make_run()
    run.file("cancel").touch()
    assert main(run.path) == EXIT_CANCELLED
    assert run.status().state is RunState.cancelled
    assert not run.file("checkpoints").exists()


@pytest.mark.parametrize("how", ["file", "signal"])
def test_stopping_keeps_the_newest_checkpoint_and_only_a_wish_to_cancel_ends_the_run(
    make_run, start_worker, wait_for, how
):
    """A machine that goes down sends the signal too: the run waits to be continued then."""
    run = make_run(training={"epochs": 100, "early_stopping": None, "batch_size": 4})
    process = start_worker(run)
    wait_for(lambda: any(isinstance(event, StepEvent) for event in run.events()[0]), "a first step")
    process.send_signal(signal.SIGHUP)  # a terminal that closes is no reason to stop
    run.file("cancel").touch() if how == "file" else process.send_signal(signal.SIGTERM)
    assert process.wait(60) == (EXIT_CANCELLED if how == "file" else EXIT_INTERRUPTED)
    assert run.status().state is (RunState.cancelled if how == "file" else RunState.running)
    assert state_of(run.path) is (RunHealth.ended if how == "file" else RunHealth.stalled)
    newest, stood = newest_checkpoint(run.file("checkpoints")), run.status().step
    # 24 rows in batches of 4 are evaluated after every sixth step, and one that is still to be evaluated is not kept.
    assert stood % 6 == 0 or newest.step == stood
    assert run.result() is None


def test_constrained_decoding_answers_with_declared_labels_only(make_run):
    run = make_run(decoding=Decoding(constrained=True), train=False)
    assert main(run.path) == 0
    result = run.result()
    assert result.metrics["parse_rate"] == 1.0
    assert result.history == []
    assert result.adapter == ""


def test_an_adapter_answers_the_same_in_a_run_of_its_own(make_run):
    trained = make_run(test=0)
    assert main(trained.path) == 0
    again = make_run("again", test=0, train=False, adapter_from=str(trained.file("adapter")))
    assert main(again.path) == 0
    first, second = (run.file("predictions_valid.jsonl").read_text("utf-8") for run in (trained, again))
    assert first == second
    assert again.result().adapter_sha256 == trained.result().adapter_sha256


def script(folder, body):
    path = folder / "train.py"
    path.write_text(
        "import json, os, sys, time\nfrom pathlib import Path\nrun = Path(os.environ['ITERATE_RUN_DIR'])\n" + body
    )
    return f"{sys.executable} train.py"


OWN_ANSWERS = """
for split in ("valid", "test"):
    rows = [json.loads(line) for line in (run / "data" / f"{split}.jsonl").read_text("utf-8").splitlines()]
    lines = [json.dumps({"id": row["id"], "raw": row["completion"]}) for row in rows]
    (run / f"predictions_{split}.jsonl").write_text("\\n".join(lines))
print("seed", os.environ["ITERATE_SEED"], "version", os.environ["ITERATE_VERSION"])
"""


def test_the_tasks_own_script_is_scored_and_its_test_answers_are_sealed(make_run, tmp_path):
    command = script(tmp_path, OWN_ANSWERS)
    run = make_run(training={"command": command}, task_dir=str(tmp_path))
    assert main(run.path) == 0
    result = run.result()
    assert result.metrics["macro_f1"] == 1.0
    assert len(open_sealed(run.file(result.sealed_test))) == 6
    assert not run.file("predictions_test.jsonl").exists()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("sys.exit(3)", "command"),
        ("pass", "bad_data"),
        ('(run / \'predictions_valid.jsonl\').write_text(\'{"id": "r100", "raw": "x"}\')', "bad_data"),
        ("(run / 'predictions_valid.jsonl').write_text('[]')", "bad_data"),
    ],
)
def test_a_script_that_does_not_keep_the_contract_fails_by_name(make_run, tmp_path, body, kind):
    run = make_run(training={"command": script(tmp_path, body)}, task_dir=str(tmp_path))
    assert main(run.path) == EXIT_FAILED
    assert run.status().error.kind == kind


def test_a_command_that_is_not_there_is_a_missing_part(make_run, tmp_path):
    run = make_run(training={"command": "no-such-program --x"}, task_dir=str(tmp_path))
    assert main(run.path) == EXIT_FAILED
    assert run.status().error.kind == "missing_part"


def test_cancelling_ends_the_tasks_own_script_too(make_run, tmp_path, start_worker, wait_for):
    body = "(run / 'alive').write_text(str(os.getpid()))\ntime.sleep(120)"
    run = make_run(training={"command": script(tmp_path, body)}, task_dir=str(tmp_path))
    process = start_worker(run)
    wait_for(lambda: run.file("alive").exists() and run.file("alive").read_text() != "", "the script started")
    run.file("cancel").touch()
    assert process.wait(60) == EXIT_CANCELLED
    with pytest.raises(ProcessLookupError):
        os.kill(int(run.file("alive").read_text()), 0)
