"""Which characters a constrained object may have."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.scoring.answers import parse_answer
from tools.task import AnswerFormat
from tools.training.object_grammar import ObjectGrammar

FIELDS = ["主旨", 'a"b', "速別"]
ENUMS = {"速別": ["普通件", "最速件", "最速件甲"]}
GRAMMAR = ObjectGrammar(FIELDS, ENUMS)
ANSWER = AnswerFormat(type="json", fields=FIELDS, enums=ENUMS)
CHARACTERS = '{}[]",:\\/ udD89"請a10-.etrufalsn\n'

scalars = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(st.characters(codec="utf-8"))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=6,
)


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@settings(deadline=None, max_examples=80)
@given(values, values, st.sampled_from(ENUMS["速別"]))
def test_every_object_that_training_could_teach_is_allowed(first: object, second: object, urgency: str) -> None:
    state = GRAMMAR.advance(GRAMMAR.start, compact({"主旨": first, 'a"b': second, "速別": urgency}))
    assert state is not None and state.done


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 10**9), st.integers(0, 60))
def test_whatever_was_written_can_be_completed_and_then_parses(seed: int, length: int) -> None:
    drawn, state, text = random.Random(seed), GRAMMAR.start, ""
    for _ in range(length):
        allowed = [char for char in CHARACTERS if GRAMMAR.advance(state, char) is not None]
        if not allowed:
            break
        char = drawn.choice(allowed)
        state, text = GRAMMAR.advance(state, char), text + char
    text += "".join(GRAMMAR.rest(state))
    assert parse_answer(ANSWER, text).failure is None, text


LAST = '{"主旨":1,"a\\"b":2'
"""Everything but the last key."""


@pytest.mark.parametrize(
    "wrong", ["```json", " {", '{ "主旨"', '{"主旨" :', '{"速別"', '{"主旨":01', '{"主旨":1e', '{"主旨":tr1']
)
def test_what_a_strict_parser_would_refuse_is_not_allowed(wrong: str) -> None:
    assert GRAMMAR.advance(GRAMMAR.start, wrong) is None


@pytest.mark.parametrize("wrong", ['"a\nb', '"\\x', '"\\ud8', "[,", '{"k":1,"k"', "[" * 9])
def test_a_value_has_no_raw_line_break_no_half_character_no_key_twice_and_no_endless_nesting(wrong: str) -> None:
    assert GRAMMAR.advance(GRAMMAR.start, '{"主旨":' + wrong) is None


@pytest.mark.parametrize("wrong", ["}", ',"速別":"特', ',"速別":普', ',"速別":"普通件"}x', ',"日期"'])
def test_every_key_comes_once_with_a_declared_value_and_nothing_behind(wrong: str) -> None:
    assert GRAMMAR.advance(GRAMMAR.start, LAST + wrong) is None


def test_of_declared_values_each_is_offered_where_it_still_fits() -> None:
    state = GRAMMAR.advance(GRAMMAR.start, '{"主旨":"","a\\"b":"","速別":')
    assert GRAMMAR.continuations(state) == ['"普通件"', '"最速件"', '"最速件甲"']
    state = GRAMMAR.advance(state, '"最速')
    assert GRAMMAR.continuations(state) == ['件"', '件甲"']
