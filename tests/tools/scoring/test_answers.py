"""What counts as an answer in the declared format, and what a fault is called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.results import Prediction
from tools.scoring.answers import ParseFailure, expected_answer, parse_answer
from tools.scoring.prompting import answer_text
from tools.task import AnswerFormat

LABELS = AnswerFormat(type="label", labels=["支持", "反對", "中立", "ＡＢ", "+"])
LABEL_IN_JSON = AnswerFormat(type="json", fields=["s"], label_field="s", labels=["正面", "負面"])
OBJECT = AnswerFormat(type="json", fields=["主旨", "速別"], enums={"速別": ["普通件", "速件"]})
TEXT = AnswerFormat(type="text")

plain_text = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | plain_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_text, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("raw", ["支持", " 支持\n", "\u3000支持"])
def test_whitespace_around_a_label_is_no_fault(raw):
    assert parse_answer(LABELS, raw) == ("支持", None)


@pytest.mark.parametrize(
    ("raw", "failure"),
    [
        ("", ParseFailure.empty),
        (" \n\u3000", ParseFailure.empty),
        ("支持支持", ParseFailure.repeated),
        ("支持\n支持\n支", ParseFailure.repeated),
        ("支持、支持", ParseFailure.repeated),
        ("++", ParseFailure.repeated),
        ("支持。", ParseFailure.extra_text),
        ("答案：支持", ParseFailure.extra_text),
        ("支持 反對", ParseFailure.extra_text),
        ("不支持", ParseFailure.unknown_label),
        ("支持者", ParseFailure.unknown_label),
        ("支 持", ParseFailure.unknown_label),
        ("贊成", ParseFailure.unknown_label),
        ("AB", ParseFailure.unknown_label),
        ("ａｂ", ParseFailure.unknown_label),
        ('"支持"', ParseFailure.extra_text),
    ],
)
def test_a_label_with_anything_else_is_named_by_what_is_wrong(raw, failure):
    assert parse_answer(LABELS, raw) == (None, failure)


def test_without_declared_labels_any_text_is_a_label():
    assert parse_answer(AnswerFormat(type="label"), " x ") == ("x", None)


@pytest.mark.parametrize("raw", ['{"主旨":"請","速別":"速件"}', '\n{ "速別" : "速件",\n "主旨" : "請" }\n'])
def test_an_object_may_be_laid_out_and_ordered_freely(raw):
    value, failure = parse_answer(OBJECT, raw)
    assert failure is None
    assert list(value) == ["主旨", "速別"]


@pytest.mark.parametrize(
    ("raw", "failure"),
    [
        ("", ParseFailure.empty),
        ("速件", ParseFailure.not_json),
        ("{速件}", ParseFailure.not_json),
        ('{"主旨": NaN, "速別": "速件"}', ParseFailure.not_json),
        ('{"主旨": 1e999, "速別": "速件"}', ParseFailure.not_json),
        ('{"主旨": "\\ud800", "速別": "速件"}', ParseFailure.not_json),
        ('{"主旨": "a", "主旨": "b", "速別": "速件"}', ParseFailure.not_json),
        ('{"主旨": {"x": 1, "x": 2}, "速別": "速件"}', ParseFailure.not_json),
        ('{"主旨": ' + "[" * 200 + "]" * 200 + ', "速別": "速件"}', ParseFailure.not_json),
        ('{"主旨": ' + "9" * 5000 + ', "速別": "速件"}', ParseFailure.not_json),
        ("[" * 100_000, ParseFailure.not_json),
        ('"速件"', ParseFailure.not_object),
        ('[{"主旨": "a", "速別": "速件"}]', ParseFailure.not_object),
        ("null", ParseFailure.not_object),
        ('{"主旨": "a"}', ParseFailure.missing_field),
        ("{}", ParseFailure.missing_field),
        ('{"主旨": "a", "速別": "速件", "x": 1}', ParseFailure.extra_field),
        ('{"主旨": "a", "速別": ["速件"]}', ParseFailure.wrong_type),
        ('{"主旨": "a", "速別": null}', ParseFailure.wrong_type),
        ('{"主旨": "a", "速別": "最速件"}', ParseFailure.unknown_label),
        ('{"主旨": "a", "速別": "速件 "}', ParseFailure.unknown_label),
        ('```json\n{"主旨": "a", "速別": "速件"}\n```', ParseFailure.extra_text),
        ('{"主旨": "a}", "速別": "速件"}}', ParseFailure.extra_text),
        ('{"主旨": "a"} {"主旨": "a"}', ParseFailure.repeated),
        ('{"主旨": "a", "速', ParseFailure.cut_off),
        ('{"主旨": "a\\"}', ParseFailure.cut_off),
        ('好的：{"主旨": "a",', ParseFailure.cut_off),
        ('{"主旨": tru', ParseFailure.cut_off),
    ],
)
def test_an_object_with_a_fault_is_named_by_what_is_wrong(raw, failure):
    assert parse_answer(OBJECT, raw) == (None, failure)


def test_a_label_inside_an_object_is_read_as_the_label():
    assert parse_answer(LABEL_IN_JSON, '{"s": "正面"}') == ("正面", None)
    assert parse_answer(LABEL_IN_JSON, "正面") == (None, ParseFailure.not_json)
    assert parse_answer(LABEL_IN_JSON, '{"s": "正"}') == (None, ParseFailure.unknown_label)
    assert expected_answer(LABEL_IN_JSON, {"s": "正面"}) == expected_answer(LABEL_IN_JSON, "正面") == "正面"


@given(st.sampled_from(LABELS.labels))
def test_every_label_is_read_back_as_written(label):
    assert parse_answer(LABELS, answer_text(LABELS, label)) == (label, None)


@given(st.fixed_dictionaries({"主旨": json_values, "速別": st.sampled_from(["普通件", "速件"])}))
@settings(deadline=None, max_examples=200)
def test_every_object_is_read_back_as_written(value):
    assert parse_answer(OBJECT, answer_text(OBJECT, value)) == (value, None)


@given(plain_text)
@settings(deadline=None)
def test_every_text_is_read_back_without_its_edges(text):
    value, failure = parse_answer(TEXT, answer_text(TEXT, text))
    assert (value, failure) == ((text.strip(), None) if text.strip() else (None, ParseFailure.empty))
    assert failure or value == expected_answer(TEXT, text)


@given(st.fixed_dictionaries({"主旨": plain_text, "速別": st.just("速件")}), st.data())
@settings(deadline=None, max_examples=200)
def test_an_object_cut_anywhere_is_a_cut_object(value, data):
    whole = answer_text(OBJECT, value)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    assert parse_answer(OBJECT, cut) == (None, ParseFailure.cut_off)


pieces = st.sampled_from(
    ["{", "}", "[", "]", '"', "\\", ":", ",", "主旨", "速別", "速件", "支持", "null", " ", "\n", "1"]
)


@given(st.lists(pieces, max_size=30).map("".join) | st.text(), st.sampled_from([LABELS, LABEL_IN_JSON, OBJECT, TEXT]))
@settings(deadline=None, max_examples=400)
def test_any_output_gives_either_a_value_or_one_failure_and_can_be_stored(raw, answer):
    value, failure = parse_answer(answer, raw)
    assert (value is None) == (failure is not None)
    storable = raw.encode("utf-8", "replace").decode("utf-8")
    stored = Prediction(id="1", input={}, expected=None, raw=storable, parsed=value, correct=False, score=0)
    assert Prediction.model_validate_json(stored.model_dump_json()).parsed == value
    if answer.type == "json" and failure is None:
        assert isinstance(json.loads(raw), dict)
