from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.faces.layout import clip, pad, table, width, wrap


def test_chinese_characters_take_two_cells():
    assert width("中立 F1") == 7
    assert pad("中立", 6) == "中立  "
    assert pad("中立", 6, right=True) == "  中立"


def test_every_row_of_a_table_with_chinese_cells_is_equally_wide():
    lines = table(["類別", "F1", "note"], [["支持", "78.0%", "-"], ["neutral class", "6.0%", "偏低"]])
    assert len({width(line) for line in lines}) == 1


def test_numbers_are_aligned_right_and_words_left():
    lines = table(["metric", "score"], [["a", "7.0%"], ["b", "70.0%"]])
    assert lines[2].endswith("|  7.0% |")


def test_a_clipped_text_never_exceeds_its_cells_and_says_that_something_is_missing():
    assert clip("央行維持利率不變", 9) == "央行維持…"
    assert clip("short", 9) == "short"


@given(st.text(max_size=300))
def test_wrapping_loses_no_visible_character(text):
    wrapped = "".join("".join(line.split()) for line in wrap(text))
    assert wrapped == "".join("".join(line.split()) for line in text.splitlines())


@pytest.mark.parametrize("text", ["word " * 80, "央行維持利率不變，市場解讀為中立。" * 12])
def test_wrapped_lines_fit_the_terminal(text, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert all(width(line) <= 60 for line in wrap(text, indent="    "))


@pytest.mark.parametrize("columns", range(31, 50))
def test_no_line_begins_with_closing_punctuation_or_ends_with_an_opening_one(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = wrap(
        "央行「維持利率不變」，市場（多數）解讀為中立。v2 的「反對」F1 是 41.6%，低於目標；請看（參考頁）。" * 3
    )
    assert [line for line in lines if line[0] in "，。、；：？！）」』" or line[-1] in "（「『"] == []
