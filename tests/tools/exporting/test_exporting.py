"""A tiny version is trained once; then it answers, is exported, is loaded by its card, pruned and trained again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.errors import InputError, MissingPart, NotFound, Refused, RunFailed
from tools.exporting.export import MARK, Exported, Wish, export
from tools.exporting.hub import plan_upload, upload
from tools.exporting.plan import plan_export
from tools.exporting.predict import Answered, predict_to_file
from tools.exporting.rows_to_answer import rows_of_file, single_row
from tools.exporting.version import used_version
from tools.launch_training import LaunchArgs, launch_training, list_runs, run_all
from tools.reading.task import load_task
from tools.running.collect import collect
from tools.scoring.stored_results import own_predictions
from tools.text import english
from tools.training.errands import AnswerErrand, AnswersSaid, ExportDone, RawAnswer
from tools.versioning.prune import Judged, plan_prune, prune
from tools.versioning.pruned import pruned_note
from tools.versions import begin_version, record_results

pytestmark = pytest.mark.training
DEFINITION = """task_name: stance
task_type: classification
language: zh-TW
input_format: {template: "對「{target}」的立場。\\n文本：{text}"}
output_format: {type: label, labels: [支持, 反對]}
"""
CONFIG = """lora: {{r: 4, alpha: 8}}
training:
  base_model: {model}
  epochs: 1
  batch_size: 8
  learning_rate: 0.01
  precision: fp32
prompt: {{system: 你是助理。}}
"""
LABELS = ("支持", "反對")


def train(path: Path, version: str) -> None:
    launched = launch_training(LaunchArgs(task_dir=path, version=version, retry=True))
    assert run_all(launched.paths, lambda *_: None, poll_seconds=0.05)
    record_results(path, version, collect(load_task(path), version, launched.paths))


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A task with a trained v1; tests only read it, or copy it."""
    root = tmp_path_factory.mktemp("tasks")
    path = root / "stance"
    for folder in ("configs", "data"):
        (path / folder).mkdir(parents=True)
    (path / "task_definition.yaml").write_text(DEFINITION, encoding="utf-8")
    (path / "configs" / "training_config.yaml").write_text(CONFIG.format(model=tiny_model), encoding="utf-8")
    for split, count in (("train", 16), ("valid", 9), ("test", 2)):
        rows = [
            {"id": f"{split}{n}", "text": "好" * (n % 5) + f"提案{n}", "target": "長照", "label": LABELS[n % 2]}
            for n in range(count)
        ]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (path / "data" / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    patch = pytest.MonkeyPatch()
    patch.setenv("ITERATE_CACHE", str(root / "cache"))
    patch.setenv("OMP_NUM_THREADS", "1")
    begin_version(path, "v1", parent=None, config_text=load_task(path).config.text)
    train(path, "v1")
    yield path
    patch.undo()


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "stance"))


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Exported]]:
    """All four forms, with a converter that only writes down how it was called."""
    folder = tmp_path_factory.mktemp("export")
    converter = folder / "convert_hf_to_gguf.py"
    converter.write_text(
        "import sys, pathlib\nassert (pathlib.Path(sys.argv[1]) / 'config.json').is_file()\n"
        "pathlib.Path(sys.argv[3]).write_bytes(b'GGUF' + sys.argv[5].encode())\n"
    )
    wish = Wish(folder / "out", ("adapter", "merged", "gguf", "ollama"), "fp32", converter)
    with pytest.MonkeyPatch.context() as patch:  # what the converter left here is no real file to be read back
        patch.setattr("tools.exporting.export.finished", lambda *_: ExportDone(asked=None))
        done = export(used_version(trained, "v1"), wish, lambda event: None, english)
    return folder / "out", {one.form: one for one in done}


def test_answers_are_those_of_the_version_s_own_evaluation(trained: Path, tmp_path: Path):
    used = used_version(trained, "v1")
    rows = rows_of_file(used, trained / "data" / "valid.jsonl")
    output = tmp_path / "answers.jsonl"
    count = predict_to_file(used, rows, output, lambda event: None)
    lines = [Answered.model_validate_json(line) for line in output.read_bytes().splitlines()]
    stored = own_predictions(trained, "v1")
    assert [line.row for line in lines] == list(range(1, 10))
    assert [(line.id, line.raw, line.answer, line.failure) for line in lines] == [
        (row.id, row.raw, row.parsed, row.failure) for row in stored
    ]
    assert [line.scores for line in lines] == [pytest.approx(row.scores, abs=1e-4) for row in stored]
    assert (count.rows, count.before, count.failures) == (9, 0, sum(row.failure is not None for row in stored))


