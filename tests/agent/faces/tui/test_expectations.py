"""What users of such programs expect, one line each, with the tests that hold it; and what no other test asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.color import Color

from agent.conversation.commands import COMMANDS
from agent.conversation.said import Order
from agent.faces.tui import app as app_module
from agent.faces.tui import keys
from agent.faces.tui.palette import CommandsInPalette
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.widgets import key_bar
from agent.faces.tui.widgets.cards.review import ReviewCard
from agent.journal import Journal
from tests.support.tui import make_app, screen_text, settled, until
from tools.change import Decision

TESTS = Path(__file__).parents[3]
SOURCE = Path(app_module.__file__).parent

EXPECTED: dict[str, tuple[str, ...]] = {
    "an approval is never given by typing": (
        "a_letter_right_after_the_card_appears_decides_nothing",
        "each_absorbed_letter_begins_the_dead_time_again",
        "the_focus_is_not_taken_within_a_second_of_a_key",
        "the_card_takes_the_focus_only_once_the_composer_is_empty_and_quiet",
        "what_is_typed_when_a_card_appears_stays_and_decides_nothing",
    ),
    "edit before approving": (
        "values_are_edited_in_place_checked_while_typed_and_approved_as_edited",
        "the_persons_own_editor_gives_values_that_are_shown_before_they_count",
        "an_edited_value_keeps_what_was_not_deleted",
    ),
    "a reason reaches the agent": (
        "a_rejection_carries_its_reason_and_an_empty_one_must_be_meant",
        "a_rejection_with_its_reason_reaches_the_rest_of_the_list_and_keeps_wishes",
        "the_reason_of_a_rejection_reaches_the_next_prompt_and_its_ideas",
        "a_reason_that_shortens_the_list_says_so",
        "a_comment_goes_with_the_approval_and_an_empty_one_approves_nothing",
    ),
    "the whole diff is seen before deciding": (
        "choices_stay_in_sight_while_a_long_body_scrolls",
        "full_view_copy_page_and_columns_answer_nothing",
        "the_field_of_a_reason_is_in_sight_wherever_the_card_was_scrolled_to",
    ),
    "a rule is narrow and shown": (
        "a_rule_for_the_session_is_shown_in_words_before_it_counts",
        "a_rule_wider_than_the_one_offered_is_not_stored_and_the_approval_stands",
        "the_baseline_offers_neither_edit_nor_a_rule",
    ),
    "few questions": ("reading_asks_nothing_and_an_answer_gets_room_beside_the_card",),
    "a bell when it waits": ("the_bell_rings_only_while_nobody_looks_and_not_again_at_once",),
    "unattended never hangs and never approves": (
        "without_a_terminal_and_a_policy_nothing_is_approved_and_the_question_waits",
        "nothing_that_comes_through_a_pipe_is_ever_approved",
        "a_rule_approves_what_it_names_and_defers_the_rest",
        "what_is_not_allowed_waits_once_and_nothing_runs",
        "the_night_approves_the_chosen_changes_alone",
    ),
    "budgets": (
        "a_policy_stops_approving_when_its_trainings_are_used_up",
        "a_night_is_agreed_to_before_it_begins_in_a_process_of_its_own",
    ),
    "resume anything": (
        "a_question_put_aside_comes_back_and_after_leaving_the_same_session_is_taken_up",
        "the_picker_lists_sessions_and_goes_on_with_an_open_one",
        "leaving_keeps_the_unsent_message_and_says_how_to_come_back",
    ),
    "a lost terminal stops nothing": (
        "killing_the_program_while_it_trains_loses_no_decision_and_trains_nothing_twice",
        "leaving_answers_nothing_and_ends_the_wait_for_a_training",
        "leaving_a_training_ends_the_session_but_not_the_training_and_coming_back_follows_it",
    ),
    "undo": (
        "rolling_back_keeps_an_edit_that_no_version_has",
        "rows_are_decided_by_keys_and_leaving_loses_nothing",
    ),
    "scrolling is mine": (
        "new_output_is_followed_until_the_person_scrolls_away_and_again_after_end",
        "an_answered_card_leaves_the_transcript_at_its_end",
    ),
    "text can be copied": (
        "copy_takes_the_last_answer_without_signs_of_the_screen",
        "what_is_copied_has_no_sign_and_no_line_ends_of_the_screen",
    ),
    "readable on every terminal": (
        "colours_follow_the_terminal_unless_chosen",
        "no_colour_is_asked_for",
        "every_colour_is_one_of_the_theme",
        "words_stand_out_from_their_background",
    ),
    "plain lines": (
        "a_terminal_that_cannot_show_a_screen_gets_plain_lines",
        "every_order_of_the_registry_can_be_carried_out",
        "the_ascii_twin_uses_ascii_alone_for_bar_and_curves",
        "a_sentence_says_what_the_charts_show_beside_the_version_before",
    ),
    "everything by keyboard": (
        "every_acting_command_has_a_method_and_every_key_names_a_command",
        "a_key_of_the_settings_that_does_not_exist_is_named",
        "no_key_needs_alt_and_three_hints_are_shown",
    ),
    "one registry of commands": (
        "help_names_every_command_and_every_key_in_both_languages",
        "the_registry_and_its_phrases_name_the_same_commands_and_known_slots",
        "the_palette_lists_the_registry",
    ),
    "talk while it works": (
        "answers_stream_wait_their_turn_and_say_who_gave_them",
        "the_person_interrupts_at_once",
        "escape_never_stops_a_training",
    ),
    "starts at once": (
        "asking_for_help_loads_nothing_heavy",
        "the_first_paint_needs_none_of_the_heavy_parts",
        "what_is_typed_before_everything_is_loaded_is_answered",
    ),
    "headless is the same product": (
        "a_policy_file_carries_a_version_to_its_decision_and_the_stream_names_its_session",
    ),
    "a live view": (
        "a_running_training_is_shown_and_grows_while_one_watches",
        "an_alert_is_told_in_words_with_its_page_one_key_away",
        "stopping_asks_first_and_names_what_is_stopped_and_what_is_kept",
    ),
    "long sessions stay fast": (
        "ten_thousand_messages_keep_a_few_hundred_widgets_and_earlier_ones_come_back_where_one_reads",
    ),
    "text from outside is text": (
        "hostile_words_stay_words",
        "hostile_rows_are_shown_as_they_are_and_can_be_filtered_and_marked",
        "no_text_is_parsed_as_markup",
    ),
    "where things are and what is wrong": (
        "who_answers_and_where_things_are_is_said",
        "every_failing_line_says_how_to_mend_it_and_a_fine_one_asks_for_nothing",
    ),
}
"""Expectation to the names of the tests that ask for it."""


def test_every_expectation_has_its_tests() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    known = set(re.findall(r"^(?:async )?def test_(\w+)\(", source, re.MULTILINE))
    missing = {name: lost for name, tests in EXPECTED.items() if (lost := set(tests) - known)}
    assert len(EXPECTED) == 25 and not missing


async def test_reading_asks_nothing_and_an_answer_gets_room_beside_the_card(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.execute(Order(command="improve", args={"task": "stance"}))
        await until(pilot, lambda: app.desk.card is not None and app.desk.card.size.height > 11)
        asked = app.bridge.question
        for command in ("errors", "versions", "training", "samples", "refs"):
            app.execute(Order(command=command))
            await until(pilot, lambda: app.screen is not app.chat)
            assert not isinstance(app.screen, ConfirmScreen)
            app.pop_to_chat()
        app.submit("what would oversampling do")
        await until(pilot, lambda: "Nothing was filed" in screen_text(app) or "answered by" in screen_text(app))
        assert app.desk.card.size.height <= 9 and "Approve (a)" in screen_text(app)
        assert app.bridge.question == asked and not isinstance(app.screen, ConfirmScreen)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.desk.card.size.height > 11)
        await app.leave()


async def test_an_answered_card_leaves_the_transcript_at_its_end(tmp_path: Path) -> None:
    app = make_app(tmp_path, "stance")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.execute(Order(command="improve", args={"task": "stance"}))
        await until(pilot, lambda: isinstance(app.desk.card, ReviewCard))
        first = app.desk.card
        await pilot.press("ctrl+r")
        await until(pilot, lambda: first.has_focus)
        await first._reason()
        await until(pilot, lambda: app.chat.focused is first.pane.takes_keys)
        await pilot.press(*"not now", "enter")
        assert app.chat.focused is app.chat.composer
        await until(pilot, lambda: isinstance(app.desk.card, ReviewCard) and app.desk.card is not first)
        assert app.task_path is not None
        decided = [entry for entry in Journal(app.task_path).entries() if entry.event == "decision"]
        assert Decision.model_validate(decided[0].data["decision"]).reason == "not now"
        transcript = app.chat.transcript
        await until(pilot, lambda: transcript.scroll_y >= transcript.max_scroll_y > 0)
        app.desk.card.focus()
        await until(pilot, lambda: app.desk.card.has_focus)
        app.desk.drop()
        assert (
            app.chat.focused is app.chat.composer
        )  # at once: no link of the transcript ever has the focus, and scrolls there
        await app.leave()


async def test_escape_never_stops_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(tmp_path, "stance")
    carried_out: list[Order] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(app, "execute", carried_out.append)
        app.showing.training = True
        await pilot.press("escape", "escape", "ctrl+c")
        assert not carried_out and app.is_running


async def test_the_palette_lists_the_registry(tmp_path: Path) -> None:
    app = make_app(tmp_path, language="zh-TW")
    async with app.run_test(size=(80, 24)):
        offered = [str(hit.text) async for hit in CommandsInPalette(app.chat).discover()]
    assert offered == [f"/{command.name}" for command in COMMANDS]


def test_no_key_needs_alt_and_three_hints_are_shown() -> None:
    pressed = [key.keys for key in keys.KEYS]
    assert not [one for one in pressed if "alt" in one]
    assert all(key.command == "quit" for key in keys.KEYS if {"ctrl+s", "ctrl+q"} & set(key.keys.split(",")))
    for hints in (key_bar.IDLE, key_bar.BUSY, key_bar.ASKED, key_bar.TRAINING, key_bar.READING):
        assert len(hints) == 3


def test_every_colour_is_one_of_the_theme() -> None:
    found = []
    for path in [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.tcss")]:
        text = path.read_text(encoding="utf-8")
        sheets = (
            [text]
            if path.suffix == ".tcss"
            else re.findall(r'CSS(?:: \w+(?:\[\w+\])?)? = f?"""(.*?)"""', text, re.DOTALL)
        )
        for value in re.findall(r"(?:color|background|border[a-z-]*|tint): *([^;}]+)", "\n".join(sheets)):
            words = [word for word in value.split() if not word.startswith("$") and not word.rstrip("%").isdigit()]
            found += [(path.name, value) for word in words if word not in {"none", "round", "solid", "transparent"}]
    assert not found


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_words_stand_out_from_their_background(theme: str, tmp_path: Path) -> None:
    app = make_app(tmp_path, theme=theme)
    variables = app.get_css_variables()
    for ground in ("background", "surface"):
        below = Color.parse(variables[ground])
        for name in ("text", "text-muted", "text-primary", "text-success", "text-warning", "text-error"):
            assert contrast(shown(variables[name], below), below) >= 4.5, (theme, ground, name)


def shown(colour: str, ground: Color) -> Color:
    """A colour of the theme as it looks there; "auto 60%" is what stands out from the ground, let through by so much."""
    if colour.startswith("auto"):
        alpha = float(colour.split()[1].rstrip("%")) / 100
        return ground.blend(ground.get_contrast_text(1.0), alpha)
    above = Color.parse(colour)
    return ground.blend(above.with_alpha(1.0), above.a)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Color) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
