"""The transcript: what is followed, what stays mounted, how text is folded, streamed and copied."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.selection import Selection
from textual.widgets import Static

from agent.faces.tui.widgets.blocks import Answered, Grid, Note, entries_of, lightly
from agent.faces.tui.widgets.flow import Prose, fold
from agent.faces.tui.widgets.transcript import (
    EARLIER,
    MOUNTED,
    SLACK,
    EarlierRow,
    Transcript,
    TranscriptPane,
    answer_entries,
    finished,
)
from tests.support.tui import screen_text
from tools.text import english


class OneTranscript(App[None]):
    def compose(self) -> ComposeResult:
        self.pane = TranscriptPane(english)
        yield self.pane

    @property
    def transcript(self) -> Transcript:
        return self.pane.transcript


def folded(text: str, width: int) -> list[str]:
    return [text[span.start : span.end].rstrip() for span in fold(text, width)]


def test_chinese_breaks_between_characters_and_punctuation_stays_with_its_word() -> None:
    assert folded("v1 在驗證集上的分數。", 12) == ["v1 在驗證集", "上的分數。"]
    assert folded("一二三（四五）六", 8) == ["一二三", "（四五）", "六"]
    assert folded("a very longlongword here", 9) == ["a very", "longlongw", "ord here"]
    assert folded("one\n\ntwo", 20) == ["one", "", "two"]


def test_no_character_is_lost_by_folding_at_any_width() -> None:
    text = "Class 中立 has F1 41.6%，低於 0.60。 See（參考） the page\nnext line"
    for width in range(2, 60):
        spans = fold(text, width)
        kept = "".join(text[span.start : span.end] for span in spans)
        assert kept.replace(" ", "") == text.replace("\n", "").replace(" ", "")


def test_a_streamed_paragraph_is_finished_by_an_empty_line_but_not_inside_a_code_fence() -> None:
    assert finished("one\n\ntwo") == ("one", "two")
    assert finished("one\n\n```\na\n\nb") == ("one", "```\na\n\nb")
    assert finished("still going") == ("", "still going")


def test_a_table_in_an_answer_becomes_a_table_and_light_formatting_is_the_only_formatting() -> None:
    entries = answer_entries("See **this**:\n\n| a | b |\n|---|---|\n| 1 | x\\|y |\n\n[red]not markup[/red]")
    assert [type(entry) for entry in entries] == [Answered, Grid, Answered]
    assert list(entries[1].rows) == [["1", "x|y"]]
    assert lightly("# T\n- **b** `c` [red]r[/red]").plain == "T\n• b c [red]r[/red]"


def test_a_report_of_ours_becomes_headings_lists_and_tables() -> None:
    entries = entries_of("# Title\n\n- one\n| a |\n|---|\n| 1 |\nend")
    assert [entry.plain() for entry in entries] == ["Title", "• one", "a\n1", "end"]


async def test_new_output_is_followed_until_the_person_scrolls_away_and_again_after_end() -> None:
    app = OneTranscript()
    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add(*(Note(f"line {number}") for number in range(40)))
        await pilot.pause()
        assert "line 39" in screen_text(app)
        app.transcript.scroll_home(animate=False)
        await pilot.pause()
        app.transcript.add(Note("something new"))
        await pilot.pause()
        assert "line 0" in screen_text(app) and "something new" not in screen_text(app)
        assert "new output below" in screen_text(app)
        app.transcript.to_end()
        await pilot.pause()
        assert "something new" in screen_text(app) and "new output below" not in screen_text(app)


async def test_ten_thousand_messages_keep_a_few_hundred_widgets_and_earlier_ones_come_back_where_one_reads() -> None:
    app = OneTranscript()
    async with app.run_test(size=(60, 12)) as pilot:
        for size in (9_600, 200, 200):
            app.transcript.add(*(Note(f"line {len(app.transcript.entries) + n}") for n in range(size)))
            await pilot.pause()
        assert len(app.transcript.entries) == 10_000
        assert len(app.transcript.children) <= MOUNTED + SLACK + 1
        assert "line 9999" in screen_text(app)
        app.transcript.scroll_home(animate=False)
        await pilot.pause()
        oldest = app.transcript.entries[10_000 - len(app.transcript.children) + 1].plain()
        assert oldest in screen_text(app)
        before = len(app.transcript.children)
        app.transcript.query_one(EarlierRow).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert len(app.transcript.children) == before + EARLIER
        assert oldest in screen_text(app)


async def test_streamed_text_shows_in_order_with_what_is_said_in_between() -> None:
    app = OneTranscript()
    async with app.run_test(size=(60, 20)) as pilot:
        for piece in ("First ", "part.\n\nSec", "ond part"):
            app.transcript.stream(piece)
        app.transcript.add(Note("a tool was used"))
        app.transcript.stream("third")
        app.transcript.end_stream()
        await pilot.pause()
        assert [entry.plain() for entry in app.transcript.entries] == [
            "First part.",
            "Second part",
            "a tool was used",
            "third",
        ]
        shown = screen_text(app)
        assert shown.index("First") < shown.index("Second") < shown.index("a tool") < shown.index("third")


async def test_what_is_copied_has_no_sign_and_no_line_ends_of_the_screen() -> None:
    class OneProse(App[None]):
        def compose(self) -> ComposeResult:
            yield Prose("改善立場任務 needs one more word", first="❯ ")

    app = OneProse()
    async with app.run_test(size=(20, 6)) as pilot:
        await pilot.pause()
        prose = app.query_one(Prose)
        assert prose.get_selection(Selection(None, None)) == ("改善立場任務 needs one more word", "\n")
        part = Selection(Offset(4, 0), Offset(7, 1))
        copied, _ = prose.get_selection(part)
        assert copied.startswith("立場任務") and "\n" not in copied and "❯" not in copied


async def test_hostile_text_is_shown_as_text() -> None:
    app = OneTranscript()
    async with app.run_test(size=(70, 20)) as pilot:
        evil = "[bold red]x[/] \x1b[2J\x07 \u202eright to left [/nonsense"
        app.transcript.add(Note(evil), Answered(evil), Grid(["h"], [[evil]], evil))
        app.transcript.stream(evil)
        app.transcript.end_stream()
        await pilot.pause()
        shown = screen_text(app)
        assert shown.count("[bold red]x[/]") >= 4
        assert "\\u001b[2J" in shown and "\x1b" not in shown and "\u202e" not in shown
        assert not app.query(Static).filter(".error")
