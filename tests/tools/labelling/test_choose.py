"""Which rows of a pool are asked about."""

from __future__ import annotations

from collections import Counter

from tools.labelling.choose import RANDOM_SHARE, choose, confused_pairs
from tools.task import Row

TEXTS = [
    "蘋果很甜我喜歡",
    "公車又誤點了真糟",
    "會議改到星期三下午",
    "房租漲了一成多",
    "新的捷運站開通了",
    "颱風假到底放不放",
]


def rows(count: int) -> list[Row]:
    return [
        Row(id=f"p{n}", fields={"text": f"{TEXTS[n % len(TEXTS)]}，第{n}則：{chr(0x4E00 + 7 * n) * 4}"})
        for n in range(count)
    ]


def scores_of(pool: list[Row], sure: set[int], pair: tuple[str, str] = ("正", "負")) -> dict[str, dict[str, float]]:
    """Rows named in `sure` have a clear label, the others are divided between the pair."""
    known = {}
    for n, row in enumerate(pool):
        high = 0.95 if n in sure else 0.5 + n / 10_000
        known[row.id] = {pair[0]: high, pair[1]: 1 - high, "中": 0.0}
    return known


def test_rows_that_the_model_is_sure_of_are_only_drawn_by_chance() -> None:
    pool = rows(100)
    sure = set(range(50, 100))
    chosen = choose(pool, scores_of(pool, sure), 20)
    uncertain = [one for one in chosen if not one.at_random]
    assert len(chosen) == 20
    assert len(uncertain) == 20 - round(20 * RANDOM_SHARE)
    assert {int(one.row.id[1:]) for one in uncertain}.isdisjoint(sure)


def test_confused_labels_get_rows_in_proportion_to_their_errors() -> None:
    pool = rows(200)
    known = scores_of(pool[:100], set()) | scores_of(pool[100:], set(), ("正", "中"))
    confusion = {
        "正": {"正": 50, "負": 3, "中": 1},
        "負": {"正": 6, "負": 30, "中": 0},
        "中": {"正": 2, "負": 0, "中": 9},
    }
    pairs = confused_pairs(confusion)
    assert pairs == {frozenset("正負"): 9, frozenset("正中"): 3}
    uncertain = [one for one in choose(pool, known, 40, confused=pairs) if not one.at_random]
    assert Counter(one.pair for one in uncertain) == {frozenset("正負"): 21, frozenset("正中"): 7}


def test_unreadable_answers_are_no_confusion_of_labels() -> None:
    assert confused_pairs({"正": {"正": 5, "(unparsed)": 4}, "負": {"負": 5, "正": 1}}) == {frozenset("正負"): 1}


def test_near_copies_of_one_hard_sentence_are_not_all_asked_about() -> None:
    copies = [Row(id=f"c{n}", fields={"text": "這個提案我看不出來到底好不好" + "。" * n}) for n in range(20)]
    others = rows(20)
    known = {row.id: {"正": 0.5, "負": 0.5} for row in copies} | {row.id: {"正": 0.53, "負": 0.47} for row in others}
    chosen = choose([*copies, *others], known, 10)
    assert sum(one.row.id.startswith("c") for one in chosen) <= 2


def test_without_scores_rows_are_drawn_at_random_and_near_copies_come_last() -> None:
    copies = [Row(id=f"c{n}", fields={"text": "這個提案我看不出來到底好不好" + "。" * n}) for n in range(20)]
    chosen = choose([*copies, *rows(10)], {}, 11)
    assert all(one.at_random for one in chosen)
    assert sum(one.row.id.startswith("c") for one in chosen) == 1


def test_the_same_pool_gives_the_same_rows_and_another_draw_others() -> None:
    pool = rows(80)
    first, again = (choose(pool, {}, 20) for _ in range(2))
    other = choose(pool, {}, 20, draw=1)
    assert [one.row.id for one in first] == [one.row.id for one in again]
    assert {one.row.id for one in first} != {one.row.id for one in other}


def test_a_pool_smaller_than_wanted_is_taken_whole_and_an_empty_one_gives_nothing() -> None:
    pool = rows(5)
    assert sorted(one.row.id for one in choose(pool, scores_of(pool, {0}), 50)) == [f"p{n}" for n in range(5)]
    assert choose([], {}, 50) == []
