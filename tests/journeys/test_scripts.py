from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.training


def test_without_a_terminal_and_a_policy_nothing_is_approved_and_the_question_waits(trained):
    done = trained.run("run", "small")
    assert done.returncode == 4
    assert f"iterate --workspace {trained.root} run small" in done.stdout
    assert len(trained.runs()) == 1
    assert not [entry for entry in trained.journal() if entry["event"] == "decision"]


def test_a_rule_approves_what_it_names_and_defers_the_rest(trained):
    done = trained.run("run", "small", "--approve", "config")
    decisions = [entry["data"]["decision"] for entry in trained.journal() if entry["event"] == "decision"]
    assert done.returncode == 4  # the comparison waits for a person
    assert {one["by"] for one in decisions} == {"rule"}
    assert {one["decision"] for one in decisions} <= {"approve", "defer"}
    assert (trained.task / "iterations" / "v2" / "results.json").exists()


def test_a_policy_file_carries_a_version_to_its_decision_and_the_stream_names_its_session(trained):
    policy = trained.root / "policy.yaml"
    policy.write_text(
        "approve: [{kinds: [config, recipe, prompt, decoding], max_minutes: 60}]\nmax_trainings: 1\n"
        "decide: {better: adopt, undecided: rollback, worse: rollback, not_comparable: rollback}\n"
        "adopt: if_test_not_worse\n",
        encoding="utf-8",
    )
    done = trained.run("run", "small", "--yes-policy", str(policy), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({line["session"] for line in lines}) == 1
    assert lines[0]["session"]
    assert {"task_loaded", "diagnosed", "proposed", "decided", "version_begun", "progress", "compared"} <= {
        line["type"] for line in lines
    }
    assert lines[-1]["type"] == "session_ended"


def test_a_policy_with_a_typo_approves_nothing_and_names_the_line(trained):
    policy = trained.root / "policy.yaml"
    policy.write_text("aprove: [{kinds: [config]}]\ndecide: {better: adopt_it}\n", encoding="utf-8")
    done = trained.run("run", "small", "--yes-policy", str(policy))
    assert done.returncode == 2
    assert "aprove" in done.stderr and "decide.better" in done.stderr
    assert len(trained.runs()) == 1


def test_the_scripts_of_the_task_do_what_the_specification_says(place):
    scripts = place.task / "scripts"
    environment = place.environment

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=place.task, env=environment, capture_output=True, text=True, timeout=240, check=False
        )

    oversampled = call(sys.executable, str(scripts / "oversample.py"), "--target_count", "20")
    assert oversampled.returncode == 0, oversampled.stderr
    assert "oversample" in (place.task / "configs" / "training_config.yaml").read_text(encoding="utf-8")
    trained = call(sys.executable, str(scripts / "03_train.py"), "--version", "v1")
    assert trained.returncode == 0, trained.stderr
    assert (place.task / "iterations" / "v1" / "results.json").exists()
    again = call("bash", str(scripts / "run_pipeline.sh"), "--version", "v1")
    assert again.returncode == 0, again.stderr
    specs = [json.loads(file.read_text(encoding="utf-8")) for file in (place.task / "runs").glob("*/spec.json")]
    assert sum(spec["train"] for spec in specs) == 1
    generated = call(
        sys.executable, str(scripts / "generate_data_gpt.py"), "--target_class", "中立", "--num_samples", "5"
    )
    assert generated.returncode != 0
    assert "Traceback" not in generated.stderr


def test_more_seeds_join_the_same_version(trained):
    trained.run("train", "small", "--version", "v1", "--seeds", "7", check=True)
    result = json.loads((trained.task / "benchmarks" / "results" / "v1_valid.json").read_text(encoding="utf-8"))
    assert set(result["seeds"]) == {"42", "7"}


def test_scoring_again_gives_the_same_result_and_evaluating_again_the_same_answers(trained):
    file = trained.task / "benchmarks" / "results" / "v1_valid.json"
    before = json.loads(file.read_text(encoding="utf-8"))
    trained.run("evaluate", "small", "--version", "v1", "--rescore", check=True)
    assert json.loads(file.read_text(encoding="utf-8"))["metrics"] == before["metrics"]
    trained.run("evaluate", "small", "--version", "v1", check=True)
    assert json.loads(file.read_text(encoding="utf-8"))["metrics"] == before["metrics"]


def test_rolling_back_keeps_an_edit_that_no_version_has(trained):
    config = trained.task / "configs" / "training_config.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "# my own note\n", encoding="utf-8")
    done = trained.run("rollback", "small", "--to", "v1", check=True)
    kept = list((trained.task / "iterations" / "hand_edits").glob("*.yaml"))
    assert len(kept) == 1 and "my own note" in kept[0].read_text(encoding="utf-8")
    assert kept[0].name in done.stdout
    assert "my own note" not in config.read_text(encoding="utf-8")
