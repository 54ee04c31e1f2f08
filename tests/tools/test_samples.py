from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.diagnose import DiagnoseArgs, diagnose
from tools.edit_config import apply_edits, require_valid
from tools.errors import Busy, InputError, NotFound
from tools.reading.rows import read_rows
from tools.reading.task import load_split, load_task
from tools.results import Prediction
from tools.running.recipe import apply_recipe
from tools.samples import (
    Candidate,
    Check,
    ItemFilter,
    add,
    bulk,
    decide,
    filter_items,
    finish,
    list_batches,
    load_batch,
    plan,
    suspects_batch,
    undo,
)
from tools.text import T

DEFINITION = """\
task_name: mood
task_type: classification
language: zh-TW
input_format: {template: "文本：{text}"}
output_format: {type: label, labels: [正面, 負面, 中.立]}
"""
TEXTS = {
    "t1": ("今天的課程內容非常充實，老師講得很清楚", "正面"),
    "t.2": ("等了兩個小時才輪到我，服務人員還不理人", "負面"),
    "t3": ("會議改到下週三下午兩點在同一個地點舉行", "中.立"),
    "t4": ("今天的課程內容非常充實，老師講得很清楚！", "負面"),
    "t5": ("新的圖書館明年三月開幕，預計有五層樓高", "中.立"),
}
VALID = ("這家餐廳的牛肉麵湯頭濃郁，我一定會再來", "正面")


