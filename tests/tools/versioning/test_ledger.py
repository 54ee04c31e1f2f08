"""Is the test set opened once per decision, by one module, never without a line in the ledger?"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tools.compare import CompareArgs, compare
from tools.comparing.report import valid_and_test
from tools.errors import InputError, Refused
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.versioning import ledger
from tools.versioning.ledger import LEDGER, SHOWN, open_test, openings, shown

ROOT = Path(__file__).parents[3]
SEEDS = (1, 2, 3)
NEAR = {1: range(5, 78), 2: range(5, 77), 3: range(5, 79)}


@pytest.fixture
def task(claim_task):
    """v1 gets 80 of 240 test rows wrong, v2 10, v3 about as many as v1; three seeds each."""
    task = claim_task(240)
    for version, wrong in (
        ("v1", {s: range(80 + s) for s in SEEDS}),
        ("v2", {s: range(10 + s) for s in SEEDS}),
        ("v3", NEAR),
    ):
        task.version(version, wrong)
        task.sealed(version, wrong)
    return task


def opened(task, *versions, decision="d1"):
    return open_test(task.path, list(versions), why="adoption", by="mei", decision_id=decision)


def test_an_opening_is_one_line_with_when_why_by_whom_and_what_it_said(task):
    found = opened(task, "v1", "v2")
    (line,) = openings(task.path)
    assert (line.ordinal, line.why, line.by, line.versions) == (1, "adoption", "mei", ["v1", "v2"])
    assert line.at
    assert line.evaluator_hash
    assert line.scores == found.scores
    assert found.verdict == "better"
    assert found.scores["v2"]["macro_f1"] > found.scores["v1"]["macro_f1"]


def test_the_line_is_on_disk_before_anything_is_returned(task, monkeypatch):
    def crash(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "_opened", crash)
    with pytest.raises(KeyboardInterrupt):
        opened(task, "v1", "v2")
    assert len(openings(task.path)) == 1


@pytest.mark.parametrize("lost", ["nothing", SHOWN, "benchmarks/results/v2_test.json"])
def test_the_same_decision_after_a_crash_opens_nothing_twice(task, lost):
    first = opened(task, "v1", "v2")
    if lost != "nothing":
        (task.path / lost).unlink()
    again = opened(task, "v1", "v2")
    assert again == first
    assert len(openings(task.path)) == 1
    assert (task.path / "benchmarks/results/v2_test.json").exists()


def test_a_later_opening_is_corrected_for_the_earlier_ones(task):
    opened(task, "v1", "v3", decision="d1")
    second = opened(task, "v1", "v2", decision="d2")
    assert second.ordinal == 2
    assert second.p_corrected == pytest.approx(2 * second.p)
    assert any("Holm" in str(note) for note in second.notes)


def test_opening_often_enough_makes_a_win_undecided(task):
    for number in range(60):
        opened(task, "v3", decision=f"look{number}")
    last = opened(task, "v1", "v2", decision="claim")
    assert last.p < 0.05 <= last.p_corrected
    assert last.verdict == "undecided"
    assert last.comparison.verdict == "better"


def test_a_torn_line_of_the_ledger_counts_as_an_opening(task):
    (task.path / "iterations").mkdir(exist_ok=True)
    (task.path / LEDGER).write_text('{"ordinal": 1, "at": "2026', encoding="utf-8")
    found = opened(task, "v1", "v2")
    assert found.ordinal == 2
    assert found.p_corrected == pytest.approx(2 * found.p)
    assert [line.ordinal for line in openings(task.path)] == [1, 2]


def test_opened_results_are_marked_and_stay_closed_for_ordinary_reading(task):
    opened(task, "v1", "v2")
    written = json.loads(task.read("benchmarks/results/v2_test.json"))
    assert (written["split"], written["opening"]) == ("test", 1)
    results = read_results(ReadResultsArgs(task_dir=task.path))
    assert latest(results, "v2", "test") is None
    assert latest(read_results(ReadResultsArgs(task_dir=task.path), opened=True), "v2", "test") is not None


def test_a_test_result_that_the_user_had_is_left_alone(task):
    task.write("benchmarks/results/v2_test.json", '{"macro_f1": 0.9}')
    opened(task, "v1", "v2")
    assert task.read("benchmarks/results/v2_test.json") == '{"macro_f1": 0.9}'


def test_no_row_of_the_test_split_is_shown(task):
    found = opened(task, "v1", "v2")
    assert found.comparison.mcnemar.fixed > 0
    for text in (
        found.model_dump_json(),
        task.read(LEDGER),
        task.read(SHOWN),
        task.read("benchmarks/results/v2_test.json"),
    ):
        assert "test0" not in text
        assert "第1句" not in text


def test_what_valid_said_stands_beside_what_test_says(task):
    report = valid_and_test(opened(task, "v1", "v2"), str)
    assert "| Version | Metric | Valid said | Test says |" in report
    row = next(line for line in report.splitlines() if line.startswith("| v2 | Macro-F1"))
    assert row.count("%") == 2
    assert "Verdict on the locked test set: better." in report


def test_after_the_opening_the_test_comparison_can_be_looked_at_again(task):
    found = opened(task, "v1", "v2")
    assert shown(task.path, "v1", "v2") == found
    assert compare(CompareArgs(task_dir=task.path, base="v1", new="v2", split="test")) == found.comparison
    with pytest.raises(Refused):
        compare(CompareArgs(task_dir=task.path, base="v2", new="v3", split="test"))
    assert len(openings(task.path)) == 1


def test_without_sealed_predictions_nothing_is_opened_and_nothing_entered(claim_task):
    task = claim_task(30)
    found = opened(task, "v1", "v2")
    assert (found.ordinal, found.verdict, found.scores) == (None, "not_comparable", {})
    assert not (task.path / LEDGER).exists()


def test_a_parent_without_sealed_predictions_leaves_one_score_and_no_verdict(claim_task):
    task = claim_task(60)
    task.sealed("v2", {1: range(5)})
    found = opened(task, "v1", "v2")
    assert list(found.scores) == ["v2"]
    assert found.verdict == "not_comparable"
    assert "v1" in str(found.notes[0])
    assert "Verdict" in valid_and_test(found, str)


def test_a_baseline_is_opened_alone(task):
    found = opened(task, "", "v1")
    assert found.versions == ["v1"]
    assert "Only v1" in str(found.notes[0])


@pytest.mark.parametrize("damage", [b"", b"open me\n", b"X"])
def test_changed_sealed_predictions_support_no_claim(task, damage):
    path = task.path / "iterations/v2/sealed/test_seed1.sealed"
    path.write_bytes(damage + path.read_bytes()[40:])
    with pytest.raises(Refused, match="changed after they were sealed"):
        opened(task, "v1", "v2")
    assert openings(task.path) == []


def test_predictions_sealed_anew_are_noticed_by_their_hash(task):
    from tools.versioning.sealing import seal

    path = task.path / "iterations/v2/sealed/test_seed1.sealed"
    digest = seal(task.predictions("test", 1, range(11)), path)
    known = training_line("iterations/v2/sealed/test_seed1.sealed", digest)
    task.write("iterations/v2/results.json", json.dumps({"split": "valid", "training": [known]}))
    assert opened(task, "v1", "v2").scores
    seal(task.predictions("test", 1, []), path)
    with pytest.raises(Refused):
        opened(task, "v1", "v2", decision="d2")


def training_line(sealed: str, digest: str) -> dict[str, object]:
    texts = dict.fromkeys(
        ("run_id", "config_hash", "data_hash", "precision", "reason_precision", "adapter_sha256"), "x"
    )
    numbers = dict.fromkeys(("best_step", "best_epoch", "rows_truncated", "minutes"), 1)
    more = dict.fromkeys(("tokens_per_second", "peak_memory_mb", "resumed"), 0)
    flags = {"trained": True, "stopped_early": False, "weights": None}
    return {**texts, **numbers, **more, **flags, "seed": 1, "sealed": sealed, "sealed_sha256": digest}


def test_a_version_name_that_leaves_the_folder_is_refused(task):
    with pytest.raises(InputError):
        opened(task, "v1", "../other/v2")


def test_other_test_rows_are_not_comparable(task):
    from tools.versioning.sealing import seal

    rows = task.predictions("test", 1, [])[:100]
    for seed in SEEDS:
        path = task.path / f"iterations/v2/sealed/test_seed{seed}.sealed"
        seal([row.model_copy(update={"seed": seed}) for row in rows], path)
    assert opened(task, "v1", "v2").verdict == "not_comparable"


def test_only_the_ledger_unpacks_sealed_predictions():
    # Whoever unpacks zlib or base85, or names the line that a sealed file begins with, could read what is sealed.
    allowed = {"tools/versioning/ledger.py", "tools/versioning/sealing.py"}
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("tools", "agent")
        for path in (ROOT / folder).rglob("*.py")
        if _could_unseal(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == allowed
    source = (ROOT / "tools/versioning/sealing.py").read_text(encoding="utf-8")
    assert "decompress" not in source
    assert "b85decode" not in source


def _could_unseal(tree: ast.Module) -> bool:
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    }
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    marked = any(text.startswith("sealed test predictions:") for text in texts)
    return marked or bool(names & {"SEAL_LINE", "b85decode", "a85decode", "decompress", "decompressobj", "zlib"})


def test_the_test_set_is_opened_from_the_step_and_the_command_of_adoption_and_the_end_of_a_night_only():
    callers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("tools", "agent")
        for path in (ROOT / folder).rglob("*.py")
        if "open_test(" in path.read_text(encoding="utf-8") and path.name != "ledger.py"
    }
    assert callers <= {"agent/steps/adopt.py", "agent/manual.py", "agent/overnight/finish.py"}
