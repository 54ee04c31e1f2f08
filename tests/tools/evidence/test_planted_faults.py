"""Each usual fault, planted into an otherwise healthy task with the traces it leaves, must be the first finding."""

from __future__ import annotations

from math import exp
from typing import Any

import pytest

from tools.diagnose import diagnose_task
from tools.errors import Problem
from tools.evidence.case import Case
from tools.finding import FindingKind, Severity
from tools.reading.task import SplitRead
from tools.results import ClassScore, History, ResultFiles
from tools.task import AnswerFormat, Target
from tools.text import T

K = FindingKind
STEPS = 100
CONVERGED = [(25, 0.42, 0.55), (50, 0.30, 0.68), (75, 0.27, 0.72), (100, 0.28, 0.71)]
OVER = [(10, 0.40, 0.60), (20, 0.31, 0.67), (40, 0.45, 0.66), (60, 0.62, 0.67), (80, 0.85, 0.65), (100, 1.02, 0.65)]
PARSED = {
    ("pos", "pos"): 60,
    ("neg", "neg"): 60,
    ("neu", "neu"): 55,
    ("neu", "pos"): 12,
    ("pos", "neg"): 10,
    ("neg", "pos"): 8,
}


def learned(floor=0.04):
    """First the format, quickly, then the answers, slowly."""
    return [floor + 2.5 * exp(-n / 4) + 0.4 * exp(-n / 22) for n in range(STEPS)]


def diagnosis(evidence: Case):
    history = {"v1": evidence.history} if evidence.history else {}
    results = ResultFiles(
        results=[evidence.result] if evidence.result else [], histories=history, locked=evidence.locked
    )
    splits = {
        "train": SplitRead(split=evidence.train, problems=evidence.problems),
        "valid": SplitRead(split=evidence.valid, problems=[]),
        "test": SplitRead(split=evidence.test, problems=[]),
    }
    return diagnose_task(evidence.task, results, splits=splits, predictions=evidence.predictions)


def kinds(evidence: Case, at_least: Severity = Severity.warning):
    shown = {Severity.error, at_least}
    return [finding.kind for finding in diagnosis(evidence).findings if finding.severity in shown]


