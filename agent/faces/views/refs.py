"""The reference pages on a terminal: the list, search results, one page."""

from __future__ import annotations

from agent.faces.console import out
from agent.faces.layout import wrap
from agent.library import Library, PageCard
from tools.text import Speaker, T, visible


def show_refs(query: str | None, say: Speaker, *, language: str) -> None:
    """Without a query the index; with a page id the page; with words the pages that fit best."""
    library = Library()
    cards = library.index(language)
    if query is None:
        _show_cards(cards, say)
        return
    page_id = next((card.id for card in cards if query in {card.id, card.id.partition("/")[2]}), None)
    if page_id is not None:
        out(library.read(page_id, language).text)
        return
    out(say(T("Pages for {query}:", query=visible(query))))
    _show_cards(library.search(query, language), say)


def _show_cards(cards: list[PageCard], say: Speaker) -> None:
    for card in cards:
        out(f"  {card.id}")
        for line in wrap(card.title + " - " + card.when_to_read, indent="      "):
            out(line)
    out()
    out(say(T("Read one with `iterate refs PAGE`.")))
