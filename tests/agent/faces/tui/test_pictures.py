"""Pictures of the chat: the whole screen with everything that an answer can hold, narrow and wide, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agent.conversation.said import (
    Delta,
    DiffBlock,
    Grid,
    PageRead,
    RowList,
    Said,
    ShownRow,
    ToolUsed,
    TurnEnded,
)
from agent.events import Notice
from agent.faces.tui.app import IterateApp
from agent.faces.tui.widgets.blocks import PersonSaid
from agent.i18n import speaker
from agent.settings import Settings
from tests.support.mood_task import MoodTask
from tests.support.tui import settled
from tools.text import T

ANSWER = (
    "「中立」的樣本**太少**，而且常被看成正面。\n\n- It is the class with the fewest rows.\n- `macro_f1` follows it."
)
DIFF = "--- a\n+++ b\n@@ -1 +1 @@\n-  learning_rate: 0.0002\n+  learning_rate: 0.0001  # 降低\n"


@pytest.mark.parametrize("language", ["en", "zh-TW"])
@pytest.mark.parametrize("size", [(80, 24), (140, 42)])
def test_picture_of_the_chat(tmp_path: Path, snap_compare: Any, size: tuple[int, int], language: str) -> None:
    task = MoodTask(tmp_path, rows=60)
    task.version("v1", wrong=range(0, 60, 6))
    app = IterateApp(task.workspace, speaker(language), language, settings=Settings())
    app.theme = "textual-dark"

    async def converse(pilot: Pilot[int]) -> None:
        await settled(pilot)
        app.chat.composer.cursor_blink = False
        app.chat.steps.show(step=2, about="mood v1", who="tiny-8b")
        app.show(PersonSaid("為什麼「中立」這麼低？ why is it low"))
        row = ShownRow(id="valid12", input={"text": "餐點準時送到，[b]還是[/b]熱的"}, expected="正面", answered="中立")
        for event in (
            ToolUsed(name="diagnose", arguments='{"task": "mood"}', outcome="...", ok=True),
            Delta(text=ANSWER),
            Said(block=Grid(header=[T("Class"), T("F1")], rows=[["中立", "41.6%"], ["正面", "57.9%"]])),
            Said(block=RowList(title=T("Typical cases"), rows=[row])),
            Said(block=DiffBlock(text=DIFF)),
            PageRead(page="troubleshooting/class-imbalance", title="Class imbalance"),
            TurnEnded(by="model", model="tiny-8b"),
        ):
            app.showing.turn(event, 0)
        app.showing.session(Notice(level="warning", message=T("memory unknown"), page="methods/lora"))
        await pilot.app.workers.wait_for_complete()
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=size, run_before=converse)
