"""An app that carries one screen, pushed over an empty one, and keeps the orders and notices that reach it."""

from __future__ import annotations

from pathlib import Path

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

import agent.faces.tui
from agent.faces.tui.messages import OrderGiven

STYLES = Path(agent.faces.tui.__file__).parent / "app.tcss"


class ScreenHost(App[None]):
    """Shows the screen in a theme that looks the same on every terminal."""

    CSS_PATH = str(STYLES)

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self.first = screen
        self.orders = []
        self.told = []

    def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.push_screen(self.first)

    def on_order_given(self, message: OrderGiven) -> None:
        self.orders.append((message.order.command, message.order.args))

    def notify(self, message, **more) -> None:
        assert more.get("markup") is False, "a notice may hold text from outside"
        self.told.append(message)

    @property
    def text(self) -> str:
        """What is on the screen, without colours."""
        strips = self.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def loaded(pilot: Pilot[None]) -> None:
    """Wait for what runs in threads, and for what it changes on the screen."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one by one, each seen by the screen before the next."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
