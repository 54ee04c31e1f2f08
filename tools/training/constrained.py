"""Greedy decoding that keeps to a grammar: of the likeliest tokens, the first that the declared object allows.

Worker side. It works on the text that the tokens decode to, so it needs nothing of a tokenizer but to encode and decode, and a
token that spans a quote and a comma is as good as two. Where none of the likeliest tokens is allowed, or the budget only just
suffices to close the object, the shortest allowed text is written, and of declared values the one whose tokens the model likes
best where they first differ: characters that a tokenizer has no token for begin with the same byte, and say nothing there.
"""

from __future__ import annotations

from typing import Any

from tools.training.object_grammar import ObjectGrammar, State

_LOOKED_AT = 48
"""Likeliest tokens that are tried; a model that puts all allowed ones below these is told what to write."""
_SPARE = 4
"""Tokens kept back beyond what closing the object takes."""
_PARTIAL = "\ufffd"
"""What half a character decodes to."""


class ObjectGuide:
    """Chooses the tokens of one answer."""

    def __init__(self, tokenizer: Any, grammar: ObjectGrammar, budget: int) -> None:
        self._tokenizer = tokenizer
        self._grammar = grammar
        self._budget = budget
        self._special = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
        self._tokens: list[int] = []
        self._text = ""
        """What they decode to, without half a character at the end."""
        self._state = grammar.start
        self._ways: list[list[int]] = []
        """Tokens of which one row is written next; none while the model chooses freely."""

    def next(self, logits: Any) -> int | None:
        """The next token, given the model's logits for it; None when the object is complete or cannot be continued."""
        if self._state.done:
            return None
        if not self._ways and not self._is_tight() and not self._grammar.chooses(self._state):
            likeliest: list[int] = logits.topk(min(_LOOKED_AT, logits.shape[-1])).indices.tolist()
            for token in likeliest:
                if token not in self._special and self._take([token]):
                    return token
        self._ways = self._ways or self._shortest()
        return self._next_of_ways(logits) if self._ways else None

    def _next_of_ways(self, logits: Any) -> int | None:
        """The token that the model likes best of those that come next in a way; the ways that go on with it stay."""
        token = max((way[0] for way in self._ways), key=lambda one: float(logits[one]))
        self._ways = [way[1:] for way in self._ways if way[0] == token and len(way) > 1]
        if self._ways:
            self._tokens.append(token)  # half of what was checked as a whole
            return token
        return token if self._take([token]) else None

    def _take(self, tokens: list[int]) -> bool:
        """Append tokens if the grammar allows what they say."""
        found = self._after(tokens)
        if found is None:
            return False
        self._tokens += tokens
        self._text, self._state = found
        return True

    def _after(self, tokens: list[int]) -> tuple[str, State] | None:
        whole = self._decode([*self._tokens, *tokens])
        text = whole.rstrip(_PARTIAL)
        if not text.startswith(self._text) or whole == self._decode(self._tokens):
            return None
        state = self._grammar.advance(self._state, text[len(self._text) :])
        if state is None or (text != whole and not state.in_text):
            return None
        return text, state

    def _shortest(self) -> list[list[int]]:
        """The tokens of the shortest continuations; none is the beginning of another, since each ends a text."""
        ways = [self._encode(piece) for piece in self._grammar.continuations(self._state)]
        return [tokens for tokens in ways if tokens and self._after(tokens) is not None]

    def _is_tight(self) -> bool:
        """True when what is left of the budget is needed to close the object."""
        left = self._budget - len(self._tokens) - _SPARE
        pieces = self._grammar.rest(self._state)
        return left < sum(len(piece.encode("utf-8")) for piece in pieces) and left <= _cost(self._tokenizer, pieces)

    def _encode(self, text: str) -> list[int]:
        return _tokens(self._tokenizer, text)

    def _decode(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return text


def least_budget(tokenizer: Any, grammar: ObjectGrammar) -> int:
    """Tokens that an object with empty values takes: a smaller budget could never be kept."""
    return _cost(tokenizer, grammar.rest(grammar.start)) + 2 * _SPARE


def _cost(tokenizer: Any, pieces: list[str]) -> int:
    """Tokens of texts that are written one after the other."""
    return sum(len(_tokens(tokenizer, piece)) for piece in pieces)


def _tokens(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
