"""Calling a person back who looks elsewhere: the bell and the terminal's title, when a question waits or a training ends."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

QUIET_SECONDS = 20.0
"""No second bell within this time."""
ABSENT_SECONDS = 60.0
"""Who has pressed no key for so long may be elsewhere: not every terminal tells when it loses the focus."""


class Attention:
    """Rings only while the terminal has no focus."""

    def __init__(
        self, bell: Callable[[], None], write: Callable[[str], None], now: Callable[[], float] = monotonic
    ) -> None:
        self._bell = bell
        self._write = write
        self._now = now
        self._away = False
        self._rang_at = -QUIET_SECONDS
        self._seen_at = now()
        self.wanted = True
        """False: the title alone."""

    @property
    def absent(self) -> bool:
        """True when the person looks elsewhere, or may be gone."""
        return self._away or self._now() - self._seen_at >= ABSENT_SECONDS

    def seen(self) -> None:
        """The person pressed a key."""
        self._seen_at = self._now()

    def left(self) -> None:
        """The terminal lost the focus."""
        self._away = True

    def back(self, title: str) -> None:
        """The person is here again."""
        self._away = False
        self.seen()
        self.title(title)

    def call(self, title: str) -> bool:
        """Show the title and ring, if nobody is looking; True when it did."""
        if not self._away:
            return False
        self.title(title)
        if self.wanted and self._now() - self._rang_at >= QUIET_SECONDS:
            self._rang_at = self._now()
            self._bell()
        return True

    def title(self, title: str) -> None:
        """Set the terminal's title; whoever calls gives words of the program, with names passed through `visible()`."""
        shown = "".join(char for char in title if char.isprintable())
        self._write(f"\x1b]2;{shown}\x07")
