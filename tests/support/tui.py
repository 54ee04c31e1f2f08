"""The full-screen chat on a temporary workspace: a real task, no endpoint, a fixed size, and the screen as lines of text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from agent.faces.tui.app import IterateApp
from agent.i18n import speaker
from agent.paths import Workspace, bundled_dir, copy_tasks, find_workspace
from agent.settings import Settings
from tests.support.run_dirs import keep_record

SIZE = (100, 30)


def workspace_with(root: Path, *names: str) -> Workspace:
    """A workspace with copies of these bundled tasks, with the records that the tests know."""
    source = root / "bundled"
    for name in names:
        source.mkdir(parents=True, exist_ok=True)
        (source / name).symlink_to(bundled_dir("tasks") / name, target_is_directory=True)
    home = root / "workspace"
    (home / "tasks").mkdir(parents=True)
    if names:
        copy_tasks(source, home / "tasks")
    for name in names:
        keep_record(home / "tasks" / name)
    return find_workspace(home)


def make_app(
    root: Path,
    *names: str,
    language: str = "en",
    task: str | None = None,
    theme: str = "textual-dark",
    settings: Settings | None = None,
) -> IterateApp:
    """The app on a new workspace, in a theme that looks the same on every terminal."""
    workspace = workspace_with(root, *names)
    chosen = workspace.task_path(task) if task else None
    app = IterateApp(workspace, speaker(language), language, task=chosen, settings=settings or Settings())
    app.theme = theme
    return app


def screen_lines(app: IterateApp) -> list[str]:
    """What is on the screen, line by line, without colours."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def screen_text(app: IterateApp) -> str:
    """What is on the screen as one string."""
    return "\n".join(screen_lines(app))


async def until(pilot: Pilot[int], true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something holds; fails with the screen when it does not come true."""
    for _ in range(int(seconds / 0.05)):
        if true():
            await pilot.pause()
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come true; the screen:\n" + screen_text(pilot.app))


async def settled(pilot: Pilot[int]) -> None:
    """Wait until the app has loaded what it loads after the first paint."""
    await until(pilot, lambda: pilot.app.loaded)
    await pilot.pause()
