"""A batch within its limits: cost, time, failures in the middle, weak models, and going on without losing or doubling a row."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.batches import QUICK, failed, run, said, told
from tests.support.writers import Scripted, good, make_task, writer_of
from tools.errors import InputError
from tools.generating import asking
from tools.generating.asking import LimitReached, Limits, NothingUsable, Paused
from tools.generating.looking import ENOUGH, Unusable
from tools.generating.order import Order
from tools.generating.run import Progress, generate_rows
from tools.generating.store import Generated, batch_folder, read_report
from tools.generating.writer import Price, Usage
from tools.reading.task import load_split
from tools.task import Task


def test_a_dry_run_at_its_limit_shows_what_there_is_and_promises_no_way_on(task: Task):
    price = Price(prompt=1000, completion=1000)

    def call(most: float) -> Generated:
        limits = Limits(parallel=1, pause=0, max_cost=most)
        return generate_rows(
            task, Order(label="中立", wanted=10, dry_run=True), writer_of(Scripted(good), price), limits, told
        )

    shown = call(2.5)
    assert shown.report.passed < 10 <= shown.report.written
    assert len(shown.rows) + len(shown.quarantined) == 10
    with pytest.raises(LimitReached) as reached:
        call(0.001)
    assert "keeps nothing" in str(reached.value.hint)


@pytest.mark.parametrize("trouble", ["invalid", "refused", "empty", "cut", "timeout", "rate", "server", "connection"])
@pytest.mark.parametrize("kind", ["WRITE", "JUDGE"])
def test_a_failure_in_the_middle_that_passes_changes_nothing(task: Task, tmp_path: Path, trouble: str, kind: str):
    calm = run(make_task(tmp_path / "calm"), Scripted(good))
    left = [1]

    def answer(prompt: str) -> str | Exception:
        if prompt.startswith(kind) and left and len(asked.prompts) > 1:
            left.pop()
            return failed(trouble)
        return good(prompt)

    asked = Scripted(answer)
    done = run(task, asked)
    assert left == []
    assert said(done) == said(calm)
    assert done.report.failed == {}


def test_a_server_that_is_gone_pauses_the_batch_and_the_same_call_goes_on(task: Task, tmp_path: Path):
    calm = run(make_task(tmp_path / "calm"), Scripted(good), wanted=20)
    gone = Scripted(lambda prompt: failed("connection") if len(gone.prompts) > 9 else good(prompt))
    with pytest.raises(Paused) as paused:
        run(task, gone, wanted=20)
    assert paused.value.exit_code == 75
    assert not (task.path / "data" / "review").exists()
    asked = Scripted(good)
    done = run(task, asked, wanted=20)
    assert said(done) == said(calm)
    answered = {line["id"] for line in raw(task, done) if line["final"]}
    assert len([line for line in raw(task, done) if line["final"]]) == len(answered)
    assert len(asked.prompts) < len(answered)


def raw(task: Task, done: Generated) -> list[dict[str, Any]]:
    path = batch_folder(task.path, done.report.batch) / "raw.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_wrong_key_stops_at_once(task: Task):
    asked = Scripted(lambda _: failed("auth"))
    with pytest.raises(Paused):
        run(task, asked, wanted=100)
    assert len(asked.prompts) <= QUICK.parallel


def test_a_model_that_never_answers_in_form_ends_with_no_rows_and_the_reason(task: Task):
    done = run(task, Scripted(lambda _: failed("invalid")))
    assert done.report.passed == 0
    assert done.report.failed == {"invalid": 2}
    assert not (task.path / "data" / "review").exists()


def test_an_answer_torn_by_a_crash_is_asked_for_again(task: Task, tmp_path: Path):
    calm = run(make_task(tmp_path / "calm"), Scripted(good))
    gone = Scripted(lambda prompt: failed("auth") if prompt.startswith("JUDGE") else good(prompt))
    with pytest.raises(Paused):
        run(task, gone)
    path = task.path / "data/generated/generated-中立/raw.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\n") + 40])
    assert said(run(task, Scripted(good))) == said(calm)


def test_the_limit_on_cost_is_kept_and_a_higher_one_goes_on(task: Task):
    price = Price(prompt=1000, completion=1000)
    asked = Scripted(good)

    def call(most: float) -> Generated:
        limits = Limits(parallel=1, pause=0, max_cost=most)
        return generate_rows(task, Order(label="中立", wanted=10), writer_of(asked, price), limits, told)

    with pytest.raises(LimitReached) as reached:
        call(2.5)
    assert reached.value.exit_code == 3
    assert 0 < len(asked.prompts) * 0.15 <= 2.5
    assert call(1000).report.passed == 10


def test_a_limit_on_cost_needs_a_price(task: Task):
    with pytest.raises(InputError, match="price of scripted is not known"):
        run(task, Scripted(good), Limits(max_cost=1))


def test_time_is_a_limit_as_well(task: Task):
    asked = Scripted(good)
    with pytest.raises(LimitReached, match="Answers on record: 0"):
        run(task, asked, Limits(parallel=1, max_minutes=1e-9))
    assert asked.prompts == []


def test_what_was_being_asked_when_the_time_was_over_is_asked_again_and_nothing_comes_twice(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    calm = run(make_task(tmp_path / "calm"), Scripted(good))
    clock = [0.0]
    monkeypatch.setattr(asking, "monotonic", lambda: clock[0])

    def slow(messages: Any, response_format: type, usage: Usage) -> str:
        if len(began) < 2 and began.append(messages) is None and len(began) == 1:
            return good(messages[-1]["content"])
        clock[0] = 61.0
        usage.prompt_tokens = 70
        assert usage.ended.wait(20)
        raise failed("cut")

    began: list[Any] = []
    with pytest.raises(LimitReached) as reached:
        run(task, slow, Limits(parallel=2, max_minutes=1))
    assert reached.value.exit_code == 3
    assert "Answers on record: 1; questions ended while they were asked, to be asked again: 1." in str(reached.value)
    done = run(task, Scripted(good))
    assert said(done) == said(calm)
    lines = raw(task, done)
    finals = [line["id"] for line in lines if line["final"]]
    assert len(finals) == len(set(finals))
    (ended,) = [line for line in lines if not line["final"]]
    assert (ended["text"], ended["trouble"], ended["prompt_tokens"]) == (None, None, 70)


def test_only_an_answer_that_could_not_be_used_is_given_more_room(task: Task):
    room: list[int] = []

    def answer(messages: Any, response_format: type, usage: Usage) -> str:
        room.append(usage.most)
        if len(room) < 3:
            raise failed("timeout" if len(room) == 1 else "cut")
        return good(messages[-1]["content"])

    run(task, answer, Limits(parallel=1, pause=0), wanted=5)
    assert room[0] == room[1] < room[2]


def test_a_model_without_a_usable_row_pauses_the_batch_early_and_again_until_told_to_go_on(task: Task):
    def weak(prompt: str) -> Exception:
        return failed("auth" if len(asked.prompts) == 4 else "invalid")

    asked, one_by_one = Scripted(weak), Limits(parallel=1)
    with pytest.raises(Paused):
        run(task, asked, one_by_one, wanted=60)
    with pytest.raises(NothingUsable) as paused:
        run(task, asked, one_by_one, wanted=60)
    assert len(asked.prompts) == ENOUGH + 1
    assert paused.value.exit_code == 4
    assert f"(answers: {ENOUGH}, questions: 4)" in str(paused.value)
    report = read_report(task.path, "generated-中立")
    assert report is not None and not report.finished
    assert report.unusable == Unusable(questions=4, answers=ENOUGH, whys={"form": ENOUGH})
    silent = Scripted(good)
    with pytest.raises(NothingUsable, match=re.escape(str(paused.value))):
        run(task, silent, wanted=60)
    assert silent.prompts == []
    done = run(task, silent, wanted=60, keep_going=True)
    assert done.report.passed >= 60
    assert done.report.unusable is None


def test_another_model_goes_on_with_a_paused_batch_and_is_looked_at_anew(task: Task):
    with pytest.raises(NothingUsable):
        run(task, Scripted(lambda _: failed("empty")), wanted=60)
    better = replace(writer_of(Scripted(lambda _: failed("invalid"))), name="better")
    with pytest.raises(NothingUsable, match="No answer of better"):
        generate_rows(task, Order(label="中立"), better, QUICK, told)
    best = replace(writer_of(Scripted(good)), name="best")
    done = generate_rows(task, Order(label="中立"), best, QUICK, told)
    assert (done.report.passed, done.report.questions, done.report.failed) == (60, 12, {})


def test_rows_that_all_go_into_quarantine_are_no_usable_rows_and_one_is_shown(task: Task):
    copied = load_split(task, "train").split.rows[0].fields["text"]
    row = {"target": "廢除死刑", "text": copied, "label": "中立"}
    asked = Scripted(lambda _: json.dumps({"rows": [row]}))
    done = run(task, asked, wanted=60, dry_run=True)
    assert not done.report.finished
    assert done.report.quarantined == {"copy": ENOUGH}
    assert done.report.unusable == Unusable(
        questions=ENOUGH, answers=ENOUGH, whys={"rows": ENOUGH}, example=f"廢除死刑 / {copied}"
    )
    assert len(asked.prompts) == ENOUGH


def test_one_can_tell_while_it_runs_that_nothing_usable_came(task: Task):
    heard: list[Progress] = []
    writer = writer_of(Scripted(lambda _: failed("refused")))
    with pytest.raises(NothingUsable):
        generate_rows(task, Order(label="中立", wanted=60), writer, QUICK, heard.append)
    assert heard[-1].unusable >= 6 and heard[-1].total == 12
    generate_rows(task, Order(label="中立", keep_going=True), writer_of(Scripted(good)), QUICK, heard.append)
    assert heard[-1].unusable == 0 and heard[-1].rows >= 60


def test_an_interruption_keeps_what_came_and_hangs_up(task: Task, tmp_path: Path):
    calm = run(make_task(tmp_path / "calm"), Scripted(good))

    def interrupt(progress: Progress) -> None:
        if progress.stage == "judge" and progress.done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_rows(task, Order(label="中立", wanted=10), writer_of(Scripted(good)), QUICK, interrupt)
    asked = Scripted(good)
    assert said(run(task, asked)) == said(calm)
    assert asked.written == []
