from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tools.errors import InputError, NotFound, Refused
from tools.making.init_task import guess_columns, make_task
from tools.making.task_scripts import SCRIPTS, write_scripts
from tools.reading.task import load_split, load_task

HEADER = ["headline", "entity", "sentiment"]
SENTIMENTS = ["positive", "neutral", "negative"]


def table(count: int = 200) -> list[list[str]]:
    """Headlines with one to three entities each, as in news data; every ninth row stands twice."""
    rows: list[list[str]] = []
    for number in range(count):
        for place in range(1 + number % 3):
            entity = f"Firm{place} Inc"
            text = f'Firm0 Inc, Firm1 Inc and Firm2 Inc "up" {number} % on day {number}'
            rows.append([text, entity, SENTIMENTS[(number + place) % 3]])
        if number % 9 == 0:
            rows.append(list(rows[-1]))
    return rows


def write_csv(path: Path, rows: list[list[str]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows([HEADER, *rows])
    return path


def texts(task_dir: Path, split: str) -> list[str]:
    lines = (task_dir / "data" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["headline"] for line in lines]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_columns_are_guessed_with_reasons(tmp_path: Path) -> None:
    guess = guess_columns(write_csv(tmp_path / "news.csv", table()))
    assert (guess.text_column, guess.label_column, guess.target_columns) == ("headline", "sentiment", ["entity"])
    assert guess.task_type == "classification"
    assert set(guess.reasons) == {"text", "label", "target", "task_type"}


def test_columns_with_unusual_names_are_guessed_from_their_values(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "news.csv", table())
    path.write_text(path.read_text().replace("headline,entity,sentiment", "a,b,c", 1))
    guess = guess_columns(path)
    assert (guess.text_column, guess.label_column, guess.target_columns) == ("a", "c", ["b"])


def test_a_task_made_from_a_table_loads_without_a_problem(tmp_path: Path) -> None:
    made = make_task(write_csv(tmp_path / "news.csv", table()), tmp_path / "tasks", "news")
    task = load_task(made.path)
    assert (task.problems, task.config.problems) == ([], [])
    assert task.definition.input_fields == ["headline", "entity"]
    assert sorted(task.definition.answer.labels) == sorted(SENTIMENTS)
    names = ("train", "valid", "test")
    assert [load_split(task, name).problems for name in names] == [[], [], []]  # type: ignore[arg-type]
    assert {name: len(load_split(task, name).split.rows) for name in names} == {  # type: ignore[arg-type]
        name: made.counts[name] for name in names
    }


def test_no_text_stands_in_two_splits_and_no_row_is_lost(tmp_path: Path) -> None:
    rows = table()
    made = make_task(write_csv(tmp_path / "news.csv", rows), tmp_path / "tasks", "news")
    train, valid, test = (set(texts(made.path, split)) for split in ("train", "valid", "test"))
    assert not train & valid
    assert not train & test
    assert not valid & test
    assert sum(made.counts.values()) == len({tuple(row) for row in rows})
    assert any("repeats" in str(problem.message) for problem in made.problems)


def test_texts_that_differ_in_case_width_or_space_stay_together(tmp_path: Path) -> None:
    rows = [[f"News {n}", "x", SENTIMENTS[n % 3]] for n in range(60)]
    rows += [[f"ＮＥＷＳ  {n}", "y", SENTIMENTS[n % 3]] for n in range(60)]
    made = make_task(write_csv(tmp_path / "n.csv", rows), tmp_path / "tasks", "news")
    seen = [
        {" ".join(text.replace("ＮＥＷＳ", "News").split()) for text in texts(made.path, s)}
        for s in ("train", "valid", "test")
    ]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]


def test_sizes_are_met_and_the_rest_is_kept_for_later(tmp_path: Path) -> None:
    made = make_task(
        write_csv(tmp_path / "news.csv", table()),
        tmp_path / "tasks",
        "news",
        train_rows=101,
        valid_rows=50,
        test_rows=60,
    )
    assert {split: made.counts[split] for split in ("train", "valid", "test")} == {
        "train": 101,
        "valid": 50,
        "test": 60,
    }
    lines = (made.path / "data" / "raw" / "unused.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == made.counts["unused"] > 0


def test_labels_keep_their_shares_in_every_split(tmp_path: Path) -> None:
    rows = [[f"text {n}", "x", "positive" if n % 10 else "negative"] for n in range(400)]
    made = make_task(write_csv(tmp_path / "n.csv", rows), tmp_path / "tasks", "news")
    assert made.counts == {"train": 260, "valid": 60, "test": 80, "unused": 0}
    assert {split: counts["negative"] for split, counts in made.labels.items()} == {"train": 26, "valid": 6, "test": 8}


def test_the_same_seed_makes_the_same_files_and_another_one_does_not(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "news.csv", table())
    one = make_task(source, tmp_path / "a", "news", seed=1)
    two = make_task(source, tmp_path / "b", "news", seed=1)
    three = make_task(source, tmp_path / "c", "news", seed=2)
    assert files(one.path) == files(two.path)
    assert files(one.path)["data/valid.jsonl"] != files(three.path)["data/valid.jsonl"]


def test_rows_that_contradict_each_other_stay_out_of_valid_and_test(tmp_path: Path) -> None:
    rows = [[f"text {n}", "x", SENTIMENTS[n % 3]] for n in range(60)]
    rows += [[f"torn {n}", "x", label] for n in range(20) for label in ("positive", "negative")]
    made = make_task(write_csv(tmp_path / "n.csv", rows), tmp_path / "tasks", "news")
    assert not any(text.startswith("torn") for split in ("valid", "test") for text in texts(made.path, split))
    assert any(problem.about.get("what") == "contradicting" for problem in made.problems)


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "json", "wrapped", "parquet", "semicolon", "big5", "utf-16"])
def test_tables_of_every_format_give_the_same_rows(tmp_path: Path, kind: str) -> None:
    rows = [[f"第{n}則新聞說公司表現不同", f"公司{n % 5}", SENTIMENTS[n % 3]] for n in range(60)]
    objects = [dict(zip(HEADER, row, strict=True)) for row in rows]
    if kind == "parquet":
        pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        source = tmp_path / "t.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(objects), source)
    elif kind in {"jsonl", "json", "wrapped"}:
        source = tmp_path / ("t.jsonl" if kind == "jsonl" else "t.json")
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in objects)
        listed = json.dumps({"meta": 1, "data": objects} if kind == "wrapped" else objects, indent=1)
        source.write_text(lines if kind == "jsonl" else listed, encoding="utf-8")
    else:
        delimiter = {"tsv": "\t", "semicolon": ";"}.get(kind, ",")
        encoding = kind if kind in {"big5", "utf-16"} else "utf-8-sig"
        source = write_csv(tmp_path / ("t.tsv" if kind == "tsv" else "t.csv"), rows, encoding, delimiter)
    made = make_task(source, tmp_path / "tasks", "news")
    held = {text for split in ("train", "valid", "test") for text in texts(made.path, split)}
    assert held == {row[0] for row in rows}
    assert load_task(made.path).definition.language == "zh-TW"


