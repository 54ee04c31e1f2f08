"""Pairs from a task's own rows and errors: what they hold, what they never hold, and which of them a training takes."""

from __future__ import annotations

import json

import pytest

from tools.change import Edit
from tools.edit_config import EditConfigArgs, edit_config
from tools.errors import InputError, NotFound
from tools.preference.attach import attach
from tools.preference.broken import break_answer
from tools.preference.derived import derive_pairs, most_confusable, write_derived
from tools.preference.out_of_fold import collect_folds, plan_folds
from tools.preference.pairs import Pair, PairSource, by_source, files_of, pair_lines, read_pairs
from tools.preference.usable import pair_problems, usable_pairs
from tools.reading.task import load_task
from tools.running.plan_runs import plan_runs
from tools.runs import Example
from tools.scoring.answers import ParseFailure, parse_answer
from tools.task import AnswerFormat
from tools.versions import begin_version, find_version, restore_version

LABELS = ["正面", "負面", "中立"]
LABEL = AnswerFormat(type="label", labels=LABELS)
OBJECT = AnswerFormat(type="json", fields=["主旨", "日期"])


@pytest.fixture
def task(claim_task):
    """v1 takes 中立 for 正面 on validation more often than for anything else."""
    made = claim_task(90)
    made.version("v1", {42: [2, 5, 8, 11, 0, 1]})
    return made


def config(task, training, decoding=None, **data):
    values = {"training": training, "data": data, "decoding": decoding or {}}
    task.write("configs/training_config.yaml", json.dumps(values, ensure_ascii=False))
    return load_task(task.path)


def pair(row, rejected="負面", chosen="正面", number=""):
    source = PairSource.confusable
    return Pair(id=f"{row}{number}/x", row=row, chosen=chosen, rejected=rejected, source=source)


def train_examples(folder):
    return [Example.model_validate_json(line) for line in plan_runs(folder, "v2")[0].data["train.jsonl"].splitlines()]


def test_pairs_never_hold_a_row_of_valid_or_test_and_never_prefer_an_answer_to_itself(task):
    pairs = derive_pairs(load_task(task.path)).pairs
    train = {row["id"]: row["label"] for row in map(json.loads, task.read("data/train.jsonl").splitlines())}
    assert pairs
    assert all(one.row in train and one.chosen == train[one.row] for one in pairs)
    assert all(one.chosen != one.rejected for one in pairs)
    text = pair_lines(pairs)
    assert "valid" not in text
    assert "test" not in text


def test_the_rejected_label_is_the_one_that_the_label_is_most_often_taken_for(task):
    pairs = derive_pairs(load_task(task.path)).pairs
    assert {one.rejected for one in pairs if one.chosen == "中立"} == {"正面"}
    assert {one.version for one in pairs} == {"v1"}
    assert {one.model for one in pairs} == {"embedded:gemma3-270m"}


def test_a_label_that_nothing_is_confused_with_has_no_pair():
    confusion = {"a": {"a": 9, "b": 1}, "b": {"b": 10}, "c": {"c": 10, "": 2}}
    assert most_confusable(confusion, ["a", "b", "c"]) == {"a": "b", "b": "a"}


def test_unparsed_answers_make_a_share_of_the_pairs_about_the_format(claim_task):
    made = claim_task(90)
    made.version("v1", {42: [2, 5, 8]}, unparsed=[1, 4, 7, 10, 13, 16, 19, 22, 25])
    pairs = derive_pairs(load_task(made.path)).pairs
    counts = by_source(pairs)
    assert counts[PairSource.broken_format] == 9
    assert all(
        parse_answer(LABEL, one.rejected).failure is not None for one in pairs if one.source is PairSource.broken_format
    )


@pytest.mark.parametrize("kind", [kind.value for kind in ParseFailure])
@pytest.mark.parametrize(("answer", "text"), [(LABEL, "中立"), (OBJECT, '{"主旨":"延期","日期":"5月"}')])
def test_a_broken_answer_is_really_refused_by_the_parser(answer, text, kind):
    broken = break_answer(answer, text, [kind, ParseFailure.extra_text])
    assert broken is not None
    assert parse_answer(answer, text).failure is None
    assert parse_answer(answer, broken).failure is not None


def test_free_text_has_no_broken_form():
    assert break_answer(AnswerFormat(type="text"), "央行不變", ["empty", "cut_off"]) is None


def test_without_a_validation_result_there_is_nothing_to_derive_from(claim_task):
    with pytest.raises(NotFound, match="confusions"):
        derive_pairs(load_task(claim_task(30).path))


