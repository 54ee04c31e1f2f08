"""Leaves out what a reasoning model thinks aloud before its answer, while the answer streams."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkFilter:
    """Give it the pieces of an answer; it returns those to show.

    Only a block at the very beginning is left out: a tag later in an answer is something the model talks about.
    """

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def feed(self, text: str) -> str:
        """The part of the answer that is certain to be shown."""
        if self._state == "answer":
            return text
        self._held += text
        while self._moved():
            pass
        return self._release() if self._state == "answer" else ""

    def rest(self) -> str:
        """What was held back when the answer ended; an unfinished thought is not an answer."""
        return "" if self._state == "thinking" else self._release()

    def _moved(self) -> bool:
        """Take one step from thought to thought to answer; False while more text is needed."""
        if self._state == "thinking":
            _, found, after = self._held.partition(_CLOSE)
            if found:
                self._held, self._state = after, "thought"
            return bool(found)
        begun = self._held.lstrip()
        if self._state == "thought":
            self._held = begun
        if begun.startswith(_OPEN):
            self._state = "thinking"
            return True
        if not _OPEN.startswith(begun):
            self._state = "answer"
        return False

    def _release(self) -> str:
        released, self._held = self._held, ""
        return released


def without_thoughts(text: str) -> str:
    """A whole answer without its thoughts, also where the opening tag was part of the server's own template."""
    shown = ThinkFilter()
    plain = shown.feed(text) + shown.rest()
    return plain.rpartition(_CLOSE)[2].lstrip() if _CLOSE in plain and _OPEN not in plain else plain
