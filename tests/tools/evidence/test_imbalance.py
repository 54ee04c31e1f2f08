from __future__ import annotations

from tools.evidence.imbalance import missing_classes, scarce_classes
from tools.evidence.per_class import low_overall, weak_class_findings
from tools.finding import FindingKind, Severity
from tools.results import ClassScore
from tools.task import AnswerFormat, Target

WEAK = {"pos": 0.75, "neg": 0.73, "neu": 0.40}
SCARCE = {"pos": 165, "neg": 130, "neu": 45}


def test_a_scarce_class_that_is_weak_is_found_with_its_numbers(case):
    [finding] = scarce_classes(case(train=SCARCE, class_f1=WEAK))
    assert finding.kind is FindingKind.class_imbalance
    assert finding.severity is Severity.warning
    assert finding.about["label"] == "neu"
    assert finding.about["train_rows"] == 45
    assert round(finding.about["ratio"], 1) == 3.7
    assert finding.lost == (0.74 - 0.40) / 3
    assert "13%" in str(finding.detail)


def test_a_scarce_class_that_is_recognised_well_is_no_fault(case):
    assert scarce_classes(case(train=SCARCE, class_f1={"pos": 0.7, "neg": 0.7, "neu": 0.75})) == []


def test_nothing_is_said_of_scarcity_when_the_target_is_met(case):
    assert scarce_classes(case(train=SCARCE, class_f1={"pos": 0.99, "neg": 0.99, "neu": 0.59})) == []


def test_a_class_with_a_quarter_of_the_rows_of_three_is_not_scarce(case):
    assert scarce_classes(case(train={"pos": 133, "neg": 117, "neu": 83}, class_f1=WEAK)) == []


def test_a_class_that_validation_has_far_more_of_is_scarce(case):
    found = scarce_classes(
        case(train={"pos": 240, "neg": 240, "neu": 120}, valid={"pos": 50, "neg": 50, "neu": 140}, class_f1=WEAK)
    )
    assert [finding.about["label"] for finding in found] == ["neu"]


def test_a_small_validation_split_raises_no_alarm_by_chance(case):
    found = scarce_classes(
        case(train={"pos": 60, "neg": 60, "neu": 30}, valid={"pos": 5, "neg": 5, "neu": 5}, class_f1=WEAK)
    )
    assert found == []


def test_class_weights_and_oversampling_count_as_seen_rows(case):
    weighted = {"lora": {"r": 32}, "training": {"class_weights": {"neu": 3.0}}}
    repeated = {"lora": {"r": 32}, "data": {"oversample": {"neu": 140}}}
    assert scarce_classes(case(train=SCARCE, class_f1=WEAK, config=weighted)) == []
    assert scarce_classes(case(train=SCARCE, class_f1=WEAK, config=repeated)) == []


def test_before_any_result_scarcity_is_only_information(case):
    [finding] = scarce_classes(case(train=SCARCE, class_f1=None))
    assert finding.severity is Severity.info


def test_a_class_that_validation_expects_and_train_lacks_is_an_error(case):
    found = missing_classes(case(train={"pos": 100, "neg": 100}))
    assert [(one.severity, one.about["label"], one.about["valid_rows"]) for one in found] == [
        (Severity.error, "neu", 70)
    ]
    assert found[0].rows
    assert found[0].rows[0].startswith("v")


def test_a_declared_class_that_no_split_has_is_only_information(case):
    found = missing_classes(case(train={"pos": 100, "neg": 100}, valid={"pos": 50, "neg": 50}))
    assert [one.severity for one in found] == [Severity.info]


def test_no_class_is_missing_when_all_are_there(case):
    assert missing_classes(case()) == []


def test_labels_inside_objects_are_counted(case, row):
    answer = AnswerFormat(type="json", fields=["mood"], label_field="mood", labels=["pos", "neg"])
    train = [row(f"t{n}", f"text number {n}", {"mood": "pos"}) for n in range(5)]
    found = missing_classes(case(answer=answer, train=train, valid={"neg": 3}))
    assert [one.about["label"] for one in found] == ["neg"]


def test_a_weak_class_is_found_with_what_the_proposer_needs(case):
    found = weak_class_findings(case(train=SCARCE, class_f1=WEAK))
    assert [one.about["label"] for one in found] == ["neu"]
    assert set(found[0].about) >= {"label", "f1", "train_share", "train_rows", "support"}
    assert found[0].severity is Severity.warning
    assert {fact.threshold for fact in found[0].facts} >= {0.60}


def test_weak_classes_are_only_named_when_the_target_is_missed(case):
    assert weak_class_findings(case(class_f1=WEAK, targets=[Target(metric="macro_f1", threshold=0.5)])) == []


def test_a_class_ten_points_below_the_mean_is_weak_even_above_sixty_percent(case):
    found = weak_class_findings(case(class_f1={"pos": 0.80, "neg": 0.80, "neu": 0.62}))
    assert [one.about["label"] for one in found] == ["neu"]


def test_classes_that_are_all_equally_low_are_not_warned_of_one_by_one(case):
    found = weak_class_findings(case(class_f1={"pos": 0.50, "neg": 0.52, "neu": 0.51}))
    assert {one.severity for one in found} == {Severity.info}


def test_a_class_of_four_rows_is_information_since_one_row_moves_it(case, result):
    weak = result(WEAK)
    weak = weak.model_copy(update={"per_class": {**weak.per_class, "neu": ClassScore(f1=0.4, support=4)}})
    assert [one.severity for one in weak_class_findings(case(result=weak))] == [Severity.info]


def test_a_task_of_many_classes_gets_its_worst_not_all(case):
    scores = {f"intent{n}": 0.3 + n / 200 for n in range(40)}
    found = weak_class_findings(case(labels=list(scores), class_f1=scores))
    assert [one.about["label"] for one in found] == ["intent0", "intent1", "intent2"]


def test_the_class_limit_of_a_task_is_used(case):
    assert weak_class_findings(case(class_f1={"pos": 0.7, "neg": 0.7, "neu": 0.65}, thresholds={"min_class_f1": 0.68}))


def test_the_missed_target_itself_names_metric_value_and_gap(case):
    [finding] = low_overall(case(class_f1={"pos": 0.7, "neg": 0.7, "neu": 0.7}))
    assert finding.about["metric"] == "macro_f1"
    assert round(finding.about["gap"], 6) == 0.1
    assert low_overall(case()) == []


def test_without_a_target_a_weak_class_is_still_named(case):
    assert weak_class_findings(case(class_f1=WEAK, targets=[]))


def test_no_class_is_called_weak_while_most_answers_cannot_be_read(case):
    usual = case(class_f1=WEAK)
    assert weak_class_findings(usual)
    metrics = usual.result.metrics | {"parse_rate": 0.03}
    assert weak_class_findings(case(result=usual.result.model_copy(update={"metrics": metrics}))) == []
