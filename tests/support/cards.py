"""A card standing alone above an input, as the chat mounts it, and made-up questions to put on it."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.widgets import Input

from agent.approval import Answer, ReviewQuestion
from agent.conversation.said import Order
from agent.faces.tui.messages import OrderGiven, QuestionAnswered, QuestionPostponed, QuickCheckWanted, Typed
from agent.faces.tui.widgets.cards.base import Card
from agent.faces.tui.widgets.cards.guard import HOLD
from tools.change import Change, ChangeKind, Cost, Difficulty, Edit, Effect, Goal, Proposal, Tier
from tools.text import T

HELD = HOLD + 0.1
"""Seconds after which a held letter has come to something."""
DIFF = """\
--- a/configs/training_config.yaml
+++ b/configs/training_config.yaml
@@ -2,5 +2,5 @@
 lora:
   r: 16
 training:
   epochs: 3  # short
-  learning_rate: 0.0002
+  learning_rate: 0.0001  # 訓練不穩定時先降它
"""


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += seconds


async def press(app: CardApp, pilot: Pilot[None], clock: Clock, *keys: str) -> None:
    """Keys one by one, each with the silence before and behind it that makes it meant; letters of a form need none."""
    for key in keys:
        await pilot.pause()
        clock.pass_(5)
        on_card = app.screen.focused in list(app.query(Card))
        await pilot.press(key)
        await pilot.pause(HELD if on_card and len(key) == 1 else None)


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait for something that takes a thread or a timer."""
    for _ in range(100):
        if condition():
            return
        await pilot.pause(0.05)
    raise AssertionError("it did not happen")


def shown(app: App[None]) -> str:
    """What is on the screen, line by line, without colours."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(part.text for part in strip) for strip in strips)


class CardApp(App[None]):
    """An input, and a card above it once `ask` is called; it collects what the card posts."""

    CSS = "#before { height: 1fr; } #cards { height: auto; max-height: 70%; }"

    def __init__(self, make: Callable[[], Card], *, at_once: bool = True) -> None:
        super().__init__()
        self._make = make
        self._at_once = at_once
        self.composer = Input(compact=True, select_on_focus=False)
        self.answers: list[Answer] = []
        self.tokens: list[int] = []
        self.postponed: list[int] = []
        self.orders: list[Order] = []
        self.quick_checks: list[tuple[str, bool]] = []
        """Change and whether its quick check is given up."""

    def compose(self) -> ComposeResult:
        yield Vertical(id="before")
        yield Vertical(id="cards")
        yield self.composer

    async def on_mount(self) -> None:
        self.composer.focus()
        if self._at_once:
            await self.ask()

    @property
    def card(self) -> Card:
        return self.query_one(Card)

    async def ask(self) -> None:
        await self.query_one("#cards").mount(self._make())

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input is self.composer:
            for card in self.query(Card):
                card.composer_changed(bool(event.value))

    def on_key(self, event: events.Key) -> None:
        for card in self.query(Card):
            if not card.has_focus_within:
                card.key_seen()

    def on_typed(self, message: Typed) -> None:
        self.composer.focus()
        self.composer.insert_text_at_cursor(message.text)

    def on_question_answered(self, message: QuestionAnswered) -> None:
        self.answers.append(message.answer)
        self.tokens.append(message.token)

    def on_question_postponed(self, message: QuestionPostponed) -> None:
        self.postponed.append(message.token)

    def on_quick_check_wanted(self, message: QuickCheckWanted) -> None:
        self.quick_checks.append((message.proposal.id, message.give_up))

    def on_order_given(self, message: OrderGiven) -> None:
        self.orders.append(message.order)


def proposal(**more: object) -> Proposal:
    """A proposal of the rules for another learning rate."""
    edit = Edit(path=("training", "learning_rate"), old=0.0002, new=0.0001)
    summary = T("Learning rate: {old} → {new}", old="0.0002", new="0.0001")
    given = {
        "task": "mood",
        "title": summary,
        "problem": T("Overfitting: validation got worse after its best evaluation"),
        "findings": ["overfitting"],
        "goal": Goal(metric="macro_f1", now=0.62, wanted=0.7),
        "changes": [Change(kind=ChangeKind.config, summary=summary, edits=[edit])],
        "diff": DIFF,
        "config_sha256": "0" * 64,
        "effect": Effect(
            metric="macro_f1",
            low=0.005,
            high=0.04,
            p_better=0.7,
            source="prior",
            basis=T("Rule of thumb: {x}", x="+1%"),
        ),
        "cost": Cost(minutes=6.0, memory_gb=1.5, basis=T("measured on this machine")),
        "difficulty": Difficulty.low,
        "tier": Tier.quick,
        "page": "troubleshooting/overfitting",
        **more,
    }
    return Proposal.model_validate(given)


def question(**more: object) -> ReviewQuestion:
    """The review of `proposal(**more)`, third of five."""
    return ReviewQuestion(proposal=proposal(**more), number=3, total=5, approved=0)
