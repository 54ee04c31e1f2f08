from __future__ import annotations

import pytest

from tools.errors import Problem
from tools.evidence.output_format import mixed_training_answers, unparsed_answers
from tools.evidence.truncation import cut_answers, cut_training_rows
from tools.finding import Severity
from tools.results import History
from tools.task import AnswerFormat
from tools.text import T

GOOD = {("pos", "pos"): 90, ("neg", "neg"): 90}


def test_answers_that_all_parse_are_no_finding(case, predictions):
    evidence = case(predictions=predictions(GOOD))
    assert unparsed_answers(evidence) == []
    assert cut_answers(evidence) == []


def test_unparsed_answers_cost_their_share_of_the_score(case, predictions, result):
    scores = result({"pos": 0.7, "neg": 0.7}, macro_f1_parsed=0.9, parse_rate=0.8)
    [finding] = unparsed_answers(case(result=scores, predictions=predictions({**GOOD, ("pos", None): 45})))
    assert finding.severity is Severity.error
    assert finding.lost == pytest.approx(0.2 * 0.9)
    assert finding.about["failures"] == {"not_json": 45}
    assert finding.about["where"] == "answers"


def test_where_hardly_an_answer_was_read_a_guess_stands_for_what_is_not_known(case, predictions, result):
    scores = result({"pos": 0.0, "neg": 0.0}, macro_f1_parsed=0.0, parse_rate=0.02)
    [finding] = unparsed_answers(case(result=scores, predictions=predictions({("pos", None): 98, ("neg", "pos"): 2})))
    labels = finding.about["is_known"], finding.lost
    assert labels == (False, pytest.approx(0.98 / 3))
    assert "2 that could be read are too few" in finding.detail.msgid.format(**finding.detail.params)


def test_unparsed_answers_are_reported_even_when_the_target_is_met(case, predictions):
    assert unparsed_answers(case(predictions=predictions({**GOOD, ("pos", None): 8})))


def test_one_odd_answer_among_many_is_no_finding(case, predictions):
    assert unparsed_answers(case(predictions=predictions({**GOOD, ("pos", None): 1}))) == []


def test_raw_examples_are_shown_without_control_characters(case, predictions):
    made = predictions({**GOOD, ("pos", None): 20})
    made = [row.model_copy(update={"raw": "\x1b[31mred\u202e"}) if row.failure else row for row in made]
    [finding] = unparsed_answers(case(predictions=made))
    assert "\x1b" not in finding.model_dump_json()
    assert any("[31mred" in str(fact.value) for fact in finding.facts)


def test_a_parse_rate_in_a_result_without_predictions_is_enough(case, result):
    [finding] = unparsed_answers(case(result=result({"pos": 0.6, "neg": 0.6}, parse_rate=0.7)))
    assert finding.about["parse_rate"] == pytest.approx(0.7)


def wrong_shapes(lines, more=0, path="data/train.jsonl"):
    def problem(line, **about):
        return Problem(
            message=T("The answer must be a JSON object."),
            path=path,
            line=line,
            value="{...}",
            kind="bad_rows",
            about={"what": "answer_shape", **about},
        )

    return [*map(problem, lines), *([problem(None, more=more)] if more else [])]


def test_training_answers_of_another_shape_are_an_error_with_their_number_and_lines(case):
    [finding] = mixed_training_answers(case(train={"pos": 50, "neg": 50}, problems=wrong_shapes([3, 5, 8], more=47)))
    assert finding.severity is Severity.error
    assert finding.about["count"] == 50
    assert finding.about["share"] == pytest.approx(50 / 150)
    assert finding.about["lines"][0] == "data/train.jsonl:3"


def test_other_shapes_in_validation_do_not_blame_train(case):
    assert (
        mixed_training_answers(case(problems=wrong_shapes([1, 2, 3], path="data/valid.jsonl"), train={"pos": 10})) == []
    )


def test_free_text_answers_that_are_partly_json_are_mixed(case, row):
    answers = ['{"a": 1}'] * 10 + ["plain"] * 30
    train = [row(f"t{n}", f"text {n}", answer) for n, answer in enumerate(answers)]
    mixed = case(task_type="generation", answer=AnswerFormat(type="text"), train=train)
    plain = case(task_type="generation", answer=AnswerFormat(type="text"), train=train[10:])
    assert mixed_training_answers(mixed)[0].about["count"] == 10
    assert mixed_training_answers(plain) == []


def test_rows_that_the_training_counted_as_cut_are_an_error_from_five_percent_on(case, history):
    [many] = cut_training_rows(case(history=history([1.0], train_tokens_cut=60)))
    [few] = cut_training_rows(case(history=history([1.0], train_tokens_cut=2)))
    assert (many.severity, few.severity) == (Severity.error, Severity.info)
    assert many.about == {"where": "training", "max_length": 512, "cut": 60, "share": 0.1}


def test_a_training_that_cut_nothing_settles_it(case, history, row):
    long = [row(f"t{n}", "word " * 900, "pos") for n in range(10)]
    assert cut_training_rows(case(train=long, history=history([1.0]))) == []


def test_before_a_training_long_rows_are_estimated_and_named(case, row, rows):
    long = [row(f"tlong{n}", "長" * 600, "pos") for n in range(10)]
    [finding] = cut_training_rows(case(train=[*rows({"pos": 90}, "t"), *long]))
    assert "Estimated" in str(finding.detail)
    assert len(finding.rows) == 10
    assert finding.severity is Severity.warning


def test_a_chinese_text_counts_more_tokens_than_an_english_one_of_the_same_length(case, row):
    chinese = case(train=[row("t1", "字" * 600, "pos")])
    english = case(train=[row("t1", "a" * 600, "pos")])
    assert cut_training_rows(chinese)
    assert cut_training_rows(english) == []


def test_short_rows_need_no_estimate(case):
    assert cut_training_rows(case()) == []
    assert cut_training_rows(case(train=[])) == []


def test_a_history_of_another_trainer_does_not_settle_what_was_cut(case, row):
    long = [row(f"t{n}", "長" * 900, "pos") for n in range(10)]
    assert cut_training_rows(case(train=long, history=History(points=[], file="trainer_state.json")))


def test_answers_that_end_inside_their_object_are_cut_not_malformed(case, predictions):
    evidence = case(predictions=predictions({**GOOD, ("pos", None): 20}, failure="cut_off"))
    assert unparsed_answers(evidence) == []
    [finding] = cut_answers(evidence)
    assert finding.about["where"] == "generation"
    assert finding.severity is Severity.error


def test_the_rows_that_a_prompt_shows_are_looked_up_once_and_not_for_each_row(case, rows, monkeypatch):
    train = rows({"pos": 90}, "t")
    times = []
    monkeypatch.setattr("tools.evidence.truncation._examples", lambda one: times.append(one) or train[:1])
    cut_training_rows(case(train=train))
    assert len(times) == 1