@pytest.fixture
def planted(case, history, predictions, result, rows, row):
    """The scenarios by name: keywords for `case`."""
    small = {"lora": {"r": 16, "alpha": 32}}
    usual: dict[str, Any] = {
        "train": {"pos": 140, "neg": 140, "neu": 120},
        "valid": {"pos": 80, "neg": 80, "neu": 80},
        "config": small,
    }
    good = history(learned(), CONVERGED)
    middling = {"pos": 0.74, "neg": 0.72, "neu": 0.66}
    sparse = {("pos", "pos"): 60, ("neg", "neg"): 60, ("neu", "neu"): 12, ("neu", "pos"): 40, ("neu", "neg"): 28}
    bad_shape = Problem(
        message=T("The answer must be a JSON object."),
        path="data/train.jsonl",
        line=2,
        kind="bad_rows",
        about={"what": "answer_shape"},
    )
    twice = [
        row(f"tt{n}", f"the very same question number {n} is asked twice", label)
        for n in range(45)
        for label in ("pos", "neg")
    ]
    again = [
        row(f"tr{n}", f"the very same question number {n} is asked twice", "pos") for n in range(30) for _ in range(2)
    ]
    copies = [
        row(f"tc{n}", one.fields["text"] + "!", one.answer) for n, one in enumerate(rows(usual["valid"], "v")[::6])
    ]
    few_steps = [1.6 + 1.5 * exp(-n / 6) for n in range(16)]
    return {
        "imbalance": dict(
            train={"pos": 190, "neg": 190, "neu": 19},
            class_f1={"pos": 0.72, "neg": 0.70, "neu": 0.24},
            history=good,
            predictions=predictions(sparse),
        ),
        "mild imbalance against validation": dict(
            train={"pos": 165, "neg": 130, "neu": 45},
            valid={"pos": 96, "neg": 88, "neu": 56},
            class_f1={"pos": 0.75, "neg": 0.72, "neu": 0.52},
            history=good,
        ),
        "hardly trained": dict(
            result=result({"pos": 0.38, "neg": 0.30, "neu": 0.05}, parse_rate=0.7),
            history=history([2.9 - 0.9 * n / STEPS for n in range(STEPS)], [(50, 2.4, 0.2), (100, 2.1, 0.24)]),
            predictions=predictions(
                {("pos", "pos"): 50, ("neg", "pos"): 60, ("neu", "pos"): 60, ("neu", None): 70}, failure="extra_text"
            ),
            config={"lora": {"r": 2, "alpha": 4}},
        ),
        "stopped too early": dict(
            class_f1={"pos": 0.60, "neg": 0.55, "neu": 0.47},
            history=history(learned(0.3), [(50, 0.38, 0.41), (100, 0.33, 0.54)]),
            config={"lora": {"r": 8, "alpha": 16}},
        ),
        "trained too long": dict(
            class_f1=middling, history=history([2.9 * exp(-n / 6) + 0.002 for n in range(STEPS)], OVER)
        ),
        "other shape in train": dict(
            train={"pos": 70, "neg": 70, "neu": 60},
            problems=[
                bad_shape,
                bad_shape.model_copy(update={"line": None, "about": {"what": "answer_shape", "more": 199}}),
            ],
            result=result({"pos": 0.45, "neg": 0.45, "neu": 0.40}, parse_rate=0.6, macro_f1_parsed=0.75),
            predictions=predictions({**PARSED, ("pos", None): 130}, failure="missing_field"),
            history=good,
        ),
        "no end token at evaluation": dict(
            result=result({"pos": 0.35, "neg": 0.35, "neu": 0.30}, parse_rate=0.5, macro_f1_parsed=0.8),
            predictions=predictions({**PARSED, ("pos", None): 200}, failure="extra_text"),
            history=good,
        ),
        "cut by max_length": dict(
            result=result({"pos": 0.40, "neg": 0.40, "neu": 0.35}, parse_rate=0.55),
            history=history(learned(), CONVERGED, train_tokens_cut=170),
            predictions=predictions({**PARSED, ("pos", None): 160}, failure="cut_off"),
        ),
        "sixty rows": dict(
            train={"pos": 20, "neg": 20, "neu": 20},
            class_f1={"pos": 0.50, "neg": 0.45, "neu": 0.30},
            history=history(few_steps, [(4, 2.2, 0.2), (8, 1.9, 0.3), (12, 1.7, 0.35), (16, 1.66, 0.42)]),
        ),
        "sixty rows learned by heart": dict(
            train={"pos": 20, "neg": 20, "neu": 20},
            class_f1=middling,
            history=history([2.9 * exp(-n / 6) for n in range(STEPS)], OVER),
        ),
        "validation rows in train": dict(train=[*rows(usual["train"], "t"), *copies], history=good),
        "validation rows in train, target missed": dict(
            train=[*rows(usual["train"], "t"), *copies], class_f1=middling, history=good
        ),
        "rows repeated": dict(train=[*rows(usual["train"], "t"), *again], history=good),
        "rows contradict each other": dict(
            train=[*rows({"pos": 110, "neg": 110, "neu": 90}, "t"), *twice],
            class_f1=middling,
            history=history(learned(0.2), CONVERGED),
        ),
        "a class is missing": dict(
            train={"pos": 200, "neg": 200},
            class_f1={"pos": 0.66, "neg": 0.64, "neu": 0.0},
            history=good,
            predictions=predictions(sparse),
        ),
        "diverged": dict(
            class_f1={"pos": 0.4, "neg": 0.3, "neu": 0.1},
            history=history(
                [2.9 - 2.4 * min(n, 100 - n) / 50 for n in range(STEPS)], [(50, 0.6, 0.6), (100, 2.2, 0.3)]
            ),
        ),
        "became NaN": dict(
            class_f1={"pos": 0.4, "neg": 0.3, "neu": 0.1}, history=history([2.0, 1.5, None, None, None])
        ),
    } | {"usual": usual}


