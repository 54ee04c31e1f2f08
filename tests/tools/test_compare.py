"""Does a comparison say what the rows say, and no more?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.compare import CompareArgs, compare
from tools.comparing.report import markdown
from tools.errors import InputError, NotFound, Refused
from tools.text import Text, render
from tools.versions import begin_version

SEEDS = (1, 2, 3)


def compared(task, base="v1", new="v2", **more):
    return compare(CompareArgs(task_dir=task.path, base=base, new=new, **more))


def wrong_of(*counts: int, offset: int = 0) -> dict[int, range]:
    return {seed: range(offset, offset + count) for seed, count in zip(SEEDS, counts, strict=False)}


@pytest.fixture
def clear_gain(claim_task):
    """v1 gets 90 of 240 rows wrong, v2 12, in each of three seeds."""
    task = claim_task(240)
    task.version("v1", wrong_of(90, 91, 89))
    task.version("v2", wrong_of(12, 13, 12))
    return task


def test_a_large_gain_on_all_seeds_is_better_and_to_be_adopted(clear_gain):
    found = compared(clear_gain)
    assert found.verdict == "better"
    assert found.recommended == "adopt"
    assert found.reached is True
    assert found.metrics[0].metric == "macro_f1"
    assert found.metrics[0].range is not None
    assert found.metrics[0].range.low > 0
    assert (found.base_seeds, found.new_seeds, found.rows) == (3, 3, 240)


def test_the_reported_scores_are_those_of_the_result_files(clear_gain):
    from tools.read_results import ReadResultsArgs, latest, read_results

    results = read_results(ReadResultsArgs(task_dir=clear_gain.path))
    old, new = latest(results, "v1"), latest(results, "v2")
    for line in compared(clear_gain).metrics:
        assert (line.old, line.new) == (
            pytest.approx(old.metrics[line.metric]),
            pytest.approx(new.metrics[line.metric]),
        )


def test_a_fall_is_worse_and_rolled_back(clear_gain):
    found = compared(clear_gain, "v2", "v1")
    assert (found.verdict, found.recommended) == ("worse", "rollback")
    assert found.metrics[0].difference < 0


def test_swapping_versions_swaps_fixed_and_broken_rows(clear_gain):
    there, back = compared(clear_gain), compared(clear_gain, "v2", "v1")
    assert (there.fixed, there.broken) == (back.broken, back.fixed)
    assert len(there.fixed) == there.mcnemar.fixed == 78


def test_a_small_difference_is_undecided_and_says_what_would_settle_it(claim_task):
    task = claim_task(120)
    task.version("v1", wrong_of(30, 31, 29))
    task.version("v2", {1: range(5, 33), 2: range(5, 32), 3: range(5, 31)})
    found = compared(task)
    assert (found.verdict, found.recommended) == ("undecided", "continue")
    assert found.settling is not None
    assert found.settling.smallest > found.metrics[0].difference
    assert found.settling.rows is None or found.settling.rows > 120


def test_the_same_version_against_itself_is_undecided(clear_gain):
    found = compared(clear_gain, "v1", "v1")
    assert found.verdict == "undecided"
    assert found.mcnemar.fixed == found.mcnemar.broken == 0


def test_other_evaluators_are_not_comparable_whatever_the_scores(claim_task):
    task = claim_task(240)
    task.version("v1", wrong_of(90, 91))
    task.version("v2", wrong_of(2, 3), digest="another evaluator")
    found = compared(task)
    assert (found.verdict, found.recommended) == ("not_comparable", "continue")
    assert found.metrics[0].range is None
    assert any("measured differently" in str(reason) for reason in found.reasons)


def test_a_result_of_another_tool_is_never_a_claim(claim_task):
    task = claim_task(60)
    task.write("iterations/v1/results.json", '{"split": "valid", "macro_f1": 0.5, "accuracy": "51%"}')
    task.version("v2", wrong_of(3))
    found = compared(task)
    assert found.verdict == "not_comparable"
    assert found.metrics[0].old == pytest.approx(0.5)
    assert markdown(found, str)


def test_predictions_that_are_gone_make_versions_not_comparable(clear_gain):
    (clear_gain.path / "benchmarks/results/v1_valid.predictions.jsonl").unlink()
    found = compared(clear_gain)
    assert found.verdict == "not_comparable"
    assert any("No predictions of v1" in str(reason) for reason in found.reasons)


def test_a_version_with_half_of_the_rows_is_not_comparable(clear_gain):
    path = clear_gain.path / "benchmarks/results/v2_valid.predictions.jsonl"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:100]) + "\n", encoding="utf-8")
    assert compared(clear_gain).verdict == "not_comparable"


def test_one_seed_on_each_side_says_that_the_spread_is_unknown(claim_task):
    task = claim_task(240)
    task.version("v1", wrong_of(90))
    task.version("v2", wrong_of(10))
    found = compared(task)
    assert found.noise.floor is None
    assert any("Spread over seeds unknown" in str(reason) for reason in found.reasons)


def test_the_difference_is_also_told_in_units_of_the_noise_floor(clear_gain):
    noise = compared(clear_gain).noise
    assert noise.seeds == 3
    assert noise.floor > 0
    assert noise.units == pytest.approx(compared(clear_gain).metrics[0].difference / noise.floor)


def test_a_class_that_falls_beyond_its_margin_stands_against_better(claim_task):
    task = claim_task(300)
    positive = [n for n in range(300) if n % 3 == 0]
    neutral = [n for n in range(300) if n % 3 == 2]
    task.version("v1", {seed: positive[: 90 + seed] for seed in SEEDS})
    task.version("v2", {seed: neutral[: 45 + seed] for seed in SEEDS})
    found = compared(task)
    line = next(line for line in found.classes if line.label == "中立")
    assert line.difference < -0.05
    assert line.blocks
    assert found.metrics[0].range.low > 0
    assert found.verdict == "undecided"
    assert "beyond its margin" in str(found.reasons[0])


def test_declared_slices_are_protected(claim_task):
    task = claim_task(300)
    task.write("task_definition.yaml", task.read("task_definition.yaml") + "slices: [text]\n")
    short = [n for n in range(300) if n % 7 == 0]
    task.version("v1", {seed: [n for n in range(300) if n not in short][: 150 + seed] for seed in SEEDS})
    task.version("v2", {seed: short[: 30 + seed] for seed in SEEDS})
    found = compared(task)
    blocking = [line for line in found.slices if line.blocks]
    assert any(line.by == "length" for line in blocking)
    assert found.verdict == "undecided"


def test_format_is_told_apart_from_knowledge(claim_task):
    task = claim_task(240)
    task.version("v1", wrong_of(20, 21), unparsed=range(100, 180))
    task.version("v2", wrong_of(20, 21))
    part = compared(task).format
    assert part.new_parse_rate == 1
    assert part.from_format + part.from_knowledge == pytest.approx(80 / 240)
    assert part.from_format > 0.25 > 0.05 > abs(part.from_knowledge)


def test_what_nobody_could_read_is_not_booked_as_missing_knowledge(claim_task):
    task = claim_task(240)
    task.version("v1", wrong_of(20, 21), unparsed=range(240))
    task.version("v2", wrong_of(20, 21))
    report = markdown(compared(task), str)
    assert "the difference is not split" in report
    assert "points come from format" not in report


def test_targets_are_judged_on_valid_and_said_so(clear_gain):
    found = compared(clear_gain, "v1", "v1")
    assert found.targets[0].reached is False
    assert "valid says" in markdown(found, str)


def test_better_without_reaching_the_target_goes_on_from_the_new_version(claim_task):
    task = claim_task(240)
    task.version("v1", wrong_of(150, 149, 151))
    task.version("v2", wrong_of(70, 71, 69))
    found = compared(task)
    assert (found.verdict, found.recommended) == ("better", "continue")
    assert "v2" in str(found.recommendation)


def test_an_unknown_version_is_answered_with_those_there_are(clear_gain):
    with pytest.raises(NotFound) as error:
        compared(clear_gain, "v1", "v9")
    assert "v1, v2" in str(error.value.hint)
    with pytest.raises(InputError):
        compared(clear_gain, "../v1", "v2")


def test_a_version_without_a_result_says_how_to_get_one(clear_gain):
    begin_version(clear_gain.path, "v3", parent="v2", config_text="training:\n  epochs: 4\n")
    with pytest.raises(NotFound, match="v3 has no result"):
        compared(clear_gain, "v2", "v3")


def test_the_test_split_cannot_be_compared_before_it_is_opened(clear_gain):
    clear_gain.sealed("v1", wrong_of(50))
    clear_gain.sealed("v2", wrong_of(10))
    with pytest.raises(Refused):
        compared(clear_gain, split="test")


def test_comparing_writes_nothing(clear_gain):
    before = {path: path.read_bytes() for path in clear_gain.path.rglob("*") if path.is_file()}
    compared(clear_gain)
    assert before == {path: path.read_bytes() for path in clear_gain.path.rglob("*") if path.is_file()}


def test_the_report_has_the_shape_of_the_specification(clear_gain):
    begin_version(clear_gain.path, "v1", parent=None, config_text="lora:\n  r: 32\n")
    begin_version(clear_gain.path, "v2", parent="v1", config_text="lora:\n  r: 64\n")
    lines = markdown(compared(clear_gain), str).splitlines()
    assert lines[0] == "# Version comparison: v1 → v2"
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == ["## Changes", "## Performance", "## Classes", "## Statistics", "## Decision"]
    assert "- LoRA rank: 32 → 64" in lines
    assert "| Metric | v1 | v2 | Change |" in lines
    assert any(line.startswith("| Macro-F1 | 62.") and line.endswith("✅ |") for line in lines)
    assert any(line.startswith("| 中立 | ") and line.count("|") == 5 for line in lines)
    assert any("(support 80)" in line for line in lines)
    assert lines[-1].startswith("✅ Verdict: better. Recommended: adopt v2")


def test_the_report_can_be_told_in_another_language(clear_gain):
    words = {"Changes": "改動摘要", "Performance": "效能比較", "Macro-F1": "Macro-F1", "better": "更好"}

    def say(text: Text) -> str:
        return render(text, lambda msgid: words.get(msgid, msgid))

    report = markdown(compared(clear_gain), say)
    assert "## 改動摘要" in report
    assert "更好" in report


def test_a_label_with_a_pipe_does_not_break_the_table(claim_task):
    from tools.comparison import ClassLine

    found = compared(_two_versions(claim_task()))
    odd = ClassLine(metric="f1[a|b]", label="a|b\n\x1b[31m", old=0.5, new=0.6)
    row = next(
        line for line in markdown(found.model_copy(update={"classes": [odd]}), str).splitlines() if "a\\|b" in line
    )
    assert "\x1b" not in row


def test_hundreds_of_fixed_rows_do_not_fill_the_report(claim_task):
    task = claim_task(240)
    task.version("v1", wrong_of(200))
    task.version("v2", wrong_of(1))
    line = next(line for line in markdown(compared(task), str).splitlines() if line.startswith("- Fixed rows"))
    assert "(199)" in line
    assert "179 more" in line


def test_an_extraction_is_compared_per_document_and_field(tmp_path):
    from tools.comparing.paired_comparison import Setting, Side, compare_sides

    definition, sides = extraction(old_wrong=40, new_wrong=5)
    found = compare_sides(Setting(definition=definition, split="valid"), *(Side(*side) for side in sides))
    assert found.verdict == "better"
    assert found.judged_metric == "field_score"
    assert {line.label for line in found.classes} == {"a", "b"}
    assert next(line for line in found.classes if line.label == "b").difference == pytest.approx(0)
    assert "| Field | v1 score | v2 score | Change |" in markdown(found, str)


def test_a_primary_metric_without_a_paired_test_is_replaced_and_named():
    from tools.comparing.paired_comparison import Setting, Side, compare_sides
    from tools.task import Target

    definition, sides = extraction(old_wrong=40, new_wrong=5)
    judged = definition.model_copy(update={"targets": [Target(metric="judged_quality", threshold=0.9)]})
    found = compare_sides(Setting(definition=judged, split="valid"), *(Side(*side) for side in sides))
    assert (found.primary_metric, found.judged_metric) == ("judged_quality", "field_score")
    assert any("no paired test" in str(reason) for reason in found.reasons)
    assert found.targets[0].reached is None


def extraction(old_wrong: int, new_wrong: int):
    from tools.results import Prediction
    from tools.scoring.evaluator import evaluator_hash
    from tools.scoring.metrics import score_row, split_result
    from tools.task import AnswerFormat, TaskDefinition

    answer = AnswerFormat(type="json", fields=["a", "b"])
    definition = TaskDefinition(
        task_name="doc", task_type="extraction", template="{text}", input_fields=["text"], answer=answer
    )

    def predictions(seed: int, wrong: int) -> list[Prediction]:
        rows = []
        for n in range(100):
            expected, parsed = {"a": str(n), "b": "x"}, {"a": "?" if n < wrong else str(n), "b": "x"}
            correct, score = score_row("extraction", answer, expected, parsed)
            fields = {"id": str(n), "seed": seed, "input": {"text": "t" * n}, "raw": ""}
            rows.append(Prediction(**fields, expected=expected, parsed=parsed, correct=correct, score=score))
        return rows

    sides = []
    for version, wrong in (("v1", old_wrong), ("v2", new_wrong)):
        by_seed = {seed: predictions(seed, wrong + seed) for seed in (0, 1)}
        digest = evaluator_hash("extraction", answer, ((row.id, row.expected) for row in by_seed[0]))
        result = split_result(definition, version, "valid", by_seed, digest, None)
        sides.append((result, [row for rows in by_seed.values() for row in rows]))
    return definition, sides


def _two_versions(task):
    task.version("v1", wrong_of(30))
    task.version("v2", wrong_of(20))
    return task


def test_a_task_folder_can_be_moved_and_compared_again(clear_gain, tmp_path):
    before = compared(clear_gain)
    moved = Path(shutil.move(clear_gain.path, tmp_path / "elsewhere" / "mood"))
    assert compare(CompareArgs(task_dir=moved, base="v1", new="v2")) == before


@pytest.fixture
def other_prompt(claim_task):
    """v2 asks the weights of v1 another way, with the first of its three seeds: 14 rows more are right, none is broken."""
    task = claim_task(240)
    task.version("v1", wrong_of(90, 60, 120))
    task.version("v2", wrong_of(76))
    task.trained("v1", {1: "a", 2: "b", 3: "c"})
    task.trained("v2", {1: "a"})
    return task


def test_a_prompt_asked_of_the_same_weights_is_not_charged_with_the_luck_of_trainings(other_prompt):
    found = compared(other_prompt)
    assert found.same_weights == [1]
    assert (found.base_seeds, found.new_seeds) == (1, 1)
    assert found.verdict == "better", "14 rows fixed and none broken; with a spread over seeds it would be undecided"
    assert found.noise.floor is None
    said = " ".join(str(reason) for reason in found.reasons)
    assert "same weights (seeds 1)" in said
    assert "Spread over seeds unknown" not in said


def test_only_the_seeds_with_the_same_weights_stand_beside_each_other(other_prompt):
    accuracy = next(line for line in compared(other_prompt).metrics if line.metric == "accuracy")
    assert (accuracy.old, accuracy.new) == (pytest.approx(150 / 240), pytest.approx(164 / 240))


def test_trainings_are_compared_as_trainings_although_some_weights_are_the_same(other_prompt):
    other_prompt.version("v3", wrong_of(76, 50))
    other_prompt.trained("v3", {1: "a", 2: "other"})
    found = compared(other_prompt, "v1", "v3")
    assert (found.same_weights, found.base_seeds, found.new_seeds) == ([], 3, 2)


def test_more_rows_and_not_more_seeds_would_settle_another_prompt(other_prompt):
    other_prompt.version("v3", {1: range(2, 91)})
    other_prompt.trained("v3", {1: "a"})
    report = markdown(compared(other_prompt, "v1", "v3"), str)
    assert "with 80% probability" in report
    assert "seeds of each version" not in report


def test_base_models_that_nobody_trained_have_no_luck_of_trainings_either(claim_task):
    task = claim_task(240)
    for version, wrong in (("v1", 90), ("v2", 76)):
        task.version(version, {42: range(wrong)})
        task.trained(version, {42: ""}, trained=False)
    assert compared(task).same_weights == [42]
