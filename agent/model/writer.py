"""A language model as the tools want it: a callable that answers in a form, with the prompts and the price of its tokens.

Tokens are counted over all requests that one question takes, refused forms and second tries included.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from agent.model.client import ChatModel, Message, Piece, TextPiece, UsagePiece, never, open_model
from agent.model.ladder import ask
from agent.model.prices import price_of
from agent.model.prompts import load_prompt
from agent.settings import Settings
from tools.errors import EndpointFailed
from tools.files import sha256_bytes
from tools.generating.writer import (
    Complete,
    Heard,
    JudgeSlots,
    Price,
    Usage,
    Wording,
    Writer,
    WriteSlots,
    rough_tokens,
)

WARM = 0.9
"""Temperature for writing, so that rows differ; the judge is asked at the client's low one."""


def open_writer(settings: Settings, price: Price | None = None) -> Writer | None:
    """The model that the settings name as a writer of rows, None when no endpoint is set.

    A price that is given goes before every table. Raises EndpointFailed when the server does not say which model it has.
    """
    warm, cool = open_model(settings, temperature=WARM), open_model(settings)
    if warm is None or cool is None:
        return None
    name = warm.resolve()
    priced = price_of(settings, name)
    return Writer(
        name=name,
        complete=_completing(warm),
        judge=_completing(cool),
        wording=wording(),
        price=price or (priced.price if priced is not None else None),
        may_see_rows=warm.may_see_rows,
    )


def _completing(model: ChatModel) -> Complete:
    def complete(messages: Sequence[dict[str, str]], response_format: type[BaseModel], usage: Usage) -> str:
        counting = _Counting(model, usage)
        asked = ask(counting, messages, response_format, max_tokens=usage.most, stopped=usage.ended.is_set)
        return json.dumps(asked.value.model_dump(mode="python"), ensure_ascii=True)

    return complete


def wording() -> Wording:
    """The prompts of generation as they stand in prompts/."""
    registers, angles = load_prompt("generate_registers"), load_prompt("generate_angles")
    blank_write = _write_prompt(WriteSlots(**dict.fromkeys(WriteSlots.model_fields, "")))
    blank_judge = _judge_prompt(JudgeSlots(**dict.fromkeys(JudgeSlots.model_fields, "")))
    texts = [blank_write, blank_judge, registers, angles]
    return Wording(
        write=_write_prompt,
        judge=_judge_prompt,
        sha256=sha256_bytes("\0".join(texts).encode("utf-8")),
        registers=_items(registers),
        angles=_items(angles),
    )


def _write_prompt(slots: WriteSlots) -> str:
    return load_prompt(
        "generate",
        task=slots.task,
        language=slots.language,
        labels=slots.labels,
        label=slots.label,
        confusion=slots.confusion,
        examples=slots.examples,
        count=slots.count,
        fields=slots.fields,
        cells=slots.cells,
    )


def _judge_prompt(slots: JudgeSlots) -> str:
    return load_prompt("judge", task=slots.task, labels=slots.labels, examples=slots.examples, row=slots.row)


def _items(text: str) -> list[str]:
    """The lines of a prompt file that are items of a list."""
    return [line.removeprefix("- ").strip() for line in text.splitlines() if line.startswith("- ")]


class _Counting:
    """The same model for one question, adding up what its requests take."""

    def __init__(self, model: ChatModel, usage: Usage) -> None:
        self._model, self._usage = model, usage

    @property
    def name(self) -> str:
        """Of the model."""
        return self._model.name

    @property
    def host(self) -> str:
        """Of its server."""
        return self._model.host

    def resolve(self) -> str:
        """The name, asked of the server where none is set."""
        return self._model.resolve()

    def complete(
        self,
        messages: Sequence[Message],
        *,
        response_format: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        stopped: Callable[[], bool] = never,
    ) -> str:
        """The model's answer, counted; one that fails on its way may have been paid for, and is guessed."""
        pieces: list[Piece] = []

        def heard(piece: Piece) -> None:
            pieces.append(piece)
            self._usage.coming += rough_tokens(piece.text) if isinstance(piece, TextPiece) else 0

        asked = "".join(str(message.get("content")) for message in messages)
        try:
            text = self._model.complete(
                messages, response_format=response_format, max_tokens=max_tokens, stopped=stopped, heard=heard
            )
        except EndpointFailed as failed:
            if pieces or failed.trouble in {"cut", "timeout", "refused", "empty"}:
                self._count(pieces, asked)
            if failed.trouble in {"cut", "refused", "empty"} and not stopped():
                self._usage.heard.append(Heard(_words(pieces), failed.trouble))
            raise
        finally:
            self._usage.coming = 0
        self._count(pieces, asked)
        self._usage.heard.append(Heard(text))
        return text

    def _count(self, pieces: Sequence[Piece], asked: str) -> None:
        ends = [piece for piece in pieces if isinstance(piece, UsagePiece)]
        end = ends[-1] if ends else UsagePiece(None, None, None)
        if end.prompt_tokens is None or end.completion_tokens is None:
            self._usage.counted = False
        self._usage.prompt_tokens += rough_tokens(asked) if end.prompt_tokens is None else end.prompt_tokens
        guessed = rough_tokens(_words(pieces))
        self._usage.completion_tokens += guessed if end.completion_tokens is None else end.completion_tokens


def _words(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))