def test_equal_rows_and_results_give_the_same_file_and_writing_it_twice_is_writing_it_once(task):
    derived = derive_pairs(load_task(task.path))
    folder = config(task, {"method": "orpo"}, preference=[derived.file])
    assert derive_pairs(folder) == derived
    assert pair_problems(folder) == []
    assert usable_pairs(folder).count == len(derived.pairs)
    assert files_of(task.path) == []
    assert write_derived(task.path) == [derived.file]
    assert write_derived(task.path) == []
    assert read_pairs(task.path, derived.file) == derived.pairs


def test_pairs_that_rows_no_longer_give_are_refused_and_not_replaced_by_others(task):
    derived = derive_pairs(load_task(task.path))
    config(task, {"method": "orpo"}, preference=[derived.file])
    rows = [json.loads(line) for line in task.read("data/train.jsonl").splitlines()]
    rows[0]["label"] = "負面"
    task.write("data/train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match="can no longer be made"):
        write_derived(task.path)
    assert files_of(task.path) == []
    assert pair_problems(load_task(task.path))


def test_a_training_gets_chosen_and_rejected_answers_and_says_which_rows_have_none(task):
    task.write("data/preference/mine.jsonl", pair_lines([pair("train0"), pair("train3", "中立")]))
    folder = config(task, {"method": "orpo"}, preference=["data/preference/mine.jsonl"])
    rows = {one.id: (one.chosen, one.rejected) for one in train_examples(folder)}
    assert rows["train0"] == ("正面", "負面")
    assert rows["train3"] == ("正面", "中立")
    assert rows["train1"] == (None, None)
    assert len(rows) == 90


def test_a_pair_that_names_a_validation_row_is_never_trained_on(task):
    task.write("data/preference/mine.jsonl", pair_lines([pair("train0"), pair("valid0"), pair("test0")]))
    folder = config(task, {"method": "dpo"}, preference=["data/preference/mine.jsonl"])
    assert {one.id for one in train_examples(folder) if one.rejected} == {"train0"}
    assert usable_pairs(folder).stale == 2


def test_a_pair_whose_row_was_relabelled_or_left_out_since_is_stale(task):
    task.write("data/preference/mine.jsonl", pair_lines([pair("train0"), pair("train3"), pair("train6")]))
    folder = config(
        task,
        {"method": "dpo"},
        preference=["data/preference/mine.jsonl"],
        relabel={"train0": "負面"},
        exclude=["train3"],
    )
    assert {one.id for one in train_examples(folder) if one.rejected} == {"train6"}
    assert usable_pairs(folder).stale == 2


def test_the_first_file_with_pairs_for_a_row_counts_and_several_pairs_make_several_rows(task):
    task.write("data/preference/a.jsonl", pair_lines([pair("train0", number=1), pair("train0", "中立", number=2)]))
    task.write("data/preference/b.jsonl", pair_lines([pair("train0", "中立"), pair("train3")]))
    folder = config(task, {"method": "orpo"}, preference=["data/preference/a.jsonl", "data/preference/b.jsonl"])
    found = [(one.id, one.rejected) for one in train_examples(folder) if one.rejected]
    assert sorted(found) == [("train0", "負面"), ("train0~2", "中立"), ("train3", "負面")]


def test_a_repeated_row_brings_its_pairs_along(task):
    task.write("data/preference/a.jsonl", pair_lines([pair("train0")]))
    folder = config(task, {"method": "dpo"}, preference=["data/preference/a.jsonl"], oversample={"正面": 40})
    found = [one.id for one in train_examples(folder) if one.rejected]
    assert found == ["train0", "train0#2"]


def test_pairs_that_users_bring_in_their_rows_need_no_file(claim_task):
    made = claim_task(30)
    rows = [{"text": f"句{n}", "chosen": "正面", "rejected": "負面", "id": f"u{n}"} for n in range(12)]
    made.write("data/train.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    folder = config(made, {"method": "dpo"})
    assert pair_problems(folder) == []
    assert all(one.rejected == "負面" for one in train_examples(folder))


@pytest.mark.parametrize("preference", [[], ["data/preference/gone.jsonl"], ["../outside.jsonl"]])
def test_a_method_without_pairs_is_refused_before_anything_is_written(task, preference):
    folder = config(task, {"method": "dpo"}, preference=preference)
    with pytest.raises(InputError) as caught:
        plan_runs(folder, "v2")
    assert "iterate pairs" in str(caught.value.hint)
    [problem] = pair_problems(folder)
    assert problem.about == {"key": "data.preference"}


def test_lines_that_are_no_pairs_are_named_all_at_once(task):
    task.write("data/preference/mine.jsonl", '{"row": 1}\nhello\n' + pair_lines([pair("train0")]))
    folder = config(task, {"method": "dpo"}, preference=["data/preference/mine.jsonl"])
    with pytest.raises(InputError) as caught:
        plan_runs(folder, "v2")
    assert [problem.line for problem in caught.value.problems] == [1, 2]


def test_sft_is_not_touched_by_pairs_and_evaluating_a_version_needs_none(task):
    before = config(task, {"method": "sft"})
    plain = plan_runs(before, "v2")[0]
    after = config(task, {"method": "sft"}, preference=["data/preference/gone.jsonl"])
    assert plan_runs(after, "v2")[0].spec.run_id == plain.spec.run_id
    assert plan_runs(config(task, {"method": "dpo"}), "v2", train=False)


def test_other_pairs_make_another_run(task):
    ids = []
    for rejected in ("負面", "中立"):
        task.write("data/preference/mine.jsonl", pair_lines([pair("train0", rejected)]))
        folder = config(task, {"method": "orpo"}, preference=["data/preference/mine.jsonl"])
        ids.append(plan_runs(folder, "v2")[0].spec.run_id)
    assert ids[0] != ids[1]


def test_a_version_record_holds_the_hash_of_its_pairs(task):
    derived = derive_pairs(load_task(task.path))
    text = config(task, {"method": "orpo"}, preference=[derived.file]).config.text
    write_derived(task.path)
    begin_version(task.path, "v2", parent="v1", config_text=text)
    assert find_version(task.path, "v2").manifest.data[derived.file]


def test_the_edit_keeps_comments_and_going_back_restores_sft(task):
    before = task.config.read_bytes()
    begin_version(task.path, "v1", parent=None, config_text=before.decode("utf-8"))
    folder = load_task(task.path)
    file = derive_pairs(folder).file
    edits = [Edit(path=("training", "method"), new="orpo"), Edit(path=("data", "preference"), new=[file])]
    edit_config(EditConfigArgs(task_dir=task.path, edits=edits, expected_sha256=folder.config.sha256))
    values = load_task(task.path).config.values
    assert (values.training.method, values.data.preference) == ("orpo", [file])
    assert "# short" in task.config.read_text("utf-8")
    restore_version(task.path, "v1")
    assert task.config.read_bytes() == before


def test_each_row_is_asked_of_a_model_that_has_not_seen_it_or_its_twin(claim_task):
    made = claim_task(60)
    twins = [{"id": f"twin{n}", "text": f"train 第{n}句" + "。" * (n % 7), "label": made.label(n)} for n in (3, 4)]
    made.write("data/train.jsonl", made.read("data/train.jsonl") + "".join(json.dumps(t) + "\n" for t in twins))
    folder = config(made, {"seeds": [1, 2], "method": "orpo"}, oversample={"正面": 30})
    plan = plan_folds(folder, "v1", folds=3)
    asked = []
    for run in plan.runs:
        train = [Example.model_validate_json(line) for line in run.data["train.jsonl"].splitlines()]
        held = [Example.model_validate_json(line) for line in run.data["valid.jsonl"].splitlines()]
        assert not {one.input["text"] for one in train} & {one.input["text"] for one in held}
        assert {one.completion for one in held} == set(LABELS)
        assert set(run.data) == {"train.jsonl", "valid.jsonl"}
        assert run.spec.training.method == "sft"
        asked += [one.id for one in held]
    assert sorted(asked) == sorted([f"train{n}" for n in range(60)] + ["twin3", "twin4"])
    assert plan.cost.minutes > 0
    assert len({run.spec.run_id for run in plan.runs}) == 3


def test_too_few_rows_for_folds_are_refused_with_the_cheaper_way(claim_task):
    with pytest.raises(InputError) as caught:
        plan_folds(load_task(claim_task(12).path), "v1")
    assert "--write" in str(caught.value.hint)


@pytest.mark.training
def test_the_errors_of_fold_trainings_become_pairs_of_the_models_own_words(claim_task, tiny_model):
    from tools.launch_training import prepare, run_all

    made = claim_task(36)
    values = {"base_model": str(tiny_model), "epochs": 1, "precision": "fp32"}
    folder = config(made, values, {"constrained": True})
    plan = plan_folds(folder, "v1", folds=2)
    paths = [prepare(run, made.path) for run in plan.runs]
    assert run_all(paths, lambda _path, _event: None)
    file, pairs = collect_folds(folder, "v1", paths)
    assert read_pairs(made.path, file) == pairs
    assert by_source(pairs) == {PairSource.out_of_fold: len(pairs)}
    assert all(one.row.startswith("train") and one.chosen != one.rejected for one in pairs)
    assert {one.version for one in pairs} == {"v1"}
    assert collect_folds(folder, "v1", paths)[0] == file
    used = config(made, {**values, "method": "dpo"}, preference=[file])
    assert usable_pairs(used).count == len(pairs)
    rows = [one for one in train_examples(used) if one.rejected]
    assert attach(used, [], rows).pairs == len(rows)
