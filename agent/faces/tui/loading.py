"""What the chat brings in after its first paint, in a thread: the tasks' numbers, the conversation, the model, LangGraph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.message import Message

from agent.faces.tui.messages import PartsLoaded, TasksRead, WorkFailed
from agent.faces.tui.start import left_open, overviews
from agent.faces.tui.talk import Loaded
from agent.paths import Workspace
from agent.settings import Settings


def load(workspace: Workspace, settings: Settings, post: Callable[[Message], Any]) -> None:
    """Post the tasks as soon as they are read, and the rest when it is there; what fails is posted, the rest goes on."""
    try:
        post(TasksRead(overviews(workspace), left_open(workspace)))
    except Exception as error:  # one damaged task takes nobody's voice
        post(WorkFailed(error))
    try:
        from agent.chat import Conversation, conversation_folder  # 1 s: LangGraph
        from agent.library import Library
        from agent.model.client import open_model

        conversation = Conversation(conversation_folder(workspace))
        post(PartsLoaded(Loaded(conversation, Library(), open_model(settings))))
        import agent.session  # noqa: F401 - so that the first `improve` does not wait for it
    except Exception as error:  # the chat stays usable and says what is missing
        post(WorkFailed(error))
