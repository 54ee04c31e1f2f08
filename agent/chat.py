"""The conversation of a workspace: the only entry for faces that let a person talk.

    conversation = Conversation(conversation_folder(workspace))
    conversation.turn("why is 中立 low?", situation, tell)

Every turn ends with TurnEnded, whoever answered. The transcript survives restarts. A turn runs on a graph, a thread and a file
of its own: whatever is said here, a question that a session waits with stays exactly where it is.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read at import: only plain JSON values may be checkpointed

from langgraph.checkpoint.sqlite import SqliteSaver

from agent.conversation.said import Tell, TurnEnded, TurnEvent
from agent.conversation.situation import Situation
from agent.conversation.talker import whole
from agent.conversation.transcript import Transcript, TurnRecord, exchanges
from agent.graph import build_chat_graph
from agent.paths import Workspace
from agent.steps.chat import ChatContext, ChatState
from tools.text import T, Text, visible

REMEMBERED = 40
"""Earlier messages that are looked at; how many of them fit is for the talker to say."""
_MOST_STEPS = 40
"""Graph steps of one turn; the most a turn can take is about 16."""


def conversation_folder(workspace: Workspace) -> Path:
    """Where the conversation of a workspace is kept."""
    return workspace.root / ".iterate"


class Conversation:
    """One conversation, kept in a folder as chat.jsonl (what was said) and chat.sqlite (the turn that is running)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._transcript = Transcript(folder / "chat.jsonl")
        self._turns = Lock()

    def recent(self, limit: int) -> list[TurnRecord]:
        """The newest messages with their answers, oldest first, ready to be shown again; nothing in them acts again."""
        return self._transcript.recent(limit)

    def turn(self, text: str, situation: Situation, tell: Tell) -> None:
        """Answer a message of the person; events go to `tell`, the last one is always TurnEnded."""
        with self._turns:
            self._turn(whole(text), situation, tell)

    def _turn(self, text: str, situation: Situation, tell: Tell) -> None:
        begun = time.monotonic()
        events: list[TurnEvent] = []

        def tell_and_keep(event: TurnEvent) -> None:
            events.append(event)
            tell(event)

        earlier = self._transcript.recent(REMEMBERED)
        record = self._transcript.asked(text, situation.task.name if situation.task is not None else None)
        state: ChatState = {"by": "rules", "rows": False, "note": _broken().model_dump(mode="json")}
        try:
            state = self._run(record, _reminded(situation, earlier, tell_and_keep))
        finally:
            tell_and_keep(_ended(state, situation, time.monotonic() - begun))
            self._transcript.answered(record, events, rows=state["rows"])

    def _run(self, record: TurnRecord, context: ChatContext) -> ChatState:
        config: Any = {"configurable": {"thread_id": f"chat-{record.id}"}, "recursion_limit": _MOST_STEPS}
        with closing(_open(self._folder / "chat.sqlite")) as connection:
            saver = SqliteSaver(connection)
            graph = build_chat_graph(saver, context)
            found: Any = graph.invoke({"text": record.text}, config, durability="sync")
            saver.delete_thread(config["configurable"]["thread_id"])  # from here on it is in the transcript
        state: ChatState = found
        return state


def _reminded(situation: Situation, earlier: list[TurnRecord], tell: Tell) -> ChatContext:
    """The surroundings with what was said before; what repeats data rows goes along only where they may be seen."""
    may_see = situation.model is None or situation.model.may_see_rows
    before = exchanges(earlier, situation.say, rows=may_see)
    return ChatContext(replace(situation, before=before), tell, may_see and any(record.rows for record in earlier))


def _ended(state: ChatState, situation: Situation, seconds: float) -> TurnEnded:
    note = state.get("note")
    by_model = state["by"] == "model" and situation.model is not None
    return TurnEnded(
        by="model" if by_model else "rules",
        model=visible(situation.model.name, 80) if by_model and situation.model is not None else None,
        note=Text.model_validate(note) if note else None,
        seconds=round(seconds, 1),
    )


def _broken() -> Text:
    return T("The answer broke off because of an error of this program.")


def _open(path: Path) -> sqlite3.Connection:
    """The file of the running turn; a damaged one is made anew, since it holds nothing that is needed later."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False, timeout=10)
    try:
        sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.OperationalError:  # another program holds it, or it cannot be opened: that is no damage
        connection.close()
        raise
    except sqlite3.DatabaseError:
        sound = False
    if not sound:
        connection.close()
        path.unlink()
        connection = sqlite3.connect(path, check_same_thread=False, timeout=10)
    return connection
