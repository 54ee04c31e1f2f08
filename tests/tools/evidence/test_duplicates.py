from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.evidence.duplicates import duplicate_rows, inconsistent_labels
from tools.evidence.leaks import find_leaks, split_leaks
from tools.evidence.row_keys import Questions, plain, similarity
from tools.finding import Severity
from tools.task import AnswerFormat, Row

TEXT = "The committee praised the plan but nobody wants to pay for it."


def test_the_rows_of_a_healthy_task_are_neither_double_nor_contradicting_nor_leaked(case):
    evidence = case()
    assert duplicate_rows(evidence) == []
    assert inconsistent_labels(evidence) == []
    assert split_leaks(evidence) == []


def test_a_repeated_row_is_named_and_its_first_is_kept(case, rows, row):
    train = [*rows({"pos": 30}, "t"), row("ta", TEXT, "pos"), row("tb", TEXT, "pos")]
    [finding] = duplicate_rows(case(train=train))
    assert finding.rows == ["tb"]
    assert finding.severity is Severity.info


def test_many_repeated_rows_are_a_warning(case, rows, row):
    train = [*rows({"pos": 30}, "t"), *[row(f"ta{n}", TEXT, "pos") for n in range(5)]]
    [finding] = duplicate_rows(case(train=train))
    assert finding.severity is Severity.warning


def test_rows_that_differ_in_width_case_and_punctuation_are_the_same(case, rows, row):
    train = [*rows({"pos": 30}, "t"), row("ta", "漲停ＡＢＣ！ 真的", "pos"), row("tb", "漲停abc真的", "neg")]
    [finding] = inconsistent_labels(case(train=train))
    assert finding.rows == ["ta", "tb"]


def test_the_same_text_about_another_entity_is_another_question(case, row):
    train = [row("ta", TEXT, "pos", entity="Acme"), row("tb", TEXT, "neg", entity="Bolt")]
    assert inconsistent_labels(case(train=train)) == []
    assert duplicate_rows(case(train=train)) == []


def test_contradicting_rows_are_grouped_and_many_are_an_error(case, rows, row):
    train = [*rows({"pos": 20}, "t"), *[row(f"ta{n}", TEXT, label) for n, label in enumerate(["pos", "neg", "pos"])]]
    [finding] = inconsistent_labels(case(train=train))
    assert finding.about["groups"] == [["ta0", "ta1", "ta2"]]
    assert finding.severity is Severity.error
    assert "at least 1 of them" in str(finding.detail)


def test_one_contradiction_in_many_rows_is_information(case, rows, row):
    train = [*rows({"pos": 300}, "t"), row("ta", TEXT, "pos"), row("tb", TEXT, "neg")]
    [finding] = inconsistent_labels(case(train=train))
    assert finding.severity is Severity.info


def test_two_condensations_of_one_text_do_not_contradict_each_other(case, row):
    answer = AnswerFormat(type="json", fields=["who", "gist"], long_fields=["gist"])

    def about(who, gist):
        return {"who": who, "gist": gist}

    same = [row("ta", TEXT, about("A", "praise")), row("tb", TEXT, about("A", "nobody pays"))]
    other = [row("ta", TEXT, about("A", "praise")), row("tb", TEXT, about("B", "praise"))]
    assert inconsistent_labels(case(task_type="extraction", answer=answer, train=same)) == []
    assert len(inconsistent_labels(case(task_type="extraction", answer=answer, train=other))) == 1


def test_free_text_may_have_several_right_answers(case, row):
    train = [row("ta", TEXT, "one"), row("tb", TEXT, "two")]
    assert inconsistent_labels(case(task_type="generation", answer=AnswerFormat(type="text"), train=train)) == []


@pytest.mark.parametrize(
    ("copy", "how"),
    [
        (TEXT, "exact"),
        (TEXT.upper() + "!!", "normalised"),
        (TEXT.replace("nobody wants", "nobody wanted"), "near"),
    ],
)
def test_copies_of_validation_rows_in_train_are_found(case, rows, row, copy, how):
    train = [*rows({"pos": 30}, "t"), row("tleak", copy, "pos")]
    [finding] = split_leaks(case(train=train, valid=[*rows({"pos": 9}, "v"), row("vx", TEXT, "pos")]))
    assert finding.rows == ["tleak"]
    assert finding.about["kinds"] == {how: 1}
    assert finding.severity is Severity.error


