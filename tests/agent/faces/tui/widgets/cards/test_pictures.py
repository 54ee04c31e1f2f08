"""Pictures of the review card on a small and a large terminal, in both languages, with its keys awake."""

from __future__ import annotations

import pytest

from agent.faces.tui.widgets.cards.guard import DEAD
from agent.faces.tui.widgets.cards.review import ReviewCard
from agent.i18n import speaker
from tests.support.cards import CardApp, question


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["small", "large"])
@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_the_review_card_looks_as_it_did(snap_compare, tmp_path, size, language):
    asked = question(origin="model", comment="訓練後期驗證集變差，先降低學習率。")
    app = CardApp(lambda: ReviewCard(asked, 7, tmp_path, speaker(language)))
    app.theme = "textual-dark"

    async def wake(pilot):
        pilot.app.card.focus()
        await pilot.pause(DEAD + 0.4)

    assert snap_compare(app, terminal_size=size, run_before=wake)