def write(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    task = tmp_path / "mood"
    write(task / "data/train.jsonl", [{"id": i, "text": t, "label": a} for i, (t, a) in TEXTS.items()])
    write(task / "data/valid.jsonl", [{"id": "v1", "text": VALID[0], "label": VALID[1]}])
    write(task / "data/test.jsonl", [{"id": "x1", "text": "颱風過後，市場的菜價漲了三成左右", "label": "中.立"}])
    (task / "task_definition.yaml").write_text(DEFINITION, encoding="utf-8")
    (task / "configs").mkdir()
    (task / "configs/training_config.yaml").write_text("data:\n  train: [data/train.jsonl]  # mine\n", encoding="utf-8")
    return task


def new(number: int, text: str, label: str = "正面") -> Candidate:
    check = Check(name=T("length"), passed=number % 2 == 0)
    return Candidate(
        id=f"n{number}", origin="new", fields={"text": text}, suggested=label, source="a model", checks=[check]
    )


def train(row: str, **more) -> Candidate:
    text, label = TEXTS[row]
    return Candidate(id=f"train:{row}", origin="train", row=row, fields={"text": text}, answer=label, **more)


def states(folder: Path, name: str = "batch") -> dict[str, str]:
    return {item.candidate.id: item.state for item in load_batch(folder, name).items}


def test_decisions_replace_each_other_and_undo_brings_the_earlier_one_back(folder):
    task = load_task(folder)
    add(folder, "batch", [new(1, "很好"), new(2, "不錯")])
    decide(task, "batch", "n1", "accept", by="me")
    decide(task, "batch", "n1", "relabel", answer="負面", by="me")
    assert states(folder) == {"n1": "relabelled", "n2": "open"}
    assert undo(folder, "batch", by="me") == ["n1"]
    assert states(folder) == {"n1": "accepted", "n2": "open"}
    assert undo(folder, "batch", by="somebody else") == []
    undo(folder, "batch", by="me")
    assert states(folder) == {"n1": "open", "n2": "open"}
    assert undo(folder, "batch", by="me") == []


def test_a_line_torn_by_a_crash_costs_nothing_but_itself(folder):
    task = load_task(folder)
    add(folder, "batch", [new(1, "很好"), new(2, "不錯")])
    decide(task, "batch", "n1", "accept", by="me")
    file = folder / "data/review/batch.decisions.jsonl"
    with file.open("ab") as stream:
        stream.write(b'{"id": "ab", "item": "n2", "ver')
    assert load_batch(folder, "batch").unreadable == 1
    decide(task, "batch", "n2", "reject", reason="太短", by="me")
    assert states(folder) == {"n1": "accepted", "n2": "rejected"}


def test_adding_again_never_doubles_a_row_or_loses_its_decision(folder):
    add(folder, "batch", [new(1, "很好")])
    decide(load_task(folder), "batch", "n1", "accept", by="me")
    assert add(folder, "batch", [new(1, "很好"), new(2, "不錯"), new(2, "不錯")]) == 1
    assert states(folder) == {"n1": "accepted", "n2": "open"}


def test_a_row_that_could_not_be_trained_on_is_refused_with_every_reason(folder):
    task = load_task(folder)
    add(folder, "batch", [new(1, "很好"), new(2, "", "沒有的標籤")])
    with pytest.raises(InputError) as told:
        decide(task, "batch", "n1", "edit", fields={"text": " "}, answer="沒有的標籤", by="me")
    assert len(told.value.problems) == 2
    with pytest.raises(InputError):
        decide(task, "batch", "n2", "accept", by="me")
    with pytest.raises(InputError) as told:
        decide(task, "batch", "n1", "edit", fields={"text": "長" * 10_000}, answer="正面", by="me")
    assert "10000 characters" in str(told.value.problems[0].message)
    assert set(states(folder).values()) == {"open"}
    with pytest.raises(NotFound):
        decide(task, "batch", "nowhere", "reject", by="me")


def test_many_are_decided_at_once_and_undone_at_once(folder):
    task = load_task(folder)
    add(folder, "batch", [new(1, "很好"), new(2, "不錯"), new(3, "還行", "沒有的標籤")])
    assert bulk(task, "batch", ["n1", "n2", "n3"], "accept", by="me") == ["n3"]
    assert states(folder) == {"n1": "accepted", "n2": "accepted", "n3": "open"}
    assert sorted(undo(folder, "batch", by="me")) == ["n1", "n2"]
    assert set(states(folder).values()) == {"open"}


def test_a_filter_looks_at_text_labels_checks_and_decisions(folder):
    add(folder, "batch", [new(1, "ＡＢＣ 很好"), new(2, "不錯", "負面")])
    decide(load_task(folder), "batch", "n2", "reject", reason="太短", by="me")
    batch = load_batch(folder, "batch")

    def found(**wanted) -> list[str]:
        return [item.candidate.id for item in filter_items(batch, ItemFilter(**wanted))]

    assert found(words="abc 好") == ["n1"]
    assert found(words="負面") == ["n2"]
    assert found(words="太短") == ["n2"]
    assert found(undecided=True) == ["n1"]
    assert found(failed=True) == ["n1"]


def test_the_outcome_is_one_new_file_and_lines_of_the_recipe(folder):
    task = load_task(folder)
    before = (folder / "data/train.jsonl").read_bytes()
    decided = [train("t1"), train("t.2"), train("t3"), train("t4", suggested="正面"), train("t5")]
    add(folder, "batch", [new(1, "外送準時，餐點還是熱的"), *decided])
    decide(task, "batch", "n1", "edit", fields={"text": "外送準時，餐點還是熱的，包裝也好"}, answer="正面", by="me")
    decide(task, "batch", "train:t1", "accept", by="me")
    decide(task, "batch", "train:t.2", "relabel", answer="中.立", by="me")
    decide(task, "batch", "train:t3", "reject", by="me")
    decide(task, "batch", "train:t4", "accept", by="me")
    decide(task, "batch", "train:t5", "edit", fields={"text": "新圖書館明年三月開幕"}, answer="中.立", by="me")

    change = finish(task, "batch")
    assert finish(task, "batch") == change
    text = apply_edits(task.config.text, change.edits)
    assert "# mine" in text
    require_valid(task, text)
    (folder / "configs/training_config.yaml").write_text(text, encoding="utf-8")
    after = load_task(folder)
    result = apply_recipe(after, load_split(after, "train").split)
    rows = {row.fields["text"]: row.answer for row in result.rows}
    assert not result.problems
    assert rows == {
        TEXTS["t1"][0]: "正面",
        TEXTS["t.2"][0]: "中.立",
        TEXTS["t4"][0]: "正面",
        "外送準時，餐點還是熱的，包裝也好": "正面",
        "新圖書館明年三月開幕": "中.立",
    }
    assert (folder / "data/train.jsonl").read_bytes() == before
    mended = next(row for row in result.rows if row.fields["text"] == "新圖書館明年三月開幕")
    assert mended.meta["parent_id"] == "t5"
    with pytest.raises(InputError, match="nothing to propose"):
        finish(after, "batch")


def test_going_on_with_a_finished_batch_replaces_its_file_instead_of_adding_rows_twice(folder):
    add(folder, "batch", [new(1, "外送準時，餐點還是熱的"), new(2, "客服三天都沒有回信", "負面")])
    for number in (1, 2):
        task = load_task(folder)
        decide(task, "batch", f"n{number}", "accept", by="me")
        text = apply_edits(task.config.text, finish(task, "batch").edits)
        (folder / "configs/training_config.yaml").write_text(text, encoding="utf-8")
    task = load_task(folder)
    assert len(task.config.values.data.train) == 2
    assert len(load_split(task, "train").split.rows) == len(TEXTS) + 2


def test_a_copy_of_an_evaluated_row_is_held_back_without_showing_the_test_row(folder):
    task = load_task(folder)
    add(folder, "batch", [new(1, VALID[0]), new(2, "颱風過後，市場的菜價漲了三成左右。", "中.立"), new(3, "外送準時")])
    bulk(task, "batch", ["n1", "n2", "n3"], "accept", by="me")
    outcome = plan(task, load_batch(folder, "batch"))
    assert outcome.added == 1
    assert set(outcome.held_back) == {"n1", "n2"}
    assert "x1" not in str(outcome.held_back)


def test_a_question_about_a_validation_row_changes_no_training_data(folder):
    task = load_task(folder)
    question = Candidate(id="valid:v1", origin="valid", row="v1", fields={"text": VALID[0]}, answer="正面")
    add(folder, "batch", [question])
    decide(task, "batch", "valid:v1", "relabel", answer="負面", by="me")
    assert plan(task, load_batch(folder, "batch")).questions == 1
    with pytest.raises(InputError):
        finish(task, "batch")
    assert not (folder / "data/reviewed").exists()


def test_an_answer_that_is_an_object_comes_back_as_the_same_row(folder):
    (folder / "task_definition.yaml").write_text(
        "task_name: mood\ntask_type: extraction\n"
        'input_format: {template: "{text}"}\noutput_format: {type: json, schema: {誰: {}, 何時: {}}}\n',
        encoding="utf-8",
    )
    task = load_task(folder)
    item = Candidate(id="n1", origin="new", fields={"text": "里長週五開會"}, suggested={"誰": "里長", "何時": "週五"})
    add(folder, "batch", [item])
    decide(task, "batch", "n1", "accept", by="me")
    finish(task, "batch")
    [file] = (folder / "data/reviewed").iterdir()
    [row] = read_rows(file, task.definition).rows
    assert (row.fields, row.answer) == (item.fields, item.suggested)


def test_the_names_of_batches_cannot_leave_their_folder(folder):
    add(folder, "批次-1", [new(1, "很好")])
    assert list_batches(folder) == ["批次-1"]
    for name in ("../train", "a/b", "", "a.decisions"):
        with pytest.raises(InputError):
            load_batch(folder, name)
    with pytest.raises(NotFound, match="nowhere"):
        load_batch(folder, "nowhere")


def test_a_writer_that_holds_the_lock_is_waited_for_and_then_named(folder, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr("tools.samples._WAIT_SECONDS", 0.01)
    (folder / ".iterate").mkdir()
    with FileLock(folder / ".iterate/review.lock"), pytest.raises(Busy):
        add(folder, "batch", [new(1, "很好")])


def test_the_suspects_come_from_contradictions_and_from_answers_that_deny_a_label(folder):
    write(
        folder / "data/train.jsonl",
        [{"id": i, "text": TEXTS["t1"][0], "label": a} for i, a in (("a", "正面"), ("b", "正面"), ("c", "負面"))]
        + [{"id": "d", "text": VALID[0][:-1] + "吧", "label": "負面"}],
    )
    wrong = Prediction(
        id="v1", input={"text": VALID[0]}, expected="正面", raw="負面", parsed="負面", correct=False, score=0,
        scores={"負面": 0.95, "正面": 0.05},
    )  # fmt: skip
    results = folder / "benchmarks/results"
    results.mkdir(parents=True)
    name = "benchmarks/results/v1_valid.predictions.jsonl"
    (folder / name).write_text(wrong.model_dump_json() + "\n", encoding="utf-8")
    (results / "v1_valid.json").write_text(
        json.dumps(
            {
                "version": "v1",
                "split": "valid",
                "metrics": {"macro_f1": 0.1},
                "rows": 1,
                "evaluator_hash": "abc",
                "source": "iterate",
                "predictions": name,
            }
        ),
        encoding="utf-8",
    )
    found = {one.id: one for one in suspects_batch(load_task(folder), diagnose(DiagnoseArgs(task_dir=folder)))}
    assert found["train:c"].suggested == "正面"
    assert found["train:d"].suggested == "正面" and found["train:d"].twins[0].row == "v1"
    assert found["valid:v1"].origin == "valid" and found["valid:v1"].answered == "負面"
    assert set(found) == {"train:c", "train:d", "valid:v1"}


def test_deciding_many_rows_at_once_looks_the_batch_through_once(folder, monkeypatch):
    task = load_task(folder)
    add(
        folder,
        "batch",
        [Candidate(id=f"n{n}", origin="new", fields={"text": f"第{n}句"}, answer="正面") for n in range(5)],
    )
    monkeypatch.setattr("tools.reviewing.batch.Batch.find", lambda *_: pytest.fail("looked through for one row"))
    assert bulk(task, "batch", [f"n{n}" for n in range(5)], "accept", by="me") == []
    assert load_batch(folder, "batch").counts.accepted == 5


def test_a_row_whose_edited_form_is_taken_back_is_trained_on_again(folder):
    def after_finish():
        task = load_task(folder)
        text = apply_edits(task.config.text, finish(task, "batch").edits)
        (folder / "configs/training_config.yaml").write_text(text, encoding="utf-8")
        task = load_task(folder)
        return [row.id for row in apply_recipe(task, load_split(task, "train").split).rows]

    add(folder, "batch", [train("t1")])
    decide(load_task(folder), "batch", "train:t1", "edit", fields={"text": "課程很充實"}, answer="正面", by="me")
    edited = after_finish()
    assert "t1" not in edited and len(edited) == len(TEXTS)
    undo(folder, "batch", by="me")
    assert after_finish() == list(TEXTS)
