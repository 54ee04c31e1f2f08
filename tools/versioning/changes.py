"""What differs between two configurations, in words, for change lists and comparison reports.

A proposal brings its own words (tools/change.py); these are for versions that a person made by hand. The exact diff is
tools/edit_config.py: config_diff.
"""

from __future__ import annotations

import json

from pydantic import JsonValue

from tools.editing.yaml_read import Refusal, parse, plain, same
from tools.text import T, Text, visible

Key = tuple[str, ...]

_NAMES: dict[Key, Text] = {
    ("lora", "r"): T("LoRA rank"),
    ("lora", "alpha"): T("LoRA alpha"),
    ("lora", "dropout"): T("LoRA dropout"),
    ("training", "base_model"): T("Base model"),
    ("training", "method"): T("Method"),
    ("training", "epochs"): T("Epochs"),
    ("training", "learning_rate"): T("Learning rate"),
    ("training", "batch_size"): T("Batch size"),
    ("training", "max_length"): T("Longest row in tokens"),
    ("training", "warmup"): T("Warm-up"),
    ("training", "weight_decay"): T("Weight decay"),
    ("training", "early_stopping"): T("Early stopping"),
    ("training", "seeds"): T("Seeds"),
    ("data", "deduplicate"): T("Remove duplicates"),
    ("prompt", "system"): T("System prompt"),
    ("decoding", "constrained"): T("Constrained answers"),
}
_WHOLE: dict[Key, Text] = {
    ("training", "class_weights"): T("Class weights"),
    ("data", "oversample"): T("Rows wanted per class"),
    ("data", "train"): T("Training files"),
}
"""Mappings and lists that are one thing to a reader."""
_COUNTED: dict[Key, Text] = {
    ("data", "exclude"): T("Rows left out"),
    ("data", "relabel"): T("Rows with another label"),
}
"""Lists of row ids: only their number is said."""
_LONGEST = 120
_ABSENT = "-"


def setting_name(key: Key) -> Text:
    """A setting as people call it: Learning rate, or "Rows wanted per class, 中立"; its dotted key where it has no name."""
    known = _NAMES | _WHOLE | _COUNTED
    if key in known:
        return known[key]
    if key[:2] in _WHOLE and len(key) == 3:
        return T("{what}, {label}", what=_WHOLE[key[:2]], label=visible(key[2], 60))
    return T("{name}", name=visible(".".join(key), _LONGEST))


def changes_in_words(old_text: str, new_text: str) -> list[Text]:
    """One line for each setting that differs; a text that is no YAML gives one line that says so."""
    try:
        old, new = (_settings(plain(parse(text))) for text in (old_text, new_text))
    except Refusal:
        return [T("The configuration changed; one of the two files is not valid YAML.")] if old_text != new_text else []
    keys = dict.fromkeys([*old, *new])
    return [_line(key, old.get(key), new.get(key)) for key in keys if not same(old.get(key), new.get(key))]


def _settings(data: JsonValue, place: Key = ()) -> dict[Key, JsonValue]:
    """The settings of a configuration by key path, opened down to single values except where a whole says more."""
    if not isinstance(data, dict) or place in _WHOLE or place in _COUNTED:
        return {place: data} if place else {}
    found: dict[Key, JsonValue] = {}
    for key, value in data.items():
        found |= _settings(value, (*place, key))
    return found


def _line(key: Key, old: JsonValue, new: JsonValue) -> Text:
    if key in _COUNTED:
        return T("{what}: {old} → {new}", what=setting_name(key), old=_count(old), new=_count(new))
    return T("{what}: {old} → {new}", what=setting_name(key), old=_shown(old), new=_shown(new))


def _count(value: JsonValue) -> int:
    return len(value) if isinstance(value, list | dict) else 0


def _shown(value: JsonValue) -> str:
    if value is None or value in ([], {}):
        return _ABSENT
    if isinstance(value, list):
        return visible(", ".join(str(item) for item in value), _LONGEST)
    if isinstance(value, dict):
        return visible(", ".join(f"{key} {item}" for key, item in value.items()), _LONGEST)
    return visible(value if isinstance(value, str) else json.dumps(value), _LONGEST)
