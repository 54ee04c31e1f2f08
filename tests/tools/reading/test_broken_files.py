"""Files broken in every way: no traceback but our own errors, which say something, and never a changed file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.errors import IterateError, Problem
from tools.making.init_task import guess_columns, make_task
from tools.outcomes.predictions import read_prediction_file
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_split, load_task

DEFINITION = """\
task_name: entity-sentiment
task_type: classification
language: zh-TW
input_format: {template: "文本：{text}，{entity}"}
output_format: {type: json, schema: {sentiment: {type: string, enum: [正面, 負面, 中立]}}}
training: {base_model: Qwen/Qwen3-4B, lora: {r: 32, alpha: 64}, epochs: 8, learning_rate: 1e-5}
success_criteria: {primary_metric: macro_f1, threshold: 0.80}
diagnosis: {min_class_f1: 0.7}
"""
CONFIG = """\
lora:
  r: 64          # rank
  alpha: 128
training:
  epochs: 6
  learning_rate: 2e-4
  class_weights: {正面: 1.0, 負面: 1.2, 中立: 1.5}
data: {train: [data/train.jsonl], oversample: {中立: 100}, relabel: {a: 正面}}
"""
ROW = {"id": "a", "text": "央行維持利率不變", "entity": "央行", "label": "中立"}
TRAIN = "".join(json.dumps({**ROW, "id": f"r{n}", "text": f"第{n}句"}, ensure_ascii=False) + "\n" for n in range(12))
RESULT = json.dumps(
    {"macro_f1": 0.72, "f1_正面": "72%", "per_class": {"中立": {"f1": 0.5}}, "rows": 3}, ensure_ascii=False
)
PREDICTION = json.dumps({"id": "a", "label": "正面", "prediction": "負面", "text": "x"}, ensure_ascii=False) + "\n"
TABLE = "headline,entity,sentiment\n" + "".join(f'"news, {n}",firm,{"good" if n % 2 else "bad"}\n' for n in range(30))

MANY_ALIASES = "k0: &k0 [1, 1, 1]\n" + "".join(f"k{n}: &k{n} [{f'*k{n - 1}, ' * 9}]\n" for n in range(1, 9))
"""A few lines that stand for millions of values."""

FILES = {
    "task_definition.yaml": DEFINITION,
    "configs/training_config.yaml": CONFIG,
    "configs/benchmark_config.yaml": "results: {old.json: valid}\n",
    "data/train.jsonl": TRAIN,
    "benchmarks/results/v1_valid.json": RESULT,
    "benchmarks/results/old.json": RESULT,
    "iterations/v1/history.jsonl": '{"step": 1, "loss": 2.0}\n{"step": 2, "eval_loss": 1.0}\n',
    "models/v1/trainer_state.json": '{"log_history": [{"step": 1, "loss": 2.0}, {"step": 2, "eval_loss": 1.5}]}',
    "v1_valid.predictions.jsonl": PREDICTION * 3,
}

modest = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
texts = st.text(max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
odd_keys = st.sampled_from(
    [
        *("task_name", "task_type", "input_format", "output_format", "template", "schema", "enum", "labels", "type"),
        *("training", "lora", "success_criteria", "targets", "metric", "primary_metric", "threshold", "diagnosis"),
        *("slices", "deploy", "command", "language", "long_fields", "data", "prompt", "decoding", "epochs", "r"),
        *("learning_rate", "class_weights", "seeds", "base_model", "warmup_ratio", "bf16", "batch_size", "train"),
        *("gradient_accumulation_steps", "valid", "test", "exclude", "relabel", "results", "metrics", "per_class"),
        *("confusion", "log_history", "step", "loss", "split", "version", "messages", "role", "content", "chosen"),
        *("rejected", "id", "label", "output", "text", "entity", "rows", "macro avg", "accuracy", "f1_x", "n-samples"),
    ]
)
near_misses = st.recursive(
    values, lambda inner: st.dictionaries(odd_keys, inner, max_size=6) | st.lists(inner, max_size=3), max_leaves=20
)


@contextmanager
def folder(changed: dict[str, bytes]) -> Iterator[Path]:
    """A whole task with some files replaced; fails when anything in it is different afterwards."""
    with tempfile.TemporaryDirectory() as place:
        task = Path(place) / "task"
        contents = {name: text.encode("utf-8") for name, text in FILES.items()} | changed
        for name, content in contents.items():
            (task / name).parent.mkdir(parents=True, exist_ok=True)
            (task / name).write_bytes(content)
        yield task
        assert {str(p.relative_to(task)): p.read_bytes() for p in task.rglob("*") if p.is_file()} == contents


def read_everything(task_dir: Path) -> None:
    """Read a task in all ways; every problem must be a sentence that can be shown and stored."""
    problems: list[Problem] = []
    reads: list[Callable[[], list[Problem]]] = [
        lambda: read_results(ReadResultsArgs(task_dir=task_dir)).problems,
        lambda: read_results(ReadResultsArgs(task_dir=task_dir), opened=True).problems,
        lambda: read_prediction_file(task_dir / "v1_valid.predictions.jsonl").problems,
        lambda: read_task(task_dir),
    ]
    for read in reads:
        try:
            problems += read()
        except IterateError as error:
            problems += error.problems
            assert str(error.message)
    for problem in problems:
        assert_can_be_shown(problem)


def read_task(task_dir: Path) -> list[Problem]:
    task = load_task(task_dir)
    found = [*task.problems, *task.config.problems]
    task.model_dump_json()
    for name in ("train", "valid", "test"):
        read = load_split(task, name)  # type: ignore[arg-type]
        read.model_dump_json()
        assert len({row.id for row in read.split.rows}) == len(read.split.rows)
        found += read.problems
    return found


def assert_can_be_shown(problem: Problem) -> None:
    """Its sentence renders, holds no escape characters, and can be stored."""
    said = str(problem.message) + str(problem.hint or "")
    assert "\x1b" not in said
    problem.model_dump_json().encode("utf-8")


@modest
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=300))
def test_random_bytes_in_any_file_never_end_in_a_traceback(name: str, content: bytes) -> None:
    with folder({name: content}) as task:
        read_everything(task)


@modest
@given(st.sampled_from(sorted(FILES)), st.integers(0, 400), st.integers(0, 20), st.binary(max_size=6))
def test_damage_in_the_middle_of_any_file_never_ends_in_a_traceback(
    name: str, start: int, removed: int, inserted: bytes
) -> None:
    content = FILES[name].encode("utf-8")
    with folder({name: content[:start] + inserted + content[start + removed :]}) as task:
        read_everything(task)


@modest
@given(
    st.sampled_from([name for name in sorted(FILES) if name.endswith(("yaml", "json"))]),
    st.dictionaries(odd_keys, near_misses, max_size=8),
)
def test_values_of_any_type_under_any_key_never_end_in_a_traceback(name: str, data: dict[str, object]) -> None:
    with folder({name: json.dumps(data).encode("utf-8")}) as task:
        read_everything(task)


@modest
@given(st.lists(st.dictionaries(odd_keys | texts, near_misses, max_size=8), max_size=6))
def test_rows_of_any_shape_never_end_in_a_traceback(rows: list[dict[str, object]]) -> None:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8")
    with folder({"data/train.jsonl": content, "v1_valid.predictions.jsonl": content}) as task:
        read_everything(task)
        (task / "task_definition.yaml").unlink()
        read_everything(task)
        (task / "task_definition.yaml").write_bytes(DEFINITION.encode("utf-8"))


@modest
@given(
    st.sampled_from(["utf-16", "utf-16-be", "utf-32", "big5", "gb18030", "utf-8-sig", "latin-1", "cp037"]), st.data()
)
def test_files_in_any_encoding_never_end_in_a_traceback(codec: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    content = FILES[name].replace("\n", data.draw(st.sampled_from(["\n", "\r\n", "\r"])))
    with folder({name: content.encode(codec, errors="replace")}) as task:
        read_everything(task)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "a: &a {b: *a}\n<<: *a",
        MANY_ALIASES,
        "[" * 3000,
        "a: !!python/object/apply:os.system [echo]",
        "? {a: 1}\n: 2",
        "training: {epochs: 2024-01-01, lora: [1]}",
        "\t- x",
        "a: 1\n---\nb: 2",
        "training: {epochs: " + "9" * 5000 + "}",
        "%YAML 1.1\n---\na: yes",
        "x: !!binary aGVsbG8=\ntask_name: !!set {a, b}",
    ],
    ids=lambda text: repr(text[:12]),
)
@pytest.mark.parametrize(
    "name", ["task_definition.yaml", "configs/training_config.yaml", "configs/benchmark_config.yaml"]
)
def test_yaml_that_is_a_trap_never_ends_in_a_traceback(name: str, text: str) -> None:
    with folder({name: text.encode("utf-8")}) as task:
        read_everything(task)


@modest
@given(
    st.sampled_from([".csv", ".tsv", ".jsonl", ".json", ".parquet"]),
    st.binary(max_size=300) | st.text().map(str.encode),
)
def test_random_tables_never_end_in_a_traceback_and_leave_no_task(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / f"table{suffix}"
        source.write_bytes(content)
        for act in (lambda: guess_columns(source), lambda: make_task(source, Path(place) / "tasks", "made")):
            try:
                act()
            except IterateError as error:
                assert str(error.message)
        assert source.read_bytes() == content
        assert not list((Path(place)).glob("tasks/.made*"))


@modest
@given(st.integers(0, 900), st.binary(max_size=6))
def test_a_damaged_table_makes_a_whole_task_or_none(start: int, inserted: bytes) -> None:
    content = TABLE.encode("utf-8")
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "table.csv"
        source.write_bytes(content[:start] + inserted + content[start:])
        try:
            made = make_task(source, Path(place) / "tasks", "made")
        except IterateError:
            assert not (Path(place) / "tasks" / "made").exists()
            return
        task = load_task(made.path)
        assert [problem for problem in task.problems if problem.kind is not None] == []
        assert len(load_split(task, "train").split.rows) == made.counts["train"]
