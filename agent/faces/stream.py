"""The face for machines: one JSON object per line on stdout, each with the session id from the first line on."""

from __future__ import annotations

import json

from agent.events import Event, SessionStarted
from agent.faces.console import out


class StreamFace:
    """Writes every event as one line of JSON."""

    def __init__(self) -> None:
        self._session = ""

    def watch(self, event: Event) -> None:
        """Write one event."""
        if isinstance(event, SessionStarted):
            self._session = event.session
        out(json.dumps({"session": self._session, **event.model_dump(mode="json")}, ensure_ascii=False))
