"""A YAML file of the user as read: its text, its data, and where each key stands, so that problems can name the line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tools.editing.text_lines import assumed_encoding, cannot_read, decode
from tools.editing.yaml_read import Refusal, is_portable, parse, plain
from tools.errors import InputError, Problem
from tools.text import T, Text, visible

_PAGE = "troubleshooting/broken-files"
MAX_YAML_BYTES = 2_000_000
"""A definition or configuration is some kilobytes; a larger file is something else."""


class YamlFile(NamedTuple):
    """One file that holds a mapping."""

    name: str
    """As shown in problems: relative to the task folder."""
    text: str
    content: bytes
    root: Node | None
    data: dict[str, JsonValue]
    problems: list[Problem]
    """What was noted while reading (encoding)."""

    def node(self, path: Sequence[str]) -> Node | None:
        """The value at a key path; None when it is not written there (absent, or merged in)."""
        found = self._pair(path)
        return found[1] if found else None

    def line(self, path: Sequence[str]) -> int | None:
        """The 1-based line of a key, or of the nearest section above it that is written in the file."""
        while path:
            if found := self._pair(path):
                return int(found[0].start_mark.line) + 1
            path = path[:-1]
        return None

    def mistyped_number(self, path: Sequence[str]) -> str | None:
        """The text of a number that a YAML 1.1 reader takes for text, such as 1e-5; None for anything else."""
        node = self.node(path)
        if not isinstance(node, ScalarNode) or not node.tag.endswith(":float") or is_portable(node):
            return None
        return str(node.value)

    def _pair(self, path: Sequence[str]) -> tuple[Node, Node] | None:
        node, pair = self.root, None
        for key in path:
            pair = _child(node, key)
            if pair is None:
                return None
            node = pair[1]
        return pair


def read_yaml(path: Path, name: str) -> YamlFile:
    """Read a file that should hold a mapping; raises InputError with the exact line when it is not valid YAML."""
    try:
        if path.stat().st_size > MAX_YAML_BYTES:
            raise InputError(
                T("{path} is larger than {limit} bytes, so it is no configuration.", path=name, limit=MAX_YAML_BYTES),
                hint=T("Put rows into files under data/."),
                page=_PAGE,
            )
        content = path.read_bytes()
    except OSError as reason:
        raise cannot_read(path, reason) from reason
    text, encoding = decode(content)
    notes = [] if encoding.startswith("utf-8") else [assumed_encoding(name, encoding)]
    return parse_yaml(text.removeprefix("\ufeff"), name, content, notes)


def parse_yaml(text: str, name: str, content: bytes = b"", notes: Sequence[Problem] = ()) -> YamlFile:
    """A text that should be a mapping; raises InputError with the exact line when it is not."""
    try:
        root = parse(text)
        data = _without_surrogates(plain(root))
    except Refusal as refusal:
        raise _broken(name, refusal.message, refusal.line) from refusal
    if data is not None and not isinstance(data, dict):
        raise _broken(name, T("It must hold keys with values, and it holds {value}.", value=visible(str(data), 60)), 1)
    return YamlFile(name, text, content, root, data or {}, list(notes))


def _without_surrogates(value: JsonValue) -> JsonValue:
    r"""Plain data in which escaped pairs (JSON's "\ud83d\ude00") are one character; a lone half becomes U+FFFD."""
    if isinstance(value, dict):
        return {str(_without_surrogates(key)): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        return value.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")
    return value


def _broken(name: str, reason: Text, line: int | None) -> InputError:
    shown = visible(name)
    message = (
        T("{path} cannot be read. {reason}", path=shown, reason=reason)
        if line is None
        else T("{path}, line {line}: {reason}", path=shown, line=line, reason=reason)
    )
    hint = T("Mend that line, then run the same command again. Nothing was changed.")
    problem = Problem(message=message, path=name, line=line, hint=hint, page=_PAGE, kind="broken_yaml")
    return InputError(message, hint=hint, page=_PAGE, problems=[problem])


def _child(node: Node | None, key: str) -> tuple[Node, Node] | None:
    """Key and value of a mapping, or the item of a list whose index `key` is (twice)."""
    if isinstance(node, MappingNode):
        return next(((name, value) for name, value in node.value if name.value == key), None)
    if isinstance(node, SequenceNode) and key.isdecimal() and int(key) < len(node.value):
        return node.value[int(key)], node.value[int(key)]
    return None
