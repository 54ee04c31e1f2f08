"""A diff is read without colours: by numbers, signs and words, in one column or two."""

from __future__ import annotations

from agent.faces.layout import width
from agent.faces.tui.widgets.diff import SPLIT_FROM, DiffView, diff_lines
from tests.support.cards import DIFF
from tools.text import english


def lines(cells, diff=DIFF, mark=""):
    return [str(line) for line in DiffView(diff, english, mark=mark).lay_out(cells)]


def test_numbers_of_both_sides_follow_the_hunk():
    (hunk,) = diff_lines(DIFF)
    assert [(line.sign, line.old, line.new) for line in hunk][-2:] == [("-", 6, None), ("+", None, 6)]


def test_one_column_has_numbers_signs_and_counts_in_words():
    shown = lines(80)
    assert shown[0] == "configs/training_config.yaml: 1 line(s) removed (-), 1 added (+)"
    assert "6 -   learning_rate: 0.0002" in shown
    assert "6 +   learning_rate: 0.0001  # 訓練不穩定時先降它" in shown


def test_what_does_not_fit_goes_on_below_and_nothing_is_cut_off():
    shown = lines(24)
    assert all(width(line) <= 24 for line in shown)
    assert "訓練不穩定時先降它" in "".join(line.strip() for line in shown)


def test_two_columns_put_old_beside_new_and_stay_aligned_with_wide_characters():
    shown = lines(SPLIT_FROM)
    (both,) = [line for line in shown if "0.0002" in line]
    assert "0.0001" in both
    assert len({width(line.partition("│")[0]) for line in shown if "│" in line}) == 1


def test_an_edited_diff_says_whose_it_is_and_an_empty_one_that_nothing_changes():
    assert lines(100, mark="edited by you")[0].endswith("[edited by you]")
    assert lines(80, diff="") == ["The configuration stays as it is."]


def test_a_line_that_looks_like_markup_or_a_control_sequence_is_shown_as_it_is():
    evil = DIFF.replace("# short", "[red]# \x1b[2J")
    assert "5     epochs: 3  [red]# \\u001b[2J" in lines(80, diff=evil)
