"""One turn of the conversation as labelled lines, and what came out of it: orders to carry out, wishes to review."""

from __future__ import annotations

from agent.conversation.said import (
    Delta,
    Filed,
    Order,
    Ordered,
    PageRead,
    Said,
    ToolUsed,
    TurnEnded,
    TurnEvent,
)
from agent.faces.console import out
from agent.faces.layout import clip, wrap
from agent.faces.views.blocks import block_lines
from tools.change import Proposal
from tools.text import Speaker, T, visible

_SHOWN_ARGUMENTS = 60
_SHOWN_OUTCOME = 80


class PlainTurn:
    """Shows the events of one turn as they come; a model's words are shown line by line."""

    def __init__(self, say: Speaker) -> None:
        self.orders: list[Order] = []
        self.filed: list[Proposal] = []
        self._say = say
        self._unfinished = ""
        self._answered = False

    def tell(self, event: TurnEvent) -> None:
        """Show one event."""
        if isinstance(event, Delta):
            self._stream(event.text)
            return
        self.flush()
        match event:
            case Said():
                self._answered = True
                self._lines(block_lines(event.block, self._say))
            case ToolUsed():
                self._lines([_tool_line(event, self._say)])
            case PageRead():
                told = T("[read] {title} (iterate refs {page})", title=visible(event.title), page=visible(event.page))
                self._lines(wrap(self._say(told)))
            case Filed():
                self.filed.append(event.proposal)
                told = T(
                    "Your wish is a proposal now, to be reviewed like any other: {title}", title=event.proposal.title
                )
                self._lines(wrap(self._say(told)))
            case Ordered():
                self.orders.append(event.order)
            case TurnEnded():
                self._end(event)

    def flush(self) -> None:
        """Show what has come of an unfinished line."""
        rest, self._unfinished = self._unfinished, ""
        if rest.strip():
            self._lines(wrap(visible(rest)))

    def _stream(self, text: str) -> None:
        self._answered = True
        *whole, self._unfinished = (self._unfinished + text).split("\n")
        for line in whole:
            self._lines(wrap(visible(line)))

    def _end(self, event: TurnEnded) -> None:
        if event.note:
            self._lines(wrap(self._say(T("Note: {note}", note=event.note))))
        if not self._answered:
            return
        by_model = T("({model} answered, a language model)", model=visible(event.model or "?", 60))
        self._lines([self._say(by_model if event.by == "model" else T("(the rules answered)")), ""])

    def _lines(self, lines: list[str]) -> None:
        for line in lines:
            out(visible(line))


def _tool_line(event: ToolUsed, say: Speaker) -> str:
    arguments = clip(visible(event.arguments), _SHOWN_ARGUMENTS)
    outcome = clip(visible(event.outcome), _SHOWN_OUTCOME)
    if event.ok:
        return say(T("[tool] {name} {arguments}: {outcome}", name=event.name, arguments=arguments, outcome=outcome))
    return say(T("[tool failed] {name} {arguments}: {outcome}", name=event.name, arguments=arguments, outcome=outcome))
