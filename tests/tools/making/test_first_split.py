"""The first rows of a task: taken from where a person put them, divided so that nothing leaks, and never written twice."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from tools.diagnose import DiagnoseArgs, diagnose
from tools.errors import InputError, Refused
from tools.finding import FindingKind
from tools.labelling.ask_person import LABELLING, fill_batch, open_pool
from tools.making.create_task import create_task
from tools.making.first_rows import first_rows, never_divided, next_step, require_rows
from tools.making.first_split import make_first_split, plan_first_split
from tools.making.wanted_task import Described, WantedTask
from tools.reading.task import load_split, load_task
from tools.samples import Candidate, add, decide, finish, list_batches, load_batch
from tools.task import Task
from tools.text import english

LABELS = ["good", "bad", "mixed"]


def text_of(number: int) -> str:
    """Texts that are no near copies of each other."""
    rng = random.Random(number)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(7)]
    return f"{' '.join(words)} {number}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    labels = [Described(name=name) for name in LABELS]
    return create_task(tmp_path, WantedTask(name="mood", goal="Tell the mood.", labels=labels), english)


def pool(path: Path, count: int) -> None:
    (path / "data" / "raw" / "texts.txt").write_text("".join(f"{text_of(n)}\n" for n in range(count)), encoding="utf-8")


def label(path: Path, count: int) -> Task:
    """A person labels the first rows of the pool by what their number says."""
    task = load_task(path)
    fill_batch(task, open_pool(task), count)
    for item in load_batch(path, LABELLING).items:
        answer = LABELS[int(item.fields["text"].split()[-1]) % 3]
        decide(task, LABELLING, item.candidate.id, "relabel", answer=answer, by="me")
    return task


def rows_of(path: Path, split: str) -> list[dict]:
    return [json.loads(line) for line in (path / "data" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_plain_texts_become_three_splits_by_their_labels(path: Path) -> None:
    pool(path, 90)
    task = label(path, 90)
    assert never_divided(task) and "iterate split mood" in str(next_step(task))
    split = plan_first_split(task)
    assert split.counts == {"train": 58, "valid": 14, "test": 18} and split.problems == [] and split.left_out == 0
    assert make_first_split(task, split) == ["data/test.jsonl", "data/valid.jsonl", "data/train.jsonl"]
    loaded = load_task(path)
    counts = {name: load_split(loaded, name).split.label_counts() for name in ("train", "valid", "test")}
    assert all(max(of.values()) - min(of.values()) <= 2 for of in counts.values()) and all(
        len(of) == 3 for of in counts.values()
    )
    texts = [row["text"] for name in ("train", "valid", "test") for row in rows_of(path, name)]
    assert Counter(texts) == Counter(text_of(n) for n in range(90))
    assert all(row["label"] == LABELS[int(row["text"].split()[-1]) % 3] for row in rows_of(path, "train"))
    kinds = {one.kind for one in diagnose(DiagnoseArgs(task_dir=path)).findings}
    assert FindingKind.split_leak not in kinds and FindingKind.duplicate_rows not in kinds
    require_rows(loaded)


def test_the_same_rows_and_seed_give_the_same_splits_in_any_order_of_files(path: Path) -> None:
    rows = [{"text": text_of(n), "label": LABELS[n % 3]} for n in range(40)]
    file = path / "data" / "raw" / "mine.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    first = plan_first_split(load_task(path))
    file.write_text("".join(json.dumps(row) + "\n" for row in reversed(rows)), encoding="utf-8")
    again = plan_first_split(load_task(path))
    assert again.rows == first.rows
    assert plan_first_split(load_task(path), seed=1).rows != first.rows


def test_copies_and_near_copies_stay_in_one_split(path: Path) -> None:
    rows = [{"text": text_of(n), "label": LABELS[n % 3]} for n in range(40)]
    rows += [{"text": text_of(n).upper() + "!", "label": LABELS[n % 3]} for n in range(20)]
    rows += [{"text": text_of(n) + " yes", "label": LABELS[n % 3]} for n in range(20)]
    (path / "data" / "raw" / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    split = plan_first_split(load_task(path))
    where = {row.fields["text"]: name for name, group in split.rows.items() for row in group}
    for number in range(20):
        same = {
            where[one]
            for one in (text_of(number), text_of(number).upper() + "!", text_of(number) + " yes")
            if one in where
        }
        assert len(same) == 1
    make_first_split(load_task(path), split)
    assert FindingKind.split_leak not in {one.kind for one in diagnose(DiagnoseArgs(task_dir=path)).findings}


def test_too_few_rows_are_named_with_what_to_do_and_nothing_is_written(path: Path) -> None:
    pool(path, 30)
    task = label(path, 9)
    with pytest.raises(InputError, match="Only 9 rows") as caught:
        plan_first_split(task)
    assert "iterate label mood" in str(caught.value.hint)
    assert rows_of(path, "train") == [] and first_rows(task).waiting == 21


def test_a_divided_task_is_not_divided_again(path: Path) -> None:
    pool(path, 30)
    task = label(path, 30)
    make_first_split(task, plan_first_split(task))
    before = {name: rows_of(path, name) for name in ("train", "valid", "test")}
    with pytest.raises(Refused, match="divided already"):
        plan_first_split(load_task(path))
    assert {name: rows_of(path, name) for name in before} == before


def test_killed_between_two_files_it_goes_on_without_losing_or_doubling_a_row(path: Path) -> None:
    pool(path, 60)
    task = label(path, 60)
    make_first_split(task, plan_first_split(task))
    for split in ("valid", "train"):  # as if the process had ended after the first file
        (path / "data" / f"{split}.jsonl").write_text("", encoding="utf-8")
    again = plan_first_split(load_task(path))
    assert again.kept == ["test"]
    make_first_split(load_task(path), again)
    texts = [row["text"] for name in ("train", "valid", "test") for row in rows_of(path, name)]
    assert Counter(texts) == Counter(text_of(n) for n in range(60))


def test_a_test_set_of_the_person_stays_and_no_copy_of_it_is_trained_on(path: Path) -> None:
    own = [{"text": text_of(n), "label": LABELS[n % 3]} for n in range(5)]
    (path / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in own), encoding="utf-8")
    rows = [{"text": text_of(n), "label": LABELS[n % 3]} for n in range(40)]
    (path / "data" / "raw" / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    split = plan_first_split(load_task(path))
    assert split.kept == ["test"] and split.left_out == 5
    make_first_split(load_task(path), split)
    assert rows_of(path, "test") == own
    assert not {row["text"] for row in own} & {row["text"] for row in rows_of(path, "train") + rows_of(path, "valid")}


def test_rows_of_a_model_are_for_training_alone_and_count_only_when_a_person_accepted_them(path: Path) -> None:
    pool(path, 24)
    task = label(path, 24)
    written = [
        Candidate(id=f"g{n}", origin="new", fields={"text": text_of(100 + n)}, suggested="good", source="a model")
        for n in range(6)
    ]
    add(path, "generated", written)
    for one in written[:4]:
        decide(task, "generated", one.id, "accept", by="me")
    raw = [{"text": text_of(200 + n), "label": "bad", "generated_by": "a model"} for n in range(5)]
    (path / "data" / "raw" / "generated.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in raw), encoding="utf-8"
    )
    split = plan_first_split(task)
    assert sum(split.counts.values()) == 28
    assert {name for name, rows in split.rows.items() for row in rows if row.written} == {"train"}


def test_labels_given_later_join_train_and_those_of_the_division_are_not_added_again(path: Path) -> None:
    pool(path, 60)
    task = label(path, 40)
    with pytest.raises(InputError, match="divided, not added"):
        finish(task, LABELLING)
    make_first_split(task, plan_first_split(task))
    with pytest.raises(InputError, match="change no training data"):
        finish(load_task(path), LABELLING)
    label(path, 20)
    change = finish(load_task(path), LABELLING)
    assert len(change.edits) == 1 and "20 added" in str(change.summary)
    assert list_batches(path) == [LABELLING]


@pytest.mark.parametrize("content", ["not json\n", '{"other": 1}\n'])
def test_a_file_that_holds_something_else_is_neither_divided_over_nor_taken_for_empty(path: Path, content: str) -> None:
    pool(path, 30)
    label(path, 30)
    (path / "data" / "valid.jsonl").write_text(content, encoding="utf-8")
    task = load_task(path)
    with pytest.raises(Refused, match="not empty"):
        make_first_split(task, plan_first_split(task))
    assert (path / "data" / "valid.jsonl").read_text(encoding="utf-8") == content
    (path / "data" / "train.jsonl").write_text(content, encoding="utf-8")
    assert not never_divided(load_task(path))


def test_a_label_without_a_row_is_said_before_it_is_too_late(path: Path) -> None:
    rows = [{"text": text_of(n), "label": LABELS[n % 2]} for n in range(30)]
    (path / "data" / "raw" / "mine.csv").write_text(
        "text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in rows), encoding="utf-8"
    )
    told = [str(problem.message) for problem in plan_first_split(load_task(path)).problems]
    assert told == [f"The label mixed has no row in {split}." for split in ("valid", "test", "train")]


def test_a_note_that_lies_beside_the_rows_is_no_row_and_no_obstacle(path: Path) -> None:
    raw = path / "data" / "raw"
    pool(path, 12)
    (raw / "odd.csv").write_text("", encoding="utf-8")
    (raw / "README.txt").write_text("about these rows\n", encoding="utf-8")
    found = first_rows(load_task(path))
    assert found.waiting == 12 and [problem.path for problem in found.problems] == ["data/raw/odd.csv"]