def test_objects_as_answers_make_an_extraction_and_long_texts_a_generation(tmp_path: Path) -> None:
    objects = [{"text": f"letter {n}", "output": {"who": f"a{n}", "when": "b"}} for n in range(40)]
    source = tmp_path / "letters.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in objects), encoding="utf-8")
    task = load_task(make_task(source, tmp_path / "tasks", "letters").path)
    assert (task.definition.task_type, task.definition.answer.fields, task.problems) == (
        "extraction",
        ["who", "when"],
        [],
    )
    assert load_split(task, "train").split.rows[0].answer is not None
    stories = [{"text": f"title {n}", "output": f"a long story about {n}"} for n in range(40)]
    source.write_text("".join(json.dumps(row) + "\n" for row in stories), encoding="utf-8")
    assert load_task(make_task(source, tmp_path / "tasks", "stories").path).definition.task_type == "generation"


def test_wishes_of_the_flags_are_kept(tmp_path: Path) -> None:
    made = make_task(
        write_csv(tmp_path / "news.csv", table()),
        tmp_path / "tasks",
        "news",
        text_column="headline",
        label_column="sentiment",
        target_columns=[],
        language="en",
        base_model="embedded:smollm2-135m",
    )
    task = load_task(made.path)
    assert task.definition.input_fields == ["headline"]
    assert task.config.values.training.base_model == "embedded:smollm2-135m"


def test_the_files_can_be_read_by_strict_yaml_readers_too(tmp_path: Path) -> None:
    made = make_task(write_csv(tmp_path / "news.csv", table()), tmp_path / "tasks", "news")
    for name in ("task_definition.yaml", "configs/training_config.yaml"):
        text = (made.path / name).read_text(encoding="utf-8")
        old = YAML(typ="safe", pure=True)
        old.version = (1, 1)
        assert old.load(text) == YAML(typ="safe", pure=True).load(text)


def test_labels_and_columns_with_odd_characters_survive(tmp_path: Path) -> None:
    labels = ["yes", "1.0", "a: b", "#x", '"q"']
    rows = [[f"text {n}", "x", labels[n % 5]] for n in range(100)]
    path = write_csv(tmp_path / "n.csv", rows)
    path.write_text(path.read_text().replace("headline,entity,sentiment", '"my {text}",id,label', 1))
    made = make_task(path, tmp_path / "tasks", "odd", text_column="my {text}", label_column="label", target_columns=[])
    task = load_task(made.path)
    assert (sorted(task.definition.answer.labels), task.problems) == (sorted(labels), [])
    assert load_split(task, "train").problems == []


