from __future__ import annotations

import pytest

from tools.errors import Problem
from tools.evidence.configuration import bad_rows, problem_findings
from tools.evidence.coverage import (
    no_results,
    rows_to_see,
    small_evaluation,
    smallest_visible,
    unknown_split,
    unseen_classes,
    validation_split,
)
from tools.evidence.data_size import too_few_rows
from tools.finding import FindingKind, Severity
from tools.text import T

LOW = {"pos": 0.66, "neg": 0.65, "neu": 0.64}


def problem(kind, **given):
    return Problem(message=T("Something is wrong."), path="configs/training_config.yaml", kind=kind, **given)


@pytest.mark.parametrize("kind", ["config_unknown_key", "config_renamed_key", "config_mistyped_value"])
def test_a_slip_of_the_configuration_becomes_a_warning_with_its_repair(case, kind):
    about = {"key": "training.warmup_ratio", "fix_path": ["training", "warmup"], "fix_value": 0.1}
    [finding] = problem_findings(case(problems=[problem(kind, about=about, value="0.1", line=7)]))
    assert finding.kind is FindingKind(kind)
    assert finding.severity is Severity.warning
    assert finding.about == about
    assert [fact.value for fact in finding.facts] == ["0.1", 7]


def test_a_value_given_in_both_files_is_information(case):
    [finding] = problem_findings(case(problems=[problem("config_conflict")]))
    assert finding.severity is Severity.info


def test_a_file_that_cannot_be_read_is_an_error(case):
    [finding] = problem_findings(case(problems=[problem("broken_yaml")]))
    assert (finding.kind, finding.severity) == (FindingKind.unreadable_file, Severity.error)


def test_a_task_without_problems_has_no_such_findings(case):
    assert problem_findings(case()) == []
    assert bad_rows(case()) == []


def row_problem(line, what="broken_json", path="data/train.jsonl", **about):
    return Problem(
        message=T("The line is not usable JSON."),
        path=path,
        line=line,
        value="the text of the row",
        kind="bad_rows",
        about={"what": what, **about},
    )


def test_faulty_rows_are_one_finding_per_file_and_sort_with_their_number(case):
    found = bad_rows(
        case(problems=[row_problem(3), row_problem(9), row_problem(None, more=4), row_problem(5, "unknown_label")])
    )
    assert [(one.about["what"], one.about["count"]) for one in found] == [("broken_json", 6), ("unknown_label", 1)]
    assert found[0].about["lines"] == [3, 9]
    assert {one.severity for one in found} == {Severity.warning}


def test_faulty_rows_of_test_are_counted_but_not_shown(case):
    [finding] = bad_rows(case(test_problems=[row_problem(3, path="data/test.jsonl")]))
    assert finding.about["lines"] == [3]
    assert "the text of the row" not in finding.model_dump_json()


def test_rows_that_were_read_rightly_all_the_same_are_information(case):
    encoding = row_problem(1, "encoding").model_copy(update={"kind": None})
    found = bad_rows(case(problems=[row_problem(3, "label_variant"), encoding]))
    assert {one.severity for one in found} == {Severity.info}


def test_rows_without_an_answer_are_counted_as_information(case):
    bare = row_problem(None, "unlabelled", count=170).model_copy(update={"kind": None})
    [finding] = bad_rows(case(problems=[bare]))
    assert (finding.severity, finding.about["count"]) == (Severity.info, 170)


def test_many_faulty_rows_are_an_error(case):
    [finding] = bad_rows(case(problems=[row_problem(1), row_problem(None, more=300)]))
    assert finding.severity is Severity.error


def test_a_task_without_results_says_so(case):
    assert [one.kind for one in no_results(case(class_f1=None))] == [FindingKind.no_results]
    assert no_results(case()) == []


def test_locked_results_are_information_unless_they_are_all_there_is(case):
    [beside] = unknown_split(case(locked=["benchmarks/results/old.json"]))
    [alone] = unknown_split(case(class_f1=None, locked=["benchmarks/results/old.json"]))
    assert (beside.severity, alone.severity) == (Severity.info, Severity.warning)
    assert beside.about["files"] == ["benchmarks/results/old.json"]
    assert unknown_split(case()) == []


def test_a_carved_validation_split_is_information_and_none_at_all_an_error(case):
    carved = case()
    carved = case(valid=carved.valid.rows)
    object.__setattr__(carved, "valid", carved.valid.model_copy(update={"carved": True}))
    assert [one.severity for one in validation_split(carved)] == [Severity.info]
    assert [one.severity for one in validation_split(case(valid=[]))] == [Severity.error]
    assert validation_split(case()) == []


def test_a_small_validation_split_says_what_it_could_see(case):
    [tiny] = small_evaluation(case(valid={"pos": 30}))
    [small] = small_evaluation(case(valid={"pos": 60, "neg": 60}))
    assert (tiny.severity, small.severity) == (Severity.warning, Severity.info)
    assert tiny.about["visible"] == pytest.approx(0.162, abs=0.001)
    assert small_evaluation(case(valid={"pos": 400})) == []


def test_the_visible_step_agrees_with_the_power_that_was_computed_exactly():
    assert smallest_visible(300) == pytest.approx(0.05, abs=0.005)
    assert smallest_visible(2000) == pytest.approx(0.02, abs=0.002)
    assert smallest_visible(0) == 1
    assert smallest_visible(rows_to_see(0.05)) == pytest.approx(0.05, abs=0.001)


def test_a_class_that_validation_lacks_cannot_be_measured(case):
    assert [one.about["label"] for one in unseen_classes(case(valid={"pos": 300, "neg": 300}))] == ["neu"]
    assert unseen_classes(case()) == []


def test_few_rows_are_information_and_very_few_a_warning_only_when_the_target_is_missed(case):
    assert [one.severity for one in too_few_rows(case(train={"pos": 340}, class_f1=LOW))] == [Severity.info]
    [very] = too_few_rows(case(train={"pos": 30, "neg": 30}, class_f1=LOW))
    assert very.severity is Severity.warning
    assert very.lost == pytest.approx(0.15 * (1 - 60 / 500))
    assert too_few_rows(case(train={"pos": 60})) == []
    assert too_few_rows(case(train={"pos": 500}, class_f1=LOW)) == []
