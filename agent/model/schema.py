"""The JSON schema of an answer in the strict form that servers can force a model to follow."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_UNSUPPORTED = frozenset(
    {"default", "title", "minLength", "maxLength", "minItems", "maxItems", "format", "discriminator"}
)
"""What some servers refuse in a schema; pydantic checks it afterwards."""


def strict_schema(answer: type[BaseModel]) -> dict[str, Any]:
    """Every object closed and every property required, as strict servers want it."""
    closed = _closed(answer.model_json_schema())
    assert isinstance(closed, dict)  # the schema of a model is an object
    return closed


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _inside(name, value) for name, value in node.items() if name not in _UNSUPPORTED}
    if "properties" in kept:
        kept |= {"additionalProperties": False, "required": list(kept["properties"])}
    return kept


def _inside(name: str, value: Any) -> Any:
    if name in {"properties", "$defs"}:  # here the names are the answer's own, never keywords
        return {each: _closed(inner) for each, inner in value.items()}
    return value if name in {"enum", "const"} else _closed(value)
