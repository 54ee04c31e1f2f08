"""YAML text for single values, written so that YAML 1.1 and 1.2 readers understand the same thing.

It renders keys, scalars, flow collections and the lines of block collections. It never looks at an existing document:
that is tools/editing/yaml_edit.py.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import NamedTuple

from pydantic import JsonValue

FLOW_WIDTH = 80
"""A new list is written on one line up to this many characters, else one item a line."""

_FIXED_WIDTH = 14
"""Small and large numbers are written without an exponent up to this many characters."""

# Words that some reader takes for a boolean or null (https://yaml.org/type/bool.html and null.html).
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_PLAIN_FLOW = re.compile(r"[^\W\d](?:[\w\-./ ]*[\w\-./])?")
_PLAIN_BLOCK = re.compile(r"[^\W\d](?:(?:[\w\-./ ]|:(?=[\w\-./]))*[\w\-./])?")
# What a double-quoted scalar must escape beyond JSON: C1 controls, line separators, BOM, surrogates, non-characters.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_UNPRINTABLE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class Style(NamedTuple):
    """How a document is laid out."""

    step: int = 2
    """Columns a nested section is indented."""
    dash: int = 2
    """Columns a block list's dashes stand right of its key."""


class Rendered(NamedTuple):
    """A value as text: what follows the colon, and the lines below it."""

    head: str
    lines: list[str]


def number(value: float) -> str:
    """A number that YAML 1.1 readers also take for one: they read 1e-05 as text, but 0.00001 and 1.0e-05 as numbers."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else (".inf" if value > 0 else "-.inf")
    text = repr(value)
    if "e" not in text:
        return text
    fixed = format(Decimal(text), "f")
    fixed = fixed if "." in fixed else fixed + ".0"
    if len(fixed) <= _FIXED_WIDTH:
        return fixed
    mantissa, exponent = text.split("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"


def string(value: str, *, flow: bool, quote: str | None = None) -> str:
    """A string on one line: in the quotes it had, plain where every reader takes it for text, else double-quoted."""
    if quote == "'" and not _UNPRINTABLE.search(value) and "\n" not in value:
        return "'" + value.replace("'", "''") + "'"
    plain = (_PLAIN_FLOW if flow else _PLAIN_BLOCK).fullmatch(value)
    if quote is None and plain and value.lower() not in _RESERVED:
        return value
    escaped = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped)


def flow(value: JsonValue, *, inside: bool = True, quote: str | None = None) -> str:
    """Any value on one line; `inside` is False where no flow bracket is open around it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str):
        return string(value, flow=inside, quote=quote)
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return "{" + ", ".join(f"{string(key, flow=True)}: {flow(item)}" for key, item in value.items()) + "}"


def block(value: JsonValue, indent: int, style: Style, quote: str | None = None) -> Rendered:
    """A value of a key that stands at column `indent` in a block mapping."""
    if isinstance(value, dict) and value:
        return Rendered("", mapping_lines(value, indent + style.step, style))
    if isinstance(value, list) and len(flow(value)) > FLOW_WIDTH:
        return Rendered("", [item_line(item, indent + style.dash) for item in value])
    if isinstance(value, str) and _fits_literal(value):
        lines = value.removesuffix("\n").split("\n")
        pad = " " * (indent + style.step)
        return Rendered("|" if value.endswith("\n") else "|-", [pad + line if line else "" for line in lines])
    return Rendered(flow(value, inside=False, quote=quote), [])


def mapping_lines(value: dict[str, JsonValue], indent: int, style: Style) -> list[str]:
    """The lines of a block mapping whose keys stand at column `indent`."""
    lines: list[str] = []
    for key, item in value.items():
        rendered = block(item, indent, style)
        lines.append((f"{' ' * indent}{string(key, flow=False)}: {rendered.head}").rstrip(" "))
        lines.extend(rendered.lines)
    return lines


def item_line(value: JsonValue, column: int) -> str:
    """One item of a block list, its dash at `column`."""
    return f"{' ' * column}- {flow(value, inside=not isinstance(value, str))}"


def _fits_literal(value: str) -> bool:
    """True for text of several lines that a literal block (`|`) gives back unchanged."""
    body = value.removesuffix("\n")
    if "\n" not in body or _UNPRINTABLE.search(value):
        return False
    lines = body.split("\n")
    return all(line == line.rstrip() for line in lines) and bool(lines[0]) and lines[0][0] != " " and bool(lines[-1])
