"""The question that waits and its card above the input: shown, put aside, brought back, answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from agent.approval import Answer, ConfirmQuestion, DecideQuestion, Question, ReviewQuestion
from agent.faces.tui.messages import QuickCheckSays
from tools.errors import IterateError
from tools.text import T, Text

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp


class Desk:
    """At most one card at a time, for the question that the bridge carries."""

    def __init__(self, app: IterateApp) -> None:
        self._app = app

    @property
    def card(self) -> Any:
        """The card that is shown, if one is; the cards are in widgets/cards/."""
        return next(iter(self._app.chat.cards.children), None)

    def asked(self, question: Question, token: int) -> None:
        """Show the card of a question, unless it was answered meanwhile."""
        app = self._app
        if token != app.bridge.token or app.bridge.question is None:
            return
        self.drop()
        app.showing.asked(question)
        self._mount(question, token)
        app.call_person(T("a decision waits"), "waiting")
        app.refresh_hints()

    def open(self) -> None:
        """Go to the card, bringing it back if it was put aside."""
        app = self._app
        question = app.bridge.question
        if question is None:
            app.tell(T("No question is waiting."))
            return
        app.pop_to_chat()
        if self.card is None:
            self._mount(question, app.bridge.token)
        app.call_after_refresh(self._focus)

    def give(self, answer: Answer, token: int) -> None:
        """Hand an answer to the session and take its card away."""
        app = self._app
        question, task = app.bridge.question, app.bridge.task
        if not app.bridge.answer(answer, token):
            app.tell(T("That question is not open any more; nothing was decided."), "warning")
            return
        self.drop()
        app.quick.answered(answer, question, task)
        app.refresh_hints()

    def quick_check_says(self, message: QuickCheckSays) -> None:
        """Bring word of a quick check to the card of its change; its end is told in the chat as well."""
        app, card, question = self._app, self.card, self._app.bridge.question
        waits = isinstance(question, ReviewQuestion) and question.proposal.id == message.change_id
        outcome = message.outcome.message if isinstance(message.outcome, IterateError) else message.outcome
        told = message.told or (outcome if isinstance(outcome, Text) else None)
        if told is not None and waits and card is not None:
            card.quick_check_says(told, over=message.told is None)
        if isinstance(message.outcome, Exception):
            app.fail(message.outcome)
        elif message.outcome is not None:
            app.tell(message.outcome)
            app.call_person(T("a quick check is over"), "finished")

    def postpone(self) -> None:
        """Put the card aside; its question stays exactly as it is."""
        app = self._app
        if app.bridge.question is None:
            app.tell(T("No question is waiting."))
            return
        self.drop()
        app.tell(T("The question waits: Ctrl+R brings it back."))
        app.refresh_hints()

    def drop(self) -> None:
        """Take the card away; the keys go to the input if they were the card's."""
        card = self.card
        if card is None:
            return
        if card.has_focus_within or card.has_focus:
            # At once: else Textual gives the focus of what is removed to a link in the transcript, and scrolls there.
            self._app.chat.set_focus(self._app.chat.composer, scroll_visible=False)
        card.remove()

    def step_aside(self) -> None:
        """Something was said: its answer needs room beside the card."""
        if self.card is not None:
            self.card.step_aside()

    def typed(self, text: str) -> None:
        """The input changed: a card may take the keys only while it is empty."""
        if self.card is not None:
            self.card.composer_changed(bool(text))

    def key_seen(self) -> None:
        """A key was pressed in the input."""
        if self.card is not None:
            self.card.key_seen()

    def _focus(self) -> None:
        card = self.card
        if card is None:
            return
        target = card if card.can_focus else next((one for one in card.query("*") if one.focusable), None)
        if target is not None:
            target.focus()

    def _mount(self, question: Question, token: int) -> None:
        card = self._card(question, token)
        self._app.chat.cards.mount(card)
        self._app.call_after_refresh(self.typed, self._app.chat.composer.text)

    def _card(self, question: Question, token: int) -> Widget:
        say = self._app.say
        match question:
            case ReviewQuestion():
                from agent.faces.tui.widgets.cards.review import ReviewCard

                task = self._app.bridge.task
                assert task is not None
                return ReviewCard(question, token, task, say)
            case DecideQuestion():
                from agent.faces.tui.widgets.cards.decide import DecideCard

                return DecideCard(question, token, say)
            case ConfirmQuestion():
                from agent.faces.tui.widgets.cards.confirm import ConfirmCard

                return ConfirmCard(question, token, say)
