from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.journeys.conftest import copy_of

pytestmark = pytest.mark.training


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def steps_of(place, version):
    files = list((place.task / "runs").glob(f"{version}-*/events.jsonl"))
    return files[0].read_text(encoding="utf-8").count('"type":"step"') if files else 0


def start_loop(place):
    words = ["--lang", "en", "--workspace", str(place.root), "run", "small", "--approve", "training.epochs"]
    words += ["--approve", "training.learning_rate", "--approve", "lora.*"]
    return subprocess.Popen(
        [sys.executable, "-m", "agent.cli", *words],
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def worker_pid(place, version):
    run = next((place.task / "runs").glob(f"{version}-*/status.json"))
    return json.loads(run.read_text(encoding="utf-8"))["pid"]


def decided(place):
    decisions = [entry["data"]["decision"] for entry in place.journal() if entry["event"] == "decision"]
    return [(one["proposal_id"], one["decision"]) for one in decisions]


@pytest.fixture(scope="module")
def slow_place(tmp_path_factory, trained_place):
    """Enough steps in v2, and so in v3, that a kill falls into the training."""
    made = copy_of(trained_place, tmp_path_factory.mktemp("slow_place"))
    made.config(epochs=6, batch_size=4)
    made.run("train", "small", "--version", "v2", check=True)
    return made


@pytest.fixture
def slow(tmp_path, slow_place):
    return copy_of(slow_place, tmp_path)


def test_killing_the_program_while_it_trains_loses_no_decision_and_trains_nothing_twice(slow):
    first = start_loop(slow)
    wait_for(lambda: steps_of(slow, "v3") >= 2)
    first.kill()
    first.wait()
    before = decided(slow)
    second = start_loop(slow)
    output, _ = second.communicate(timeout=240)
    assert second.returncode == 4, output  # the comparison waits for a person
    assert decided(slow)[: len(before)] == before
    assert len(decided(slow)) == len(set(decided(slow)))
    assert len([run for run in slow.runs() if run.startswith("v3-")]) == 1
    events = next((slow.task / "runs").glob("v3-*/events.jsonl")).read_text(encoding="utf-8")
    assert events.count('"state":"succeeded"') == 1


def test_killing_program_and_worker_resumes_from_the_checkpoint_to_the_same_weights(slow):
    first = start_loop(slow)
    wait_for(lambda: list((slow.task / "runs").glob("v3-*/checkpoints/checkpoint-*")))
    os.kill(worker_pid(slow, "v3"), signal.SIGKILL)
    first.kill()
    first.wait()
    second = start_loop(slow)
    output, _ = second.communicate(timeout=240)
    assert second.returncode == 4, output
    run = next((slow.task / "runs").glob("v3-*"))
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    assert result["resumed"] >= 1
    # The same training without a kill, in a fresh run directory.
    undisturbed = slow.task / "runs" / "aside"
    undisturbed.mkdir()
    (undisturbed / "spec.json").write_bytes((run / "spec.json").read_bytes())
    (undisturbed / "data").mkdir()
    for file in (run / "data").iterdir():
        (undisturbed / "data" / file.name).write_bytes(file.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "tools.training.worker", str(undisturbed)], env=slow.environment, check=True, timeout=240
    )
    calm = json.loads((undisturbed / "result.json").read_text(encoding="utf-8"))
    assert calm["adapter_sha256"] == result["adapter_sha256"]
    assert calm["metrics"] == result["metrics"]


def test_a_second_session_on_a_busy_task_is_told_who_holds_it(slow):
    first = start_loop(slow)
    wait_for(lambda: (slow.task / ".iterate" / "lock.owner").exists() and steps_of(slow, "v3") >= 1)
    refused = slow.run("run", "small")
    first.kill()
    first.wait()
    assert refused.returncode == 75
    assert str(first.pid) in refused.stderr
    slow.run("train", "small", "--stop", check=True)
