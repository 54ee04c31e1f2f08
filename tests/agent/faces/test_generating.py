"""`iterate generate` and `iterate review` as a person or a script starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.faces import generating, plain_samples, reviewing
from tests.support.nursery import Life, Nursery
from tests.support.openai_server import FakeEndpoint, Reply
from tests.support.writers import make_task, sentence
from tools.generating.run import Progress
from tools.reading.task import load_task
from tools.reviewing.batch import Candidate, Check
from tools.samples import add, load_batch
from tools.task import Task
from tools.text import T, english


def reply(body: dict[str, Any]) -> Reply:
    words = body["messages"][0]["content"].split("\n\nAnswer with one JSON object")[0].strip()
    if "You write training rows" not in words:
        return Reply(text=json.dumps({"label": "中立"}), pause=0.05)
    rows = [{"target": "廢除死刑", "text": sentence(f"{words}{n}"), "label": "中立"} for n in range(5)]
    return Reply(text=json.dumps({"rows": rows}, ensure_ascii=False))


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as running:
        yield running.by(reply)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Starts the program as processes of their own that have imported everything."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "ITERATE_"))}
    with Nursery(clean) as running:
        yield running


class Program:
    def __init__(self, root: Path, nursery: Nursery, base_url: str = "") -> None:
        self.task = make_task(root / "tasks" / "t").path
        self.nursery = nursery
        self.out = root / "out.txt"
        self.environment = {"ITERATE_WORKSPACE": str(root), "ITERATE_SETTINGS": str(root / "none.yaml")}
        if base_url:
            self.environment["OPENAI_BASE_URL"] = base_url
        (root / "none.yaml").write_text("", encoding="utf-8")

    def start(self, *words: str) -> Life:
        self.out.write_text("", encoding="utf-8")
        return self.nursery.begin(["--lang", "en", *words], self.out, env=self.environment)

    def run(self, *words: str) -> tuple[int, str]:
        code = self.start(*words).end()
        shown = self.out.read_text(encoding="utf-8")
        assert "Traceback" not in shown, shown
        return code, shown

    def rows(self) -> list[tuple[str, str]]:
        path = next(self.task.glob("data/review/generated*.jsonl"))
        items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [(item["id"], item["fields"]["text"]) for item in items]


def test_a_batch_killed_in_the_middle_gives_the_same_rows_when_it_is_run_again(
    tmp_path: Path, nursery: Nursery, server: FakeEndpoint
):
    words = ("generate", "t", "--class", "中立", "--samples", "15", "--parallel", "2")
    calm = Program(tmp_path / "calm", nursery, server.base_url)
    assert calm.run(*words)[0] == 0
    asked = len(server.asked)
    program = Program(tmp_path / "killed", nursery, server.base_url)
    life = program.start(*words)
    raw = program.task / "data/generated/generated-中立/raw.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (raw.is_file() and raw.read_bytes().count(b"\n") >= 8):
        time.sleep(0.01)
    os.kill(life.pid, signal.SIGKILL)
    assert life.end() == -signal.SIGKILL
    assert not (program.task / "data/review").exists()
    code, shown = program.run(*words)
    assert code == 0
    assert "iterate review t generated-中立" in shown
    assert program.rows() == calm.rows()
    assert len(server.asked) - asked <= asked + 2  # only what was on its way is asked twice
    finals = [json.loads(line)["id"] for line in raw.read_text(encoding="utf-8").splitlines()]
    assert len(finals) == len(set(finals))


def test_a_dry_run_shows_rows_with_their_checks_and_writes_nothing(
    tmp_path: Path, nursery: Nursery, server: FakeEndpoint
):
    program = Program(tmp_path, nursery, server.base_url)
    before = sorted(program.task.rglob("*"))
    code, shown = program.run("generate", "t", "--class", "中立", "--dry-run", "5")
    assert code == 0
    assert shown.count("with the label hidden it says 中立") == 5
    assert sorted(program.task.rglob("*")) == before


def test_a_model_that_writes_no_usable_row_is_said_to_and_what_to_do(
    tmp_path: Path, nursery: Nursery, server: FakeEndpoint
):
    program = Program(tmp_path, nursery, server.by(lambda _: "Certainly!").base_url)
    code, shown = program.run("generate", "t", "--class", "中立", "--samples", "60")
    assert code == 4
    dry, shown_dry = program.run("generate", "t", "--class", "中立", "--dry-run", "5")
    assert dry == 1
    for words in (" ".join(shown.split()), " ".join(shown_dry.split())):
        assert "no usable row in" in words
        assert "words without a JSON object" in words
        assert "One of them begins: Certainly!" in words
        for way in ("doctor --endpoint", "ITERATE_MODEL", "iterate oversample", "iterate label", "iterate review"):
            assert way in words, way
        assert "iterate refs methods/data-generation" in words
    assert "--keep-going" in shown


def test_a_long_question_is_heard_of_before_its_answer(monkeypatch: pytest.MonkeyPatch):
    clock, lines = [100.0], list[str]()
    monkeypatch.setattr(generating, "monotonic", lambda: clock[0])
    monkeypatch.setattr(generating, "tell", lines.append)
    watch = generating._Watch(english)
    for clock[0], minutes in ((100.0, 0.0), (110.0, 0.2), (131.0, 0.5)):
        watch.told(
            Progress(
                batch="b",
                stage="write",
                done=0,
                total=4,
                under_way=2,
                minutes=minutes,
                wanted=20,
                prompt_tokens=0,
                completion_tokens=310,
                cost=None,
            )
        )
    assert len(lines) == 2
    assert lines[1] == "b, writing: 0 of 4 questions, 2 being asked, 0.5 min, 310 tokens"


def test_without_an_endpoint_the_way_out_is_named(tmp_path: Path, nursery: Nursery):
    code, errors = Program(tmp_path, nursery).run("generate", "t", "--class", "中立")
    assert code == 1
    for offer in ("OPENAI_BASE_URL", "iterate oversample", "class_weights", "iterate review"):
        assert offer in errors.replace("\n", " ").replace("  ", ""), offer


def test_the_script_of_a_task_takes_the_flags_of_the_specification(
    tmp_path: Path, nursery: Nursery, server: FakeEndpoint
):
    from tools.making.task_scripts import write_scripts

    program = Program(tmp_path, nursery, server.base_url)
    write_scripts(program.task)
    flags = ["--target_class", "中立", "--num_samples", "5", "--output", "data/raw/generated_neutral.jsonl"]
    script = [sys.executable, str(program.task / "scripts/generate_data_gpt.py"), *flags]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "ITERATE_"))}
    environment = {**clean, **program.environment, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert len((program.task / "data/raw/generated_neutral.jsonl").read_text(encoding="utf-8").splitlines()) == 5


@pytest.fixture
def waiting(tmp_path: Path) -> Task:
    task = make_task(tmp_path / "t")
    failed = Check(name=T("wording"), passed=False, reason=T("the text names its label"))
    rows = [
        Candidate(
            id=f"n{n}",
            origin="new",
            fields={"text": sentence(f"new{n}"), "target": "廢除死刑" if n % 2 else "週休三日"},
            answer="中立",
            checks=[failed] if n == 2 else [],
        )
        for n in range(6)
    ]
    add(task.path, "mine", rows)
    return task


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    lines = iter(words)
    monkeypatch.setattr(plain_samples, "interactive", lambda: True)
    for module in (plain_samples, reviewing):
        monkeypatch.setattr(module, "ask", lambda _: next(lines, None))


def states(task: Task) -> dict[str, str]:
    return {item.candidate.id: item.state for item in load_batch(task.path, "mine").items}


def test_every_kind_of_decision_can_be_typed_and_taken_back(waiting: Task, monkeypatch: pytest.MonkeyPatch):
    new_text = sentence("edited")
    typed(monkeypatch, "a", f"e text {new_text}", "l 反對", "r 太假", "u", "nonsense", "e nofield x", "q")
    assert reviewing.review_task(waiting.path, "mine", english) == 0
    assert list(states(waiting).values()) == ["accepted", "edited", "relabelled", "open", "open", "open"]
    assert load_batch(waiting.path, "mine").items[1].fields["text"] == new_text
    typed(monkeypatch, "r 太假", "q")
    reviewing.review_task(waiting.path, "mine", english)
    assert list(states(waiting).values())[3] == "rejected"


def test_many_rows_are_decided_at_once_by_filter_and_only_after_a_yes(waiting: Task, monkeypatch: pytest.MonkeyPatch):
    typed(monkeypatch, "/ 廢除死刑", "all accept", "n", "all accept", "y", "/!", "all reject", "y", "q")
    reviewing.review_task(waiting.path, "mine", english)
    assert list(states(waiting).values()) == ["open", "accepted", "rejected", "accepted", "open", "accepted"]
    typed(monkeypatch, "u", "u", "q")
    reviewing.review_task(waiting.path, "mine", english)
    assert set(states(waiting).values()) == {"open"}


def test_a_finished_review_becomes_one_line_of_the_recipe_on_a_clear_yes(
    waiting: Task, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    typed(monkeypatch, "a", "a", "f", "")
    reviewing.review_task(waiting.path, "mine", english)
    assert "data/reviewed" not in load_task(waiting.path).config.text
    assert "proposes this change" in capsys.readouterr().out
    typed(monkeypatch, "f", "y")
    reviewing.review_task(waiting.path, "mine", english)
    config = load_task(waiting.path).config
    assert "# mine" in config.text
    (added,) = [file for file in config.values.data.train if "reviewed" in file]
    assert len((waiting.path / added).read_text(encoding="utf-8").splitlines()) == 2


def test_a_row_that_claims_to_be_approved_is_only_shown(
    waiting: Task, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    text = "approve a\n> a\ny\n\x1b[2J[bold]all accept[/bold]"
    add(waiting.path, "evil", [Candidate(id="e1", origin="new", fields={"text": text, "target": "x"}, answer="中立")])
    typed(monkeypatch, "", "q")
    reviewing.review_task(waiting.path, "evil", english)
    assert load_batch(waiting.path, "evil").counts.open == 1
    assert "\x1b" not in capsys.readouterr().out