def test_an_existing_task_is_never_touched(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "news.csv", table())
    (tmp_path / "tasks" / "news").mkdir(parents=True)
    (tmp_path / "tasks" / "news" / "mine.txt").write_text("mine")
    before = files(tmp_path)
    with pytest.raises(Refused):
        make_task(source, tmp_path / "tasks", "news")
    assert files(tmp_path) == before


def test_nothing_is_left_behind_when_making_a_task_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tools.making.init_task.write_scripts", full_disk)
    with pytest.raises(Exception, match="No space left"):
        make_task(write_csv(tmp_path / "news.csv", table()), tmp_path / "tasks", "news")
    assert list((tmp_path / "tasks").iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", ".hidden", "x" * 100, "a b", "a\nb", "a..b"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        make_task(write_csv(tmp_path / "news.csv", table()), tmp_path / "tasks", name)
    assert not (tmp_path / "tasks").exists()


def test_columns_that_do_not_exist_are_all_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        make_task(write_csv(tmp_path / "n.csv", table()), tmp_path, "n", text_column="headlin", label_column="sentimnt")
    assert [problem.value for problem in caught.value.problems] == ["headlin", "sentimnt"]
    assert "headline" in str(caught.value.problems[0].hint)


def test_sizes_beyond_the_table_are_refused_with_the_numbers(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="100000"):
        make_task(write_csv(tmp_path / "n.csv", table()), tmp_path / "tasks", "n", train_rows=100_000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", ""),
        ("a.csv", "only,header\n"),
        ("a.jsonl", "{broken\n"),
        ("a.parquet", "PAR1"),
        ("a.xlsx", "x"),
        ("a.json", "3"),
    ],
)
def test_a_file_without_a_table_is_one_clear_error(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError):
        guess_columns(tmp_path / name)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        guess_columns(tmp_path / "none.csv")


def test_lines_with_too_many_cells_are_left_out_and_said(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "n.csv", table())
    path.write_text(path.read_text() + "too,many,cells,here\nfew\n")
    problems = guess_columns(path).problems
    assert [problem.about["what"] for problem in problems] == ["ragged", "ragged"]
    assert all(problem.line is not None for problem in problems)


def test_scripts_that_are_there_already_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "03_train.py").write_text("mine")
    written = {path.name for path in write_scripts(tmp_path)}
    assert written == set(SCRIPTS) - {"03_train.py"}
    assert (tmp_path / "scripts" / "03_train.py").read_text() == "mine"


FAKE_CLI = "import json, sys\nprint(json.dumps(sys.argv[1:]))\n"


def run_script(tmp_path: Path, command: list[str], *, installed: bool) -> subprocess.CompletedProcess[str]:
    """Run a script of a task with a stand-in for the program that prints its arguments."""
    write_scripts(tmp_path / "task")
    (tmp_path / "fake" / "agent").mkdir(parents=True, exist_ok=True)
    if installed:
        (tmp_path / "fake" / "agent" / "__init__.py").write_text("")
        (tmp_path / "fake" / "agent" / "cli.py").write_text(FAKE_CLI)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "fake") if installed else "", "PYTHON": sys.executable}
    environment["PYTHONNOUSERSITE"] = "1"
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("script", "given", "wanted"),
    [
        ("03_train.py", ["--version", "v2"], ["train", "TASK", "--version", "v2"]),
        ("04_evaluate.py", ["--version", "v2"], ["evaluate", "TASK", "--version", "v2"]),
        ("oversample.py", ["--target_count", "500"], ["oversample", "TASK", "--target-count", "500"]),
        (
            "generate_data_gpt.py",
            ["--target_class", "中立", "--num_samples", "200", "--output", "data/raw/new.jsonl"],
            [
                "generate",
                "TASK",
                "--num-samples",
                "200",
                "--target-class",
                "中立",
                "--output",
                "data/raw/new.jsonl",
            ],
        ),
        ("generate_data_gpt.py", ["--num_samples", "300"], ["generate", "TASK", "--num-samples", "300"]),
    ],
)
def test_scripts_take_the_flags_of_the_specification(
    tmp_path: Path, script: str, given: list[str], wanted: list[str]
) -> None:
    done = run_script(tmp_path, [sys.executable, f"task/scripts/{script}", *given], installed=True)
    assert done.returncode == 0, done.stderr
    task = str((tmp_path / "task").resolve())
    assert json.loads(done.stdout) == [task if part == "TASK" else part for part in wanted]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_pipeline_trains_and_then_evaluates(tmp_path: Path) -> None:
    done = run_script(tmp_path, ["bash", "task/scripts/run_pipeline.sh", "--version", "v2"], installed=True)
    assert [json.loads(line)[0] for line in done.stdout.splitlines()] == ["train", "evaluate"], done.stderr


def test_a_script_without_the_program_says_how_to_install_it(tmp_path: Path) -> None:
    isolated = [sys.executable, "-S", "task/scripts/03_train.py", "--version", "v2"]
    done = run_script(tmp_path, isolated, installed=False)
    assert done.returncode == 69
    assert "pip install iterate-mode" in done.stderr
    assert "Traceback" not in done.stderr
