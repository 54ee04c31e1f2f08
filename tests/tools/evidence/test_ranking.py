from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.evidence.ranking import EXPLAINS, ORDER, rank
from tools.finding import Finding, FindingKind, Severity
from tools.text import T

K = FindingKind


def finding(kind, severity="warning", lost=None, **about):
    return Finding(kind=kind, severity=severity, title=T("t"), detail=T("d"), about=about, lost=lost, page="p")


def order(*findings):
    ranked = [tuple(one.kind for one in rank(list(given))) for given in permutations(findings)]
    assert len(set(ranked)) == 1, "the order in which rules ran must not matter"
    return list(ranked[0])


def test_every_kind_of_finding_has_its_place():
    assert set(ORDER) == set(FindingKind)


def test_what_costs_more_comes_first():
    assert order(finding(K.underfitting, lost=0.05), finding(K.class_imbalance, lost=0.11)) == [
        K.class_imbalance,
        K.underfitting,
    ]


def test_an_error_comes_before_a_warning_that_costs_more():
    assert order(finding(K.underfitting, lost=0.5), finding(K.missing_class, "error", 0.1)) == [
        K.missing_class,
        K.underfitting,
    ]


def test_a_leak_comes_before_what_its_numbers_say():
    leak, weak = finding(K.split_leak, "error"), finding(K.output_format, "error", 0.4, where="answers")
    assert order(leak, weak) == [K.split_leak, K.output_format]


def test_broken_answers_of_a_model_that_never_learned_stand_behind_the_reason():
    cause = finding(K.underfitting, lost=0.1, sign="high_loss")
    symptom = finding(K.output_format, "error", 0.6, where="answers")
    assert order(cause, symptom) == [K.underfitting, K.output_format]
    assert rank([symptom, cause])[1].explained_by is K.underfitting


def test_broken_answers_of_a_model_that_did_learn_stand_first():
    other = finding(K.underfitting, lost=0.1, sign="no_gap")
    assert order(other, finding(K.output_format, "error", 0.6, where="answers")) == [K.output_format, K.underfitting]


def test_faults_of_the_training_rows_are_never_symptoms():
    never = finding(K.unstable_training, "error", 0.1)
    rows = finding(K.output_format, "error", 0.4, where="train")
    assert order(never, rows) == [K.output_format, K.unstable_training]
    assert all(one.explained_by is None for one in rank([never, rows]))


def test_a_scarce_class_explains_its_own_weakness_but_not_that_of_another():
    cause = finding(K.class_imbalance, lost=0.05, label="a")
    own, other = finding(K.weak_class, lost=0.09, label="a"), finding(K.weak_class, lost=0.07, label="b")
    ranked = rank([own, other, cause])
    assert [(one.kind, one.about["label"]) for one in ranked] == [
        (K.weak_class, "b"),
        (K.class_imbalance, "a"),
        (K.weak_class, "a"),
    ]
    assert [one.explained_by for one in ranked] == [None, None, K.class_imbalance]


def test_information_explains_nothing():
    few = finding(K.too_few_rows, "info")
    assert [one.explained_by for one in rank([few, finding(K.overfitting, lost=0.1)])] == [None, None]


def test_a_chain_of_causes_is_followed_to_its_beginning():
    cut = finding(K.truncated, "error", 0.1, where="training")
    under = finding(K.underfitting, lost=0.3, sign="high_loss")
    broken = finding(K.output_format, "error", 0.5, where="answers")
    assert order(cut, under, broken) == [K.truncated, K.underfitting, K.output_format]


severities = st.sampled_from(list(Severity))
causes = st.sampled_from([*EXPLAINS, *((kind, None) for kind in FindingKind)])
found = st.builds(
    lambda cause, severity, lost, key: finding(cause[0], severity, lost, **({key: cause[1]} if cause[1] else {})),
    causes,
    severities,
    st.one_of(st.none(), st.floats(min_value=0, max_value=1)),
    st.sampled_from(["where", "sign"]),
)


@settings(deadline=None, max_examples=200)
@given(findings=st.lists(found, max_size=12))
def test_ranking_loses_nothing_and_always_ends(findings):
    ranked = rank(findings)
    bare = [one.model_copy(update={"explained_by": None}) for one in ranked]
    assert sorted(map(repr, bare)) == sorted(map(repr, findings))
