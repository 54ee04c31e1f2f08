"""The transcript of a conversation: one JSON line when a message is taken, one when it is answered; nothing is rewritten.

It is what faces show again after a restart and what a model is reminded of. Orders and filed proposals are kept as words only:
showing a transcript again never carries anything out again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.conversation.said import (
    Delta,
    Filed,
    Items,
    Ordered,
    Para,
    Said,
    TurnEnded,
    TurnEvent,
)
from agent.conversation.situation import Exchange
from tools.files import append_line, now
from tools.text import Speaker, T

_BLOCK = 64_000
LONGEST_REMEMBERED = 4_000
"""Characters of one answer that a model is reminded of."""


class TurnRecord(BaseModel):
    """One message of the person with its answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    at: str
    task: str | None = None
    """Name of the task under discussion."""
    text: str
    """What the person typed."""
    events: list[TurnEvent] = []
    """The answer, ready to be shown again; empty when the program ended before there was one."""
    rows: bool = False
    """True when a model read data rows for it, so that its words may repeat them."""

    @property
    def answered(self) -> bool:
        """False when the program ended before the answer did."""
        return any(isinstance(event, TurnEnded) for event in self.events)

    def said(self, say: Speaker) -> tuple[Literal["rules", "model"], str]:
        """Who answered, and the words of the answer without tables, diffs and rows."""
        ended = next((event for event in self.events if isinstance(event, TurnEnded)), None)
        parts = [_words(event, say) for event in self.events]
        text = "\n".join(part for part in parts if part)
        return ended.by if ended is not None else "rules", text[:LONGEST_REMEMBERED]


class _Line(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["asked", "answered"]
    record: TurnRecord


class Transcript:
    """The file and its last lines."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def asked(self, text: str, task: str | None) -> TurnRecord:
        """Write down a message before it is answered."""
        record = TurnRecord(id=secrets.token_hex(6), at=now(), task=task, text=text)
        self._append("asked", record)
        return record

    def answered(self, record: TurnRecord, events: Sequence[TurnEvent], *, rows: bool) -> None:
        """Write down the answer."""
        self._append("answered", record.model_copy(update={"events": shown_again(events), "rows": rows}))

    def recent(self, limit: int) -> list[TurnRecord]:
        """The newest `limit` messages with their answers, oldest first; lines torn by a crash are left out."""
        found: dict[str, TurnRecord] = {}
        for raw in self._last_lines(2 * limit) if limit > 0 else []:
            line = _parse(raw)
            if line is not None and (line.type == "answered" or line.record.id not in found):
                found[line.record.id] = line.record
        return list(found.values())[-limit:]

    def _last_lines(self, count: int) -> list[str]:
        """The last lines of the file, read from its end: a long conversation is not read whole at every turn."""
        try:
            with self.path.open("rb") as stream:
                start = size = stream.seek(0, os.SEEK_END)
                tail = b""
                while start > 0 and tail.count(b"\n") <= count:
                    start = max(0, start - max(_BLOCK, size - start))
                    stream.seek(start)
                    tail = stream.read(size - start)
        except OSError:
            return []
        return tail.decode("utf-8", errors="replace").splitlines()[-count:]

    def _append(self, kind: Literal["asked", "answered"], record: TurnRecord) -> None:
        append_line(self.path, json.dumps({"type": kind, "record": record.model_dump(mode="json")}))


def shown_again(events: Sequence[TurnEvent]) -> list[TurnEvent]:
    """The events as a transcript keeps them: streamed words joined, no order and no proposal that could act again."""
    kept: list[TurnEvent] = []
    for event in events:
        match event:
            case Ordered():
                continue
            case Filed(proposal=proposal):
                kept.append(Said(block=Para(text=T("Filed for review: {title}", title=proposal.title))))
            case Delta() if kept and isinstance(kept[-1], Delta):
                kept[-1] = Delta(text=kept[-1].text + event.text)
            case _:
                kept.append(event)
    return kept


def exchanges(records: Sequence[TurnRecord], say: Speaker, *, rows: bool) -> list[Exchange]:
    """Earlier messages for whoever answers next; without `rows`, answers that may repeat data rows are left out."""
    found: list[Exchange] = []
    for record in records:
        found.append(Exchange(by="person", text=record.text))
        by, text = record.said(say)
        if record.rows and not rows:
            text = "[an answer about data rows, left out here]"
        if text:
            found.append(Exchange(by=by, text=text))
    return found


def _words(event: TurnEvent, say: Speaker) -> str:
    match event:
        case Delta(text=text):
            return text
        case Said(block=Para(text=text)):
            return say(text)
        case Said(block=Items(items=items)):
            return "\n".join(f"- {say(item)}" for item in items)
    return ""


def _parse(raw: str) -> _Line | None:
    try:
        return _Line.model_validate_json(raw)
    except ValidationError:
        return None
