from __future__ import annotations

from typing import Any

import pytest

from tools.change import Edit
from tools.editing.yaml_edit import apply_edits
from tools.editing.yaml_read import parse, plain
from tools.errors import InputError

EXAMPLE = """\
# configs/training_config.yaml (v2)

lora:
  r: 32          # rank
  alpha: 64

training:
  epochs: 8      # too many?
  learning_rate: 2e-4
  class_weights:
    正面: 1.0
    中立: 1.5    # more
  # the seeds of this version
  seeds: [1, 2]

data:
  exclude:
    - "a1"  # wrong label
    - b2
"""


def edit(text: str, *path: str, new: Any = None) -> str:
    return apply_edits(text, [Edit(path=path, new=new)])


def changed_lines(old: str, new: str) -> list[tuple[str, str]]:
    return [(a, b) for a, b in zip(old.split("\n"), new.split("\n"), strict=True) if a != b]


# scalars


def test_changing_a_number_changes_only_its_digits() -> None:
    new = edit(EXAMPLE, "lora", "r", new=64)
    assert changed_lines(EXAMPLE, new) == [("  r: 32          # rank", "  r: 64          # rank")]


def test_a_small_learning_rate_is_written_so_that_old_yaml_readers_see_a_number() -> None:
    yaml = pytest.importorskip("yaml")
    for value in (2e-05, 1e-05, 1.5e-7, 3e-10, 1e-20, 0.0002, 1e16, 1e22, 5e-324, -2e-05):
        new = edit(EXAMPLE, "training", "learning_rate", new=value)
        assert yaml.safe_load(new)["training"]["learning_rate"] == value
        assert plain(parse(new))["training"]["learning_rate"] == value


def test_a_number_that_old_readers_take_for_text_is_rewritten_even_though_its_value_stays() -> None:
    new = edit(EXAMPLE, "training", "learning_rate", new=2e-4)
    assert changed_lines(EXAMPLE, new) == [("  learning_rate: 2e-4", "  learning_rate: 0.0002")]


def test_setting_what_is_already_there_changes_nothing() -> None:
    assert edit(EXAMPLE, "lora", "r", new=32) == EXAMPLE
    assert edit(EXAMPLE, "training", "seeds", new=[1, 2]) == EXAMPLE


def test_the_quotes_of_a_string_stay() -> None:
    text = "training: {base_model: 'a/b', method: \"sft\"}\nprompt:\n  system: 'it''s'  # said\n"
    new = apply_edits(
        text,
        [
            Edit(path=("training", "base_model"), new="c/d"),
            Edit(path=("training", "method"), new="dpo"),
            Edit(path=("prompt", "system"), new="don't"),
        ],
    )
    assert new == "training: {base_model: 'c/d', method: \"dpo\"}\nprompt:\n  system: 'don''t'  # said\n"


def test_a_quoted_number_becomes_a_number() -> None:
    assert edit('training:\n  learning_rate: "1e-5"\n', "training", "learning_rate", new=1e-5) == (
        "training:\n  learning_rate: 0.00001\n"
    )


def test_a_prompt_of_several_lines_is_written_as_a_readable_block() -> None:
    text = "prompt:\n  template: short  # why\n  system: x\n"
    new = edit(text, "prompt", "template", new="first {text}\n\n  second: #2\n")
    assert new == "prompt:\n  template: |  # why\n    first {text}\n\n      second: #2\n  system: x\n"
    again = edit(new, "prompt", "template", new="one\ntwo")
    assert again == "prompt:\n  template: |-\n    one\n    two\n  system: x\n"


@pytest.mark.parametrize(
    "value", ["yes", "null", "1.0", "a: b", "a #b", "", " x ", "中立", "- a", "12:30", "1e5", "\t", "é\u2028"]
)
def test_any_string_comes_back_as_itself_in_both_yaml_versions(value: str) -> None:
    yaml = pytest.importorskip("yaml")
    for text in ("prompt:\n  system: x\n", "prompt: {system: x}\n", "prompt:\n  system: 'x'\n"):
        new = edit(text, "prompt", "system", new=value)
        assert plain(parse(new)) == {"prompt": {"system": value}}
        assert yaml.safe_load(new) == {"prompt": {"system": value}}


