from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.proposing import propose
from tools.change import ChangeKind, Proposal, Tier
from tools.edit_config import apply_edits
from tools.finding import Finding
from tools.reading.task import load_task
from tools.task import Task


def new_values(proposal: Proposal) -> dict[str, Any]:
    return {edit.dotted: edit.new for change in proposal.changes for edit in change.edits}


def proposed(task: Task, made: Any, *findings: Finding) -> list[dict[str, Any]]:
    return [new_values(one) for one in propose(task, made.diagnosis(task, *findings))]


def config_findings(task: Task, made: Any) -> list[Finding]:
    return [made.finding(one.kind, about=one.about, lost=None) for one in task.config.problems if one.kind]


def after(task: Task, proposal: Proposal) -> Task:
    text = apply_edits(task.config.text, [edit for change in proposal.changes for edit in change.edits])
    (task.path / "configs" / "training_config.yaml").write_text(text, encoding="utf-8")
    return load_task(task.path)


# classes


def test_a_scarce_label_gets_more_weight_or_more_rows_each_alone(task: Task, made: Any) -> None:
    assert proposed(task, made, made.scarce) == [
        {"training.class_weights.中立": 3.0},
        {"data.oversample.中立": 40},
    ]


def test_a_weak_label_that_is_not_scarce_gets_a_little_more_weight(task: Task, made: Any) -> None:
    [proposal] = propose(task, made.diagnosis(task, made.weak))
    assert new_values(proposal) == {"training.class_weights.負面": 1.5}
    assert proposal.goal.metric == "f1[負面]"
    assert proposal.caution is not None


