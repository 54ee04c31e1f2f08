"""The reference pages over a pending decision: search, read, follow, go back, in both languages."""

from __future__ import annotations

from pathlib import Path

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
def test_picture_of_the_references(snap_compare, tmp_path, size, language):
    app = ScreenHost(
        ReferencesScreen(pinned_library(tmp_path), speaker(language), language, page="troubleshooting/class-imbalance")
    )
    assert snap_compare(app, terminal_size=size, run_before=loaded)


PAGE = {
    "en": """---
id: {id}
title: Class imbalance
symptoms: [One class has a low F1 while the others are fine]
tools: [iterate diagnose]
when_to_read: Read this when one class scores below 0.60 F1.
related: [methods/oversampling]
---

# Class imbalance

## What to check

- A class is flagged when its F1 is **below 0.60**.
- Recall low, precision high: see [oversampling](../methods/oversampling.en.md).

```bash
iterate diagnose TASK        # weak_class, with row ids
```

| class | rows | F1 |
|---|---|---|
| 中立 | 45 | 41.2 % |
""",
    "zh-TW": """---
id: {id}
title: 類別不平衡
symptoms: [某一個類別的 F1 很低，其他類別都正常]
tools: [iterate diagnose]
when_to_read: 某個類別的 F1 低於 0.60 時。
related: [methods/oversampling]
---

# 類別不平衡

## 先檢查

- 類別 F1 **低於 0.60** 就會被標記。
- 召回率低、精確率高：請看[過採樣](../methods/oversampling.zh-TW.md)。

```bash
iterate diagnose TASK        # weak_class，附資料列 id
```

| 類別 | 筆數 | F1 |
|---|---|---|
| 中立 | 45 | 41.2 % |
""",
}


def pinned_library(root: Path) -> Library:
    """Pages of the test's own: a picture is about the screen, and must not change with what a page advises."""
    for page_id in ("troubleshooting/class-imbalance", "methods/oversampling"):
        for language, text in PAGE.items():
            file = root / f"{page_id}.{language}.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text.format(id=page_id), encoding="utf-8")
    return Library(root)
