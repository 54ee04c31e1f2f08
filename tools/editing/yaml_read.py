"""A YAML text as nodes with positions, and as plain data whose keys are the text they are written as.

A label such as yes or 1.0 is a key like any other here, whatever a YAML version thinks it means. It does not know what
a configuration is.
"""

from __future__ import annotations

import math
import re
from typing import Any

from pydantic import JsonValue
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tools.text import T, Text, visible

_MOST_NODES = 200_000
"""Beyond this many values (aliases counted each time) a file is refused: a few nested aliases can stand for millions."""

# PyYAML's resolver: a float needs a dot, and a sign in its exponent (https://yaml.org/type/float.html, bool.html).
_FLOAT_1_1 = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9]+|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)
_BOOLEANS_1_1 = frozenset({"y", "n", "yes", "no", "on", "off"})

_MERGE = "tag:yaml.org,2002:merge"


class Refusal(Exception):
    """An edit or a text cannot be handled: the reason, and the 1-based line if it is known."""

    def __init__(self, message: Text, line: int | None = None) -> None:
        super().__init__(str(message))
        self.message = message
        self.line = line


def parse(text: str) -> Node | None:
    """The root node of the only document in `text`, None when it is empty; raises Refusal."""
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = visible(str(error.problem or error.context or ""), 200)
        raise Refusal(
            T("The file is not valid YAML: {reason}.", reason=reason), mark.line + 1 if mark else None
        ) from error
    except YAMLError as error:
        raise Refusal(T("The file holds characters that YAML does not allow.")) from error
    except RecursionError as error:
        raise Refusal(T("The file is nested too deeply.")) from error
    return root


def plain(node: Node | None) -> JsonValue:
    """A node as plain data, merge keys (<<) resolved; raises Refusal for duplicate keys and endless aliases."""
    try:
        return _Plain().value(node)
    except RecursionError as error:
        raise Refusal(T("The file is nested too deeply.")) from error


class _Plain:
    """One conversion, which counts what it has visited."""

    def __init__(self) -> None:
        self.left = _MOST_NODES
        self.constructor: Any = YAML(typ="safe", pure=True).constructor

    def value(self, node: Node | None) -> JsonValue:
        self.left -= 1
        if self.left < 0:
            raise Refusal(T("The file stands for more values than this program reads."))
        if isinstance(node, MappingNode):
            return self.mapping(node)
        if isinstance(node, SequenceNode):
            return [self.value(item) for item in node.value]
        return None if node is None else self.scalar(node)

    def scalar(self, node: ScalarNode) -> JsonValue:
        try:
            value = self.constructor.construct_object(node)
        except (YAMLError, ValueError, TypeError):
            return f"{node.tag} {node.value}"
        return value if isinstance(value, str | int | float | bool | None) else f"{node.tag} {node.value}"

    def mapping(self, node: MappingNode) -> dict[str, JsonValue]:
        merged: dict[str, JsonValue] = {}
        own: dict[str, JsonValue] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                parents = self.value(value)
                for parent in reversed(parents if isinstance(parents, list) else [parents]):
                    merged |= parent if isinstance(parent, dict) else {}
                continue
            name = key.value if isinstance(key.value, str) else str(self.value(key))
            if name in own:
                message = T("The key {key} stands twice in the same section.", key=visible(name, 80))
                raise Refusal(message, key.start_mark.line + 1)
            own[name] = self.value(value)
        return merged | own


def same(one: JsonValue, other: JsonValue) -> bool:
    """Equality of plain data in which true is not 1 and nan equals itself."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return one == other


def is_portable(node: Node) -> bool:
    """True when a YAML 1.1 reader (PyYAML and most training scripts) takes the scalar for the same value."""
    if not isinstance(node, ScalarNode) or node.style is not None:
        return True
    value = plain(node)
    if isinstance(value, float):
        return _FLOAT_1_1.fullmatch(node.value) is not None
    return not isinstance(value, str) or value.lower() not in _BOOLEANS_1_1
