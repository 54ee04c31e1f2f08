"""The writer over a real HTTP server that fails in every way in the middle of a batch: no row is lost, none comes twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.model import ladder
from agent.model.writer import open_writer, wording
from agent.settings import Settings
from tests.support.openai_server import FakeEndpoint, Reply
from tests.support.writers import make_task, sentence
from tools.generating import asking
from tools.generating.asking import LimitReached, Limits, NothingUsable
from tools.generating.looking import ENOUGH
from tools.generating.order import Order
from tools.generating.run import generate_rows
from tools.generating.store import Generated, read_report
from tools.generating.writer import JudgeSlots, WriteSlots
from tools.samples import load_batch
from tools.task import Task


@pytest.fixture(autouse=True)
def no_memory_of_other_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "_WORKING", {})


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as running:
        running.by(reply)
        yield running


def reply(body: dict[str, Any]) -> str:
    """The same rows for the same question, also when the form is asked for in other words or a second time."""
    words = body["messages"][0]["content"].split("\n\nAnswer with one JSON object")[0].strip()
    if "You write training rows" not in words:
        return json.dumps({"label": "中立"})
    rows = [{"target": "廢除死刑", "text": sentence(f"{words}{n}"), "label": "中立"} for n in range(5)]
    return json.dumps({"rows": rows}, ensure_ascii=False)


def run(task: Task, server: FakeEndpoint, patience: float = 60) -> Generated:
    writer = open_writer(Settings(base_url=server.base_url, timeout=patience))
    assert writer is not None
    return generate_rows(task, Order(label="中立", wanted=10), writer, Limits(parallel=2, pause=0), lambda _: None)


def said(done: Generated) -> list[tuple[str, dict[str, str]]]:
    return [(row.id, row.fields) for row in done.rows]


@pytest.mark.parametrize(
    "fault",
    ["429", "500", "hang", "cut", "faded", "invalid_json", "wrong_schema", "refusal", "empty", "length", "error"],
)
def test_one_failure_in_the_middle_changes_no_row(tmp_path: Path, server: FakeEndpoint, fault: str):
    calm = run(make_task(tmp_path / "calm"), server)
    asked = len(server.asked)
    task = make_task(tmp_path / "task")

    def failing_once(body: dict[str, Any]) -> Any:
        if len(server.asked) == asked + 3 and not done:
            done.append(fault)
            server.fault(fault, **({"retry_after": 0} if fault == "429" else {}))
            return server.next_reply(body)
        return reply(body)

    done: list[str] = []
    server.by(failing_once)
    result = run(task, server, patience=2.5 if fault == "hang" else 60)
    assert done == [fault]
    assert said(result) == said(calm)
    assert result.report.failed == {}
    batch = load_batch(task.path, result.report.batch)
    assert [item.candidate.id for item in batch.items] == [row.id for row in result.rows]


def test_the_limit_of_minutes_hangs_up_on_a_silent_server(
    tmp_path: Path, server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
):
    task, clock = make_task(tmp_path / "t"), [0.0]
    monkeypatch.setattr(asking, "monotonic", lambda: clock[0])

    def silent_at_last(body: dict[str, Any]) -> str | Reply:
        if len(server.asked) < 3:
            return reply(body)
        clock[0] = 61.0
        return Reply(fault="hang")

    server.by(silent_at_last)
    writer = open_writer(Settings(base_url=server.base_url, timeout=200))
    assert writer is not None
    limits = Limits(parallel=1, max_minutes=1)
    with pytest.raises(LimitReached, match=r"Answers on record: 2; questions ended .*: 1\."):
        generate_rows(task, Order(label="中立", wanted=10), writer, limits, lambda _: None)
    assert server.hung_up.wait(20)
    server.by(reply)
    assert run(task, server).report.passed == 10


def test_a_server_that_only_talks_pauses_the_batch_and_its_words_are_shown(tmp_path: Path, server: FakeEndpoint):
    task = make_task(tmp_path / "t")
    server.by(lambda _: "Certainly! \x1b[2J Here are some rows.")
    writer = open_writer(Settings(base_url=server.base_url))
    assert writer is not None
    with pytest.raises(NothingUsable):
        generate_rows(task, Order(label="中立", wanted=60), writer, Limits(parallel=2), lambda _: None)
    report = read_report(task.path, "generated-中立")
    assert report is not None and report.unusable is not None
    assert ENOUGH <= report.unusable.answers <= len(server.asked) <= 2 * ENOUGH
    assert report.unusable.whys == {"words": report.unusable.answers}
    assert report.unusable.example == "Certainly! \\u001b[2J Here are some rows."


def test_a_server_without_forms_is_asked_in_words(tmp_path: Path):
    with FakeEndpoint(json_schema=False, json_mode=False) as server:
        server.by(reply)
        assert run(make_task(tmp_path / "t"), server).report.passed == 10


def test_tokens_are_counted_over_refused_forms_and_second_tries(tmp_path: Path, server: FakeEndpoint):
    server.fault("wrong_schema")
    report = run(make_task(tmp_path / "t"), server).report
    assert report.counted is False  # that answer came without a count
    assert report.prompt_tokens > 7 * (len(server.asked) - 1)
    assert report.cost == 0  # the server is on this machine


def test_a_server_that_counts_is_believed(tmp_path: Path, server: FakeEndpoint):
    report = run(make_task(tmp_path / "t"), server).report
    assert report.counted
    assert (report.prompt_tokens, report.completion_tokens) == (7 * len(server.asked), 3 * len(server.asked))


def test_rows_are_written_warm_and_judged_cool(tmp_path: Path, server: FakeEndpoint):
    run(make_task(tmp_path / "t"), server)
    heat = {("You write" in one.words, one.body["temperature"]) for one in server.asked}
    assert heat == {(True, 0.9), (False, 0.2)}


def test_half_a_character_from_a_server_is_quarantined(tmp_path: Path, server: FakeEndpoint):
    broken = '{"rows": [{"target": "廢除死刑", "text": "預算里長公車說明會問卷\\ud83d委員居民店家", "label": "中立"}]}'
    server.by(lambda body: broken if "You write" in body["messages"][0]["content"] else reply(body))
    report = run(make_task(tmp_path / "t"), server).report
    assert report.quarantined == {"characters": 2}


def test_without_an_endpoint_there_is_no_writer():
    assert open_writer(Settings()) is None


def test_the_prompts_name_the_seeds_that_rows_are_varied_by():
    words = wording()
    assert len(words.registers) >= 5 and len(words.angles) >= 5
    slots = {name: f"<{name}>" for name in WriteSlots.model_fields}
    assert all(slot in words.write(WriteSlots(**slots)) for slot in slots.values())
    judged = {name: f"<{name}>" for name in JudgeSlots.model_fields}
    assert all(slot in words.judge(JudgeSlots(**judged)) for slot in judged.values())
