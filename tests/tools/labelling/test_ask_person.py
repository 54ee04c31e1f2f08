"""From a pool to labelled rows in the recipe, without a model: what is asked, what is kept apart, what leaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.edit_config import config_after, text_after
from tools.errors import NotFound
from tools.labelling.agreement import agree, agreement, read_guesses
from tools.labelling.ask_person import LABELLING, fill_batch, open_pool
from tools.reading.task import load_split, load_task
from tools.samples import decide, finish, list_batches, load_batch
from tools.task import Task

LABELS = ["正面", "負面", "中立"]


@pytest.fixture
def task(claim_task: Callable[..., object]) -> Task:
    made = claim_task(30)
    pool = [{"id": f"p{n}", "text": f"這是池子裡的第{n}句話{chr(0x4E00 + 11 * n) * 5}"} for n in range(12)]
    pool += [
        {"id": "known", "text": "train 第3句。。。"},
        {"id": "valid", "text": "valid 第3句。。。"},
        {"id": "test", "text": "TEST　第４句。。。。"},
        {"id": "done", "text": "這一句已經有人標過了", "label": "中立"},
        {"id": "twice", "text": pool[0]["text"]},
    ]
    made.write("data/raw/pool.jsonl", "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in pool))
    return load_task(made.path)


def scores(task: Task) -> dict[str, dict[str, float]]:
    """The model thinks everything positive, by a hair."""
    return {row.id: {"正面": 0.41, "負面": 0.4, "中立": 0.19} for row in open_pool(task).rows}


def test_rows_that_are_known_repeated_labelled_or_evaluated_never_reach_a_person(task: Task) -> None:
    pool = open_pool(task)
    assert [row.id for row in pool.rows] == [f"p{n}" for n in range(12)]
    assert (pool.known, pool.leaking, pool.labelled) == (2, 2, 1)


def test_a_task_without_a_pool_says_where_to_put_one(claim_task: Callable[..., object]) -> None:
    with pytest.raises(NotFound, match="no rows to label") as caught:
        open_pool(load_task(claim_task(9).path))
    assert "data/raw/pool.jsonl" in str(caught.value.hint)


def test_what_the_model_thinks_is_nowhere_in_what_the_person_sees(task: Task) -> None:
    filled = fill_batch(task, open_pool(task), 6, version="v1", scores=scores(task))
    assert (filled.added, filled.waiting, filled.at_random) == (6, 6, 2)
    for item in load_batch(task.path, LABELLING).items:
        one = item.candidate
        assert one.answered is None and one.scores is None and one.suggested is None
        assert not any(label in str(one.why) for label in LABELS)
    assert {guess.label for guess in read_guesses(task.path, LABELLING).values()} == {"正面"}
    assert list_batches(task.path) == [LABELLING]


def test_a_second_call_asks_about_other_rows(task: Task) -> None:
    fill_batch(task, open_pool(task), 6)
    before = {item.candidate.id for item in load_batch(task.path, LABELLING).items}
    filled = fill_batch(task, open_pool(task), 50)
    assert (filled.added, filled.waiting) == (6, 12)
    assert before < {item.candidate.id for item in load_batch(task.path, LABELLING).items}
    assert open_pool(task).rows == []


def test_labelled_rows_become_one_file_and_one_line_that_train_is_read_with(task: Task) -> None:
    fill_batch(task, open_pool(task), 6, version="v1", scores=scores(task))
    names = [item.candidate.id for item in load_batch(task.path, LABELLING).items]
    for name, label in zip(names[:4], ["正面", "中立", "正面", "負面"], strict=True):
        decide(task, LABELLING, name, "relabel", answer=label, by="me")
    decide(task, LABELLING, names[4], "reject", reason="unclear", by="me")
    change = finish(task, LABELLING)
    assert [edit.dotted for edit in change.edits] == ["data.train"]
    after = task.model_copy(update={"config": config_after(task, text_after(task.config, change.edits))})
    new = [row for row in load_split(after, "train").split.rows if row.meta.get("review") == LABELLING]
    assert sorted(str(row.answer) for row in new) == sorted(["正面", "中立", "正面", "負面"])
    assert all(row.meta["source"] == "person" and row.meta["provenance"]["pool_id"] for row in new)
    assert open_pool(after).known == 2 + 6


def test_agreement_counts_only_labelled_rows_and_those_drawn_by_chance_apart(task: Task) -> None:
    assert fill_batch(task, open_pool(task), 10, version="v1", scores=scores(task)).at_random == 3
    assert agreement(task.path, load_batch(task.path, LABELLING)) is None
    guesses = read_guesses(task.path, LABELLING)
    for item in load_batch(task.path, LABELLING).items[:9]:
        label = "正面" if guesses[item.candidate.id].at_random else "負面"
        decide(task, LABELLING, item.candidate.id, "relabel", answer=label, by="me")
    found = agreement(task.path, load_batch(task.path, LABELLING))
    assert found is not None and found.at_random is not None
    assert (found.all.rows, round(found.all.share, 3)) == (9, 0.222)
    assert (found.at_random.rows, found.at_random.share, found.at_random.kappa) == (2, 1.0, None)
    assert found.all.differing == {"負面 / 正面": 7}


def test_kappa_is_that_of_the_textbook() -> None:
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = agree(pairs)
    assert (found.share, found.expected) == (0.7, 0.5)
    assert found.kappa == pytest.approx(0.4)
    assert found.error == pytest.approx((0.7 * 0.3 / 50) ** 0.5 / 0.5)


def test_kappa_is_what_scikit_learn_says() -> None:
    from sklearn.metrics import cohen_kappa_score

    persons, models = list("aabbccabcabcaabc"), list("abbbccaacabccabc")
    assert agree(list(zip(persons, models, strict=True))).kappa == pytest.approx(cohen_kappa_score(persons, models))


def test_a_row_of_a_pool_cannot_colour_the_terminal_or_carry_a_label(task: Task, tmp_path: Path) -> None:
    file = tmp_path / "hostile.jsonl"
    file.write_text(
        json.dumps({"text": "\u001b[31mapprove everything\u202e", "scores": {"正面": 1}}) + "\n", encoding="utf-8"
    )
    fill_batch(task, open_pool(task, file), 5)
    item = load_batch(task.path, LABELLING).items[0]
    assert item.answer is None and item.state == "open"
