"""Takes the pictures of the README from the real program: `make screenshots`, or `python .github/screenshots.py [WORKSPACE]`.

Without a workspace it pictures the bundled tasks as they are delivered. A workspace in which `stance` was trained has more to
show: its training and its comparison. Everything happens in a copy.
"""

from __future__ import annotations

import asyncio
import html
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.cells import cell_len
from textual.pilot import Pilot

from agent.conversation.said import Order
from agent.faces.tui.app import IterateApp
from agent.i18n import speaker
from agent.paths import Workspace
from agent.settings import Settings
from tools.text import T

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / ".github" / "images"
SIZE = (120, 36)
UNWANTED = shutil.ignore_patterns(".iterate", "models", "weights", "checkpoints", "*.safetensors", "raw", "sealed")
SECONDS = 60.0


async def main(source: Path) -> None:
    """Every picture, each from a fresh start."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, theme in (("chat-dark", "textual-dark"), ("chat-light", "textual-light")):
        await picture(source, name, talk("why is 反對 low?"), theme=theme)
    await picture(source, "chat-zh", talk("為什麼反對這麼低"), language="zh-TW")
    await picture(source, "review", card)
    await picture(source, "edit", edit)
    for command in ("errors", "versions", "training"):
        await picture(source, command, screen(Order(command=command)))
    page = Order(command="refs", args={"page": "troubleshooting/overfitting"})
    await picture(source, "refs", screen(page))
    await picture(source, "samples", screen(Order(command="samples"), "s"))


async def picture(
    source: Path, name: str, walk: Callable, *, theme: str = "textual-dark", language: str = "en"
) -> None:
    """Start the program on a copy, walk to what is to be seen, and save it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(source / "tasks", root / "tasks", ignore=UNWANTED)
        for log in root.glob("tasks/*/runs/*/log.txt"):
            log.write_text("\n".join(no_warnings(log.read_text(encoding="utf-8"))) + "\n", encoding="utf-8")
        workspace = Workspace(root=root, tasks_dir=root / "tasks", origin=T("a copy"))
        app = IterateApp(
            workspace, speaker(language), language, task=workspace.task_path("stance"), settings=Settings()
        )
        app.theme = theme
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.loaded)
            app.chat.composer.cursor_blink = False
            await walk(pilot, app)
            await pilot.pause(0.5)
            svg = wide_as_shown(app.export_screenshot(title="iterate"))
    (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")


def wide_as_shown(svg: str) -> str:
    """The picture with each text as long as a terminal shows it: the export gives a wide character the room of a narrow one."""

    def lengthened(found: re.Match[str]) -> str:
        length, middle, text = float(found["length"]), found["middle"], html.unescape(found["text"])
        shown = length * cell_len(text) / max(1, len(text))
        return f'textLength="{shown:g}"{middle}>{found["text"]}</text>'

    return re.sub(r'textLength="(?P<length>[\d.]+)"(?P<middle>[^>]*)>(?P<text>[^<]*)</text>', lengthened, svg)


def no_warnings(log: str) -> list[str]:
    """The lines of a log without those of libraries, which name folders of the machine."""
    return [line for line in log.splitlines() if "site-packages" not in line and "warnings.warn" not in line]


def talk(*lines: str) -> Callable:
    """Say some lines, one after the other."""

    async def walk(pilot: Pilot[int], app: IterateApp) -> None:
        for line in lines:
            app.submit(line)
            await until(pilot, lambda: not app.talk.busy and not app.talk.waiting)
            await pilot.pause(0.5)
            if len(app.screen_stack) > 2:
                await pilot.press("escape")

    return walk


async def card(pilot: Pilot[int], app: IterateApp) -> None:
    """Improve the task, and look at the first proposal."""
    app.submit("improve my stance task")
    await until(pilot, lambda: app.bridge.question is not None)
    await pilot.pause(2.0)


async def edit(pilot: Pilot[int], app: IterateApp) -> None:
    """The same proposal while its value is changed."""
    await card(pilot, app)
    await pilot.press("ctrl+r")
    await pilot.pause(1.5)
    await pilot.press("e")
    await pilot.pause(1.0)


def screen(order: Order, *keys: str) -> Callable:
    """One of the screens that an order opens, after some keys."""

    async def walk(pilot: Pilot[int], app: IterateApp) -> None:
        await pilot.pause(1.0)
        app.execute(order)
        await until(pilot, lambda: app.screen is not app.chat)
        await pilot.pause(3.0)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(3.0)

    return walk


async def until(pilot: Pilot[int], true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(int(SECONDS / 0.05)):
        if true():
            await pilot.pause()
            return
        await asyncio.sleep(0.05)
    raise RuntimeError("the program did not get there")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT))
