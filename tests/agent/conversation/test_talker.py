from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.conversation.situation import Exchange, Situation
from agent.conversation.talker import facts_for, fitting, history, surroundings
from agent.conversation.turn import answerer
from agent.conversation.wishes import wish_for
from agent.library import Library
from agent.model.client import open_model
from agent.settings import Settings
from tests.support.mood_task import MoodTask
from tools.text import english


@pytest.fixture
def situation(tmp_path: Path) -> Situation:
    mood = MoodTask(tmp_path)
    mood.version("v1", wrong=[0, 3, 2, 5, 8])
    model = open_model(Settings(base_url="http://127.0.0.1:9", model="small"))
    return Situation(
        workspace=mood.workspace, library=Library(), say=english, language="en", task=mood.path, model=model
    )


def test_history_keeps_the_newest_messages_and_begins_with_the_person() -> None:
    before = [Exchange(by="person" if n % 2 == 0 else "model", text=f"{n} " + "字" * 100) for n in range(20)]
    kept = history(before, most=500)
    assert kept[-1]["content"].startswith("19 ")
    assert kept[0]["role"] == "user"
    assert 2 <= len(kept) < 8
    assert history([Exchange(by="person", text="字" * 100_000)]) == []


def test_the_oldest_tool_results_of_a_turn_make_room_first() -> None:
    turn = [{"role": "user", "content": "why?"}, *({"role": "tool", "content": f"{n}" + "字" * 400} for n in range(5))]
    kept = fitting(turn, most=800)
    assert kept[0] == turn[0]
    assert "left out" in kept[1]["content"]
    assert kept[-1] == turn[-1]
    assert turn[1]["content"].startswith("0")


def test_the_surroundings_name_what_is_under_review_and_hold_no_row(situation: Situation) -> None:
    assert situation.task is not None
    wish = wish_for(situation.task, [("training.epochs", 5)], origin="person")
    found = surroundings(replace(situation, proposals=[wish]))
    assert found["task_under_discussion"] == "mood"
    assert found["proposals_under_review"][0]["edits"] == [["training.epochs", 5]]
    assert "sentence" not in str(found)


def test_facts_for_a_server_without_tools_hold_scores_findings_and_the_nearest_page(situation: Situation) -> None:
    found = facts_for("what is overfitting?", situation)
    assert found["status"]["version"] == "v1"
    assert found["findings"]
    assert found["page"]["page"] == "troubleshooting/overfitting"
    assert situation.task is not None
    (situation.task / "task_definition.yaml").write_text("[", encoding="utf-8")
    assert found.keys() >= facts_for("", situation).keys()


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("/why 中立", "rules"),
        ("／幫助", "rules"),
        ("approve 1 and 3", "rules"),
        ("核准1", "rules"),
        ("roll back", "rules"),
        ("improve my mood task", "rules"),
        ("改善我的mood任務", "rules"),
        ("show errors", "rules"),
        ("try learning_rate 1e-4", "rules"),
        ("quit", "rules"),
        ("why is 中立 low", "model"),
        ("what is overfitting", "model"),
        ("would it be wise to approve 1?", "model"),
        ("你覺得接下來最值得試的是什麼，為什麼？", "model"),
        ("", "model"),
    ],
)
def test_orders_are_for_the_rules_and_talk_is_for_the_model(situation: Situation, text: str, by: str) -> None:
    assert answerer(text, situation) == by
    assert answerer(text, replace(situation, model=None)) == "rules"