# adding


def test_a_new_key_stands_at_the_end_of_its_section_before_the_blank_line() -> None:
    new = edit(EXAMPLE, "lora", "dropout", new=0.1)
    assert new == EXAMPLE.replace("  alpha: 64\n", "  alpha: 64\n  dropout: 0.1\n")


def test_a_missing_section_is_made_with_everything_below_it() -> None:
    new = edit(EXAMPLE, "data", "oversample", "中立", new=200)
    assert new == EXAMPLE + "  oversample:\n    中立: 200\n"


def test_a_new_top_section_is_set_off_by_a_blank_line_like_the_others() -> None:
    assert edit(EXAMPLE, "decoding", "constrained", new=True) == EXAMPLE + "\ndecoding:\n  constrained: true\n"


def test_an_empty_file_and_a_file_of_comments_can_be_filled() -> None:
    assert edit("", "lora", "r", new=8) == "lora:\n  r: 8\n"
    assert edit("# hello", "lora", "r", new=8) == "# hello\nlora:\n  r: 8\n"


@pytest.mark.parametrize(
    "empty", ["training:\n", "training: # none\n", "training: null\n", "training: ~  # c\n", "training: {}\n"]
)
def test_an_empty_section_can_be_filled(empty: str) -> None:
    new = edit(empty + "lora:\n  r: 1\n", "training", "epochs", new=3)
    assert plain(parse(new)) == {"training": {"epochs": 3}, "lora": {"r": 1}}
    assert ("#" in new) == ("#" in empty)


def test_flow_style_stays_flow_style() -> None:
    text = "lora: {r: 32, alpha: 64}  # small\n"
    assert edit(text, "lora", "r", new=64) == "lora: {r: 64, alpha: 64}  # small\n"
    assert edit(text, "lora", "dropout", new=0.1) == "lora: {r: 32, alpha: 64, dropout: 0.1}  # small\n"
    assert edit(text, "lora", "r") == "lora: {alpha: 64}  # small\n"
    assert edit(text, "lora", "alpha") == "lora: {r: 32}  # small\n"
    assert edit("lora: {r: 32,}\n", "lora", "r") == "lora: {}\n"


def test_flow_style_over_several_lines_keeps_its_comments() -> None:
    text = "lora: {\n  r: 32,  # rank\n  alpha: 64,  # scale\n  dropout: 0.1  # last\n}\n"
    for key in ("r", "alpha", "dropout"):
        new = edit(text, "lora", key)
        assert set(plain(parse(new))["lora"]) == {"r", "alpha", "dropout"} - {key}
        assert [word for word in ("# rank", "# scale", "# last") if word not in new] == []


@pytest.mark.parametrize(
    "label", ["中立", "yes", "1.0", "a.b", "a: b", 'say "x"', "it's", "null", "", "# x", "[x]", "-", "~", "a\nb"]
)
def test_a_label_of_any_kind_can_be_added_changed_and_removed(label: str) -> None:
    yaml = pytest.importorskip("yaml")
    for text in ("training:\n  class_weights:\n    x: 1\n", "training: {class_weights: {x: 1}}\n"):
        added = edit(text, "training", "class_weights", label, new=1.5)
        assert plain(parse(added))["training"]["class_weights"] == {"x": 1, label: 1.5}
        assert yaml.safe_load(added)["training"]["class_weights"] == {"x": 1, label: 1.5}
        changed = edit(added, "training", "class_weights", label, new=2)
        assert plain(parse(changed))["training"]["class_weights"] == {"x": 1, label: 2}
        assert edit(changed, "training", "class_weights", label) == text


def test_labels_that_yaml_takes_for_numbers_or_booleans_are_found_by_what_is_written() -> None:
    text = "training:\n  class_weights:\n    1: 2.0\n    yes: 1.5\n    1.0: 3.0\n"
    assert edit(text, "training", "class_weights", "yes", new=9) == text.replace("1.5", "9")
    assert edit(text, "training", "class_weights", "1.0", new=9) == text.replace("3.0", "9")


