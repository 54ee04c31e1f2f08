from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.config import DataRecipe, Training, TrainingConfig
from tools.running.recipe import apply_recipe
from tools.task import AnswerFormat, ConfigFile, Row, Split, Task, TaskDefinition

LABELS = ["pos", "neg", "neu"]


def task_with(weights: dict[str, float] | None = None, labels: list[str] | None = None, **recipe: Any) -> Task:
    config = TrainingConfig(training=Training(class_weights=weights or {}), data=DataRecipe(**recipe))
    answer = AnswerFormat(type="label", labels=LABELS if labels is None else labels)
    definition = TaskDefinition(
        task_name="t", task_type="classification", template="{text}", input_fields=["text"], answer=answer
    )
    return Task(path=Path(), name="t", definition=definition, config=ConfigFile(path=None, values=config))


def row(name: str, label: str | None, text: str | None = None) -> Row:
    return Row(id=name, fields={"text": text or f"text of {name}"}, answer=label)


def split(*rows: Row) -> Split:
    return Split(name="train", files=["data/train.jsonl"], rows=list(rows))


ROWS = (row("a", "pos"), row("b", "neg"), row("c", "pos"), row("d", "neu", "same"), row("e", "neg", "same"))


def ids(task: Task, *rows: Row) -> list[str]:
    return [one.id for one in apply_recipe(task, split(*rows)).rows]


def test_an_empty_recipe_leaves_all_rows_as_they_are() -> None:
    result = apply_recipe(task_with(), split(*ROWS))
    assert result.rows == list(ROWS)
    assert result.weights == [1.0] * 5
    assert result.problems == []
    assert result.before == result.after == {"pos": 2, "neg": 2, "neu": 1}


def test_excluded_rows_are_gone_and_an_unknown_id_is_named_with_its_nearest() -> None:
    rows = (row("train-001", "pos"), row("train-002", "neg"))
    result = apply_recipe(task_with(exclude=["train-002", "train-01"]), split(*rows))
    assert [one.id for one in result.rows] == ["train-001"]
    [problem] = result.problems
    assert "train-01" in str(problem.message)
    assert "train-001" in str(problem.hint)


def test_a_settled_label_replaces_the_one_in_the_file() -> None:
    result = apply_recipe(task_with(relabel={"a": "neu"}), split(*ROWS))
    assert result.rows[0].answer == "neu"
    assert result.after == {"neu": 2, "neg": 2, "pos": 1}
    assert ROWS[0].answer == "pos"


def test_relabelling_to_an_unknown_label_lists_the_valid_ones_and_changes_nothing() -> None:
    result = apply_recipe(task_with(relabel={"a": "great", "zz": "pos"}), split(*ROWS))
    assert result.rows == list(ROWS)
    assert [problem.choices for problem in result.problems] == [LABELS, []]


def test_an_excluded_row_may_still_be_named_in_relabel() -> None:
    assert apply_recipe(task_with(exclude=["a"], relabel={"a": "neu"}), split(*ROWS)).problems == []


def test_deduplication_keeps_the_first_of_rows_with_the_same_input() -> None:
    assert ids(task_with(deduplicate=True), *ROWS) == ["a", "b", "c", "d"]


def test_the_same_text_about_different_things_is_not_a_repetition() -> None:
    rows = [Row(id=name, fields={"text": "same", "entity": name}, answer="pos") for name in "ab"]
    assert ids(task_with(deduplicate=True), *rows) == ["a", "b"]


def test_oversampling_repeats_rows_in_order_until_the_number_is_reached() -> None:
    result = apply_recipe(task_with(oversample={"pos": 5, "neu": 2}), split(*ROWS))
    assert [one.id for one in result.rows[5:]] == ["a#2", "c#2", "a#3", "d#2"]
    assert result.rows[5].fields == ROWS[0].fields
    assert result.rows[5].meta["parent_id"] == "a"
    assert result.after == {"pos": 5, "neg": 2, "neu": 2}


