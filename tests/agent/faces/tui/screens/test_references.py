"""The reference pages over a pending decision: search, read, follow, go back, in both languages."""

from __future__ import annotations

import pytest

from agent.faces.tui.screens.references import ReferencesScreen
from agent.faces.tui.widgets.page_view import code_blocks, linked_pages, target_page
from agent.i18n import speaker
from agent.library import Library
from tests.support.screen_host import ScreenHost, loaded, press
from tools.text import english


def screen(language: str = "en", **more) -> ReferencesScreen:
    return ReferencesScreen(Library(), speaker(language), language, **more)


async def test_searching_reading_following_and_going_back(monkeypatch):
    app = ScreenHost(screen())
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        below = app.screen_stack[0]
        await press(pilot, *"oversamp")
        assert "Oversampling rare classes" in app.text and "Overfitting" not in app.text
        await press(pilot, "enter")
        assert "(methods/oversampling)" in app.text and "Rows of a class are repeated" in app.text
        await press(pilot, "1")
        assert "(troubleshooting/class-imbalance)" in app.text
        await press(pilot, "left")
        assert "(methods/oversampling)" in app.text
        await press(pilot, "right")
        assert "(troubleshooting/class-imbalance)" in app.text
        await press(pilot, "ctrl+l")
        assert "類別不平衡" in app.text
        await press(pilot, "escape")
        assert app.screen is below, "Esc returns to what was pending"


async def test_a_finding_opens_its_page_and_a_command_can_be_copied():
    app = ScreenHost(screen(page="troubleshooting/label-noise"))
    async with app.run_test(size=(120, 40)) as pilot:
        await loaded(pilot)
        assert "Label noise" in app.text and "Search" not in app.text
        await press(pilot, "c")
        assert app.clipboard.startswith("iterate diagnose TASK")
        await press(pilot, "c")
        assert app.clipboard.startswith("# configs/training_config.yaml")


async def test_words_in_place_of_a_page_and_words_that_fit_nothing_stay_in_the_search():
    app = ScreenHost(ReferencesScreen(Library(), english, "en", page="class weights"))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        assert "Class weights in the loss" in app.text
    app = ScreenHost(screen(query="zzzzqqq"))
    async with app.run_test(size=(80, 24)) as pilot:
        await loaded(pilot)
        assert "No page fits" in app.text
        await press(pilot, "enter", "down", "enter")
        assert "No page fits" in app.text


def test_every_link_of_every_page_leads_to_a_page_and_is_listed():
    library = Library()
    for language in ("en", "zh-TW"):
        for page_id in library.ids:
            page = library.read(page_id, language)
            assert set(linked_pages(page, library.ids)) >= set(page.card.related) - {page_id}
            assert all("```" not in block for block in code_blocks(page))
    assert target_page("methods/lora", "../troubleshooting/overfitting.zh-TW.md#x") == "troubleshooting/overfitting"
    assert target_page("methods/lora", "dpo.en.md") == "methods/dpo"
    assert target_page("methods/lora", "https://example.org/a.en.md") is None


@pytest.mark.parametrize(("size", "language"), [((80, 24), "en"), ((120, 40), "en"), ((120, 40), "zh-TW")])
def test_picture_of_the_references(snap_compare, size, language):
    app = ScreenHost(screen(language, page="troubleshooting/class-imbalance"))
    assert snap_compare(app, terminal_size=size, run_before=loaded)
