"""The cards after a comparison and after the opening of the test set, by key presses."""

from __future__ import annotations

import pytest

from agent.approval import ConfirmQuestion, DecideQuestion
from agent.faces.tui.screens.full_view import FullView
from agent.faces.tui.widgets.cards.confirm import ConfirmCard
from agent.faces.tui.widgets.cards.decide import DecideCard
from tests.support.cards import HELD, CardApp, Clock, press, shown, until
from tools.comparison import Comparison, MetricLine, NoiseFloor, Range
from tools.evidence.power import Settling
from tools.text import T, english
from tools.versioning.ledger import OpenedTest

COMPARISON = Comparison(
    task="mood",
    base="v1",
    new="v2",
    split="valid",
    rows=300,
    base_seeds=1,
    new_seeds=1,
    primary_metric="macro_f1",
    judged_metric="macro_f1",
    verdict="undecided",
    reasons=[T("The interval holds zero.")],
    recommended="continue",
    recommendation=T("continue: it may be better"),
    changes=[T("Learning rate: 0.0002 → 0.0001")],
    metrics=[MetricLine(metric="macro_f1", old=0.62, new=0.65, range=Range(low=-0.01, high=0.07, p=0.14))],
    fixed=["a", "b", "c"],
    broken=["d"],
    noise=NoiseFloor(seeds=1, floor=None, units=None),
    settling=Settling(rows=900, seeds=3, smallest=0.06),
)
OPENED = OpenedTest(
    ordinal=4,
    versions=["v1", "v2"],
    scores={"v1": {"macro_f1": 0.6}, "v2": {"macro_f1": 0.61}},
    valid_scores={"v1": {"macro_f1": 0.62}, "v2": {"macro_f1": 0.65}},
    verdict="undecided",
    p=0.2,
    p_corrected=0.4,
    notes=[T("The interval holds zero.")],
)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def decide(clock):
    asked = DecideQuestion(version="v2", parent="v1", comparison=COMPARISON, waiting=2)
    return CardApp(lambda: DecideCard(asked, 5, english, now=clock))


@pytest.fixture
def confirm(clock):
    asked = ConfirmQuestion(version="v2", parent="v1", comparison=COMPARISON, opened=OPENED)
    return CardApp(lambda: ConfirmCard(asked, 6, english, now=clock))


@pytest.mark.parametrize(("key", "choice"), [("a", "adopt"), ("2", "continue"), ("b", "rollback")])
async def test_a_key_decides_about_the_version(decide, clock, key, choice):
    async with decide.run_test() as pilot:
        decide.card.focus()
        await press(decide, pilot, clock, key)
        assert (decide.answers[0].choice, decide.answers[0].by, decide.tokens) == (choice, "person", [5])


async def test_the_card_shows_how_sure_the_difference_is_and_what_would_settle_it(decide, clock):
    async with decide.run_test(size=(110, 40)) as pilot:
        decide.card.focus()
        await until(pilot, lambda: "2 approved" in shown(decide))
        text = " ".join(shown(decide).replace("│", " ").split())
        for words in (
            "62.0% → 65.0%, +3.0 points",
            "-1.0 to +7.0",
            "p = 0.140",
            "undecided",
            "900 rows",
            "3 fixed, 1 broken",
        ):
            assert words in text
        assert "2 approved change(s) still wait" in text


async def test_the_report_opens_and_escape_comes_back_then_leaves_it_for_later(decide, clock):
    async with decide.run_test() as pilot:
        decide.card.focus()
        await press(decide, pilot, clock, "v")
        assert isinstance(decide.screen, FullView)
        await pilot.press("escape")
        decide.card.focus()
        await press(decide, pilot, clock, "escape")
        assert (decide.answers, decide.postponed) == ([], [5])


async def test_early_keys_neither_adopt_nor_open_anything(decide, confirm, clock):
    for app in (decide, confirm):
        async with app.run_test() as pilot:
            app.card.focus()
            await pilot.press("a", "enter")
            await pilot.pause(HELD)
            assert (app.answers, app.postponed) == ([], [])


@pytest.mark.parametrize(("key", "adopt"), [("a", True), ("n", False)])
async def test_adoption_is_confirmed_or_not_with_both_scores_in_sight(confirm, clock, key, adopt):
    async with confirm.run_test(size=(110, 40)) as pilot:
        confirm.card.focus()
        await until(pilot, lambda: "test_ledger" in shown(confirm))
        assert "valid said 65.0%, test says 61.0%" in shown(confirm)
        assert "line 4 of iterations/test_ledger.jsonl" in shown(confirm)
        confirm.card.focus()
        await press(confirm, pilot, clock, key)
        assert confirm.answers[0].adopt is adopt
