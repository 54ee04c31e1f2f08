"""A row as chat turns, and an answer as the exact text a model should write.

Training and evaluation both come through here, so that a model is asked in the words it was trained on. It knows nothing
of tokenizers and chat templates (tools/training), and it does not read answers back (tools/scoring/answers.py).
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Sequence

from pydantic import JsonValue

from tools.config import Prompt
from tools.errors import InputError
from tools.scoring.answers import allowed_values
from tools.scoring.label_words import in_words, spoken
from tools.task import AnswerFormat, Row, TaskDefinition
from tools.text import T, visible

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_PLACEHOLDER = re.compile(r"\{([^\W\d]\w*)\}")
_ROLES = frozenset({"system", "user", "assistant"})

_INSTRUCTIONS = {
    "zh": {
        "label": "只輸出下列其中一個標籤，不要輸出其他文字：{choices}",
        "open_label": "只輸出標籤，不要輸出其他文字。",
        "json": "只輸出一個 JSON 物件，不要輸出其他文字，欄位與格式如下：{shape}",
        "between": "、",
    },
    "en": {
        "label": "Answer with exactly one of these labels and nothing else: {choices}",
        "open_label": "Answer with the label and nothing else.",
        "json": "Answer with exactly one JSON object and nothing else, with these fields: {shape}",
        "between": ", ",
    },
}


def messages_for(
    definition: TaskDefinition, prompt: Prompt, row: Row, examples: Sequence[Row] = ()
) -> list[dict[str, str]]:
    """The chat turns before the answer: the system text if there is one, answered examples, then the row's own question.

    A question is the filled template with the answer format. A chat-format row keeps its own turns, and a row whose only field
    is a whole `prompt` is asked as it stands, both without examples. Raises InputError when the template names a field that a
    row does not have.
    """
    turns = _chat_turns(row)
    if turns is not None:
        return turns
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    if set(row.fields) == {"prompt"} and "prompt" not in definition.input_fields:
        return [*system, {"role": "user", "content": row.fields["prompt"]}]
    shown = [turn for one in examples for turn in _answered(definition, prompt, one)]
    return [*system, *shown, {"role": "user", "content": _question(definition, prompt, row)}]


def _answered(definition: TaskDefinition, prompt: Prompt, example: Row) -> list[dict[str, str]]:
    """An example as a question and its answer."""
    answer = in_words(definition.answer, prompt.label_words, example.answer)
    said = answer_text(spoken(definition.answer, prompt.label_words), answer)
    question = _question(definition, prompt, example)
    return [{"role": "user", "content": question}, {"role": "assistant", "content": said}]


def _question(definition: TaskDefinition, prompt: Prompt, row: Row) -> str:
    asked = fill(definition.template if prompt.template is None else prompt.template, row)
    instruction = answer_instruction(definition, prompt)
    return asked.rstrip("\n") + "\n" + instruction if instruction else asked


def answer_instruction(definition: TaskDefinition, prompt: Prompt) -> str:
    """The line that states the declared output format, in the task's language; "" when there is nothing to state."""
    if prompt.answer_instruction is not None:
        return prompt.answer_instruction
    answer = spoken(definition.answer, prompt.label_words)
    words = _INSTRUCTIONS["zh" if _is_chinese(definition) else "en"]
    if answer.type == "label":
        choices = words["between"].join(answer.labels)
        return words["label"].format(choices=choices) if choices else words["open_label"]
    if answer.type == "json" and answer.fields:
        shape = {field: "|".join(allowed_values(answer, field) or []) or "..." for field in answer.fields}
        return words["json"].format(shape=json.dumps(shape, ensure_ascii=False))
    return ""


def fill(template: str, row: Row) -> str:
    """Put the row's fields into the template.

    A well-formed template is an ordinary str.format template of plain field names ("{{" is a brace). A template with
    other braces in it, such as a JSON example, is taken literally but for the placeholders. Values are never read as
    templates, so a text may contain any braces. Raises InputError for a placeholder that the row cannot fill.
    """
    missing = sorted({name for name in template_fields(template) if name not in row.fields})
    if missing:
        raise InputError(
            T(
                "The template asks for {missing}, and row {id} has no such field; it has {fields}.",
                missing=visible(", ".join(missing)),
                id=visible(row.id),
                fields=visible(", ".join(row.fields)) or "-",
            ),
            hint=T("Name only fields that every row has, in input_format.template or prompt.template."),
            page="troubleshooting/configuration",
        )
    if _plain_names(template) is not None:
        return template.format(**row.fields)
    return _PLACEHOLDER.sub(lambda found: row.fields[found.group(1)], template)


def answer_text(answer: AnswerFormat, value: JsonValue) -> str:
    """The exact completion for an answer: the label, compact JSON in declared field order, or the text.

    Raises InputError when the value does not have the declared fields.
    """
    if answer.type != "json":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    given = value if isinstance(value, dict) else {answer.label_field or "": value}
    fields = answer.fields or list(given)
    missing = [field for field in fields if field not in given]
    if missing:
        raise InputError(
            T(
                "The answer {value} lacks the declared fields {missing}.",
                value=visible(json.dumps(value, ensure_ascii=False), 120),
                missing=visible(", ".join(missing)),
            ),
            hint=T("Add the fields to the row, or take them out of output_format in task_definition.yaml."),
            page="troubleshooting/output-format",
        )
    ordered = {field: given[field] for field in fields}
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))


def _is_chinese(definition: TaskDefinition) -> bool:
    """By the declared language, else by the template's script."""
    if definition.language:
        return definition.language.lower().startswith("zh")
    return bool(_HAN.search(definition.template))


def _chat_turns(row: Row) -> list[dict[str, str]] | None:
    """The turns of a chat-format row; None for other rows."""
    if set(row.fields) != {"messages"}:
        return None
    try:
        turns = json.loads(row.fields["messages"])
    except ValueError:
        return None
    if not isinstance(turns, list) or not turns or not all(_is_turn(turn) for turn in turns):
        return None
    return [{"role": turn["role"], "content": turn["content"]} for turn in turns]


def _is_turn(turn: object) -> bool:
    return isinstance(turn, dict) and turn.get("role") in _ROLES and isinstance(turn.get("content"), str)


def _plain_names(template: str) -> list[str] | None:
    """The field names of a well-formed template of plain placeholders; None for any other text."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return None
    names = [name for _, name, _, _ in parts if name is not None]
    plain = all(name.isidentifier() for name in names) and not any(form or kind for _, _, form, kind in parts)
    return names if plain else None


def template_fields(template: str) -> list[str]:
    """The names of the row fields that a template asks for, in order, repeated as they are."""
    plain = _plain_names(template)
    return _PLACEHOLDER.findall(template) if plain is None else plain
