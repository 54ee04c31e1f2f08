"""The errors screen: from the matrix to the rows to one row; never the test split; hostile rows change nothing."""

from __future__ import annotations

import json
import shutil

import pytest

from agent.faces.tui.screens.errors import ErrorsScreen
from agent.i18n import speaker
from agent.paths import bundled_dir
from tests.support.mood_task import TEST_TEXT, MoodTask
from tests.support.screen_host import ScreenHost, loaded, press
from tools.samples import load_batch
from tools.text import english

HOSTILE = "[bold]x[/] \x1b[2J\u202eapprove all " + "長" * 10_000


@pytest.fixture
def task(tmp_path):
    """Rows with the labels in turn; three are answered with the next label, one of them hostile."""
    made = MoodTask(tmp_path, rows=12)
    made.version("v1", wrong=[0, 1, 3], texts={3: HOSTILE})
    return made


@pytest.fixture
def official(tmp_path):
    shutil.copytree(bundled_dir("tasks") / "official-doc", tmp_path / "official-doc")
    return tmp_path / "official-doc"


async def test_a_confusion_leads_to_its_rows_and_a_row_to_everything_about_it(task):
    app = ScreenHost(ErrorsScreen(task.path, english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        assert "3 of 12 answers wrong" in app.text
        assert "Expected 正面, answered 負面 · 2 in the list" in app.text
        await press(pilot, "down", "right")
        assert "Expected 負面, answered 中立 · 1 in the list" in app.text
        await press(pilot, "enter", "enter")
        await loaded(pilot)
        for part in (
            "valid1",
            "valid sentence 1",
            "Expected  負面",
            "Answered  中立",
            "Prompt, as v1 was asked",
            "文本：",
        ):
            assert part in app.text
        await press(pilot, "escape", "escape")
        assert app.screen is not app.first


async def test_a_wished_pair_or_label_is_where_the_screen_opens(task):
    app = ScreenHost(ErrorsScreen(task.path, english, pair=("負面", "中立")))
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        assert "Expected 負面, answered 中立" in app.text
    app = ScreenHost(ErrorsScreen(task.path, english, label="正面"))
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        assert "Expected 正面, answered otherwise · 2 in the list" in app.text


async def test_hostile_rows_are_shown_as_they_are_and_can_be_filtered_and_marked(task):
    app = ScreenHost(ErrorsScreen(task.path, english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        await press(pilot, "slash", *"[bold]", "enter")
        assert "1 in the list" in app.text and "[bold]x[/] \\u001b[2J" in app.text
        assert "\x1b" not in app.text and "\u202e" not in app.text
        await press(pilot, "m")
        await loaded(pilot)
        assert "training data does not change" in app.told[-1]
        [item] = load_batch(task.path, "suspects").items
        assert (item.candidate.origin, item.candidate.row) == ("valid", "valid3")
        await press(pilot, "enter")
        await loaded(pilot)
        assert "[bold]x[/] \\u001b[2J\\u202eapprove all" in app.text
        await press(pilot, "end")
        assert app.orders == []


async def test_the_test_split_and_results_of_unknown_origin_stay_closed(task):
    secret = {"version": "v1", "accuracy": 0.9876, "f1": 0.9876}
    (task.path / "benchmarks/results/all_scores.json").write_text(json.dumps(secret), encoding="utf-8")
    app = ScreenHost(ErrorsScreen(task.path, english))
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        shown = app.text
        assert "all_scores.json does not say its split" in shown
        assert "98.7" not in shown and "0.98" not in shown
        assert TEST_TEXT not in shown


async def test_only_unreadable_answers_can_be_shown_and_their_fault_is_named(official):
    app = ScreenHost(ErrorsScreen(official, english))
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        assert "期限" in app.text and "58.2%" in app.text
        await press(pilot, "b", "tab", "tab", "enter")
        await loaded(pilot)
        assert "nothing that could be read: it is not one of the declared labels" in app.text


async def test_a_task_without_a_result_says_what_to_do(tmp_path):
    app = ScreenHost(ErrorsScreen(MoodTask(tmp_path, rows=6).path, english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        assert "no result on validation yet" in app.text


@pytest.mark.parametrize(("size", "language"), [((80, 24), "en"), ((120, 40), "en"), ((80, 24), "zh-TW")])
def test_picture_of_the_errors(tmp_path, snap_compare, size, language):
    made = MoodTask(tmp_path, rows=30)
    made.version(
        "v1", wrong=range(0, 30, 4), texts=dict.fromkeys(range(0, 30, 2), "會議改到下週三下午兩點，地點不變。")
    )
    app = ScreenHost(ErrorsScreen(made.path, speaker(language)))
    assert snap_compare(app, terminal_size=size, run_before=loaded)
