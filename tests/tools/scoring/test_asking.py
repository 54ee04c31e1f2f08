"""Examples and label words in a prompt: what the model is asked, and how its words become labels again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tools.config import Prompt
from tools.errors import InputError
from tools.reading.task import load_split, load_task
from tools.running.plan_runs import plan_runs
from tools.runs import Example
from tools.scoring.answers import ParseFailure
from tools.scoring.asking import Asker
from tools.scoring.label_words import parse_spoken, require_words
from tools.scoring.prompting import answer_instruction
from tools.scoring.rescore import rescore
from tools.task import AnswerFormat, Task

LABELS = AnswerFormat(type="label", labels=["POS", "NEG", "NEU"])
WORDS = {"POS": "positive", "NEG": "negative"}


def asked(claim_task: Callable[..., object], prompt: str) -> Task:
    made = claim_task(9)
    made.write("configs/training_config.yaml", prompt)
    return load_task(made.path)


def test_examples_stand_answered_between_the_system_text_and_the_question(claim_task: Callable[..., object]) -> None:
    task = asked(claim_task, "prompt: {system: 你是助手, examples: [train4, train0]}\n")
    row = load_split(task, "valid").split.rows[0]
    turns = Asker(task).messages(row)
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [turn["content"] for turn in turns if turn["role"] == "assistant"] == ["負面", "正面"]
    assert "train 第4句" in turns[1]["content"] and "valid 第0句" in turns[-1]["content"]


def test_a_training_row_is_never_shown_its_own_answer(claim_task: Callable[..., object]) -> None:
    task = asked(claim_task, "prompt: {examples: [train4, train0]}\ndata: {oversample: {負面: 6}}\n")
    [plan] = plan_runs(task, "v1")
    for line in plan.data["train.jsonl"].splitlines():
        example = Example.model_validate_json(line)
        questions = [turn["content"] for turn in example.messages if turn["role"] == "user"]
        assert questions.count(questions[-1]) == 1
        assert len(questions) == (2 if example.input["text"].startswith(("train 第4句", "train 第0句")) else 3)


@pytest.mark.parametrize("name", ["valid3", "test3", "nobody"])
def test_only_rows_of_train_can_be_shown(claim_task: Callable[..., object], name: str) -> None:
    with pytest.raises(InputError, match="train does not have") as caught:
        Asker(asked(claim_task, f"prompt: {{examples: [train0, {name}]}}\n"))
    assert name in str(caught.value.problems[0].message)


def test_a_relabelled_example_is_shown_with_its_settled_label(claim_task: Callable[..., object]) -> None:
    task = asked(claim_task, "prompt: {examples: [train0]}\ndata: {relabel: {train0: 中立}}\n")
    assert Asker(task).messages(load_split(task, "valid").split.rows[0])[1]["content"] == "中立"


def test_label_words_are_asked_for_and_written_in_every_place(claim_task: Callable[..., object]) -> None:
    task = asked(claim_task, "prompt: {label_words: {正面: 好, 負面: 壞}, examples: [train1]}\n")
    asker, row = Asker(task), load_split(task, "train").split.rows[0]
    assert asker.completion(row) == "好"
    assert asker.messages(row)[1]["content"] == "壞"
    assert "好、壞、中立" in answer_instruction(task.definition, task.config.values.prompt)
    [plan] = plan_runs(task, "v1")
    assert Example.model_validate_json(plan.data["valid.jsonl"].splitlines()[0]).expected == "正面"
    assert plan.spec.label_words == {"正面": "好", "負面": "壞"}


@pytest.mark.parametrize(
    ("raw", "value", "failure"),
    [
        ("positive", "POS", None),
        (" negative\n", "NEG", None),
        ("NEU", "NEU", None),
        ("POS", None, ParseFailure.unknown_label),
        ("positive positive", None, ParseFailure.repeated),
        ("It is positive.", None, ParseFailure.extra_text),
    ],
)
def test_answers_are_parsed_as_strictly_in_words_as_in_labels(raw: str, value: str | None, failure: object) -> None:
    assert parse_spoken(LABELS, WORDS, raw) == (value, failure)


def test_words_work_inside_an_object_as_well() -> None:
    answer = AnswerFormat(
        type="json", fields=["s"], label_field="s", labels=["POS", "NEG"], enums={"s": ["POS", "NEG"]}
    )
    assert parse_spoken(answer, WORDS, '{"s":"negative"}') == ("NEG", None)
    assert parse_spoken(answer, WORDS, '{"s":"NEG"}').failure is ParseFailure.unknown_label


@pytest.mark.parametrize("words", [{"POS": "same", "NEG": "same"}, {"POS": "NEU"}, {"POS": " "}, {"MIXED": "mixed"}])
def test_words_that_cannot_be_told_apart_are_refused(words: dict[str, str]) -> None:
    with pytest.raises(InputError, match="a word of its own"):
        require_words(LABELS, words)


def test_two_labels_may_swap_their_names() -> None:
    assert parse_spoken(LABELS, {"POS": "NEG", "NEG": "POS"}, "POS") == ("NEG", None)


def test_stored_words_are_scored_again_as_the_labels_they_stand_for(claim_task: Callable[..., object]) -> None:
    made = claim_task(9)
    made.version("v1", {1: [0]})
    path = made.path / "benchmarks" / "results" / "v1_valid.predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    words = {"正面": "好"}
    for line in lines:
        line["raw"] = words.get(line["raw"], line["raw"])
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    task = load_task(made.path)
    assert rescore(task, "v1", words).metrics["accuracy"] == pytest.approx(8 / 9)
    assert rescore(task, "v1").metrics["parse_rate"] < 1


def test_a_prompt_without_examples_and_words_asks_as_before(claim_task: Callable[..., object]) -> None:
    task = asked(claim_task, "prompt: {examples: [], label_words: {}}\n")
    assert task.config.values.prompt == Prompt()
    assert len(Asker(task).messages(load_split(task, "valid").split.rows[0])) == 1
