"""The guard's rules against a clock that a test moves."""

from __future__ import annotations

import pytest

from agent.faces.tui.widgets.cards.guard import DEAD, HOLD, QUIET, Guard, Sense


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time

    def pass_(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(clock):
    return Guard(clock)


def test_the_focus_is_not_taken_while_the_composer_holds_text(guard, clock):
    guard.composer_changed(True)
    clock.pass_(60)
    assert not guard.may_focus()
    guard.composer_changed(False)
    assert guard.may_focus()


def test_the_focus_is_not_taken_within_a_second_of_a_key(guard, clock):
    guard.key_seen()
    clock.pass_(QUIET - 0.01)
    assert not guard.may_focus()
    clock.pass_(0.02)
    assert guard.may_focus()


def press(guard, clock, key, **more):
    """What a letter comes to when nothing follows it."""
    held = guard.letter(key, **more)
    assert held.sense is Sense.held
    clock.pass_(HOLD)
    return guard.settled(held.hold).sense


def test_a_letter_right_after_the_card_appears_decides_nothing(guard, clock):
    guard.focused()
    clock.pass_(DEAD - 0.01)
    assert press(guard, clock, "a") is Sense.absorbed


def test_each_absorbed_letter_begins_the_dead_time_again(guard, clock):
    guard.focused()
    for _ in range(5):
        clock.pass_(DEAD - HOLD - 0.01)
        assert press(guard, clock, "a") is Sense.absorbed
    clock.pass_(DEAD)
    assert press(guard, clock, "a") is Sense.counts


def test_other_choices_on_the_card_sleep_again_and_a_letter_held_for_those_before_is_no_answer(guard, clock):
    guard.focused()
    clock.pass_(DEAD)
    held = guard.letter("a")
    guard.appeared()
    assert guard.settled(held.hold).sense is Sense.nothing
    assert press(guard, clock, "a") is Sense.absorbed


def test_a_key_that_only_shows_something_needs_no_dead_time(guard, clock):
    guard.focused()
    assert press(guard, clock, "d", decides=False) is Sense.counts


@pytest.mark.parametrize("wait", [0.0, 5.0])
def test_letters_in_a_row_are_typing(guard, clock, wait):
    guard.focused()
    clock.pass_(wait)
    held = guard.letter("a")
    typed = guard.letter("1")
    assert (typed.sense, typed.text) == (Sense.typing, "a1")
    assert guard.settled(held.hold).sense is Sense.nothing


def test_a_held_letter_and_one_without_a_meaning_are_typing_too(guard, clock):
    guard.focused()
    clock.pass_(5)
    held = guard.letter("a")
    assert guard.other_letter("n") == "an"
    assert guard.settled(held.hold).sense is Sense.nothing


def test_after_typing_every_letter_is_typing_until_the_card_gets_the_focus_again(guard, clock):
    guard.focused()
    clock.pass_(5)
    guard.letter("a")
    guard.letter("d")
    clock.pass_(5)
    assert guard.letter("a").sense is Sense.typing
    guard.focused()
    clock.pass_(5)
    assert press(guard, clock, "a") is Sense.counts


def test_a_held_letter_is_no_answer_once_the_focus_is_elsewhere(guard, clock):
    guard.focused()
    clock.pass_(5)
    held = guard.letter("a")
    guard.left()
    assert guard.settled(held.hold).sense is Sense.nothing


def test_the_end_of_an_earlier_holding_settles_no_later_letter(guard, clock):
    guard.focused()
    clock.pass_(5)
    first = guard.letter("a")
    guard.appeared()
    clock.pass_(5)
    guard.letter("a")
    assert guard.settled(first.hold).sense is Sense.nothing


def test_a_letter_that_came_too_early_counts_for_nothing_however_long_the_silence(guard, clock):
    guard.focused()
    held = guard.letter("a")
    clock.pass_(60)
    assert guard.settled(held.hold).sense is Sense.absorbed


def test_a_click_needs_the_dead_time_of_the_card_but_not_that_of_the_focus_it_brings(guard, clock):
    assert guard.click().sense is Sense.absorbed
    clock.pass_(DEAD)
    guard.focused()
    assert guard.click().sense is Sense.counts


def test_escape_and_enter_sleep_like_letters(guard, clock):
    guard.focused()
    assert guard.command().sense is Sense.absorbed
    clock.pass_(DEAD)
    assert guard.command().sense is Sense.counts


def test_enter_behind_letters_that_were_typing_is_no_answer(guard, clock):
    guard.focused()
    clock.pass_(DEAD)
    guard.letter("g")
    guard.letter("o")
    clock.pass_(DEAD)
    assert guard.command().sense is Sense.absorbed
    guard.focused()
    clock.pass_(DEAD)
    assert guard.command().sense is Sense.counts
