from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.generating.script import SIMPLIFIED, TRADITIONAL, chinese_share, simplified_in, traditional_in

ROOT = Path(__file__).resolve().parents[3]


def test_no_character_stands_in_both_tables():
    assert frozenset() == SIMPLIFIED & TRADITIONAL
    assert len(SIMPLIFIED) == len(TRADITIONAL) > 500


@pytest.mark.parametrize("task", ["stance", "entity-sentiment", "official-doc"])
def test_texts_written_in_taiwan_hold_no_simplified_character(task: str):
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tasks" / task / "data").glob("*.jsonl"))
    assert simplified_in(text) == []
    assert len(traditional_in(text)) > 100


def test_simplified_text_is_told_by_its_characters_in_order():
    assert simplified_in("这个视频说的问题很严重") == list("这个视频说问题严")
    assert traditional_in("這個影片說的問題") == list("這個說問題")


def test_characters_of_both_scripts_and_other_languages_say_nothing():
    for text in ("后里台干只面", "Interest rates stay.", "日本のテスト", ""):
        assert simplified_in(text) == traditional_in(text) == [], text


def test_the_share_of_chinese_counts_letters_and_digits_only():
    assert chinese_share("利率 3%，維持！") == 0.8
    assert chinese_share("...!!") == 0
    assert chinese_share(json.dumps({"a": 1})) == 0
