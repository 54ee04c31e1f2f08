from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from tools.config import Training
from tools.errors import InputError
from tools.runs import Example
from tools.training.chat_template import completion_text, ensure_template, prompt_text
from tools.training.order import batches_of_epoch
from tools.training.plan import Plan
from tools.training.rows import encode

SYSTEM_LESS = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "<{{ m['role'] }}>{{ m['content'] }}<end>\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture
def tokenizer(tiny_model):
    loaded = AutoTokenizer.from_pretrained(tiny_model)
    ensure_template(loaded)
    return loaded


def example(text: str, answer: str = "支持") -> Example:
    messages = [{"role": "user", "content": text}]
    return Example(id="a", messages=messages, completion=answer, expected=answer, input={})


def test_a_model_without_a_template_gets_plain_headings_and_an_end(tokenizer):
    messages = [{"role": "system", "content": "簡短回答"}, {"role": "user", "content": "好嗎？"}]
    assert prompt_text(tokenizer, messages) == "<bos>簡短回答\n\n### Input:\n好嗎？\n\n### Answer:\n"
    assert completion_text(tokenizer, messages, "好") == "好<eos>"


def test_a_template_without_a_system_turn_gets_it_in_the_first_question(tokenizer):
    tokenizer.chat_template = SYSTEM_LESS
    messages = [{"role": "system", "content": "簡短"}, {"role": "user", "content": "好嗎？"}]
    assert prompt_text(tokenizer, messages) == "<user>簡短\n\n好嗎？<end>\n<assistant>"
    assert completion_text(tokenizer, messages, "好") == "好<end>"


def test_turns_that_a_template_refuses_are_said(tokenizer):
    tokenizer.chat_template = "{{ raise_exception('only in French') }}"
    with pytest.raises(InputError, match="only in French"):
        prompt_text(tokenizer, [{"role": "user", "content": "x"}])


def test_a_long_prompt_is_cut_from_its_start_and_the_answer_stays_whole(tokenizer):
    whole = encode(tokenizer, example("前文" * 200 + "結尾"), 10_000)
    cut = encode(tokenizer, example("前文" * 200 + "結尾"), 64)
    assert len(cut.ids) == 64
    assert cut.cut
    assert not cut.answer_cut
    assert cut.completion == whole.completion
    assert cut.prompt[0] == tokenizer.bos_token_id
    assert cut.prompt[1:] == whole.prompt[-len(cut.prompt) + 1 :]


@settings(deadline=None, max_examples=60)
@given(prompt=st.text(max_size=80), answer=st.text(min_size=1, max_size=80), limit=st.integers(2, 60))
def test_no_row_is_longer_than_allowed_or_without_anything_to_learn(tiny_model, prompt, answer, limit):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    ensure_template(tokenizer)
    row = encode(tokenizer, example(prompt, answer), limit)
    assert len(row.completion) > 0
    assert len(row.prompt) > 0
    assert len(row.ids) <= limit


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 500), min_size=1, max_size=200), size=st.integers(1, 17), epoch=st.integers(0, 5)
)
def test_every_row_comes_once_in_full_batches_but_the_last(lengths, size, epoch):
    batches = batches_of_epoch(lengths, size, 42, epoch)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(batch) == size for batch in batches[:-1])
    assert batches == batches_of_epoch(lengths, size, 42, epoch)


def test_another_epoch_or_seed_has_another_order():
    lengths = list(range(100))
    orders = {str(batches_of_epoch(lengths, 8, seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 2)}
    assert len(orders) == 6


def test_rows_of_one_batch_are_of_like_length():
    lengths = [(row * 7919) % 400 + 1 for row in range(512)]
    grouped = batches_of_epoch(lengths, 16, 0, 0)
    padded = sum(16 * max(lengths[row] for row in batch) for batch in grouped)
    assert padded < 1.25 * sum(lengths)


def test_the_last_step_is_always_evaluated():
    plan = Plan.make(Training(epochs=2.5, batch_size=16, evals_per_epoch=2), [50] * 340)
    assert (plan.steps_per_epoch, plan.total_steps) == (22, 55)
    assert sorted(plan.eval_steps) == [11, 22, 33, 44, 55]


@settings(deadline=None)
@given(rows=st.integers(1, 500), batch=st.integers(1, 64), epochs=st.floats(0.05, 5), evals=st.integers(1, 4))
def test_a_plan_never_leaves_a_row_or_the_end_out(rows, batch, epochs, evals):
    plan = Plan.make(Training(epochs=epochs, batch_size=batch, evals_per_epoch=evals), [30] * rows)
    assert plan.micro * plan.accumulation == batch
    assert plan.total_steps in plan.eval_steps
    assert max(plan.eval_steps) == plan.total_steps == max(1, math.ceil(math.ceil(rows / batch) * epochs))


def test_long_rows_are_passed_in_smaller_parts():
    assert Plan.make(Training(batch_size=16), [60] * 20).micro == 16
    assert Plan.make(Training(batch_size=16), [60] * 20 + [500]).micro == 2
    assert Plan.make(Training(batch_size=16), [5000]).micro == 1
