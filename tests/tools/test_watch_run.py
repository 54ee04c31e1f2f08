"""Watching a run: only its files are read, as they grow, and whatever is in them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.run_dirs import (
    START,
    alive,
    at,
    copy_task,
    events_of,
    history,
    live_run,
    make_child,
    run_dir,
    write_events,
    write_status,
)
from tools.launchers.base import RunHealth
from tools.results import HistoryPoint
from tools.runs import EndEvent, PhaseEvent, RunError, RunState, StepEvent, WarningEvent
from tools.text import T
from tools.watch_run import RunWatch, newest_step, run_dirs, run_to_watch

NOW = START + timedelta(seconds=140)


@pytest.fixture
def task(tmp_path):
    return copy_task(tmp_path)


def upto(step):
    return [point for point in history() if point.step <= step]


def test_a_running_training_is_seen_with_its_curves_beside_those_of_its_parent(task):
    make_child(task)
    run = live_run(task, upto(44))
    with alive(run):
        view = RunWatch(run.path).look(START + timedelta(seconds=180))
    assert (view.health, view.step, view.total_steps, view.version, view.seed) == (RunHealth.running, 44, 88, "v2", 42)
    assert view.curves.lowest == (22, pytest.approx(0.3997, abs=1e-4))
    assert view.curves.best == (22, pytest.approx(0.3852, abs=1e-4))
    assert (
        view.baseline.version == "v1" and view.baseline.curves.best[0] == 88 and len(view.baseline.curves.losses) == 88
    )
    assert (view.tokens_per_second, view.memory_mb) == (312.4, 2513.0)
    assert view.eta.seconds == 176.0 and "steps and evaluations" in str(view.eta.how)
    assert view.alerts == []


def test_what_is_appended_appears_at_the_next_look_and_half_a_line_does_not(task):
    run = live_run(task, upto(10))
    watch = RunWatch(run.path)
    with alive(run):
        assert watch.look(NOW).step == 10
        write_events(run, events_of(history())[11:15])
        with run.file("events.jsonl").open("a") as stream:
            stream.write('{"type":"step","at":"2026')
        view = watch.look(NOW)
        assert (view.step, len(view.curves.losses)) == (14, 14)
        with run.file("events.jsonl").open("a") as stream:
            stream.write("\n\x00 not json\n")
        assert watch.look(NOW).step == 14


def test_after_a_resume_the_repeated_steps_count_once(task):
    run = live_run(task, upto(30))
    write_events(run, [PhaseEvent(at=at(9000), phase="training", message=T("Again."))])
    write_events(run, [StepEvent(at=at(9000 + n), step=n, total_steps=88, epoch=1.0, loss=9.0) for n in (23, 24)])
    with alive(run):
        view = RunWatch(run.path).look(START + timedelta(seconds=9030))
    assert [step for step, _ in view.curves.losses] == list(range(1, 25))
    assert view.curves.losses[-2:] == [(23, 9.0), (24, 9.0)]
    assert [step for step, _ in view.curves.eval_losses] == [22]
    assert "slow" not in {alert.kind for alert in view.alerts}


def test_time_left_is_computed_from_the_logged_pace_when_the_worker_gives_none(task):
    run = live_run(task, upto(44))
    write_status(run, step=44, total_steps=88, updated_at=at(176))
    with alive(run):
        view = RunWatch(run.path).look(START + timedelta(seconds=180))
    assert view.eta.seconds == pytest.approx(44 * 4.0) and "logged steps" in str(view.eta.how)


def test_a_worker_that_is_gone_without_a_word_is_an_error_with_the_way_on(task):
    run = live_run(task, upto(20))
    view = RunWatch(run.path).look(NOW)
    assert view.health is RunHealth.stalled
    assert [alert.kind for alert in view.alerts] == ["gone"] and "newest checkpoint" in str(view.alerts[0].suggestion)


def test_a_living_worker_that_says_nothing_or_does_not_beat_is_seen(task):
    run = live_run(task, upto(20))
    later = START + timedelta(hours=1)
    with alive(run):
        assert [alert.kind for alert in RunWatch(run.path).look(later).alerts] == ["heartbeat"]
        run.file("heartbeat").write_text(at(3599))
        assert [alert.kind for alert in RunWatch(run.path).look(later).alerts] == ["silent"]


def test_a_failed_run_tells_why_and_the_warnings_of_the_worker_are_alerts(task):
    run = live_run(task, upto(20))
    write_events(run, [WarningEvent(at=at(90), message=T("3 rows were cut."), page="troubleshooting/truncation")])
    write_events(run, [EndEvent(at=at(99), state=RunState.failed, message=T("It failed."))])
    error = RunError(kind="out_of_memory", message=T("Out of memory."), hint=T("Take less."))
    write_status(run, RunState.failed, step=20, total_steps=88, updated_at=at(99), error=error)
    view = RunWatch(run.path).look(NOW)
    assert (view.health, str(view.ending), view.eta) == (RunHealth.ended, "It failed.", None)
    assert [(alert.kind, alert.level) for alert in view.alerts] == [("failed", "error"), ("worker", "warning")]


def test_a_run_that_has_not_begun_or_has_broken_files_can_be_looked_at(task):
    run = run_dir(task)
    view = RunWatch(run.path).look(NOW)
    assert (view.health, view.state, view.step, view.alerts) == (RunHealth.queued, None, 0, [])
    for name in ("status.json", "heartbeat", "events.jsonl"):
        run.file(name).write_bytes(b"\xff{{{\n")
    assert RunWatch(run.path).look(NOW).state is None


def test_a_loss_that_is_no_number_is_left_out_of_the_curve_and_raises_the_alarm(task):
    run = live_run(task, [*upto(5), HistoryPoint(step=6, loss=None, bad=True)])
    with alive(run):
        view = RunWatch(run.path).look(START + timedelta(seconds=30))
    assert len(view.curves.losses) == 5
    assert [alert.kind for alert in view.alerts] == ["nan"]


def test_the_living_run_is_watched_before_newer_ones_and_the_one_that_spoke_last_otherwise(task):
    first, second, third = (run_dir(task, f"v2-s{seed}", seed=seed) for seed in (42, 43, 44))
    assert run_to_watch(run_dirs(task)) == third.path
    write_status(first, RunState.succeeded, updated_at=at(10))
    write_status(second, RunState.succeeded, updated_at=at(20))
    assert run_to_watch(run_dirs(task)) == second.path
    with alive(first):
        assert run_to_watch(run_dirs(task)) == first.path
    third.file("spec.json").write_text("{")
    assert run_dirs(task) == [first.path, second.path]
    assert run_to_watch([]) is None


def test_the_newest_checkpoint_is_the_newest_one_written_to_its_end(task):
    run = run_dir(task)
    for step, whole in ((22, True), (44, True), (66, False), (9, True)):
        folder = run.file("checkpoints") / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        if whole:
            (folder / "trainer_state.json").write_text("{}")
    assert newest_step(run.file("checkpoints")) == 44
    assert newest_step(run.file("none")) is None
