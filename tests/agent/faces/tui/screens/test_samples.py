"""The review of rows by keys: every decision is on disk at once, can be undone, and ends in a proposal, never in a training."""

from __future__ import annotations

import shutil

import pytest
from textual.widgets import Button, TextArea

from agent.faces.tui.screens import confirm
from agent.faces.tui.screens.samples import SamplesScreen
from agent.i18n import speaker
from agent.paths import bundled_dir
from tests.support.mood_task import MoodTask
from tests.support.screen_host import ScreenHost, loaded
from tests.support.tui import make_app, screen_text, settled, until
from tools.files import sha256_file
from tools.reading.task import load_split, load_task
from tools.samples import Candidate, Check, Twin, add, load_batch
from tools.text import T, english

HOSTILE = "[bold]x[/] \x1b[2J\u202eapprove all " + "長" * 10_000


@pytest.fixture
def task(tmp_path):
    return MoodTask(tmp_path, rows=6).path


def new(number: int, text: str, **more) -> Candidate:
    check = Check(name=T("length"), passed=number != 2, reason=T("{count} characters", count=len(text)))
    return Candidate(
        id=f"n{number}", origin="new", fields={"text": text}, suggested="正面", source="a model", checks=[check], **more
    )


def states(task) -> dict[str, str]:
    return {item.candidate.id: item.state for item in load_batch(task, "batch").items}


async def keys(pilot, *pressed):
    """Keys whose decisions are written in a thread."""
    for key in pressed:
        await pilot.press(key)
        for _ in range(3):
            await pilot.pause(0.05)


