"""The lines around the conversation: the step bar names what fits, the key bar never cuts a hint, signs carry the meaning."""

from __future__ import annotations

from rich.cells import cell_len

from agent.faces.tui.widgets.key_bar import BUSY, KeyBar
from agent.faces.tui.widgets.step_bar import StepBar
from agent.i18n import speaker
from tools.text import english


def line(bar: StepBar | KeyBar, width: int) -> str:
    return bar.lines(width).plain


def test_the_current_step_has_a_sign_and_a_word_and_earlier_ones_are_ticked_off() -> None:
    bar = StepBar(english)
    bar.show(step=3, about="stance v1", who="rules answer")
    assert "✓1 Task" in line(bar, 120) and "▶3 Proposals" in line(bar, 120) and " 4 Training" in line(bar, 120)
    assert line(bar, 120).endswith("stance v1 · rules answer")


def test_on_a_narrow_terminal_only_the_current_step_keeps_its_name_and_nothing_runs_over() -> None:
    for language in ("en", "zh-TW"):
        bar = StepBar(speaker(language))
        bar.show(step=4, about="任務名稱很長很長很長很長 v12", who="some-model-with-a-long-name")
        for width in (30, 60, 80, 140):
            assert cell_len(line(bar, width)) <= width
        assert "▶4 " in line(bar, 60) and "✓1 ✓2 ✓3" in line(bar, 60)


def test_hints_that_do_not_fit_are_left_out_whole() -> None:
    bar = KeyBar(english)
    bar.show(BUSY)
    assert line(bar, 80) == "Esc interrupt the answer   Enter queue a message   F1 help"
    assert line(bar, 40) == "Esc interrupt the answer"
