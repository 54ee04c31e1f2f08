"""What all cards share: a body that scrolls, choices that stay in sight, and the guard between keys and decisions.

A card shows one pane at a time (the question, its evidence, a form, ...). It decides nothing itself: a choice runs what its
pane gave it, once the guard lets the key count. Letters that mean nothing here go to the composer.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, TextArea

from agent.approval import Answer
from agent.faces.tui.messages import QuestionAnswered, QuestionPostponed, Typed
from agent.faces.tui.widgets.cards.choices import Choice, Choices, Do
from agent.faces.tui.widgets.cards.guard import DEAD, HOLD, Guard, Sense, Sensed
from agent.faces.tui.widgets.flow import Prose
from tools.text import Speaker, T, Text

LOOK_SECONDS = 0.2
"""How often a card looks whether it may take the focus."""
SHARE = 0.66
"""Most of the screen's height that a card takes."""
ASIDE = 0.36
"""The same while somebody reads an answer above it."""
FEWEST_LINES = 2
"""Lines of the body that are in sight however small the screen is."""


@dataclass(frozen=True)
class Pane:
    """One thing that a card shows, with what can be done there."""

    widgets: Sequence[Widget]
    choices: Sequence[Choice] = ()
    extras: dict[str, tuple[Text, Do]] = field(default_factory=dict)
    """Letter to what it shows or opens; none of them answers the question without asking."""
    commands: dict[str, tuple[Text, Do]] = field(default_factory=dict)
    """Key such as ctrl+g to what it does."""
    quiet: frozenset[str] = frozenset()
    """Letters that are not in the line of keys; the help has them."""
    enter: Do | None = None
    """What Enter does while no choice is marked."""
    escape: Do | None = None
    """Back to the pane before; None leaves the question for later."""
    takes_keys: Widget | None = None
    """The field that has the keys on this pane; None: the card itself."""


