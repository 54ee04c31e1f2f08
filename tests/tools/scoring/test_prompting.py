"""What a model is asked, and what it should answer, word for word."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.config import Prompt
from tools.errors import InputError
from tools.scoring.prompting import answer_text, fill, messages_for
from tools.task import AnswerFormat, Row, TaskDefinition

LABELS = AnswerFormat(type="label", labels=["支持", "反對", "中立"])
OBJECT = AnswerFormat(type="json", fields=["主旨", "速別"], enums={"速別": ["普通件", "速件"]})
TEXT = AnswerFormat(type="text")


def definition(answer: AnswerFormat = LABELS, **fields: object) -> TaskDefinition:
    given_fields = {"language": "zh-TW", "template": "文本：{text}", "input_fields": ["text"], **fields}
    return TaskDefinition(task_name="t", task_type="classification", answer=answer, **given_fields)


def row(**fields: str) -> Row:
    return Row(id="r1", fields=fields)


def asked(task: TaskDefinition, prompt: Prompt, one: Row) -> str:
    return messages_for(task, prompt, one)[-1]["content"]


def test_the_question_is_the_filled_template_followed_by_the_declared_labels():
    assert messages_for(definition(), Prompt(), row(text="好")) == [
        {"role": "user", "content": "文本：好\n只輸出下列其中一個標籤，不要輸出其他文字：支持、反對、中立"}
    ]


def test_a_system_text_comes_first_and_an_empty_one_not_at_all():
    turns = messages_for(definition(), Prompt(system="你是助手"), row(text="好"))
    assert [turn["role"] for turn in turns] == ["system", "user"]
    assert [turn["role"] for turn in messages_for(definition(), Prompt(system=""), row(text="好"))] == ["user"]


@pytest.mark.parametrize(
    ("language", "template", "start"),
    [
        ("zh-TW", "Text: {text}", "只輸出"),
        ("en", "文本：{text}", "Answer with"),
        (None, "文本：{text}", "只輸出"),
        (None, "Text: {text}", "Answer with"),
    ],
)
def test_the_format_is_stated_in_the_language_of_the_task(language, template, start):
    task = definition(language=language, template=template)
    assert asked(task, Prompt(), row(text="x")).splitlines()[1].startswith(start)


def test_the_configuration_can_replace_or_leave_out_the_format_line_and_the_template():
    assert asked(definition(), Prompt(answer_instruction="請作答"), row(text="x")) == "文本：x\n請作答"
    assert asked(definition(), Prompt(answer_instruction=""), row(text="x")) == "文本：x"
    assert asked(definition(), Prompt(template="〈{text}〉", answer_instruction=""), row(text="x")) == "〈x〉"


def test_an_object_is_asked_for_with_its_fields_and_allowed_values():
    line = asked(definition(OBJECT), Prompt(), row(text="x")).splitlines()[1]
    assert json.loads(line[line.index("{") :]) == {"主旨": "...", "速別": "普通件|速件"}


def test_a_label_inside_an_object_is_asked_for_with_the_declared_labels():
    answer = AnswerFormat(type="json", fields=["s"], label_field="s", labels=["正面", "負面"])
    assert '{"s": "正面|負面"}' in asked(definition(answer), Prompt(), row(text="x"))


def test_free_text_is_asked_for_without_a_format_line():
    assert asked(definition(TEXT), Prompt(), row(text="x")) == "文本：x"


@given(st.text())
@settings(deadline=None, max_examples=100)
def test_a_text_with_any_braces_in_it_reaches_the_model_unchanged(text):
    assert fill("「{text}」", row(text=text)) == f"「{text}」"
    assert fill('例：{"a": 1}\n{text}', row(text=text)) == '例：{"a": 1}\n' + text


def test_doubled_braces_in_a_template_are_single_braces_for_the_model():
    assert fill('{{"a": "{text}"}}', row(text="x")) == '{"a": "x"}'


@pytest.mark.parametrize("template", ["{text.__class__}", "{text!r}", "{text:>10}", "{0}", "{", "{}"])
def test_a_template_cannot_reach_into_values(template):
    assert fill(template, row(text="x")) == template


def test_a_template_naming_a_field_the_row_lacks_says_which_and_what_there_is():
    with pytest.raises(InputError) as error:
        messages_for(definition(), Prompt(template="{target}：{text}"), row(text="x"))
    assert "target" in str(error.value) and "text" in str(error.value)


def test_chat_rows_keep_their_own_turns():
    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "{text}"}]
    chat = row(messages=json.dumps(turns, ensure_ascii=False))
    assert messages_for(definition(), Prompt(system="other"), chat) == turns


def test_a_field_called_messages_that_is_no_chat_is_an_ordinary_field():
    task = definition(template="訊息：{messages}", input_fields=["messages"])
    assert asked(task, Prompt(answer_instruction=""), row(messages="[1, 2]")) == "訊息：[1, 2]"


def test_a_whole_prompt_of_a_preference_row_is_asked_as_it_stands():
    assert messages_for(definition(), Prompt(), row(prompt="{q}?")) == [{"role": "user", "content": "{q}?"}]


def test_answers_are_written_in_the_declared_form_and_order():
    assert answer_text(LABELS, "支持") == "支持"
    assert answer_text(OBJECT, {"速別": "速件", "主旨": "請"}) == '{"主旨":"請","速別":"速件"}'
    assert answer_text(AnswerFormat(type="json", fields=["s"], label_field="s"), "正面") == '{"s":"正面"}'
    assert answer_text(TEXT, "兩行\n文字") == "兩行\n文字"


def test_an_answer_without_its_declared_fields_is_refused_by_name():
    with pytest.raises(InputError, match="速別"):
        answer_text(OBJECT, {"主旨": "請"})
