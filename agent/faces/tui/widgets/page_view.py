"""A reference page to read: the program's own Markdown, with its links as page ids and its commands ready to be copied.

Only bundled pages come here. Rows, model answers and file names never do: Markdown would style them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Markdown

from agent.library import Page

_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"\A# [^\n]*\n+")
"""The first heading repeats the title, which the screen shows already."""
_PAGE_FILE = re.compile(r"(.+?)\.(?:en|zh-TW)\.md(?:#.*)?")


class PageView(VerticalScroll):
    """Shows one page; a followed link is told, not opened."""

    DEFAULT_CSS = """
    PageView { height: 1fr; scrollbar-size-vertical: 1; }
    PageView Markdown { padding: 0 1; }
    """

    class Followed(Message):
        """A link was clicked: the id of a page, or an address outside."""

        def __init__(self, page: str | None, address: str) -> None:
            super().__init__()
            self.page = page
            self.address = address

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._page: Page | None = None

    def compose(self) -> ComposeResult:
        """One Markdown widget for all pages."""
        yield Markdown(open_links=False)

    async def show(self, page: Page) -> None:
        """Replace the page and go to its beginning."""
        self._page = page
        await self.query_one(Markdown).update(_HEADING.sub("", page.text))
        self.scroll_home(animate=False)

    @on(Markdown.LinkClicked)
    def _clicked(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        here = self._page.card.id if self._page else ""
        self.post_message(self.Followed(target_page(here, event.href), event.href))


def target_page(here: str, href: str) -> str | None:
    """The page id that a link on page `here` leads to; None for an address outside."""
    found = _PAGE_FILE.fullmatch(href)
    if found is None or "://" in href:
        return None
    parts: list[str] = []
    for part in (PurePosixPath(here).parent / found[1]).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def linked_pages(page: Page, known: Sequence[str]) -> list[str]:
    """Pages to read next: those named on the card, then those linked in the text, each once."""
    linked = [target_page(page.card.id, href) for href in _LINK.findall(page.text)]
    wanted = dict.fromkeys([*page.card.related, *(one for one in linked if one)])
    return [one for one in wanted if one in known and one != page.card.id]


def code_blocks(page: Page) -> list[str]:
    """The blocks of commands and configuration on a page, in order."""
    return [block.rstrip("\n") for block in _FENCE.findall(page.text)]