def test_repeated_rows_never_take_an_id_that_is_there_already() -> None:
    result = apply_recipe(task_with(oversample={"pos": 4}), split(row("a", "pos"), row("a#2", "pos")))
    names = [one.id for one in result.rows]
    assert len(set(names)) == 4


def test_fewer_rows_than_there_are_is_a_problem_and_takes_nothing_away() -> None:
    result = apply_recipe(task_with(oversample={"neg": 1}), split(*ROWS))
    assert result.rows == list(ROWS)
    assert "asks for 1 rows of neg, but train has 2" in str(result.problems[0].message)


def test_oversampling_a_label_without_rows_or_one_that_does_not_exist_is_a_problem() -> None:
    result = apply_recipe(task_with(oversample={"neu": 9, "none": 3}), split(*ROWS[:3]))
    assert result.rows == list(ROWS[:3])
    assert len(result.problems) == 2
    assert result.problems[1].choices == LABELS


def test_diagnosis_can_look_at_the_rows_without_repetitions_but_still_hears_of_problems() -> None:
    result = apply_recipe(task_with(oversample={"pos": 5, "none": 3}), split(*ROWS), oversample=False)
    assert result.rows == list(ROWS)
    assert len(result.problems) == 1


def test_class_weights_are_used_as_given_and_repeated_rows_weigh_the_same() -> None:
    result = apply_recipe(task_with({"pos": 0.5, "neu": 3.0}, oversample={"neu": 2}), split(*ROWS))
    assert result.weights == [0.5, 1.0, 0.5, 3.0, 1.0, 3.0]


def test_a_weight_for_an_unknown_label_is_named_with_the_valid_ones() -> None:
    result = apply_recipe(task_with({"great": 2.0}), split(*ROWS))
    assert result.problems[0].choices == LABELS
    assert result.weights == [1.0] * 5


def test_labels_that_are_not_declared_are_those_of_the_rows() -> None:
    assert apply_recipe(task_with({"pos": 2.0}, labels=[]), split(*ROWS)).problems == []
    assert len(apply_recipe(task_with({"other": 2.0}, labels=[]), split(*ROWS)).problems) == 1


def test_a_task_without_labels_says_so_instead_of_listing_none() -> None:
    definition = TaskDefinition(
        task_name="t",
        task_type="generation",
        template="{text}",
        input_fields=["text"],
        answer=AnswerFormat(type="text"),
    )
    task = task_with({"pos": 2.0}).model_copy(update={"definition": definition})
    [problem] = apply_recipe(task, split(*ROWS)).problems
    assert "have none" in str(problem.message)


def test_ten_thousand_unknown_ids_do_not_make_ten_thousand_problems() -> None:
    result = apply_recipe(task_with(exclude=[f"x{n}" for n in range(10_000)]), split(*ROWS))
    assert len(result.problems) < 10
    assert "9995 more" in str(result.problems[-1].message)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from("xyz")), max_size=12),
    st.dictionaries(st.sampled_from([*LABELS, "odd"]), st.integers(1, 20), max_size=3),
    st.lists(st.sampled_from([f"r{n}" for n in range(14)]), max_size=4),
    st.booleans(),
)
def test_any_recipe_gives_the_same_rows_twice_with_unique_ids_and_keeps_every_unnamed_row(
    given_rows: list[tuple[str, str]], oversample: dict[str, int], exclude: list[str], deduplicate: bool
) -> None:
    rows = split(*[row(f"r{n}", label, text) for n, (label, text) in enumerate(given_rows)])
    task = task_with(oversample=oversample, exclude=exclude, deduplicate=deduplicate)
    result = apply_recipe(task, rows)
    assert apply_recipe(task, rows) == result
    assert len({one.id for one in result.rows}) == len(result.rows) == len(result.weights)
    assert not {one.id for one in result.rows} & set(exclude)
    if not deduplicate:
        assert {one.id for one in rows.rows} - set(exclude) <= {one.id for one in result.rows}
    for label, wanted in oversample.items():
        there = apply_recipe(task, rows, oversample=False).after.get(label, 0)
        assert result.after.get(label, 0) == (max(wanted, there) if there else 0)