def test_a_leak_of_test_shows_neither_text_nor_id_of_test(case, rows, row):
    secret = "a secret sentence that only the locked split may hold"
    train = [*rows({"pos": 30}, "t"), row("tleak", secret + ".", "pos")]
    [finding] = split_leaks(case(train=train, test=[row("xsecret", secret, "pos")]))
    shown = finding.model_dump_json()
    assert finding.about["split"] == "test"
    assert finding.rows == ["tleak"]
    assert "secret" not in shown


def test_a_text_that_stands_in_test_about_another_entity_is_no_leak(case, row):
    train = [row("ta", TEXT, "pos", entity="Acme")]
    assert split_leaks(case(train=train, valid=[row("va", TEXT, "neg", entity="Bolt")])) == []


def test_other_sentences_of_the_same_kind_are_no_leak(case, row):
    train = [row("ta", "Shares of the northern bank fell by three percent after the report.", "neg")]
    valid = [row("va", "Shares of the southern airline rose by nine percent before the meeting.", "pos")]
    assert split_leaks(case(train=train, valid=valid)) == []


def test_a_letter_with_another_date_and_another_answer_is_no_copy(case, row):
    answer = AnswerFormat(type="json", fields=["due"])
    text = "The office asks for the list of road works to be sent back before day {}, thank you."
    train = [row("ta", text.format(12), {"due": "12"})]
    other = case(task_type="extraction", answer=answer, train=train, valid=[row("va", text.format(19), {"due": "19"})])
    same = case(
        task_type="extraction", answer=answer, train=train, valid=[row("va", text.format("12th"), {"due": "12"})]
    )
    assert split_leaks(other) == []
    assert len(split_leaks(same)) == 1


def test_one_near_copy_among_very_many_is_information_and_an_exact_one_a_warning(case, rows, row):
    valid = [*rows({"pos": 200}, "v"), row("vx", TEXT, "pos")]
    near = split_leaks(case(train=[row("ta", TEXT.replace("pay", "paid"), "pos")], valid=valid))
    exact = split_leaks(case(train=[row("ta", TEXT, "pos")], valid=valid))
    assert ([one.severity for one in near], [one.severity for one in exact]) == ([Severity.info], [Severity.warning])


def test_the_template_that_all_prompts_share_does_not_make_them_near_copies(row):
    shared = "You are a careful annotator. Read the following headline and answer with one label only. Headline: "
    texts = [f"item {n} {'abcdefghij'[n % 10] * 3} {n * n}" for n in range(24)]

    def chat(row_id, text):
        turns = [{"role": "system", "content": shared}, {"role": "user", "content": shared + text}]
        base = row(row_id, "", "pos")
        return base.model_copy(update={"fields": {"messages": json.dumps(turns)}})

    train = [chat(f"t{n}", text) for n, text in enumerate(texts[:12])]
    valid = [chat(f"v{n}", text) for n, text in enumerate(texts[12:])]
    assert list(find_leaks(train, valid, 0.9)) == []
    assert [leak.row for leak in find_leaks([*train, chat("tx", texts[20])], valid, 0.9)] == ["tx"]


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=12))
def test_any_text_is_found_to_be_a_copy_of_itself(texts):
    train = [Row(id=f"t{n}", fields={"text": text}) for n, text in enumerate(texts)]
    valid = [Row(id=f"v{n}", fields={"text": text}) for n, text in enumerate(texts)]
    assert [leak.row for leak in find_leaks(train, valid, 0.9)] == [row.id for row in train]
    questions = Questions(train, valid)
    assert all(similarity(questions.of(row), questions.of(row)) == 1 for row in train)


def test_a_text_of_punctuation_only_is_not_the_same_as_every_other():
    assert plain("！？") != plain("。。。")
