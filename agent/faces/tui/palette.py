"""Ctrl+P: every command of the registry, with a search; what needs a value is put into the input to be completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

from agent.conversation.commands import COMMANDS, Command
from agent.conversation.said import Order

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp


class CommandsInPalette(Provider):
    """The commands, by their names, aliases and summaries."""

    @property
    def _chat(self) -> IterateApp:
        from agent.faces.tui.app import IterateApp

        assert isinstance(self.app, IterateApp)
        return self.app

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command in COMMANDS:
            yield DiscoveryHit(
                f"/{command.name}", lambda command=command: self._choose(command), help=self._summary(command)
            )

    async def search(self, query: str) -> Hits:
        """Those that fit."""
        matcher = self.matcher(query)
        for command in COMMANDS:
            names = " ".join([command.name, *command.aliases, self._summary(command)])
            score = matcher.match(names)
            if score > 0:
                yield Hit(
                    score,
                    f"/{command.name}",
                    lambda command=command: self._choose(command),
                    help=self._summary(command),
                )

    def _summary(self, command: Command) -> str:
        return self._chat.say(command.summary)

    def _choose(self, command: Command) -> None:
        app = self._chat
        if command.required:
            app.pop_to_chat()
            app.chat.composer.replace_text(f"/{command.name} ")
            app.chat.composer.focus()
        else:
            app.execute(Order(command=command.name))