class Card(Vertical, can_focus=True):
    """A question above the composer; `token` names the asking that it answers."""

    DEFAULT_CSS = """
    Card { height: auto; border: round $border-blurred; padding: 0 1; background: $surface; }
    Card:focus, Card:focus-within { border: round $primary; }
    Card > .card-body { height: 1fr; scrollbar-size-vertical: 1; }
    Card > .card-body > * { height: auto; }
    Card > .card-note { color: $text-warning; }
    Card > .card-keys { color: $text-muted; }
    """

    def __init__(self, token: int, say: Speaker, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.token = token
        self.say = say
        self.guard = Guard(now)
        self.answered = False
        self.pane = Pane(())
        self._cursor: int | None = None
        self._by_itself = False
        self._wants_focus = True
        self._aside = False

    # what the screen around it says

    def composer_changed(self, has_text: bool) -> None:
        """The composer holds text, or none any more; emptied again, it may lose the focus to this card."""
        self.guard.composer_changed(has_text)
        self._wants_focus = True

    def key_seen(self) -> None:
        """A key was pressed outside of this card."""
        self.guard.key_seen()

    def step_aside(self) -> None:
        """Leave room for the answer to something that was said, until a key reaches this card."""
        self._aside = True
        self.call_after_refresh(self._fit)

    # what a kind of card gives

    @abstractmethod
    def first_pane(self) -> Pane:
        """The question itself."""

    # panes

    def compose(self) -> ComposeResult:
        """Body, choices, a line that says what just happened, and the keys."""
        body = VerticalScroll(classes="card-body", can_focus=False)
        yield body
        yield Prose("", classes="card-note")
        yield Choices()
        yield Prose("", classes="card-keys")

    async def on_mount(self) -> None:
        """Show the question; take the focus once that disturbs nobody. Somebody may be typing just now."""
        typing = self.screen.focused
        self.guard.key_seen()
        if isinstance(typing, Input):
            self.guard.composer_changed(bool(typing.value))
        elif isinstance(typing, TextArea):
            self.guard.composer_changed(bool(typing.text))
        self.border_subtitle = self.say(T("nothing runs until you decide"))
        await self.show(self.first_pane())
        self.set_interval(LOOK_SECONDS, self._look)

    @property
    def body(self) -> VerticalScroll:
        """The part that scrolls."""
        return self.query_one(".card-body", VerticalScroll)

    async def show(self, pane: Pane) -> None:
        """Show another pane; its choices are asleep at first."""
        had_keys = self.has_focus_within or self.has_focus
        self.pane, self._cursor = pane, None
        with self.app.batch_update():
            await self.body.remove_children()
            await self.body.mount_all(pane.widgets)
            self.body.scroll_home(animate=False)
            self.note("")
            self.query_one(".card-keys", Prose).show(self._keys())
        self.guard.appeared()
        self._sleep()
        if had_keys:
            (pane.takes_keys or self).focus(scroll_visible=False)
        self.call_after_refresh(self._fit)

    def note(self, text: str) -> None:
        """Say in one line what just happened; "" says nothing."""
        line = self.query_one(".card-note", Prose)
        line.show(text)
        line.display = bool(text)
        self.call_after_refresh(self._fit)

    def _keys(self) -> str:
        keys = {**self.pane.extras, **self.pane.commands}
        shown = [f"{key} {self.say(text)}" for key, (text, _) in keys.items() if key not in self.pane.quiet]
        back = T("back") if self.pane.escape else T("decide later")
        return "  ".join([*shown, f"esc {self.say(back)}"])

    def _sleep(self) -> None:
        """Show the choices asleep until keys count again."""
        self._show_choices(awake=False)
        self.set_timer(DEAD, self._wake)

    def _wake(self) -> None:
        if self.is_attached and not self.answered:
            self._show_choices(awake=True)

    def _show_choices(self, *, awake: bool) -> None:
        self.query_one(Choices).show(self.pane.choices, self._cursor, awake=awake)

    def _fit(self) -> None:
        """As high as the content, up to a share of the screen; then the body scrolls and the choices stay."""
        if not self.is_attached or not self.body.is_attached:
            return
        foot = sum(one.outer_size.height for one in self.children if one.display and one is not self.body)
        content = sum(one.outer_size.height + one.styles.margin.height for one in self.body.children)
        least = foot + self.gutter.height
        most = int(self.screen.size.height * (ASIDE if self._aside else SHARE))
        self.styles.height = max(least + FEWEST_LINES, min(content + least, most))
        field = self.screen.focused
        if field is not None and self.body in field.ancestors:
            self.call_after_refresh(field.scroll_visible, animate=False)

    def on_resize(self) -> None:
        """Fit the new width."""
        self.call_after_refresh(self._fit)

    # focus

    def _look(self) -> None:
        waits = self._wants_focus and not self.answered and self.screen.is_current
        if waits and not (self.has_focus or self.has_focus_within) and self.guard.may_focus():
            self._by_itself = True
            self.focus(scroll_visible=False)

    def on_focus(self) -> None:
        """The keys come here now; for a moment they decide nothing."""
        self.guard.focused()
        if not self._by_itself:
            self._come_back()
        self._wants_focus = self._wants_focus and not self._by_itself
        self._by_itself = False
        self._sleep()

    def on_blur(self) -> None:
        """Whoever went away from the card is not called back, unless it was only passed by."""
        self._wants_focus = self._wants_focus and not self.guard.awake
        self.guard.left()

    def _come_back(self) -> None:
        """Somebody turned to this card again: all of its height."""
        if self._aside:
            self._aside = False
            self._fit()

    # keys and clicks

    async def on_key(self, event: events.Key) -> None:
        """Letters through the guard; arrows and Enter for the marked choice; Escape back or for later."""
        if self.answered or not self.has_focus_within:
            return
        self._come_back()
        if not self.has_focus:
            await self._key_of_field(event)
        elif event.is_printable and event.character:
            self._take(event)
            await self._letter(event.character)
        elif event.key in _MOVES:
            self._take(event)
            self._move(_MOVES[event.key])
        elif event.key in _SCROLLS:
            self._take(event)
            getattr(self.body, _SCROLLS[event.key])(animate=False)
        elif event.key in {"enter", "escape"} or event.key in self.pane.commands:
            self._take(event)
            await self._command(event.key)

    async def _key_of_field(self, event: events.Key) -> None:
        """A key that a form on this card did not use: only the way back and the commands reach beyond it."""
        if event.key == "escape" or event.key in self.pane.commands:
            self._take(event)
            await self._command(event.key)

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is never an answer."""
        if self.has_focus:
            event.stop()
            self._typed(self.guard.other_letter(event.text))

    def _take(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()

    async def _letter(self, letter: str) -> None:
        if self._meaning(letter) is None:
            self._typed(self.guard.other_letter(letter))
            return
        sensed = self.guard.letter(letter, decides=letter not in self.pane.extras)
        if sensed.sense is Sense.held:
            self.set_timer(HOLD, lambda: self.call_later(self._settle, letter, sensed.hold))
        await self._sensed(sensed, self._meaning(letter))

    async def _settle(self, letter: str, hold: int) -> None:
        if self.is_attached and not self.answered:
            await self._sensed(self.guard.settled(hold), self._meaning(letter))

    async def _command(self, key: str) -> None:
        if key == "escape" and self.pane.escape is not None:
            await self.pane.escape()
            return
        await self._sensed(self.guard.command(), self._command_meaning(key))

    async def on_choices_picked(self, event: Choices.Picked) -> None:
        """A click on a choice, under the same rule as a key."""
        event.stop()
        if not self.answered and event.number < len(self.pane.choices):
            await self._sensed(self.guard.click(), self.pane.choices[event.number].do)

    async def _sensed(self, sensed: Sensed, do: Do | None) -> None:
        if sensed.sense is Sense.typing:
            self._typed(sensed.text)
        elif sensed.sense is Sense.absorbed:
            self.note(self.say(T("That was too quick to be meant: nothing was decided. Press the key again.")))
            self._sleep()
        elif sensed.sense is Sense.counts and do is not None:
            await do()

    def _meaning(self, letter: str) -> Do | None:
        """What a letter or number does on this pane; upper-case letters do nothing."""
        for number, choice in enumerate(self.pane.choices, start=1):
            if letter in {choice.key, str(number)}:
                return choice.do
        extra = self.pane.extras.get(letter)
        return extra[1] if extra else None

    def _command_meaning(self, key: str) -> Do | None:
        if key == "escape":
            return self.postpone
        if key == "enter":
            return self.pane.enter if self._cursor is None else self.pane.choices[self._cursor].do
        return self.pane.commands[key][1]

    def _move(self, step: int) -> None:
        """Mark another choice; before the first there is none, so that Enter alone never answers."""
        place = -1 if self._cursor is None else self._cursor
        place = max(-1, min(place + step, len(self.pane.choices) - 1))
        self._cursor = None if place < 0 else place
        self._show_choices(awake=True)

    def _typed(self, text: str) -> None:
        self.post_message(Typed(text))

    # answers

    def answer(self, answer: Answer) -> None:
        """Hand in the answer, once."""
        if not self.answered:
            self.answered = True
            self._show_choices(awake=False)
            self.post_message(QuestionAnswered(answer, self.token))

    async def postpone(self) -> None:
        """Leave the question pending."""
        if not self.answered:
            self.answered = True
            self.post_message(QuestionPostponed(self.token))


_MOVES = {"down": 1, "right": 1, "up": -1, "left": -1}
_SCROLLS = {
    "pageup": "scroll_page_up",
    "pagedown": "scroll_page_down",
    "home": "scroll_home",
    "end": "scroll_end",
}
