"""The reference pages: search while typing, read, follow links, go back; Esc returns to whatever was pending below.

The screen decides nothing and asks nothing, so it can be opened in the middle of a decision.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text as RichText
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from agent.faces.layout import clip
from agent.faces.tui.screens.trouble import trouble
from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.key_bar import Hint, KeyBar
from agent.faces.tui.widgets.page_view import PageView, code_blocks, linked_pages
from agent.faces.tui.widgets.plain_text import PlainText
from agent.library import Library, Page, PageCard
from tools.errors import IterateError
from tools.text import Speaker, T, visible

MOST_FOUND = 30
MOST_NUMBERED = 9
LIST_HINTS: tuple[Hint, ...] = (
    ("Enter", T("read")),
    ("↑ ↓", T("choose")),
    ("Tab", T("next part")),
    ("Ctrl+L", T("English / Chinese")),
    ("Esc", T("back")),
)
PAGE_HINTS: tuple[Hint, ...] = (
    ("/", T("search")),
    ("←  →", T("back, forward")),
    ("1-9", T("read next")),
    ("c", T("copy")),
    ("Esc", T("close")),
    ("Ctrl+L", T("English / Chinese")),
)
ANY = ""
"""In the history: the list of pages, not a page."""


class ReferencesScreen(Screen[None]):
    """The list and the page: side by side where there is room, else one at a time."""

    CSS = """
    ReferencesScreen #title { padding: 0 1; text-style: bold; background: $surface; }
    ReferencesScreen #search, ReferencesScreen #search:focus { height: 1; border: none; padding: 0 1; background: $surface; }
    ReferencesScreen #pages, ReferencesScreen #pages:focus { height: 1fr; border: none; padding: 0 1; background: transparent; }
    ReferencesScreen #next { padding: 0 1; color: $text-primary; border-top: solid $foreground-muted; max-height: 5; }
    ReferencesScreen KeyBar { height: 1; padding: 0 1; }
    ReferencesScreen #reader { display: none; width: 1fr; }
    ReferencesScreen.reading #reader { display: block; }
    ReferencesScreen.reading.-narrow #finder { display: none; }
    ReferencesScreen.reading.-wide #finder { width: 44; border-right: solid $foreground-muted; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual declares it so
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", show=False),
        Binding("slash", "search", "Search", show=False),
        Binding("left,backspace", "history(-1)", "Back", show=False),
        Binding("right", "history(1)", "Forward", show=False),
        Binding("ctrl+l", "language", "Language", show=False),
        Binding("c", "copy_block", "Copy a command", show=False),
        *(
            Binding(str(number), f"read_next({number})", "Read next", show=False)
            for number in range(1, MOST_NUMBERED + 1)
        ),
    ]

    def __init__(
        self, library: Library, say: Speaker, language: str, *, page: str | None = None, query: str | None = None
    ) -> None:
        super().__init__()
        self._library = library
        self._say = say
        self._language = language
        self._first = page
        self._query = query or ""
        self._found: list[PageCard] = []
        self._page: Page | None = None
        self._history: list[str] = [ANY]
        self._at = 0
        self._copied = 0

    def compose(self) -> ComposeResult:
        """Search and list, page and what to read next."""
        yield PlainText(self._say(T("Reference pages")), id="title")
        with Horizontal():
            with Vertical(id="finder"):
                hint = self._say(T("search: what you see, or what you want to do"))
                yield Input(self._query, placeholder=hint, id="search")
                yield OptionList(id="pages", markup=False)
            with Vertical(id="reader"):
                yield PageView()
                following = Prose("")
                following.id = "next"
                yield following
        yield KeyBar(self._say)

    async def on_mount(self) -> None:
        """List, and open the page that was asked for; an unknown page becomes a search."""
        self.query_one("#search").focus()
        self.query_one(KeyBar).show(LIST_HINTS)
        if self._first is not None and self._first not in self._library.ids:
            self.query_one("#search", Input).value = self._query = self._first.rpartition("/")[2].replace("-", " ")
        self._fill()
        if self._first in self._library.ids:
            await self._open(str(self._first))

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self._query = event.value
        self._fill()

    def _fill(self) -> None:
        """All pages, or those that fit the search, best first."""
        found = self._library.search(self._query, self._language, MOST_FOUND) if self._query.strip() else None
        self._found = self._library.index(self._language) if found is None else found
        pages = self.query_one("#pages", OptionList)
        pages.clear_options()
        pages.add_options([Option(self._line(card)) for card in self._found])
        pages.highlighted = 0 if self._found else None
        if not self._found:
            nothing = T("No page fits. Try another word, in English or Chinese; an empty search lists all pages.")
            pages.add_option(Option(RichText(self._say(nothing)), disabled=True))

    def _line(self, card: PageCard) -> RichText:
        return RichText.assemble((visible(card.title), "bold"), f"  {card.id}\n  {visible(card.when_to_read)}")

    @on(Input.Submitted, "#search")
    async def _searched(self) -> None:
        place = self.query_one("#pages", OptionList).highlighted
        if self._found and place is not None:
            await self._open(self._found[place].id)

    def on_key(self, event: Key) -> None:
        """Arrows in the search move in the list."""
        pages = self.query_one("#pages", OptionList)
        if self.focused is None or self.focused.id != "search":
            return
        if event.key == "up":
            pages.action_cursor_up()
        elif event.key == "down":
            pages.action_cursor_down()

    @on(OptionList.OptionSelected, "#pages")
    async def _chosen(self, event: OptionList.OptionSelected) -> None:
        await self._open(self._found[event.option_index].id)

    @on(PageView.Followed)
    async def _followed(self, event: PageView.Followed) -> None:
        if event.page in self._library.ids:
            await self._open(str(event.page))
            return
        self.app.copy_to_clipboard(event.address)
        self.notify(self._say(T("Copied the address {address}", address=visible(event.address, 200))), markup=False)

    async def _open(self, page: str) -> None:
        """Read a page and make it the newest of the history."""
        if self._history[self._at] != page:
            self._history = [*self._history[: self._at + 1], page]
            self._at += 1
        await self._show()

    async def _show(self) -> None:
        """The place of the history one is at."""
        wanted = self._history[self._at]
        self.set_class(wanted != ANY, "reading")
        self.query_one(KeyBar).show(LIST_HINTS if wanted == ANY else PAGE_HINTS)
        if wanted == ANY:
            self.query_one("#title", PlainText).show(self._say(T("Reference pages")))
            self.query_one("#search").focus()
            return
        try:
            self._page = self._library.read(wanted, self._language)
        except IterateError as error:
            self.notify(trouble(error, self._say), severity="error", markup=False)
            return
        self._copied = 0
        self.query_one("#title", PlainText).show(f"{self._page.card.title}  ({wanted})")
        self.query_one("#next", Prose).show(self._next_line(self._page))
        view = self.query_one(PageView)
        view.focus()
        await view.show(self._page)

    def _next_line(self, page: Page) -> str:
        titles = {card.id: card.title for card in self._library.index(self._language)}
        following = linked_pages(page, self._library.ids)[:MOST_NUMBERED]
        listed = "   ".join(f"{number} {clip(titles[one], 40)}" for number, one in enumerate(following, 1))
        return self._say(T("Read next: {pages}", pages=listed)) if listed else self._say(T("No page follows."))

    async def action_read_next(self, number: int) -> None:
        """Open a page that this one names."""
        if self._page is None or self._history[self._at] == ANY:
            return
        following = linked_pages(self._page, self._library.ids)
        if number <= min(len(following), MOST_NUMBERED):
            await self._open(following[number - 1])

    async def action_history(self, step: int) -> None:
        """Back or forward through what was read; the list of pages comes first."""
        at = self._at + step
        if 0 <= at < len(self._history):
            self._at = at
            await self._show()

    def action_search(self) -> None:
        """Go to the search; on a narrow screen the list takes the place of the page."""
        if self.has_class("-narrow"):
            self.set_class(False, "reading")
            self.query_one(KeyBar).show(LIST_HINTS)
        self.query_one("#search").focus()

    async def action_language(self) -> None:
        """The same in the other language."""
        self._language = "en" if self._language.startswith("zh") else "zh-TW"
        self._fill()
        if self.has_class("reading"):
            await self._show()

    def action_copy_block(self) -> None:
        """Copy the next block of commands of the page; after the last the first again."""
        blocks = code_blocks(self._page) if self._page and self.has_class("reading") else []
        if not blocks:
            self.notify(self._say(T("There is no command to copy here.")), markup=False)
            return
        block = blocks[self._copied % len(blocks)]
        self._copied += 1
        self.app.copy_to_clipboard(block)
        said = T(
            "Copied {number} of {count}: {block}",
            number=(self._copied - 1) % len(blocks) + 1,
            count=len(blocks),
            block=visible(block.partition("\n")[0], 60),
        )
        self.notify(self._say(said), markup=False)
