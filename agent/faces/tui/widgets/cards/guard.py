"""When a card may take the focus, and when a key or a click on it counts: nothing is ever decided by typing.

Three rules carry it. A card takes the focus by itself only while the composer is empty and no key came in the last second. For
half a second after it appears, gets the focus or absorbs a key, no key and no click decides anything. And each letter is held
for a moment: more letters behind it mean that somebody is typing, and all of them belong to the composer. Times come from a
clock that is handed in; nothing here waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

QUIET = 1.0
"""Seconds without a key before a card may take the focus."""
DEAD = 0.5
"""Seconds in which keys and clicks decide nothing."""
HOLD = 0.4
"""Seconds in which the next letter shows that the first was typing; slow typists need about 0.3."""


class Sense(Enum):
    """What a key or a click on a card means."""

    counts = auto()
    """Do it."""
    absorbed = auto()
    """Too early: nothing happens, and the dead time begins again."""
    held = auto()
    """Ask `settled` about `hold` after HOLD seconds."""
    typing = auto()
    """`text` belongs to the composer."""
    nothing = auto()
    """There is nothing to do any more."""


@dataclass(frozen=True)
class Sensed:
    """The meaning of a key."""

    sense: Sense
    text: str = ""
    """The characters that go to the composer."""
    hold: int = 0
    """Names the holding of a letter."""


class Guard:
    """The rules for one card."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._composer_has_text = False
        self._last_key = float("-inf")
        self._appeared = now()
        self._armed = now()
        self._typing = False
        self._held = ""
        self._hold = 0
        self._held_early = False

    def composer_changed(self, has_text: bool) -> None:
        """The composer holds text, or none any more."""
        self._composer_has_text = has_text

    def key_seen(self) -> None:
        """A key was pressed somewhere else."""
        self._last_key = self._now()

    def may_focus(self) -> bool:
        """True when taking the focus takes it away from nobody."""
        return not self._composer_has_text and self._now() - self._last_key >= QUIET

    def appeared(self) -> None:
        """The card, or other choices on it, came into sight; a letter held for those before is no answer to these."""
        self._appeared = self._armed = self._now()
        self._held = ""

    def focused(self) -> None:
        """The card has the keys now."""
        self._armed = max(self._armed, self._now())
        self._typing = False
        self._held = ""

    def left(self) -> None:
        """The focus went elsewhere: a held letter was no answer."""
        self._held = ""

    @property
    def awake(self) -> bool:
        """True once the dead time is over."""
        return self._now() - self._armed >= DEAD

    def letter(self, key: str, *, decides: bool = True) -> Sensed:
        """A printable key that means something on the card was pressed on it; `decides` when it may answer the question."""
        if self._typing or self._held:
            return Sensed(Sense.typing, self.other_letter(key))
        self._held, self._hold, self._held_early = key, self._hold + 1, decides and not self.awake
        if self._held_early:
            self._armed = self._now()
        return Sensed(Sense.held, hold=self._hold)

    def settled(self, hold: int) -> Sensed:
        """What became of a held letter, now that HOLD is over and nothing followed it."""
        if not self._held or hold != self._hold:
            return Sensed(Sense.nothing)
        self._held = ""
        return Sensed(Sense.absorbed if self._held_early else Sense.counts)

    def other_letter(self, key: str) -> str:
        """A printable key that means nothing on the card: all that was typed so far, for the composer.

        What is pressed before the composer has the focus is typing as well.
        """
        text, self._held, self._typing = self._held + key, "", True
        return text

    def command(self) -> Sensed:
        """A key that nobody types as text, such as Enter or Escape; behind typed letters it means what was typed."""
        if self._typing:
            return Sensed(Sense.absorbed)
        return self._unless_early(self._armed)

    def click(self) -> Sensed:
        """A click on a choice; the focus that came with the click costs no time."""
        return self._unless_early(self._appeared)

    def _unless_early(self, since: float) -> Sensed:
        if self._now() - since < DEAD:
            self._appeared = self._armed = self._now()
            return Sensed(Sense.absorbed)
        return Sensed(Sense.counts)
