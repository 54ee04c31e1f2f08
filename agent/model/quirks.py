"""What a server turned out not to accept, learned from its own refusals: names of limits, temperatures, extra fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_SMALL_ANSWER = 512
"""Tokens for the answer where a model's context is too short for more."""


class Quirks:
    """The optional fields of a request, fewer after each refusal."""

    def __init__(self, *, temperature: float, openai: bool) -> None:
        self._limit = "max_completion_tokens" if openai else "max_tokens"
        self._renamed = False
        self._temperature: float | None = temperature
        self._usage = True
        self._most: int | None = None

    def body(
        self, model: str, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]], max_tokens: int
    ) -> dict[str, Any]:
        """The body of a chat completion in the form this server accepts."""
        body: dict[str, Any] = {"model": model, "messages": list(messages)}
        body[self._limit] = min(max_tokens, self._most or max_tokens)
        if self._temperature is not None:
            body["temperature"] = self._temperature
        if self._usage:
            body["stream_options"] = {"include_usage": True}
        if tools:
            body["tools"] = list(tools)
        return body

    def learn(self, words: str) -> bool:
        """Leave out or rename what a refusal names; True when another try differs from the last."""
        if self._limit in words and "context" not in words and not self._renamed:
            self._renamed = True
            self._limit = "max_tokens" if self._limit == "max_completion_tokens" else "max_completion_tokens"
        elif "temperature" in words and self._temperature is not None:
            self._temperature = None
        elif "stream_options" in words and self._usage:
            self._usage = False
        elif "context" in words and self._most is None:
            self._most = _SMALL_ANSWER
        else:
            return False
        return True