def test_weights_that_are_set_already_are_not_proposed(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task("training:\n  class_weights: {中立: 4.0, 負面: 1.5}\n")
    assert proposed(task, made, made.scarce, made.weak) == [{"data.oversample.中立": 40}]


def test_a_label_without_training_rows_is_not_weighed(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task(counts={"正面": 60, "負面": 50})
    assert proposed(task, made, made.scarce) == []


# how it is trained


def test_underfitting_gives_three_ways_to_learn_more(task: Task, made: Any) -> None:
    found = proposed(task, made, made.finding("underfitting", about={"sign": "still_falling"}))
    assert {"training.epochs": 6} in found
    assert {"training.learning_rate": 0.0002} in found
    assert {"lora.r": 32, "lora.alpha": 64} in found
    assert len(found) == 3


def test_a_rank_is_raised_step_by_step_and_alpha_keeps_its_proportion(
    make_task: Callable[..., Task], made: Any
) -> None:
    low = made.finding("low_capacity", about={"wanted": 32})
    assert proposed(make_task("lora: {r: 8, alpha: 32}\n"), made, low) == [{"lora.r": 32, "lora.alpha": 128}]
    overall = made.finding("low_overall")
    assert {"lora.r": 64, "lora.alpha": 128} in proposed(make_task("lora: {r: 32, alpha: 64}\n"), made, overall)
    assert proposed(make_task("lora: {r: 64, alpha: 64}\n"), made, overall) == []
    assert proposed(make_task("lora: null\n"), made, overall) == []


def test_overfitting_is_met_by_stopping_where_it_was_best_or_by_dropout(task: Task, made: Any) -> None:
    found = proposed(task, made, made.finding("overfitting", about={"best_epoch": 1.8}))
    assert {"training.epochs": 2} in found
    assert {"lora.dropout": 0.1} in found


def test_one_epoch_cannot_be_shortened(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task("training: {epochs: 1}\nlora: {dropout: 0.3}\n")
    assert proposed(task, made, made.finding("overfitting")) == []


@pytest.mark.parametrize(("sign", "rate"), [("spikes", 0.00005), ("nan", 0.00002), ("diverged", 0.00002)])
def test_an_unstable_training_gets_a_lower_learning_rate(task: Task, made: Any, sign: str, rate: float) -> None:
    [first, *_] = proposed(task, made, made.finding("unstable_training", about={"sign": sign}))
    assert first == {"training.learning_rate": rate}


def test_a_missing_warmup_is_proposed_and_a_usual_one_is_not(make_task: Callable[..., Task], made: Any) -> None:
    unstable = made.finding("unstable_training", about={"sign": "spikes"})
    assert {"training.warmup": 0.1} in proposed(make_task("training: {warmup: 0}\n"), made, unstable)
    assert {"training.warmup": 20} in proposed(make_task("training: {warmup: 10}\n"), made, unstable)
    assert all("training.warmup" not in one for one in proposed(make_task(), made, unstable))


def test_a_larger_model_comes_last_and_only_where_one_is_known(make_task: Callable[..., Task], made: Any) -> None:
    low = made.finding("low_overall")
    task = make_task("training: {base_model: Qwen/Qwen3-4B}\nlora: {r: 16}\n")
    *_, dense, mixture = propose(task, made.diagnosis(make_task(), low))
    assert new_values(dense) == {"training.base_model": "Qwen/Qwen3-8B"}
    assert new_values(mixture) == {
        "training.base_model": "Qwen/Qwen3-30B-A3B",
        "lora.target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"],
    }
    assert {dense.tier, mixture.tier} == {Tier.long}
    assert "2 times the weights" in str(dense.caution)
    assert "all of them lie in memory" in str(mixture.caution)
    assert all("training.base_model" not in one for one in proposed(make_task(), made, low))


# the output


def test_answers_that_are_no_label_are_met_by_decoding_before_any_training(task: Task, made: Any) -> None:
    (task.path / "models" / "v1" / "adapter").mkdir(parents=True)
    format_finding = made.finding("output_format", about={"where": "answers"}, lost=0.04)
    underfit = made.finding("underfitting", about={"sign": "still_falling"}, lost=0.2)
    first, *_ = propose(task, made.diagnosis(task, underfit, format_finding))
    assert new_values(first) == {"decoding.constrained": True}
    assert first.cost.trainings == 0
    assert first.effect.source == "measured"
    assert first.effect.p_better > 0.9


def test_decoding_among_labels_is_not_proposed_where_there_are_none(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task("prompt: {answer_instruction: ''}\n", labels=False)
    found = made.finding("output_format", about={"where": "answers"})
    assert proposed(task, made, found) == [{"prompt.answer_instruction": None}]


def test_a_limit_that_cuts_answers_is_taken_away(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task("decoding:\n  max_new_tokens: 2  # tight\n")
    cut = made.finding("truncated", about={"where": "generation"})
    [proposal] = propose(task, made.diagnosis(task, cut))
    assert proposal.changes[0].kind is ChangeKind.decoding
    assert after(task, proposal).config.values.decoding.max_new_tokens is None
    assert proposed(make_task(), made, cut) == []


def test_rows_that_are_cut_get_more_room_up_to_a_limit(make_task: Callable[..., Task], made: Any) -> None:
    cut = made.finding("truncated", about={"where": "training"})
    assert proposed(make_task(), made, cut) == [{"training.max_length": 1024}]
    assert proposed(make_task("training: {max_length: 8192}\n"), made, cut) == []


# the rows


def test_leaked_rows_are_left_out_together_and_the_score_is_not_promised_to_rise(task: Task, made: Any) -> None:
    valid = made.finding(
        "split_leak", "error", rows=["train-正面1", "train-正面2"], about={"split": "valid", "share": 0.05}
    )
    test = made.finding("split_leak", "error", rows=["train-正面2", "gone"], about={"split": "test", "share": 0.02})
    [proposal] = propose(task, made.diagnosis(task, valid, test))
    assert new_values(proposal) == {"data.exclude": ["train-正面1", "train-正面2"]}
    assert "2 training rows" in str(proposal.title)
    assert proposal.effect.high < 0.02
    assert proposal.effect.p_better < 0.5
    assert proposal.goal.wanted == proposal.goal.now


def test_rows_that_are_excluded_already_are_not_excluded_again(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task("data:\n  exclude: [train-正面1]  # settled\n")
    leak = made.finding("split_leak", rows=["train-正面1"], about={"split": "valid", "share": 0.05})
    assert proposed(task, made, leak) == []
    more = made.finding("split_leak", rows=["train-正面1", "train-正面2"], about={"split": "valid", "share": 0.05})
    [proposal] = propose(task, made.diagnosis(task, more))
    assert "exclude: [train-正面1, train-正面2]  # settled" in proposal.diff


def test_of_contradicting_rows_the_minority_goes_and_all_of_them_in_a_tie(task: Task, made: Any) -> None:
    groups = [["train-正面1", "train-正面2", "train-中立1"], ["train-負面1", "train-中立2"]]
    [proposal] = propose(task, made.diagnosis(task, made.finding("inconsistent_labels", about={"groups": groups})))
    assert new_values(proposal) == {"data.exclude": ["train-中立1", "train-負面1", "train-中立2"]}
    assert "relabel" in str(proposal.caution)


def test_repeated_rows_are_taken_once_when_they_matter(task: Task, made: Any) -> None:
    assert proposed(task, made, made.finding("duplicate_rows")) == [{"data.deduplicate": True}]
    assert proposed(task, made, made.finding("duplicate_rows", "info"), made.finding("low_overall", lost=0.1))[0] != {
        "data.deduplicate": True
    }


# the configuration


def test_renamed_and_misspelled_keys_that_were_understood_are_mended_in_one_bundle(
    make_task: Callable[..., Task], made: Any
) -> None:
    task = make_task(
        "training:\n  num_train_epochs: 4  # mine\n  learning_rate: 2e-4\n  report_to: none\n  warmup_ratio: 0.1\n"
    )
    [bundle] = propose(task, made.diagnosis(task, *config_findings(task, made)))
    assert {change.kind for change in bundle.changes} == {ChangeKind.repair}
    assert len(bundle.changes) == 4
    assert bundle.cost.minutes == bundle.cost.trainings == 0
    mended = after(task, bundle)
    assert mended.config.problems == []
    assert mended.config.values == task.config.values
    assert "learning_rate: 0.0002" in mended.config.text


def test_a_mended_key_that_takes_effect_is_a_proposal_of_its_own(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task("training:\n  epcohs: 9\n")
    [proposal] = propose(task, made.diagnosis(task, *config_findings(task, made)))
    assert new_values(proposal) == {"training.epochs": 9, "training.epcohs": None}
    assert proposal.changes[0].kind is ChangeKind.config
    assert proposal.cost.trainings == 1


def test_a_fault_of_the_definition_is_not_mended_in_the_configuration(
    make_task: Callable[..., Task], made: Any
) -> None:
    task = make_task("lora: {r: 16}\n")
    about = {
        "key": "training.lr",
        "path": ["training", "lr"],
        "file": "task_definition.yaml",
        "fix_path": ["training", "x"],
    }
    assert proposed(task, made, made.finding("config_renamed_key", about=about)) == []


def test_a_value_is_changed_under_the_name_it_has_in_the_users_file(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task("training:\n  num_train_epochs: 4\n  lora: {r: 16, alpha: 32}\n")
    found = propose(task, made.diagnosis(task, made.finding("underfitting", about={"sign": "no_gap"})))
    values = [new_values(one) for one in found]
    assert {"training.num_train_epochs": 6} in values
    assert {"training.lora.r": 32, "training.lora.alpha": 64} in values


def test_every_edit_names_the_value_that_the_file_has_now(task: Task, made: Any) -> None:
    found = propose(task, made.diagnosis(task, made.finding("underfitting", about={"sign": "no_gap"}), made.scarce))
    olds = {edit.dotted: edit.old for one in found for change in one.changes for edit in change.edits}
    assert olds["training.epochs"] == 4
    assert olds["lora.r"] == 16
    assert olds["training.class_weights.中立"] is None


def test_a_task_without_a_configuration_file_gets_one(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task(None)
    [first, *_] = propose(task, made.diagnosis(task, made.scarce))
    assert "+training:\n+  class_weights:\n+    中立: 3.0" in first.diff
    assert first.config_sha256 == ""
