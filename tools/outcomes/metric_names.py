"""Names and values of metrics as other tools write them, brought to one form."""

from __future__ import annotations

import math
import re

_ALIASES = {
    "f1_macro": "macro_f1",
    "macro_avg_f1": "macro_f1",
    "macro_avg_f1_score": "macro_f1",
    "macro_f1_score": "macro_f1",
    "f1_score_macro": "macro_f1",
    "f1macro": "macro_f1",
    "macrof1": "macro_f1",
    "f1_weighted": "weighted_f1",
    "weighted_avg_f1": "weighted_f1",
    "f1_micro": "micro_f1",
    "acc": "accuracy",
    "exact_match": "exact",
    "em": "exact",
    "rougel": "rouge_l",
    "rouge_l_f1": "rouge_l",
    "parse_success_rate": "parse_rate",
    "json_parse_rate": "parse_rate",
    "format_accuracy": "format_correct",
}
KNOWN = (
    "macro_f1",
    "accuracy",
    "weighted_f1",
    "micro_f1",
    "field_score",
    "exact_object",
    "rouge_l",
    "exact",
    "parse_rate",
    "format_correct",
)
"""Metrics with a fixed name; scores of one class are f1[label], of one field field[name]."""

_NO_CLASS = frozenset(
    {"macro", "micro", "weighted", "samples", "score", "avg", "mean", "overall", "char", "token", "span", "entity"}
)
_CLASS_FIRST = re.compile(r"(?:f1_score|f1-score|f1)[_\-\[ ]+(.+?)\]?", re.IGNORECASE)
_CLASS_LAST = re.compile(r"(.+?)[_\- ]+(?:f1|f1_score|f1-score)", re.IGNORECASE)
_SPLIT_PREFIX = re.compile(r"(?:eval|test|valid|validation|val|dev|predict|train)_(?=.)", re.IGNORECASE)


def metric_name(raw: str) -> str:
    """The usual name of a metric; one that is not known only loses its capitals and hyphens."""
    if (label := class_of(raw)) is not None:
        return f"f1[{label}]"
    name = re.sub(r"[\s\-@/.]+", "_", raw.strip()).lower().strip("_")
    return _ALIASES.get(name, name)


def class_of(raw: str) -> str | None:
    """The class of a score such as f1_正面, f1[正面] or 正面_f1; None for other metrics."""
    name = raw.strip()
    for pattern in (_CLASS_FIRST, _CLASS_LAST):
        found = pattern.fullmatch(name)
        if found and re.split(r"[\s_\-]", found.group(1).lower())[0] not in _NO_CLASS:
            return found.group(1)
    return None


def without_split(raw: str) -> str:
    """A metric without the split in front of it: eval_accuracy is accuracy."""
    return _SPLIT_PREFIX.sub("", raw, count=1)


def fraction(value: object) -> float | None:
    """A score as a fraction: 0.72, "0.72", 72.0 and "72.0%" are all 0.72; None when it is no score.

    A bare number above 1 and up to 100 is taken for percent; 1 is the whole.
    """
    percent = False
    if isinstance(value, str):
        text = value.strip()
        percent = text.endswith(("%", "％"))
        try:
            value = float(text.rstrip("%％").strip())
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100 or math.isnan(value):
        return None
    return float(value) / 100 if percent or value > 1 else float(value)
