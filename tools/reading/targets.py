"""Reading the targets of a definition: one metric or several, written in any of the usual ways."""

from __future__ import annotations

from pydantic import JsonValue

from tools.editing.nearest import nearest
from tools.outcomes.metric_names import KNOWN, fraction, metric_name
from tools.reading.definition_notes import Notes
from tools.task import Target
from tools.text import T, visible

_METRIC_KEYS = ("metric", "primary_metric", "name")
_THRESHOLD_KEYS = ("threshold", "target", "min", "value")
_GROUPS = ("targets", "metrics", "secondary", "secondary_metrics", "additional_metrics")
_NAMED = (*_METRIC_KEYS, *_THRESHOLD_KEYS, *_GROUPS, "description", "notes")


def read_targets(notes: Notes) -> list[Target]:
    """The targets, primary metric first, each metric once; what cannot be read is noted."""
    found: list[Target] = []
    for key in ("success_criteria", "targets"):
        if (block := notes.data.get(key)) is not None:
            found += _targets(notes, [key], block)
    unique = {target.metric: target for target in reversed(found)}
    return sorted(unique.values(), key=found.index)


def _targets(notes: Notes, path: list[str], block: JsonValue) -> list[Target]:
    if isinstance(block, list):
        return [target for index, item in enumerate(block) for target in _targets(notes, [*path, str(index)], item)]
    if not isinstance(block, dict):
        notes.wrong(path, T("A target is a metric with a threshold."), block, choices=KNOWN)
        return []
    found = _single(notes, path, block)
    for key, value in block.items():
        if key in _GROUPS:
            found += _targets(notes, [*path, key], value)
        elif key not in _NAMED:
            found += _one(notes, [*path, key], key, _threshold_in(value))
    return found


def _single(notes: Notes, path: list[str], block: dict[str, JsonValue]) -> list[Target]:
    """The target of a block with a metric and its threshold under names of their own."""
    metric = next((key for key in _METRIC_KEYS if key in block), None)
    threshold = next((key for key in _THRESHOLD_KEYS if key in block), None)
    if metric is not None and threshold is not None:
        return _one(notes, [*path, threshold], str(block[metric]), block[threshold])
    if metric is not None and not _given_elsewhere(block, str(block[metric])):
        notes.wrong([*path, metric], T("The metric {metric} has no threshold.", metric=visible(str(block[metric]), 60)))
    if threshold is not None:
        notes.wrong([*path, threshold], T("The threshold has no metric."), block[threshold], choices=KNOWN)
    return []


def _given_elsewhere(block: dict[str, JsonValue], metric: str) -> bool:
    return metric in block or any(key in block for key in _GROUPS)


def _threshold_in(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return next((value[key] for key in _THRESHOLD_KEYS if key in value), None)
    return value


def _one(notes: Notes, path: list[str], metric: str, threshold: JsonValue) -> list[Target]:
    share = fraction(threshold)
    if share is None:
        message = T("The threshold of {metric} must be a share of 1 or a percentage.", metric=visible(metric, 60))
        hint = T("Write 0.8, 80 or 80%.")
        notes.wrong(path, message, threshold, hint=hint)
        return []
    name = metric_name(metric)
    if name not in KNOWN and "[" not in name:
        near = nearest(name, KNOWN)
        message = T("The metric {metric} is none that this program computes.", metric=visible(metric, 60))
        known = T("The nearest known one is {near}.", near=near) if near else None
        notes.wrong(path, message, metric, choices=KNOWN, hint=known)
    return [Target(metric=name, threshold=share)]