# lists and sections as values


def test_adding_to_a_list_keeps_its_other_lines() -> None:
    new = edit(EXAMPLE, "data", "exclude", new=["a1", "x9", "b2", "c3"])
    assert new == EXAMPLE.replace("# wrong label\n", "# wrong label\n    - x9\n") + "    - c3\n"


def test_taking_from_a_list_keeps_its_other_lines() -> None:
    assert edit(EXAMPLE, "data", "exclude", new=["a1"]) == EXAMPLE.replace("    - b2\n", "")
    assert edit(EXAMPLE, "data", "exclude", new=[]) == EXAMPLE[: EXAMPLE.index("  exclude")] + "  exclude: []\n"


def test_a_list_in_brackets_stays_there_until_its_line_gets_too_long() -> None:
    assert edit(EXAMPLE, "training", "seeds", new=[3]) == EXAMPLE.replace("[1, 2]", "[3]")
    long = [f"row{number:06}" for number in range(30)]
    new = edit("data:\n  exclude: []  # none yet\n  x: 1\n", "data", "exclude", new=long)
    assert new.split("\n")[:3] == ["data:", "  exclude:  # none yet", "    - row000000"]
    assert plain(parse(new)) == {"data": {"exclude": long, "x": 1}}


def test_a_whole_section_is_changed_key_by_key() -> None:
    new = edit(EXAMPLE, "training", "class_weights", new={"中立": 2.0, "負面": 1.2})
    assert new == EXAMPLE.replace("    正面: 1.0\n", "").replace(
        "中立: 1.5    # more\n", "中立: 2.0    # more\n    負面: 1.2\n"
    )


def test_lists_without_extra_indentation_stay_so() -> None:
    text = "data:\n  train:\n  - a.jsonl\n  valid: v.jsonl\n"
    assert edit(text, "data", "train", new=["a.jsonl", "b.jsonl"]) == text.replace(
        "a.jsonl\n", "a.jsonl\n  - b.jsonl\n"
    )
    ids = ["x" * 30, "y" * 30, "z" * 30]
    assert edit(text, "data", "exclude", new=ids).endswith(f"  exclude:\n  - {ids[0]}\n  - {ids[1]}\n  - {ids[2]}\n")


# removing


def test_removing_a_key_takes_its_line_and_nothing_else() -> None:
    assert edit(EXAMPLE, "training", "epochs") == EXAMPLE.replace("  epochs: 8      # too many?\n", "")
    assert edit(EXAMPLE, "training", "nothing") == EXAMPLE


def test_removing_the_only_key_leaves_an_empty_section() -> None:
    assert edit("training:\n  class_weights:\n    a: 1\n  x: 1\n", "training", "class_weights", "a") == (
        "training:\n  class_weights: {}\n  x: 1\n"
    )


# the file around it


def test_windows_line_ends_and_byte_order_marks_stay() -> None:
    text = "\ufeff" + EXAMPLE.replace("\n", "\r\n")
    new = apply_edits(
        text,
        [
            Edit(path=("lora", "r"), new=64),
            Edit(path=("lora", "dropout"), new=0.1),
            Edit(path=("prompt", "system"), new="a\nb"),
        ],
    )
    assert new.startswith("\ufeff# configs")
    assert "\n" not in new.replace("\r\n", "")
    assert "  r: 64          # rank\r\n  alpha: 64\r\n  dropout: 0.1\r\n\r\n" in new


def test_a_file_without_a_last_line_break_is_extended_properly() -> None:
    assert edit("lora:\n  r: 1", "lora", "alpha", new=2) == "lora:\n  r: 1\n  alpha: 2"
    assert edit("lora:\n  r: 1", "lora", "r") == "lora: {}"


def test_the_indentation_of_the_file_is_used_for_new_sections() -> None:
    assert edit("lora:\n    r: 1\n", "training", "class_weights", "a", new=1) == (
        "lora:\n    r: 1\ntraining:\n    class_weights:\n        a: 1\n"
    )