def test_a_stopped_run_goes_on_where_it_was(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[list[str]] = []

    def worker(errand: AnswerErrand, stop: object = None) -> Iterator[AnswersSaid]:
        ids = [json.loads(line)["id"] for line in errand.rows.read_text(encoding="utf-8").splitlines()]
        asked.append(ids)
        yield AnswersSaid(answers=[RawAnswer(id=one, raw="支持", scores=None) for one in ids[:4]])
        yield AnswersSaid(answers=[RawAnswer(id=one, raw="不知道", scores=None) for one in ids[4:]])

    monkeypatch.setattr("tools.exporting.predict.run_errand", worker)
    used = used_version(trained, "v1")
    rows = rows_of_file(used, trained / "data" / "valid.jsonl")
    output = tmp_path / "answers.jsonl"
    predict_to_file(used, rows, output, lambda event: None)
    whole = output.read_bytes()
    output.write_bytes(b"".join(whole.splitlines(keepends=True)[:4]) + b'{"row":5,"id":"val')  # killed within a line
    assert predict_to_file(used, rows, output, lambda event: None).before == 4
    assert asked[1] == [f"valid{n}" for n in range(4, 9)]
    numbers = [json.loads(line)["row"] for line in output.read_bytes().splitlines()]
    assert numbers == list(range(1, 10)), "no row is lost and none stands twice"
    assert predict_to_file(used, rows, output, lambda event: None).before == 9
    with pytest.raises(Refused, match="something else"):
        predict_to_file(used, rows[1:], output, lambda event: None)
    output.write_text("my notes\n")
    with pytest.raises(Refused, match="something else"):
        predict_to_file(used, rows, output, lambda event: None)
    assert output.read_text() == "my notes\n"


def card_code(folder: Path) -> str:
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.S)
    assert len(code.splitlines()) == 6
    return code


def test_the_six_lines_of_the_cards_give_the_version_s_answers(
    trained: Path, exported: tuple[Path, dict[str, Exported]]
):
    stored = own_predictions(trained, "v1")[3]
    program = "import os\n"
    for form in ("adapter", "merged"):
        code = card_code(exported[0] / form)
        for name, value in stored.input.items():
            code = code.replace(f'.replace("{{{name}}}", "...")', f'.replace("{{{name}}}", "{value}")')
        *head, last = code.splitlines()
        program += f"os.chdir({str(exported[0] / form)!r})\n" + "\n".join(head) + "\n"
        program += last.replace("print(", "print('SAID', repr(") + ")\n"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert re.findall(r"^SAID (.*)$", said.stdout, re.M) == [repr(stored.raw)] * 2, said.stderr


def test_what_is_exported_says_how_it_was_checked_and_how_it_is_asked(exported: tuple[Path, dict[str, Exported]]):
    folder, done = exported
    assert any("same answer as the adapter to 9 of 9" in str(note) for note in done["merged"].notes)
    assert (folder / "gguf" / "stance-v1.gguf").read_bytes() == b"GGUFf32"
    modelfile = (folder / "ollama" / "Modelfile").read_text(encoding="utf-8")
    assert "FROM ../gguf/stance-v1.gguf" in modelfile
    assert 'TEMPLATE """你是助理。\n\n### Input:\n{{ .Prompt }}\n\n### Answer:\n{{ .Response }}"""' in modelfile
    assert 'PARAMETER stop "<eos>"' in modelfile
    names = {path.name for path in (folder / "adapter").iterdir()}
    assert {"tokenizer.json", "adapter_model.safetensors", "adapter_config.json", MARK} <= names
    assert done["merged"].size > done["adapter"].size


def test_a_card_says_what_it_may_say_and_shows_no_row(exported: tuple[Path, dict[str, Exported]]):
    from huggingface_hub import ModelCard

    text = (exported[0] / "adapter" / "README.md").read_text(encoding="utf-8")
    data = ModelCard(text).data
    assert data.base_model is None  # a folder of this machine is no model of a hub
    assert set(data.to_dict()) <= {"library_name", "pipeline_tag", "tags", "license", "language", "model-index"}
    assert (data.library_name, data.pipeline_tag) == ("peft", "text-generation")
    assert {result.dataset_split for result in data.eval_results} == {"valid"}
    assert data.language == "zh"
    assert data.eval_results[0].metric_type == "macro_f1"
    assert "The test set was not opened" in text
    assert "train: 16 rows (支持 8, 反對 8)" in text
    assert "95 percent interval" in text
    assert not re.search(r"提案\d", text)


