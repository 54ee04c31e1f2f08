"""The chart: it never raises, never leaves its box, and tells its series apart without colour."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.faces.layout import width as cells
from agent.faces.tui.widgets.plot import Scale, Series, draw

VALUES = st.one_of(st.none(), st.floats(), st.integers(-(10**30), 10**30).map(float), st.floats(0.01, 5))
POINTS = st.lists(st.tuples(VALUES, VALUES), max_size=40)
SERIES = st.builds(
    Series,
    name=st.just("a"),
    points=POINTS,
    stroke=st.sampled_from(["solid", "dashed", "dotted", "none"]),
    mark=st.sampled_from(["", "o", "★"]),
)
RISING = [(step, float(step)) for step in range(1, 21)]


def check_box(picture, width, height):
    assert len(picture.rows) == len(picture.roles) == (height if width > 0 and height > 0 else 0)
    assert all(cells(row) == len(roles) == width for row, roles in zip(picture.rows, picture.roles, strict=True))


@settings(max_examples=150, deadline=None)
@given(
    series=st.lists(SERIES, max_size=4),
    width=st.integers(-1, 90),
    height=st.integers(-1, 25),
    ascii_only=st.booleans(),
    percent=st.booleans(),
    log=st.booleans(),
)
def test_whatever_the_points_are_the_picture_fills_its_box_exactly(series, width, height, ascii_only, percent, log):
    picture = draw(series, width, height, ascii_only=ascii_only, scale=Scale(percent=percent, log=log))
    check_box(picture, width, height)
    if ascii_only:
        drawn = "".join(picture.rows).replace("★", "").replace("o", "")
        assert drawn.isascii()


def test_ten_thousand_points_are_drawn_in_one_picture():
    points = [(step, 2 * math.exp(-step / 2000) + 0.1 * math.sin(step)) for step in range(10_000)]
    check_box(draw([Series("a", points)], 60, 12), 60, 12)


def test_the_axes_carry_the_numbers_of_the_ends_and_the_middle():
    picture = draw([Series("a", [(1, 0.5), (89, 4.5)])], 40, 10)
    assert picture.rows[0].startswith("4.5 │") and picture.rows[7].startswith("0.5 │")
    assert picture.rows[-1].split() == ["1", "45", "89"]
    assert any(row.startswith("2.5 │") for row in picture.rows)


def test_on_a_logarithmic_scale_equal_ratios_are_equal_distances():
    rows = draw([Series("a", [(0, 1.0), (1, 10.0), (2, 100.0)], "none", "o")], 30, 11, scale=Scale(log=True)).rows
    heights = [number for number, row in enumerate(rows) if "o" in row]
    assert heights[1] - heights[0] == heights[2] - heights[1] and rows[heights[1]].startswith(" 10 │")


def test_a_logarithmic_scale_is_given_up_where_a_value_is_not_positive():
    picture = draw([Series("a", [(0, -1.0), (1, 10.0)])], 30, 11, scale=Scale(log=True))
    assert "4.5" in "".join(picture.rows)


@pytest.mark.parametrize("ascii_only", [False, True])
def test_series_differ_in_their_strokes_and_marks_not_only_in_their_roles(ascii_only):
    def ink(stroke, mark, ascii_mark):
        one = Series("a", RISING, stroke, mark, ascii_mark)
        return "\n".join(draw([one], 40, 12, ascii_only=ascii_only).rows)

    pictures = {
        ink("solid", "", "."),
        ink("dashed", "o", "o"),
        ink("dotted", "", "-"),
        ink("dotted", "+", "+"),
        ink("none", "★", "*"),
    }
    assert len(pictures) == 5


def test_the_best_point_lies_over_the_lines():
    picture = draw([Series("best", [(10, 10.0)], "none", "★", "*", "best"), Series("a", RISING)], 40, 12)
    (row,) = [number for number, text in enumerate(picture.rows) if "★" in text]
    assert picture.roles[row][picture.rows[row].index("★")] == "best"


@pytest.mark.parametrize("points", [[], [(1, math.nan)], [(None, 1.0), (2, None)], [(math.inf, 1.0)]])
def test_without_a_finite_point_the_picture_is_blank(points):
    assert set("".join(draw([Series("a", points)], 40, 10).rows)) == {" "}


def test_a_single_point_and_a_flat_line_are_shown():
    assert "o" in "".join(draw([Series("a", [(5, 0.4)], "none", "o")], 40, 10).rows)
    flat = [row for row in draw([Series("a", [(1, 0.4), (9, 0.4)])], 40, 9).rows[:7] if row.split("│")[1].strip()]
    assert len(flat) == 1


def test_the_lower_axis_can_reach_to_the_end_of_a_training_that_runs():
    picture = draw([Series("a", RISING)], 40, 10, scale=Scale(steps=(1, 100)))
    assert picture.rows[-1].split() == ["1", "50", "100"]
    assert max(len(row.rstrip()) for row in picture.rows[:8]) < 16


def test_a_flat_chart_says_its_only_value_once():
    assert "".join(draw([Series("a", [(1, 0.4), (9, 0.4)])], 40, 12).rows).count("0.4") == 1