def test_comments_at_the_end_of_a_section_stay_with_it() -> None:
    text = "lora:\n  r: 1\n  # alpha: 2\n\n# the end\n"
    assert (
        edit(text, "training", "epochs", new=1)
        == "lora:\n  r: 1\n  # alpha: 2\n\ntraining:\n  epochs: 1\n\n# the end\n"
    )


def test_literal_blocks_around_the_edit_are_not_mistaken_for_comments() -> None:
    text = "prompt:\n  system: |\n    a\n    # not a comment\n\n  # a comment\ntraining:\n  epochs: 1\n"
    new = apply_edits(text, [Edit(path=("prompt", "template"), new="x"), Edit(path=("training", "epochs"), new=2)])
    assert plain(parse(new)) == {
        "prompt": {"system": "a\n# not a comment\n", "template": "x"},
        "training": {"epochs": 2},
    }


# many edits


def test_hundreds_of_edits_read_the_file_a_few_times_and_come_to_what_single_edits_do(monkeypatch) -> None:
    text = EXAMPLE.replace("data:\n", "data:\n  relabel:  # by hand\n    'a.1': x  # first\n    b: y\n    # the end\n")
    rows = [Edit(path=("data", "relabel", f"row {n}"), new="中立") for n in range(120)]
    others = [
        Edit(path=("data", "relabel", "a.1"), new="z"),
        Edit(path=("training", "class_weights", "正面"), new=2.0),
        Edit(path=("data", "relabel", "b")),
        Edit(path=("data", "relabel", "row 7"), new="正面"),
        Edit(path=("lora", "r")),
    ]
    one_by_one = text
    for one in [*rows[:8], *others]:
        one_by_one = apply_edits(one_by_one, [one])
    assert apply_edits(text, [*rows[:8], *others]) == one_by_one

    parsed: list[str] = []
    monkeypatch.setattr("tools.editing.yaml_document.parse", lambda body: parsed.append(body) or parse(body))
    new = apply_edits(text, [*rows, *others])
    assert len(parsed) <= 4
    assert "    'a.1': z  # first\n    row 0: 中立\n" in new and "    row 7: 正面\n" in new
    assert "    row 119: 中立\n    # the end\n" in new


def test_an_edit_inside_a_section_that_was_just_set_does_not_reach_the_callers_values() -> None:
    weights = Edit(path=("training", "class_weights"), new={"a": 1.0})
    apply_edits("training: {}\n", [weights, Edit(path=("training", "class_weights", "b"), new=2.0)])
    assert weights.new == {"a": 1.0}


# what is refused


def test_a_value_shared_through_an_anchor_is_not_changed_behind_the_users_back() -> None:
    text = "a: &shared\n  r: 1\nlora: *shared\n"
    with pytest.raises(InputError) as caught:
        edit(text, "lora", "r", new=2)
    assert "anchor" in str(caught.value.problems[0].message)
    with pytest.raises(InputError):
        edit(text, "a", "r", new=2)  # would change lora.r as well


def test_an_alias_as_a_value_can_be_replaced() -> None:
    assert edit("a: &x 1\nb: *x\n", "b", new=2) == "a: &x 1\nb: 2\n"


def test_broken_yaml_is_named_with_its_line() -> None:
    with pytest.raises(InputError) as caught:
        edit("lora:\n  r: 1\n bad: [\n", "lora", "r", new=2)
    assert caught.value.problems[0].line in {3, 4}


def test_all_impossible_edits_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        apply_edits(
            "lora: 16\ntraining: [1]\n",
            [Edit(path=("lora", "r"), new=2), Edit(path=("training", "epochs"), new=2)],
        )
    assert [str(problem.message) for problem in caught.value.problems] == [
        "lora.r: lora holds 16, not a section.",
        "training.epochs: training holds [1], not a section.",
    ]


@pytest.mark.parametrize(
    "text",
    ["- a\n", "just text\n", "a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "a: \x01\n", "a: &x {b: *x}\n", "[" * 3000],
)
def test_what_is_no_single_mapping_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        edit(text, "lora", "r", new=2)


def test_aliases_that_stand_for_millions_of_values_are_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 9)]
    with pytest.raises(InputError):
        edit("\n".join(lines), "lora", "r", new=2)