async def test_rows_are_decided_by_keys_and_leaving_loses_nothing(task):
    add(task, "batch", [new(n, f"第{n}句話說得很完整") for n in range(1, 6)])
    app = ScreenHost(SamplesScreen(task, english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        assert "batch: reviewed 0 of 5" in app.text and "第1句話" in app.text
        await keys(pilot, "a", "2", "r", *"odd", "enter")
        assert states(task) == {"n1": "accepted", "n2": "relabelled", "n3": "rejected", "n4": "open", "n5": "open"}
        assert "batch: reviewed 3 of 5" in app.text and "第4句話" in app.text
        await keys(pilot, "u")
        assert states(task)["n3"] == "open" and "第3句話" in app.text
        await keys(pilot, "escape")
    again = ScreenHost(SamplesScreen(task, english, batch="batch"))
    async with again.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        assert "reviewed 2 of 5" in again.text and "第3句話" in again.text
        await keys(pilot, "p")
        assert "relabelled by" in again.text


async def test_a_row_is_edited_in_a_form_that_says_what_is_wrong(task):
    add(task, "batch", [new(1, "說得很完整")])
    app = ScreenHost(SamplesScreen(task, english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        await keys(pilot, "e")
        app.screen.query_one("#answer", TextArea).text = "沒有的標籤"
        await keys(pilot)
        await pilot.pause()
        assert app.screen.query_one("#keep", Button).disabled
        assert "not one of the declared labels" in app.text
        app.screen.query_one("#answer", TextArea).text = "負面"
        app.screen.query_one("#field-0", TextArea).text = "說得一點也不完整"
        await pilot.pause()
        app.screen.query_one("#keep", Button).press()
        await keys(pilot, "right")
        [item] = load_batch(task, "batch").items
        assert (item.state, item.fields, item.answer) == ("edited", {"text": "說得一點也不完整"}, "負面")


async def test_a_filter_and_many_at_once_with_the_number_before_it_happens(task):
    add(task, "batch", [new(n, f"第{n}句話" + ("，貓" if n > 3 else "")) for n in range(1, 6)])
    app = ScreenHost(SamplesScreen(task, english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        await keys(pilot, "f", "貓", "enter", "b")
        assert "the 2 undecided rows" in app.text
        await keys(pilot, "enter")
        assert set(states(task).values()) == {"open"}, "Enter alone is the way out"
        await keys(pilot, "b", "right", "enter")
        assert [name for name, state in states(task).items() if state == "accepted"] == ["n4", "n5"]
        await keys(pilot, "u")
        assert set(states(task).values()) == {"open"}


async def test_the_end_is_a_proposal_and_no_source_file_changes(task, monkeypatch):
    monkeypatch.setattr(confirm, "DEAD_SECONDS", 0.0)
    before = sha256_file(task / "data/train.jsonl"), sha256_file(task / "configs/training_config.yaml")
    row = Candidate(id="train:train0", origin="train", row="train0", fields={"text": "train sentence 0"}, answer="正面")
    add(task, "batch", [new(1, "外送準時，餐點還是熱的"), row])
    app = ScreenHost(SamplesScreen(task, english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        await keys(pilot, "a", "3")
        assert "All are reviewed: d makes a proposal of it" in app.text
        await keys(pilot, "d")
        assert "1 rows added, 1 relabelled, 0 left out" in app.text
        await keys(pilot, "n", "d", "y")
        await pilot.pause(0.1)
        [(command, args)] = app.orders
        assert command == "try" and args["task"] == "mood"
        edits = dict(args["change"]["edits"])
        assert edits["data.relabel"] == {"train0": "中立"}
        assert [name for name in edits["data.train"] if name.startswith("data/reviewed/batch-")]
    assert before == (sha256_file(task / "data/train.jsonl"), sha256_file(task / "configs/training_config.yaml"))


async def test_hostile_and_empty_rows_are_shown_as_they_are_and_decide_nothing(task):
    twin = Twin(row="\x1b[31mt", split="train", fields={"text": HOSTILE}, answer="[red]正面", similarity=0.9)
    hostile = Candidate(
        id="h", origin="new", fields={"[b]text[/]": HOSTILE}, suggested="[blink]", answered="\u202e", twins=[twin]
    )
    empty = Candidate(id="e", origin="new", fields={"text": ""})
    add(task, "batch", [hostile, empty])
    app = ScreenHost(SamplesScreen(task, english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        assert "[b]text[/]" in app.text and "[bold]x[/] \\u001b[2J\\u202eapprove all" in app.text
        assert "[blink]" in app.text, "what a key would accept is in sight however long the text"
        assert "\x1b" not in app.text and "\u202e" not in app.text
        await keys(pilot, "end", "a")
        assert "cannot be kept like this" in app.told[-1]
        await keys(pilot, "n", "a")
        assert "(empty)" in app.text
        assert set(states(task).values()) == {"open"} and app.orders == []


async def test_without_a_batch_suspects_are_looked_for_on_demand(tmp_path):
    shutil.copytree(bundled_dir("tasks") / "stance", tmp_path / "stance")
    app = ScreenHost(SamplesScreen(tmp_path / "stance", english))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        assert "Nothing waits for review" in app.text
        await pilot.press("s")
        await loaded(pilot)
        assert "suspects: reviewed 0 of" in app.text and "Why it is here" in app.text


@pytest.mark.parametrize(("size", "language"), [((80, 24), "en"), ((120, 40), "en"), ((80, 24), "zh-TW")])
def test_picture_of_the_samples(task, snap_compare, size, language):
    twin = Twin(row="train3", split="train", fields={"text": "餐點準時送到，還是熱的"}, answer="正面", similarity=0.81)
    add(task, "batch", [new(n, f"第{n}次點外送，餐點準時送到，還是熱的。", twins=[twin]) for n in range(1, 41)])
    app = ScreenHost(SamplesScreen(task, speaker(language)))
    assert snap_compare(app, terminal_size=size, run_before=loaded)


async def test_the_chat_brings_the_proposal_of_a_review_to_its_card(tmp_path, monkeypatch):
    monkeypatch.setattr(confirm, "DEAD_SECONDS", 0.0)
    app = make_app(tmp_path, "stance", task="stance")
    folder = app.task_path
    row = load_split(load_task(folder), "train").split.rows[0]
    add(folder, "batch", [Candidate(id="r", origin="train", row=row.id, fields=row.fields, answer=row.answer)])
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        app.push_screen(SamplesScreen(folder, english, batch="batch"))
        await until(pilot, lambda: "reviewed 0 of 1" in screen_text(app))
        await keys(pilot, "r", "enter", "d", "y")
        await until(pilot, lambda: "Rows left out" in screen_text(app) and row.id in screen_text(app), 40)
        assert app.screen is app.chat
        assert row.id not in (folder / "configs/training_config.yaml").read_text(encoding="utf-8")
