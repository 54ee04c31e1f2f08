from __future__ import annotations

from itertools import pairwise

from textual.app import App

from agent.faces.layout import width
from agent.faces.tui.widgets.confusion import BROKEN, OTHER, WRONG, Cell, ConfusionMatrix, Group, fit, worst_cell
from tools.text import english

LABELS = [f"label{n}" for n in range(12)]
COUNTS = {("label1", "label2"): 9, ("label3", None): 4, ("label5", "label6"): 1} | {(name, name): 5 for name in LABELS}


def label(name: str) -> Group:
    return Group("label", name)


def test_labels_that_have_no_room_stand_together_and_the_most_confused_ones_stay():
    matrix = fit(COUNTS, LABELS, cells=78, lines=7)
    assert matrix.shown == ("label1", "label2", "label3", "label5")
    assert matrix.hidden == 8
    assert OTHER in matrix.rows and OTHER in matrix.columns and BROKEN in matrix.columns
    assert matrix.count(COUNTS, Cell(label("label5"), OTHER)) == 1
    assert matrix.count(COUNTS, Cell(OTHER, OTHER)) == 0, "right answers are no confusion"
    assert worst_cell(matrix, COUNTS) == Cell(label("label1"), label("label2"))


def test_every_answer_is_counted_once_and_the_sums_leave_the_right_ones_out():
    for lines in (5, 9, 40):
        matrix = fit(COUNTS, LABELS, cells=200, lines=lines)
        wrong = sum(number for (want, got), number in COUNTS.items() if want != got)
        inner = [Cell(row, column) for row in matrix.rows[:-1] for column in matrix.columns[:-1] if row != column]
        others = matrix.count(COUNTS, Cell(OTHER, OTHER)) if OTHER in matrix.rows else 0
        assert sum(matrix.count(COUNTS, cell) for cell in inner) + others == wrong
        assert matrix.count(COUNTS, Cell(WRONG, WRONG)) == wrong


def test_a_label_that_is_called_like_a_sum_is_still_a_label():
    counts = {("wrong", "other"): 3, ("other", "other"): 2}
    matrix = fit(counts, ["wrong", "other"], cells=80, lines=10)
    assert matrix.count(counts, Cell(label("wrong"), label("other"))) == 3
    assert matrix.count(counts, Cell(WRONG, label("other"))) == 3


async def test_wide_labels_and_hostile_labels_stay_in_their_columns():
    labels = ["支持", "[bold]x[/]", "\x1b[2J\u202e反對", "a very long label that goes on and on"]
    counts = {(want, got): 10 * (want == got) + 1 for want in labels for got in labels}

    class Host(App[None]):
        def compose(self):
            yield ConfusionMatrix(counts, labels, english)

    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        lines = [str(line) for line in app.query_one(ConfusionMatrix).render().plain.split("\n")]
        assert all(width(first) == width(second) for first, second in pairwise(lines))
        assert width(lines[0]) <= 78
        assert "\x1b" not in "".join(lines) and "\u202e" not in "".join(lines)
        assert "[bold]x[/]" in lines[2]
        assert "(11)" in lines[1], "the diagonal is marked by a sign, not by colour"
        matrix = app.query_one(ConfusionMatrix)
        matrix.focus()
        await pilot.click(ConfusionMatrix, offset=(1 + 16 + 2, 1))
        assert matrix.cell == Cell(label("支持"), label("支持"))
        await pilot.press("down", "right", "up", "up")
        assert matrix.cell == Cell(label("支持"), label("[bold]x[/]"))
