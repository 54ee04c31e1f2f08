"""Reading `output_format` of a definition: which answers count as well formed, in every shape in which it is written."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import JsonValue

from tools.reading.definition_notes import Notes
from tools.reading.infer_definition import guess_answer_fields, guess_label_field, guess_labels
from tools.task import AnswerFormat, TaskType
from tools.text import T, visible

_TYPES = ("json", "label", "text")
_SYNONYMS = {
    "object": "json",
    "json_object": "json",
    "class": "label",
    "category": "label",
    "string": "text",
    "str": "text",
}
_USUAL = {"classification": "label", "extraction": "json", "generation": "text"}


class Declared(NamedTuple):
    """`output_format` taken apart."""

    type: str
    fields: dict[str, dict[str, JsonValue]]
    labels: list[str]
    label_field: str | None
    long_fields: list[str]


def answer_format(notes: Notes, task_type: TaskType) -> AnswerFormat:
    """The declared answer format; what is missing is taken from the rows and noted."""
    declared = _declared(notes, task_type)
    if task_type == "classification":
        return _classification(notes, declared)
    if task_type == "extraction" or declared.type == "json":
        return _object(notes, declared)
    return AnswerFormat(type="text")


def _declared(notes: Notes, task_type: TaskType) -> Declared:
    raw = notes.data.get("output_format")
    block = raw if isinstance(raw, dict) else {}
    if raw is not None and not isinstance(raw, dict | str):
        notes.wrong(("output_format",), T("output_format must be keys with values."), raw)
    given = raw if isinstance(raw, str) else block.get("type")
    fields = _fields(notes, block)
    labels = _labels(notes, block)
    kind = _type(notes, given, task_type, bool(fields))
    field = block.get("label_field")
    long = block.get("long_fields", notes.data.get("long_fields"))
    return Declared(kind, fields, labels, field if isinstance(field, str) else None, _names(notes, long))


def _type(notes: Notes, given: JsonValue, task_type: TaskType, has_fields: bool) -> str:
    usual = "json" if has_fields or _answers_are_objects(notes, given, task_type) else _USUAL[task_type]
    if given is None:
        message = T("output_format.type is missing; answers are read as {type}.", type=usual)
        notes.assumed(("output_format", "type"), message, "output_type")
        return usual
    name = _SYNONYMS.get(str(given).strip().lower(), str(given).strip().lower())
    if name not in _TYPES:
        notes.one_of(("output_format", "type"), given, _TYPES)
        return usual
    if task_type == "extraction" and name != "json":
        message = T("An extraction answers with an object; output_format.type {type} was read as json.", type=name)
        notes.wrong(("output_format", "type"), message, given, choices=["json"])
    return name


def _answers_are_objects(notes: Notes, given: JsonValue, task_type: TaskType) -> bool:
    """True for a classification that does not say its output type and whose rows answer with an object."""
    return given is None and task_type == "classification" and guess_label_field(notes.rows) is not None


def _fields(notes: Notes, block: dict[str, JsonValue]) -> dict[str, dict[str, JsonValue]]:
    """Field to its schema, from a plain mapping, a JSON schema with `properties`, or a list of names."""
    schema = block.get("schema", block.get("fields"))
    if isinstance(schema, dict) and isinstance(inner := schema.get("properties"), dict):
        schema = inner
    if isinstance(schema, list):
        return {str(name): {} for name in schema}
    if isinstance(schema, dict):
        return {name: _field(spec) for name, spec in schema.items()}
    if schema is not None:
        notes.wrong(("output_format", "schema"), T("output_format.schema must name the fields of the answer."), schema)
    return {}


def _field(spec: JsonValue) -> dict[str, JsonValue]:
    if isinstance(spec, dict):
        return spec
    return {"enum": spec} if isinstance(spec, list) else {"type": spec}


def _labels(notes: Notes, block: dict[str, JsonValue]) -> list[str]:
    places = (("output_format", "labels", block), ("output_format", "enum", block), ("", "labels", notes.data))
    for section, key, source in (*places, ("", "classes", notes.data)):
        value = source.get(key)
        if isinstance(value, dict):
            value = list(value)
        if isinstance(value, list):
            return _values(notes, [part for part in (section, key) if part], value)
    return []


def _values(notes: Notes, path: list[str], values: list[JsonValue]) -> list[str]:
    """Declared values as texts, each once."""
    texts = [_as_text(value) for value in values if value is not None and not isinstance(value, dict | list)]
    kept = list(dict.fromkeys(text for text in texts if text))
    if len(kept) < len(values):
        hint = T("Each value is taken once; empty ones are left out.")
        notes.wrong(path, T("{key} names a value twice, or none.", key=".".join(path)), values, hint=hint)
    return kept


def _as_text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def _names(notes: Notes, value: JsonValue) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list):
        return [str(name) for name in names]
    if value is not None:
        notes.wrong(("output_format", "long_fields"), T("long_fields must be a list of fields."), value)
    return []


def _enums(notes: Notes, fields: dict[str, dict[str, JsonValue]]) -> dict[str, list[str]]:
    """Field to its declared values, for the fields that have some."""
    enums: dict[str, list[str]] = {}
    for name, spec in fields.items():
        values = spec.get("enum", spec.get("choices"))
        if isinstance(values, list) and (kept := _values(notes, ["output_format", "schema", name, "enum"], values)):
            enums[name] = kept
    return enums


def _classification(notes: Notes, declared: Declared) -> AnswerFormat:
    enums = _enums(notes, declared.fields)
    field = _label_field(notes, declared, enums) if declared.type == "json" else None
    labels = enums.get(field or "") or declared.labels or _labels_of_rows(notes, field)
    if field is None:
        return AnswerFormat(type="label", labels=labels)
    return AnswerFormat(
        type="json", fields=[field], label_field=field, labels=labels, enums={field: labels} if labels else {}
    )


def _label_field(notes: Notes, declared: Declared, enums: dict[str, list[str]]) -> str:
    """The field that holds the label: the one named, else the first with declared values, else the first."""
    if declared.label_field is not None:
        return declared.label_field
    field = next(iter(enums), None) or next(iter(declared.fields), None) or guess_label_field(notes.rows) or "label"
    if len(declared.fields) > 1:
        notes.wrong(
            ("output_format", "schema"),
            T("A classification has one label; {field} was taken for it.", field=visible(field)),
            choices=list(declared.fields),
            hint=T("Name it in output_format.label_field, or make the task an extraction."),
        )
    return field


def _labels_of_rows(notes: Notes, field: str | None) -> list[str]:
    labels = guess_labels(notes.rows, field)
    message = T("The labels are not declared; these stand in the training data: {labels}.", labels=_listed(labels))
    notes.assumed(("output_format",), message, "labels")
    return labels


def _object(notes: Notes, declared: Declared) -> AnswerFormat:
    fields = list(declared.fields)
    if not fields:
        fields = guess_answer_fields(notes.rows)
        message = T(
            "output_format.schema is missing; these fields stand in the training data: {fields}.",
            fields=_listed(fields),
        )
        notes.assumed(("output_format",), message, "fields")
    long = [name for name, spec in declared.fields.items() if spec.get("long") is True]
    for name in declared.long_fields:
        if name not in fields:
            notes.one_of(("output_format", "long_fields"), name, fields)
    long += [name for name in declared.long_fields if name in fields and name not in long]
    return AnswerFormat(type="json", fields=fields, enums=_enums(notes, declared.fields), long_fields=long)


def _listed(names: list[str]) -> str:
    return visible(", ".join(names), 200) or "-"
