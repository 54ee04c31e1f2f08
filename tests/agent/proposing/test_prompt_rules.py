"""Proposals about how rows are asked: what they change, when they say nothing, and what they warn of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.proposing import build, propose
from agent.proposing.draft import Draft
from agent.proposing.forecast import no_gain
from agent.proposing.labelling_rules import labelling_offers
from agent.proposing.view import View
from tools.change import ChangeKind, Proposal
from tools.reading.task import load_task
from tools.task import Task
from tools.text import T


def values(proposal: Proposal) -> dict[str, object]:
    return {edit.dotted: edit.new for change in proposal.changes for edit in change.edits}


def unparsed(made: Any) -> Any:
    return made.finding("output_format", about={"where": "answers"}, lost=0.06)


@pytest.fixture
def documents(tmp_path: Path) -> Task:
    """An extraction task with weights of its first version."""
    folder = tmp_path / "tasks" / "letters"
    (folder / "data").mkdir(parents=True)
    (folder / "models" / "v1" / "adapter").mkdir(parents=True)
    (folder / "task_definition.yaml").write_text(
        "task_name: letters\ntask_type: extraction\ninput_format: {template: '{text}'}\n"
        "output_format: {type: json, schema: {subject: {type: string}, speed: {type: string, enum: [fast, slow]}}}\n"
        "success_criteria: {primary_metric: field_score, threshold: 0.8}\n",
        encoding="utf-8",
    )
    for split in ("train", "valid", "test"):
        rows = [
            {"id": f"{split}{n}", "text": f"{split} letter {n}", "output": {"subject": f"s{n}", "speed": "fast"}}
            for n in range(12)
        ]
        (folder / "data" / f"{split}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
    return load_task(folder)


def test_objects_that_do_not_parse_are_met_by_constrained_decoding_before_any_training(
    documents: Task, made: Any
) -> None:
    first, second, *_ = propose(documents, made.diagnosis(documents, unparsed(made)))
    assert values(first) == {"decoding.constrained": True}
    assert (first.cost.trainings, first.effect.source) == (0, "measured")
    assert set(values(second)) == {"prompt.examples"}


def test_examples_are_training_rows_one_of_each_label_and_priced_as_an_evaluation(task: Task, made: Any) -> None:
    (task.path / "models" / "v1" / "adapter").mkdir(parents=True)
    found = propose(task, made.diagnosis(task, unparsed(made)))
    [shown] = [one for one in found if "prompt.examples" in values(one)]
    ids = values(shown)["prompt.examples"]
    assert [name.split("-")[1].rstrip("0123456789") for name in ids] == ["正面", "負面", "中立"]
    assert all(name.startswith("train-") for name in ids)
    assert shown.cost.trainings == 0
    assert "trained with another prompt" in str(shown.caution)


def test_without_the_parents_weights_a_prompt_is_priced_and_announced_as_a_training(task: Task, made: Any) -> None:
    [shown] = [one for one in propose(task, made.diagnosis(task, unparsed(made))) if "prompt.examples" in values(one)]
    assert shown.cost.trainings == 1
    assert shown.caution is None


def test_examples_that_would_push_the_question_out_of_the_prompt_are_not_proposed(
    make_task: Callable[..., Task], made: Any
) -> None:
    task = make_task("training: {max_length: 60}\n")
    assert all("prompt.examples" not in values(one) for one in propose(task, made.diagnosis(task, unparsed(made))))


@pytest.mark.parametrize("config", ["decoding: {constrained: true}\n", "prompt: {examples: [train-正面1]}\n"])
def test_what_is_set_already_is_not_proposed_again(make_task: Callable[..., Task], made: Any, config: str) -> None:
    task = make_task(config)
    keys = {key for one in propose(task, made.diagnosis(task, unparsed(made))) for key in values(one)}
    assert "prompt.examples" not in keys


def test_a_healthy_format_gets_no_proposal_about_the_prompt(task: Task, made: Any) -> None:
    found = propose(task, made.diagnosis(task, made.finding("underfitting", about={"sign": "still_falling"})))
    assert not {"prompt.examples", "decoding.constrained"} & {key for one in found for key in values(one)}


def test_a_change_of_words_is_a_training_whatever_weights_are_there(task: Task, made: Any) -> None:
    (task.path / "models" / "v1" / "adapter").mkdir(parents=True)
    view = View(task, made.diagnosis(task))
    change = view.change(ChangeKind.prompt, T("Words"), {("prompt", "label_words", "正面"): "好"})
    draft = Draft(
        title=T("Words"), findings=[], changes=[change], metric="macro_f1", gain=no_gain(), basis=T("x"),
        page="methods/prompting", problem=T("x"),
    )  # fmt: skip
    proposal = build(view, draft)
    assert (proposal.cost.trainings, proposal.caution) == (1, None)


def test_a_pool_is_offered_only_where_more_rows_could_help(task: Task, made: Any) -> None:
    weak, stable = made.diagnosis(task, made.weak), made.diagnosis(task, made.finding("unstable_training"))
    assert labelling_offers(task.path, weak) == []
    (task.path / "data" / "raw").mkdir()
    (task.path / "data" / "raw" / "pool.jsonl").write_text('{"text": "x"}\n', encoding="utf-8")
    [offer] = labelling_offers(task.path, weak)
    assert "iterate label feelings" in str(offer)
    assert labelling_offers(task.path, stable) == []
