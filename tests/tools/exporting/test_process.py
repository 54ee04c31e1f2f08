"""What is heard of an errand's process: its events, its failure, its sudden end. The worker is a small real process."""

from __future__ import annotations

import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest

from tools.config import Decoding, Launcher, Lora, Training
from tools.errors import MissingPart, RunFailed
from tools.exporting.process import run_errand
from tools.runs import RunSpec
from tools.task import AnswerFormat
from tools.training.errands import AnswerErrand, PhaseSaid

WORKER = textwrap.dedent(
    """
    import os, sys, time
    from pathlib import Path
    from tools.runs import RunError
    from tools.text import T
    from tools.training.errands import ErrandFailed, PhaseSaid, errand_adapter

    errand = errand_adapter.validate_json(Path(sys.argv[1]).read_text())
    mode = errand.spec.run_id
    print("a library that talks on standard output")
    print(PhaseSaid(message=T("Loading.")).model_dump_json(), flush=True)
    if mode == "missing":
        error = RunError(kind="missing_part", message=T("No weights."), hint=T("Train."))
        print(ErrandFailed(error=error).model_dump_json(), flush=True)
    if mode == "killed":
        print("the last words", file=sys.stderr, flush=True)
        os._exit(9)
    if mode == "long":
        Path(sys.argv[1]).with_name("pid").write_text(str(os.getpid()))
        time.sleep(60)
    """
)


@pytest.fixture
def errand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "played_errand.py").write_text(WORKER, encoding="utf-8")
    monkeypatch.setattr("tools.exporting.process.WORKER", "played_errand")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(mode: str) -> AnswerErrand:
        spec = RunSpec(
            run_id=mode,
            task="mood",
            version="v1",
            seed=1,
            task_type="classification",
            answer=AnswerFormat(type="label"),
            primary_metric="macro_f1",
            lora=Lora(),
            training=Training(),
            decoding=Decoding(),
            launcher=Launcher(),
            config_hash="",
            data_hash="",
            evaluator_hash="",
            created_at="",
        )
        return AnswerErrand(spec=spec, precision="fp32", answers=tmp_path / "a.jsonl", rows=tmp_path / "rows.jsonl")

    return make


def test_what_is_no_event_is_passed_over(errand):
    events = list(run_errand(errand("fine")))
    assert [str(event.message) for event in events if isinstance(event, PhaseSaid)] == ["Loading."]


def test_a_failure_comes_as_the_error_that_says_who_must_act(errand):
    with pytest.raises(MissingPart, match="No weights") as wrong:
        list(run_errand(errand("missing")))
    assert str(wrong.value.hint) == "Train."


def test_a_worker_that_is_gone_without_a_word_is_reported_with_the_end_of_its_log(errand):
    with pytest.raises(RunFailed, match="status 9: the last words"):
        list(run_errand(errand("killed")))


def test_whoever_stops_listening_ends_the_worker(errand, tmp_path: Path):
    heard = run_errand(errand("long"))
    next(heard)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.01)
    heard.close()
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_whoever_waits_can_end_a_worker_that_says_nothing(errand, tmp_path: Path):
    stop = threading.Event()
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            list(run_errand(errand("long"), stop))
        except RunFailed as failed:
            ended.append(failed)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.01)
    stop.set()
    waiting.join()
    assert len(ended) == 1
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
