"""Scores against scikit-learn, against plain definitions, and against hand-worked examples."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tools.errors import InputError
from tools.results import Prediction
from tools.scoring.metrics import (
    UNPARSED,
    character_f1,
    common_subsequence,
    rouge_l,
    same_value,
    score_row,
    score_rows,
    split_result,
    summarise,
)
from tools.task import AnswerFormat, TaskDefinition

LABELS = AnswerFormat(type="label", labels=["a", "b", "c", "d"])
OBJECT = AnswerFormat(type="json", fields=["主旨", "期限"], long_fields=["主旨"])
TEXT = AnswerFormat(type="text")

labelled_pairs = st.lists(
    st.tuples(st.sampled_from(LABELS.labels), st.sampled_from([*LABELS.labels, None])), min_size=1, max_size=40
)


def predictions(task_type, answer, pairs, seed=1):
    scored = score_rows(task_type, answer, [want for want, _ in pairs], [got for _, got in pairs])
    return [
        Prediction(id=str(n), seed=seed, input={}, expected=want, raw="", parsed=got, correct=s.correct, score=s.score)
        for n, ((want, got), s) in enumerate(zip(pairs, scored, strict=True))
    ]


def classification(pairs):
    return summarise("classification", LABELS, predictions("classification", LABELS, pairs))


@given(labelled_pairs)
@settings(deadline=None, max_examples=150)
def test_classification_scores_are_those_of_scikit_learn(pairs):
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    expected = [want for want, _ in pairs]
    predicted = [got or "unparsed" for _, got in pairs]
    present = [label for label in LABELS.labels if label in expected]
    summary = classification(pairs)
    precision, recall, f1, support = precision_recall_fscore_support(
        expected, predicted, labels=present, zero_division=0
    )
    assert list(summary.per_class) == present
    for n, score in enumerate(summary.per_class.values()):
        assert (score.precision, score.recall, score.f1) == pytest.approx((precision[n], recall[n], f1[n]))
        assert score.support == support[n]
    assert summary.metrics["macro_f1"] == pytest.approx(f1.mean())
    assert summary.metrics["accuracy"] == pytest.approx(accuracy_score(expected, predicted))


@given(labelled_pairs)
@settings(deadline=None)
def test_accuracy_is_parse_rate_times_accuracy_given_parsed(pairs):
    metrics = classification(pairs).metrics
    assert metrics["accuracy"] == pytest.approx(metrics["parse_rate"] * metrics["accuracy_parsed"])


@given(labelled_pairs)
@settings(deadline=None)
def test_the_confusion_counts_every_row_once_and_unparsed_ones_apart(pairs):
    confusion = classification(pairs).confusion
    assert sum(sum(row.values()) for row in confusion.values()) == len(pairs)
    assert sum(row[UNPARSED] for row in confusion.values()) == sum(got is None for _, got in pairs)
    assert all(list(row)[-1] == UNPARSED for row in confusion.values())


def test_a_class_without_rows_does_not_lower_the_macro_f1():
    assert classification([("a", "a"), ("b", "b")]).metrics["macro_f1"] == 1.0


def test_predicting_a_class_without_rows_costs_the_expected_class():
    metrics = classification([("a", "c"), ("a", "a")]).metrics
    assert metrics["macro_f1"] == pytest.approx(2 / 3)


def test_the_macro_f1_given_parsed_forgives_format_but_not_errors():
    metrics = classification([("a", None), ("a", "a"), ("b", "b")]).metrics
    assert (metrics["macro_f1_parsed"], metrics["parse_rate"]) == (1.0, pytest.approx(2 / 3))
    assert metrics["macro_f1"] < 1


def test_a_model_that_never_answers_in_format_scores_nothing_and_crashes_nothing():
    metrics = classification([("a", None), ("b", None)]).metrics
    assert set(metrics.values()) == {0.0}


def test_an_expected_label_that_is_not_declared_still_counts():
    summary = summarise("classification", LABELS, predictions("classification", LABELS, [("z", "a"), ("a", "a")]))
    assert summary.per_class["z"].f1 == 0.0
    assert summary.metrics["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_extraction_averages_fields_within_and_then_over_documents():
    pairs = [
        ({"主旨": "公告標售案", "期限": "2026-11-13"}, {"主旨": "公告標售案", "期限": "2026-11-13"}),
        ({"主旨": "甲乙丙丁", "期限": ""}, {"主旨": "甲乙", "期限": "2026-01-01"}),
        ({"主旨": "甲", "期限": ""}, None),
    ]
    metrics = summarise("extraction", OBJECT, predictions("extraction", OBJECT, pairs)).metrics
    half = 2 * 2 / (4 + 2)
    assert metrics["field_score"] == pytest.approx((1 + half / 2 + 0) / 3)
    assert metrics["field[主旨]"] == pytest.approx((1 + half) / 3)
    assert metrics["field[期限]"] == pytest.approx(1 / 3)
    assert metrics["exact_object"] == pytest.approx(1 / 3)
    assert metrics["parse_rate"] == pytest.approx(2 / 3)


documents = st.fixed_dictionaries({"主旨": st.text("甲乙丙 ", max_size=6), "期限": st.sampled_from(["", "2026-01-01"])})


@given(st.lists(st.tuples(documents, st.none() | documents), min_size=1, max_size=12))
@settings(deadline=None)
def test_extraction_scores_split_into_format_and_knowledge(pairs):
    rows = predictions("extraction", OBJECT, pairs)
    metrics = summarise("extraction", OBJECT, rows).metrics
    assert metrics["field_score"] == pytest.approx(metrics["parse_rate"] * metrics["field_score_parsed"])
    assert metrics["exact_object"] == pytest.approx(metrics["parse_rate"] * metrics["exact_object_parsed"])
    assert metrics["field_score"] == pytest.approx(sum(row.score for row in rows) / len(rows))
    assert metrics["field_score"] == pytest.approx((metrics["field[主旨]"] + metrics["field[期限]"]) / 2)


@given(st.lists(st.tuples(st.text("甲乙丙 ", min_size=1), st.none() | st.text("甲乙丙 ")), min_size=1, max_size=12))
@settings(deadline=None)
def test_generation_scores_split_into_format_and_knowledge(pairs):
    rows = predictions("generation", TEXT, pairs)
    metrics = summarise("generation", TEXT, rows).metrics
    assert metrics["rouge_l"] == pytest.approx(metrics["parse_rate"] * metrics["rouge_l_parsed"])
    assert metrics["exact"] == pytest.approx(metrics["parse_rate"] * metrics["exact_parsed"])
    assert metrics["format_correct"] == metrics["parse_rate"]


def plain_lcs(first, second):
    row = [0] * (len(second) + 1)
    for char in first:
        left = 0
        for index, other in enumerate(second, 1):
            left, row[index] = row[index], left + 1 if char == other else max(row[index], row[index - 1])
    return row[-1]


@given(st.text("甲乙丙", max_size=80), st.text("甲乙丙", max_size=80))
@settings(deadline=None, max_examples=150)
def test_the_fast_common_subsequence_is_the_textbook_one(first, second):
    assert common_subsequence(first, second) == plain_lcs(first, second)


@given(st.text(max_size=30), st.text(max_size=30))
@settings(deadline=None)
def test_overlap_scores_are_symmetric_and_one_only_for_equal_characters(first, second):
    for score in (character_f1, rouge_l):
        assert 0 <= score(first, second) <= 1
        assert score(first, second) == score(second, first)
        assert score(first, first) == 1
    assume("".join(first.split()) != "".join(second.split()))
    assert rouge_l(first, second) < 1


def test_character_f1_ignores_order_and_rouge_does_not():
    assert character_f1("甲乙丙", "丙乙甲") == 1
    assert rouge_l("甲乙丙", "丙乙甲") == pytest.approx(1 / 3)


def test_true_is_not_one_and_key_order_does_not_matter():
    assert not same_value(True, 1)
    assert not same_value(None, "")
    assert same_value({"a": 1, "b": [2]}, {"b": [2], "a": 1})


def test_a_field_with_an_unexpected_type_scores_nothing():
    score = score_row("extraction", OBJECT, {"主旨": "甲", "期限": "x"}, {"主旨": ["甲"], "期限": None})
    assert score == (False, 0.0)


def test_no_rows_are_refused_instead_of_scored():
    with pytest.raises(InputError):
        summarise("classification", LABELS, [])
    with pytest.raises(InputError):
        split_result(TASK, "v1", "valid", {}, None, None)


TASK = TaskDefinition(
    task_name="t", task_type="classification", template="{text}", input_fields=["text"], answer=LABELS
)


def test_several_seeds_are_one_result_with_means_and_added_confusions():
    pairs = {7: [("a", "a"), ("b", "a")], 3: [("a", "a"), ("b", "b")]}
    by_seed = {seed: predictions("classification", LABELS, given_pairs, seed) for seed, given_pairs in pairs.items()}
    result = split_result(TASK, "v2", "valid", by_seed, "hash", "p.jsonl")
    assert list(result.seeds) == ["3", "7"]
    assert result.seeds["7"]["accuracy"] == 0.5
    assert result.metrics["accuracy"] == 0.75
    assert result.confusion["b"] == {"a": 1, "b": 1, "c": 0, "d": 0, UNPARSED: 0}
    assert result.per_class["b"].recall == 0.5
    assert result.per_class["b"].support == 1
    assert (result.rows, result.evaluator_hash, result.predictions) == (2, "hash", "p.jsonl")


def test_three_thousand_long_texts_are_scored():
    chance = random.Random(0)
    texts = ["".join(chance.choices("甲乙丙丁戊己庚辛", k=200)) for _ in range(3001)]
    rows = predictions("generation", TEXT, list(pairwise(texts)))
    assert 0.4 < summarise("generation", TEXT, rows).metrics["rouge_l"] < 0.8
