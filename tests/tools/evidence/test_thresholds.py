from __future__ import annotations

from tools.evidence.thresholds import Thresholds, read_thresholds


def test_the_numbers_of_the_specification_are_the_defaults():
    limits = Thresholds()
    assert (limits.min_class_f1, limits.min_train_rows, limits.min_lora_rank) == (0.60, 500, 32)


def test_a_task_can_override_a_threshold():
    limits, problems = read_thresholds({"min_class_f1": 0.7})
    assert limits.min_class_f1 == 0.7
    assert limits.min_train_rows == 500
    assert problems == []


def test_an_unknown_threshold_is_reported_with_the_nearest_name():
    limits, problems = read_thresholds({"min_clas_f1": 0.7})
    assert limits == Thresholds()
    assert [problem.kind for problem in problems] == ["config_unknown_key"]
    assert "min_class_f1" in str(problems[0].hint)
    assert "min_class_f1" in problems[0].choices


def test_a_name_like_nothing_known_lists_the_choices():
    _, problems = read_thresholds({"zzzzzz\x1b": 1})
    assert "min_lora_rank" in str(problems[0].hint)
    assert "\x1b" not in str(problems[0].message)


def test_an_impossible_value_keeps_the_default_and_all_problems_are_named_at_once():
    limits, problems = read_thresholds(
        {"min_class_f1": 60, "max_leak": float("nan"), "nonsense": 1, "min_lora_rank": 8}
    )
    assert limits == Thresholds(min_lora_rank=8)
    assert {problem.about["key"] for problem in problems} == {
        "diagnosis.min_class_f1",
        "diagnosis.max_leak",
        "diagnosis.nonsense",
    }
