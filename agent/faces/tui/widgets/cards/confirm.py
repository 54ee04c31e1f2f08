"""The last card before an adoption: what valid said and what the opened test set says."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from agent.approval import Confirmation, ConfirmQuestion, user_name
from agent.faces.layout import aligned
from agent.faces.tui.screens.full_view import FullView
from agent.faces.tui.widgets.cards.base import Card, Pane
from agent.faces.tui.widgets.cards.choices import Choice
from agent.faces.tui.widgets.cards.facts import fact_rows
from agent.faces.tui.widgets.flow import Prose
from agent.faces.views.words import percent
from tools.comparing.report import valid_and_test
from tools.comparing.words import metric_name, p_value, verdict_name
from tools.files import now as stamp
from tools.text import Speaker, T, Text
from tools.versioning.ledger import OpenedTest


class ConfirmCard(Card):
    """Asks whether to adopt, now that the test set was opened."""

    def __init__(
        self, question: ConfirmQuestion, token: int, say: Speaker, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(token, say, now=now)
        self._question = question
        self.border_title = say(T("Adopt {version}?", version=question.version))

    def first_pane(self) -> Pane:
        """Both scores side by side, and yes or no."""
        say = self.say
        return Pane(
            fact_rows(confirm_facts(self._question, say), say),
            [
                Choice("a", say(T("Adopt now")), partial(self._confirm, adopt=True)),
                Choice("n", say(T("Do not adopt; keep it on record")), partial(self._confirm, adopt=False)),
            ],
            {"v": (T("full report"), self._report), "y": (T("copy"), self._copy)},
            enter=self._report,
        )

    async def _confirm(self, *, adopt: bool) -> None:
        self.answer(Confirmation(adopt=adopt, by="person", who=user_name(), at=stamp()))

    async def _report(self) -> None:
        self.app.push_screen(FullView(str(self.border_title), [Prose(self._text())], self.say))

    async def _copy(self) -> None:
        self.app.copy_to_clipboard(self._text() + "\n")
        self.note(self.say(T("Copied.")))

    def _text(self) -> str:
        opened = self._question.opened
        if not opened.scores:
            return "\n".join(self.say(note) for note in opened.notes)
        return aligned(valid_and_test(opened, self.say))


def confirm_facts(question: ConfirmQuestion, say: Speaker) -> list[tuple[Text, str]]:
    """What valid said, what test says, and the line of the ledger that it cost."""
    opened = question.opened
    metric = question.comparison.primary_metric
    facts = [(T("Metric"), say(metric_name(metric)))]
    for version in opened.versions:
        facts.append((T("{name}", name=version), say(_said(opened, version, metric))))
    facts.append((T("Test"), _verdict(opened, say)))
    facts += [(T("Note"), say(note)) for note in opened.notes]
    entered = T("nothing was opened, so nothing was entered")
    if opened.ordinal is not None:
        entered = T(
            "line {number} of iterations/test_ledger.jsonl; it stays there, whatever you answer", number=opened.ordinal
        )
    return [*facts, (T("Ledger"), say(entered))]


def _said(opened: OpenedTest, version: str, metric: str) -> Text:
    unknown = T("not known")
    valid, test = (scores.get(version, {}).get(metric) for scores in (opened.valid_scores, opened.scores))
    return T(
        "valid said {valid}, test says {test}",
        valid=unknown if valid is None else percent(valid),
        test=unknown if test is None else percent(test),
    )


def _verdict(opened: OpenedTest, say: Speaker) -> str:
    p = opened.p if opened.p_corrected is None else opened.p_corrected
    words = say(verdict_name(opened.verdict))
    return words if p is None else f"{words} ({p_value(p)})"