def test_what_would_be_written_is_known_before_and_is_what_is_written(
    trained: Path, exported: tuple[Path, dict[str, Exported]], tmp_path: Path
):
    folder, done = exported
    used = used_version(trained, "v1")
    (adapter, merged) = plan_export(used, Wish(folder, ("merged", "adapter"), "fp32"))
    assert [(one.form, one.folder, one.replaces) for one in (adapter, merged)] == [
        ("adapter", done["adapter"].folder, True),
        ("merged", done["merged"].folder, True),
    ]
    assert adapter.size == pytest.approx(done["adapter"].size, abs=20_000)  # the card and its mark are not counted
    weights = (done["merged"].folder / "model.safetensors").stat().st_size
    assert merged.size == pytest.approx(weights, rel=0.05)
    assert not plan_export(used, Wish(tmp_path / "new", ("adapter",)))[0].replaces
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_exported_is_refused_before_a_model_is_loaded(trained: Path, tmp_path: Path):
    used = used_version(trained, "v1")
    (tmp_path / "mine" / "adapter").mkdir(parents=True)
    (tmp_path / "mine" / "adapter" / "notes.txt").write_text("keep")
    with pytest.raises(Refused, match="no export"):
        export(used, Wish(tmp_path / "mine", ("adapter",)), lambda event: None, english)
    with pytest.raises(MissingPart, match="converter"):
        export(used, Wish(tmp_path / "out", ("gguf",), converter=tmp_path / "none.py"), lambda event: None, english)
    assert not (tmp_path / "out").exists()


def test_nothing_is_sent_to_the_hub_without_a_token_and_a_failure_is_said(exported: tuple[Path, dict[str, Exported]]):
    plan = plan_upload(exported[0] / "adapter", "alice/stance-v1")
    assert plan.files["README.md"] > 100
    with pytest.raises(MissingPart, match="not logged in"):
        upload(plan.model_copy(update={"has_token": False}), "v1")
    with pytest.raises(RunFailed, match="did not take alice/stance-v1"):
        upload(plan.model_copy(update={"has_token": True}), "v1")  # tests run without a network
    for name in ("../stance", "alice/立場", "stance"):
        with pytest.raises(InputError, match="repository"):
            plan_upload(exported[0] / "adapter", name)


def weight(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def test_pruning_frees_what_it_said_and_the_version_can_be_trained_again(copied: Path):
    assert plan_prune(copied, Judged(base="v1")).goes == []
    with pytest.raises(Refused, match="starts from it"):
        plan_prune(copied, Judged(base="v1"), versions=["v1"])
    plan = plan_prune(copied, Judged(rolled_back=frozenset({"v1"})))
    before = weight(copied)
    heavy = re.compile(r"checkpoint-|/adapter")
    kept = [path for path in copied.rglob("*") if path.is_file() and not heavy.search(path.as_posix())]
    assert prune(copied, plan, by="me") == plan.size > 0
    note = pruned_note(copied, "v1")
    written = (copied / "iterations" / "v1" / "pruned.json").stat().st_size
    assert 0 <= weight(copied) - written - (before - plan.size) < 400, "but for a section in notes.md"
    assert all(path.is_file() for path in kept)
    assert plan_prune(copied, Judged(rolled_back=frozenset({"v1"}))).goes == []
    with pytest.raises(MissingPart, match="removed to free space") as gone:
        used_version(copied, "v1")
    assert "iterate train stance --version v1" in str(gone.value.hint)
    train(copied, "v1")
    assert note is not None
    weights = json.loads((copied / "models" / "v1" / "weights.json").read_text())["seeds"]
    assert {seed: one["sha256"] for seed, one in weights.items()} == note.weights_sha256
    assert used_version(copied, "v1").weights is not None
    assert len(list_runs(copied, "v1")) == 2


def test_rows_that_cannot_be_asked_are_all_named_before_a_model_is_loaded(trained: Path, tmp_path: Path):
    used = used_version(trained, "v1")
    table = tmp_path / "rows.csv"
    table.write_text("text,target\n好,長照\n", encoding="utf-8")
    assert rows_of_file(used, table)[0].messages[-1]["content"].startswith("對「長照」的立場。\n文本：好")
    table.write_text("text,about\n好,長照\n壞,健保\n", encoding="utf-8")
    with pytest.raises(InputError) as wrong:
        rows_of_file(used, table)
    assert [problem.path for problem in wrong.value.problems] == ["rows.csv"] * 2
    assert single_row(used, "好", "長照", {})[0].input == {"text": "好", "target": "長照"}
    assert single_row(used, "好", None, {"target": "長照"})[0].input == {"text": "好", "target": "長照"}
    with pytest.raises(InputError, match="fields"):
        single_row(used, "好", None, {})
    with pytest.raises(InputError, match="no place for '好'"):
        single_row(used, "好", None, {"target": "長照", "text": "壞"})
    with pytest.raises(NotFound, match="in use"):
        used_version(trained, None)
