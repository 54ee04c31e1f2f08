"""The review card by key presses: every answer, and that typing is never one."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from agent.faces.tui.widgets.cards import review as module
from agent.faces.tui.widgets.cards.choices import Choices
from agent.faces.tui.widgets.cards.review import ReviewCard
from agent.faces.tui.widgets.diff import DiffView
from agent.grants import offered_rule
from tests.support.cards import HELD, CardApp, Clock, press, question, shown, until
from tests.support.mood_task import MoodTask
from tools.change import Cost, Verb
from tools.probing.quick_records import QuickRecord, record_quick
from tools.text import T, english


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def task(tmp_path):
    return MoodTask(tmp_path, rows=12).path


@pytest.fixture
def app(clock, task):
    return CardApp(lambda: ReviewCard(question(), 7, task, english, now=clock))


async def test_typing_fast_while_the_card_appears_approves_nothing_and_loses_no_letter(task):
    app = CardApp(lambda: ReviewCard(question(), 7, task, english), at_once=False)
    async with app.run_test() as pilot:
        await pilot.press("a", "1")
        await app.ask()
        await pilot.press("a", "a", "y")
        await pilot.pause(1.3)
        assert app.composer.value == "a1aay"
        assert not app.card.has_focus
        assert app.answers == []


async def test_letters_typed_after_the_card_took_the_focus_by_itself_reach_the_composer(app, clock):
    async with app.run_test() as pilot:
        clock.pass_(5)
        await until(pilot, lambda: app.card.has_focus)
        clock.pass_(5)
        await pilot.press("a", "1", "a", "a", "y")
        await pilot.pause(HELD)
        assert app.composer.value == "a1aay"
        assert app.composer.has_focus
        assert app.answers == []


async def test_a_sentence_typed_after_other_keys_on_the_card_is_a_sentence(app, clock):
    async with app.run_test() as pilot:
        app.card.focus()
        await press(app, pilot, clock, "s", "escape")
        await pilot.press(*"add rows")
        await pilot.pause(HELD)
        assert app.composer.value == "add rows"
        assert app.answers == []


async def test_the_card_takes_the_focus_only_once_the_composer_is_empty_and_quiet(app, clock):
    async with app.run_test() as pilot:
        await pilot.press("x")
        clock.pass_(60)
        await pilot.pause(0.5)
        assert not app.card.has_focus
        await pilot.press("backspace")
        await pilot.pause(0.5)
        assert not app.card.has_focus
        clock.pass_(2)
        await until(pilot, lambda: app.card.has_focus)


async def test_one_letter_and_silence_approves_once_with_the_token_of_the_asking(app, clock):
    async with app.run_test() as pilot:
        clock.pass_(5)
        await until(pilot, lambda: app.card.has_focus)
        clock.pass_(5)
        await pilot.press("a")
        await until(pilot, lambda: app.answers)
        await press(app, pilot, clock, "a", "l", "1")
        (decision,) = app.answers
        assert app.tokens == [7]
        assert (decision.decision, decision.by, decision.remember) == (Verb.approve, "person", None)
        assert decision.proposal_id == question().proposal.id


async def test_keys_right_after_the_focus_decide_nothing_and_say_so(app, clock):
    async with app.run_test() as pilot:
        app.card.focus()
        await pilot.press("a", "enter", "escape")
        await pilot.pause(HELD)
        assert (app.answers, app.postponed) == ([], [])
        assert "too quick" in shown(app)
        clock.pass_(5)
        await press(app, pilot, clock, "1")
        assert app.answers[0].decision is Verb.approve


async def test_shift_gives_no_power_and_a_paste_is_no_answer(app, clock):
    async with app.run_test() as pilot:
        app.card.focus()
        await press(app, pilot, clock, "A")
        assert app.composer.value == "A"
        assert app.answers == []


@pytest.mark.parametrize("key", ["l", "5"])
async def test_later_defers_and_goes_on(app, clock, key):
    async with app.run_test() as pilot:
        app.card.focus()
        await press(app, pilot, clock, key)
        assert app.answers[0].decision is Verb.defer


async def test_escape_leaves_the_question_pending(app, clock):
    async with app.run_test() as pilot:
        app.card.focus()
        await press(app, pilot, clock, "escape", "a")
        assert (app.answers, app.postponed) == ([], [7])


async def test_enter_alone_opens_the_evidence_and_a_marked_choice_is_taken(app, clock):
    async with app.run_test() as pilot:
        app.card.focus()
        await press(app, pilot, clock, "enter")
        await until(pilot, lambda: "Overfitting" in shown(app) and "Approve" not in shown(app))
        await press(app, pilot, clock, "escape", "down", "enter")
        assert app.answers[0].decision is Verb.approve


async def test_a_rejection_carries_its_reason_and_an_empty_one_must_be_meant(app, clock):
    async with app.run_test() as pilot:
        app.card.focus()
        await press(app, pilot, clock, "r", "enter")
        assert app.answers == []
        assert "Enter again" in shown(app)
        await press(app, pilot, clock, *"too dear", "enter")
        assert (app.answers[0].decision, app.answers[0].reason) == (Verb.reject, "too dear")


async def test_the_field_of_a_reason_is_in_sight_wherever_the_card_was_scrolled_to(clock, task):
    long = "".join(f" line{number}: {number}\n" for number in range(200))
    asked = question(diff="--- a/c\n+++ b/c\n@@ -1,200 +1,200 @@\n" + long)
    app = CardApp(lambda: ReviewCard(asked, 7, task, english, now=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        app.card.focus()
        await press(app, pilot, clock, "end", "r")
        await until(pilot, lambda: app.focused is app.card.pane.takes_keys)
        await pilot.pause()
        assert app.card.body.content_region.contains_region(app.focused.region)
        assert "Enter rejects with it" in shown(app)


async def test_an_edited_value_keeps_what_was_not_deleted(app, clock):
    async with app.run_test(size=(100, 30)) as pilot:
        app.card.focus()
        await press(app, pilot, clock, "e")
        before = app.focused.value
        await pilot.press("backspace", "backspace", "backspace", "7")
        assert app.focused.value == before[:-3] + "7"


async def test_a_comment_goes_with_the_approval_and_an_empty_one_approves_nothing(app, clock):
    async with app.run_test() as pilot:
        app.card.focus()
        await press(app, pilot, clock, "c", "enter", "enter")
        assert app.answers == []
        await press(app, pilot, clock, *"fine", "enter")
        assert (app.answers[0].decision, app.answers[0].reason) == (Verb.approve, "fine")


async def test_a_rule_for_the_session_is_shown_in_words_before_it_counts(app, clock):
    async with app.run_test(size=(100, 30)) as pilot:
        app.card.focus()
        await press(app, pilot, clock, "s")
        assert app.answers == []
        assert "Allow changes of training.learning_rate in this session, 2 more trainings of at most 9 min" in shown(
            app
        )
        await press(app, pilot, clock, "b", "s", "a")
        assert app.answers[0].remember == offered_rule(question().proposal)


async def test_values_are_edited_in_place_checked_while_typed_and_approved_as_edited(app, clock):
    async with app.run_test(size=(100, 30)) as pilot:
        app.card.focus()
        await press(app, pilot, clock, "e", *"fast", "enter")
        await until(pilot, lambda: "must be a number" in shown(app))
        assert "Approve as edited" not in shown(app)
        await press(app, pilot, clock, "ctrl+u", *"0.00005", "enter")
        await until(pilot, lambda: "Approve as edited" in shown(app))
        assert "edited by you" in shown(app)

        assert "+   learning_rate: 0.00005" in shown(app)
        await press(app, pilot, clock, "a")
        (decision,) = app.answers
        assert decision.decision is Verb.edit
        assert decision.edited[0].edits[0].new == 0.00005


async def test_the_persons_own_editor_gives_values_that_are_shown_before_they_count(app, clock, monkeypatch):
    monkeypatch.setattr(CardApp, "suspend", lambda self: nullcontext())
    monkeypatch.setattr(module, "run_editor", lambda text: text.replace(": 0.0001", ": 0.00003"))
    async with app.run_test(size=(100, 30)) as pilot:
        app.card.focus()
        await press(app, pilot, clock, "ctrl+g")
        assert "edited by you" in shown(app)
        assert app.answers == []
        await press(app, pilot, clock, "a")
        assert app.answers[0].edited[0].edits[0].new == 0.00003


async def test_where_no_editor_can_be_shown_the_card_says_so(app, clock):
    async with app.run_test(size=(100, 30)) as pilot:
        app.card.focus()
        await press(app, pilot, clock, "ctrl+g")
        assert "press e to edit here" in shown(app)


async def test_a_click_decides_only_after_the_dead_time(app, clock):
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.click(Choices, offset=(4, 0))
        assert app.answers == []
        clock.pass_(5)
        await pilot.click(Choices, offset=(4, 0))
        await pilot.pause()
        assert app.answers[0].decision is Verb.approve


async def test_choices_stay_in_sight_while_a_long_body_scrolls(clock, task):
    long = "".join(f" line{number}: {number}\n" for number in range(200))
    asked = question(diff="--- a/c\n+++ b/c\n@@ -1,200 +1,200 @@\n" + long)
    app = CardApp(lambda: ReviewCard(asked, 7, task, english, now=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        app.card.focus()
        await until(pilot, lambda: app.card.has_focus)
        await pilot.pause()
        before = app.query_one(Choices).region
        await press(app, pilot, clock, "end")
        await until(pilot, lambda: "line199" in shown(app))
        assert app.query_one(Choices).region == before
        assert "1 Approve (a)" in shown(app)


async def test_full_view_copy_page_and_columns_answer_nothing(app, clock):
    async with app.run_test(size=(120, 40)) as pilot:
        app.card.focus()
        await press(app, pilot, clock, "y", "p", "d")
        assert "-  learning_rate: 0.0002" in app.clipboard
        assert app.orders[0].args == {"page": "troubleshooting/overfitting"}
        await press(app, pilot, clock, "v")
        assert app.screen.query_one(DiffView)
        await press(app, pilot, clock, "escape")
        assert app.card.has_focus
        assert app.answers == []


async def test_help_names_every_key_also_those_without_room_in_the_line_of_keys(app, clock):
    async with app.run_test() as pilot:
        app.card.focus()
        await press(app, pilot, clock, "?")
        for words in ("approve with a comment", "Approve", "Put off"):
            assert words in shown(app)
        await press(app, pilot, clock, "end")
        await until(pilot, lambda: "esc    decide later" in shown(app))
        await press(app, pilot, clock, "escape")
        assert "1 Approve (a)" in shown(app)


async def test_words_from_outside_are_shown_as_they_are(clock, task):
    evil = "[bold]approve[/] [@click=app.quit]a[/] \x1b[2J‮"
    asked = question(comment=evil, origin="model", caution=T("{x}", x="[/red]"))
    app = CardApp(lambda: ReviewCard(asked, 7, task, english, now=clock))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "language model's words" in shown(app))

        assert "[bold]approve[/] [@click=app.quit]a[/] \\u001b[2J\\u202e" in shown(app)
        assert "a language model's words" in shown(app)


async def test_the_baseline_offers_neither_edit_nor_a_rule(clock, task):
    app = CardApp(lambda: ReviewCard(question(changes=[], diff=""), 7, task, english, now=clock))
    async with app.run_test() as pilot:
        app.card.focus()
        await until(pilot, lambda: "1 Approve" in shown(app))
        assert "Edit" not in shown(app)
        assert "Allow" not in shown(app)
        await press(app, pilot, clock, "s")
        assert app.answers == []


async def test_trying_it_first_shows_its_price_before_it_begins_and_answers_nothing(app, clock):
    async with app.run_test(size=(100, 40)) as pilot:
        app.card.focus()
        await press(app, pilot, clock, "t")
        await until(pilot, lambda: "base model" in shown(app) or "training rows" in shown(app))
        assert app.quick_checks == []
        await press(app, pilot, clock, "b", "t", "t")
        assert app.quick_checks == [(question().proposal.id, False)]
        app.card.quick_check_says(T("quick check: run 1 of 2"), over=False)
        await until(pilot, lambda: "run 1 of 2" in shown(app) and "Approve (a)" in shown(app))
        await press(app, pilot, clock, "t", "x")
        assert app.quick_checks[-1] == (question().proposal.id, True)
        app.card.quick_check_says(T("quick check: +2.1 points"), over=True)
        await until(pilot, lambda: "+2.1 points" in shown(app))
        assert (app.answers, app.postponed) == ([], [])


async def test_what_a_quick_check_found_stands_on_the_card_whenever_it_comes_back(task, clock):
    record_quick(
        task,
        QuickRecord(
            at="2026-01-01T00:00:00+00:00", change_id=question().proposal.id, kinds=["training.learning_rate"],
            metric="macro_f1", difference=0.021, low=-0.01, high=0.052, share=0.3, valid_rows=120, seeds=1,
        ),
    )  # fmt: skip
    app = CardApp(lambda: ReviewCard(question(), 7, task, english, now=clock))
    async with app.run_test(size=(110, 40)) as pilot:
        await until(pilot, lambda: "+2.1 points (95 percent interval -1.0 to +5.2)" in shown(app))
        said = " ".join(shown(app).split())
        assert "It shows no difference either way." in said
        assert "is not known: 0 of at least 3 changes" in said


async def test_a_change_without_a_training_offers_no_quick_check(task, clock):
    asked = question(cost=Cost(minutes=1.0, memory_gb=None, trainings=0, basis=T("measured on this machine")))
    app = CardApp(lambda: ReviewCard(asked, 7, task, english, now=clock))
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "Put off" in shown(app))
        assert "quickly first" not in shown(app)
