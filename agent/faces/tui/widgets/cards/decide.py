"""The card after a comparison: what changed by how much, how sure that is, and what should become of the version."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Literal

from agent.approval import DecideQuestion, VersionChoice, user_name
from agent.faces.layout import aligned
from agent.faces.tui.screens.full_view import FullView
from agent.faces.tui.widgets.cards.base import Card, Pane
from agent.faces.tui.widgets.cards.choices import Choice
from agent.faces.tui.widgets.cards.facts import fact_rows
from agent.faces.tui.widgets.flow import Prose
from agent.faces.views.words import percent, points
from tools.comparing.report import markdown
from tools.comparing.words import metric_name, p_value, settling_sentence, verdict_name
from tools.comparison import Comparison, MetricLine
from tools.files import now as stamp
from tools.text import Speaker, T, Text


class DecideCard(Card):
    """Asks what should become of a compared version."""

    def __init__(
        self, question: DecideQuestion, token: int, say: Speaker, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(token, say, now=now)
        self._question = question
        self.border_title = say(T("{version} against {parent}", version=question.version, parent=question.parent))

    def first_pane(self) -> Pane:
        """The comparison in short, and the three ways on."""
        say, question = self.say, self._question
        adopt = T("Adopt: opens the locked test set, shows it and asks once more")
        back = T("Roll back to {parent}", parent=question.parent)
        return Pane(
            fact_rows(decide_facts(question, say), say),
            [
                Choice("a", say(adopt), partial(self._choose, "adopt")),
                Choice("c", say(T("Continue from this version")), partial(self._choose, "continue")),
                Choice("b", say(back), partial(self._choose, "rollback")),
            ],
            {"v": (T("full report"), self._report), "y": (T("copy"), self._copy)},
            enter=self._report,
        )

    async def _choose(self, choice: Literal["adopt", "continue", "rollback"]) -> None:
        self.answer(VersionChoice(choice=choice, by="person", who=user_name(), at=stamp()))

    async def _report(self) -> None:
        self.app.push_screen(FullView(str(self.border_title), [Prose(self._text())], self.say))

    async def _copy(self) -> None:
        self.app.copy_to_clipboard(self._text() + "\n")
        self.note(self.say(T("Copied.")))

    def _text(self) -> str:
        return aligned(markdown(self._question.comparison, self.say))


def decide_facts(question: DecideQuestion, say: Speaker) -> list[tuple[Text, str]]:
    """What a person needs to choose by."""
    comparison = question.comparison
    facts = [(T("Change"), "; ".join(say(change) for change in comparison.changes) or "-")]
    facts += [(T("Valid"), say(line)) for line in _scores(comparison)]
    verdict = " ".join([say(verdict_name(comparison.verdict)) + ".", *(say(reason) for reason in comparison.reasons)])
    facts.append((T("Verdict"), verdict))
    if comparison.settling is not None:
        facts.append((T("Settle"), say(settling_sentence(comparison.settling, comparison))))
    rows = T(
        "{fixed} fixed, {broken} broken of {rows}",
        fixed=len(comparison.fixed),
        broken=len(comparison.broken),
        rows=comparison.rows,
    )
    facts.append((T("Rows"), say(rows)))
    facts.append((T("Advice"), say(comparison.recommendation)))
    if question.waiting:
        waiting = T("{count} approved change(s) still wait for their training.", count=question.waiting)
        facts.append((T("Queue"), say(waiting)))
    return facts


def _scores(comparison: Comparison) -> list[Text]:
    """The metric that the verdict rests on, with its interval, and the primary one where that is another."""
    wanted = list(dict.fromkeys([comparison.primary_metric, comparison.judged_metric]))
    return [_score(line) for name in wanted for line in comparison.metrics if line.metric == name]


def _score(line: MetricLine) -> Text:
    score = T(
        "{metric} {old} → {new}, {difference} points",
        metric=metric_name(line.metric),
        old=percent(line.old),
        new=percent(line.new),
        difference=points(line.difference),
    )
    if line.range is None:
        return score
    return T(
        "{score} (95 percent interval {low} to {high}, {p})",
        score=score,
        low=points(line.range.low),
        high=points(line.range.high),
        p=p_value(line.range.p),
    )