EXPECTED = {
    "imbalance": K.class_imbalance,
    "mild imbalance against validation": K.class_imbalance,
    "hardly trained": K.underfitting,
    "stopped too early": K.underfitting,
    "trained too long": K.overfitting,
    "other shape in train": K.output_format,
    "no end token at evaluation": K.output_format,
    "cut by max_length": K.truncated,
    "sixty rows": K.too_few_rows,
    "sixty rows learned by heart": K.too_few_rows,
    "validation rows in train": K.split_leak,
    "validation rows in train, target missed": K.split_leak,
    "rows repeated": K.duplicate_rows,
    "rows contradict each other": K.inconsistent_labels,
    "a class is missing": K.missing_class,
    "diverged": K.unstable_training,
    "became NaN": K.unstable_training,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_planted_fault_is_the_first_finding(case, planted, name):
    found = diagnosis(case(**{**planted["usual"], **planted[name]}))
    assert not found.healthy
    assert found.findings[0].kind is EXPECTED[name], [
        (one.kind.value, one.severity.value, one.lost) for one in found.findings
    ]


def test_two_faults_are_both_among_the_first_three(case, planted):
    both = {**planted["usual"], **planted["imbalance"], "problems": planted["other shape in train"]["problems"]}
    first = kinds(case(**both))[:3]
    assert {K.class_imbalance, K.output_format} <= set(first)


def test_the_first_cause_of_unparsed_answers_is_named_when_train_is_mixed(case, planted):
    found = diagnosis(case(**{**planted["usual"], **planted["other shape in train"]})).findings
    assert found[0].about["where"] == "train"
    assert [one.explained_by for one in found if one.about.get("where") == "answers"] == [K.output_format]


HEALTHY = {
    "plain": {},
    "few rows and a low rank, but the target is met": {
        "train": {"pos": 60, "neg": 60, "neu": 50},
        "config": {"lora": {"r": 4, "alpha": 8}},
    },
    "a scarce class that is recognised": {"train": {"pos": 200, "neg": 200, "neu": 30}},
    "one odd answer": {"odd": True},
    "one repeated row": {"repeat": True},
    "validation loss rises a little at the end": {
        "evals": [(25, 0.42, 0.70), (50, 0.30, 0.80), (75, 0.33, 0.83), (100, 0.40, 0.84)]
    },
    "no history at all": {"history": None},
    "locked test results beside": {"locked": ["benchmarks/results/v1_test.json"]},
    "two seeds": {"seeds": True},
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_task_has_nothing_to_fix(case, history, predictions, result, rows, row, name):
    given = dict(HEALTHY[name])
    evals = given.pop("evals", CONVERGED)
    made = predictions({**PARSED, ("pos", None): 1} if given.pop("odd", False) else PARSED)
    if given.pop("repeat", False):
        train = rows({"pos": 140, "neg": 140, "neu": 120}, "t")
        given["train"] = [*train, train[0].model_copy(update={"id": "tagain"})]
    if given.pop("seeds", False):
        one, two = (history(learned(), CONVERGED, seed=seed).points for seed in (1, 2))
        given["history"] = History(points=[*one, *two])
        given["result"] = result({"pos": 0.85, "neg": 0.84, "neu": 0.83}).model_copy(
            update={"seeds": {"1": {"macro_f1": 0.86}, "2": {"macro_f1": 0.82}}}
        )
    given.setdefault("history", history(learned(), evals))
    found = diagnosis(case(predictions=made, **given))
    assert [one.kind for one in found.findings if one.severity is not Severity.info] == []
    assert found.healthy


def test_a_healthy_extraction_task_has_nothing_to_fix(case, row, result):
    answer = AnswerFormat(type="json", fields=["who", "gist"], long_fields=["gist"])
    train, valid = (
        [
            row(
                f"{split}{n}",
                f"Letter {n * 7919 % 1009} {split} of the {n}th office about road {n * n}",
                {"who": f"{split}{n}", "gist": f"road {n}"},
            )
            for n in range(rows)
        ]
        for split, rows in (("t", 160), ("v", 60))
    )
    scores = result({}, field_score=0.9, parse_rate=1.0)
    target = [Target(metric="field_score", threshold=0.85)]
    assert (
        kinds(
            case(
                task_type="extraction", answer=answer, train=train, valid=valid, test=[], result=scores, targets=target
            )
        )
        == []
    )


def test_few_rows_are_the_explanation_when_nothing_else_is(case, history):
    low = dict(train={"pos": 60, "neg": 60, "neu": 60}, class_f1={"pos": 0.70, "neg": 0.70, "neu": 0.70})
    found = diagnosis(case(history=history(learned(), CONVERGED), **low)).findings
    assert (found[0].kind, found[0].severity) == (K.too_few_rows, Severity.warning)
    assert K.low_overall not in [one.kind for one in found]


def test_a_missed_target_without_any_cause_is_low_overall(case, history):
    found = diagnosis(
        case(class_f1={"pos": 0.70, "neg": 0.70, "neu": 0.70}, history=history(learned(), CONVERGED))
    ).findings
    assert found[0].kind is K.low_overall


def test_a_task_without_results_is_not_called_healthy(case):
    found = diagnosis(case(class_f1=None))
    assert not found.healthy
    assert found.findings[0].kind is K.no_results
    assert found.version is None


def test_every_finding_has_a_page_and_a_machine_readable_subject(case, planted):
    for name in EXPECTED:
        for finding in diagnosis(case(**{**planted["usual"], **planted[name]})).findings:
            assert finding.about, finding.kind
            assert finding.page.partition("/")[0] in {"troubleshooting", "methods"}
            assert str(finding.title)
            assert str(finding.detail)
            finding.model_dump_json()


def test_the_recipe_counts_so_that_excluded_rows_are_no_longer_complained_of(case, rows, row):
    train = [
        *rows({"pos": 20, "neg": 20}, "t"),
        *[row(f"ta{n}", "the same question again and again", "pos") for n in range(4)],
    ]
    mended = {"lora": {"r": 32}, "data": {"exclude": ["ta1", "ta2", "ta3"]}}
    assert K.duplicate_rows in kinds(case(train=train))
    assert K.duplicate_rows not in kinds(case(train=train, config=mended), Severity.info)


def test_scores_of_a_class_without_a_known_support_are_judged_by_the_validation_rows(case, result):
    scores = result({"pos": 0.75, "neg": 0.73, "neu": 0.40})
    bare = {label: ClassScore(f1=score.f1) for label, score in scores.per_class.items()}
    assert K.weak_class in kinds(case(result=scores.model_copy(update={"per_class": bare})))
