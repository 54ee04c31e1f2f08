"""The reference pages: an id opens the page; words find pages, with the beginning of the nearest one."""

from __future__ import annotations

import re

from agent.conversation.answers.telling import items, page, para
from agent.conversation.said import Order, Ordered, PageRead, Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.library import Page
from tools.text import T, Text, visible

_MOST_PAGES = 4
_MOST_LINES = 3
_MOST_CHARACTERS = 400


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """Open, search, or list the sections."""
    wanted = str(understood.args.get("page", "")).strip()
    if not wanted or wanted in situation.library.ids:
        tell(Ordered(order=Order(command="refs", args={"page": wanted} if wanted else {})))
        return
    cards = situation.library.search(wanted, situation.language, _MOST_PAGES)
    if not cards:
        para(tell, T("No reference page is about {words}.", words=repr(visible(wanted, 60))))
        items(tell, [T("All pages: /refs"), T("Other words may find it: the symptom, or the name of a method.")])
        return
    first = situation.library.read(cards[0].id, situation.language)
    tell(PageRead(page=cards[0].id, title=cards[0].title))
    para(tell, T("{title}: {sentence}", title=cards[0].title, sentence=cards[0].when_to_read))
    items(tell, _beginning(first))
    for card in cards:
        page(tell, card.id, situation)


def _beginning(found: Page) -> list[Text]:
    """The first lines of the first section, without their Markdown."""
    lines: list[str] = []
    for block in re.split(r"\n(?=[-#\n])", found.text):
        text = " ".join(block.split())
        if text.startswith("## ") and lines:
            break
        if text and not text.startswith(("#", "```", "|")):
            lines.append(re.sub(r"\*\*|`|^- |\[([^\]]*)\]\([^)]*\)", r"\1", text))
    return [T("{text}", text=visible(line, _MOST_CHARACTERS)) for line in lines[:_MOST_LINES]]
