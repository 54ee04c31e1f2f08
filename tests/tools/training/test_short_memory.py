from __future__ import annotations

import pytest

from tools.runs import RunState, StepEvent, WarningEvent
from tools.training import short_memory
from tools.training.plan import Plan
from tools.training.worker import EXIT_FAILED, main

pytestmark = pytest.mark.training
SMALL = {"rows": 8, "valid": 3, "test": 0, "training": {"epochs": 1}}
TORCH = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9000000000 bytes.")


@pytest.fixture
def room_for(monkeypatch):
    """Let an allocation fail, as torch says it, for batches of more rows than this."""

    def limit(rows, error=TORCH):
        from tools.training.sft import CompletionTrainer

        compute = CompletionTrainer.compute_loss

        def allocate(self, model, inputs, *args, **kwargs):
            if len(inputs["input_ids"]) > rows:
                raise error
            return compute(self, model, inputs, *args, **kwargs)

        monkeypatch.setattr(CompletionTrainer, "compute_loss", allocate)

    return limit


def losses(run):
    return [point.loss for point in run.result().history if point.loss is not None]


def warnings(run):
    return [event for event in run.events()[0] if isinstance(event, WarningEvent)]


def begin_again(run):
    """As if the worker had been killed after its last step."""
    run.file("result.json").unlink()
    status = run.status().model_copy(update={"state": RunState.running})
    run.file("status.json").write_text(status.model_dump_json(), "utf-8")
    assert main(run.path) == 0
    return run.result()


def test_memory_that_runs_out_makes_smaller_passes_of_the_same_batch(make_run, room_for):
    calm = make_run("calm", **SMALL)
    assert main(calm.path) == 0
    room_for(2)
    run = make_run("short", **SMALL)
    assert main(run.path) == 0
    assert run.result().rows_at_once == 2
    assert calm.result().rows_at_once is None
    assert losses(run) == pytest.approx(losses(calm), rel=1e-4), "the batch of a step is the same"
    said = [str(event.message) for event in warnings(run)]
    assert ["8 rows at once. Going on with 4" in said[0], "Going on with 2 at once and 4 passes" in said[1]] == [
        True
    ] * 2
    assert begin_again(run).rows_at_once == 2, "the next worker of the run knows it"


def test_it_gives_up_with_the_kind_of_failure_when_even_a_quarter_does_not_fit(make_run, room_for):
    room_for(0, MemoryError())
    run = make_run(**SMALL)
    assert main(run.path) == EXIT_FAILED
    status = run.status()
    assert (status.state, status.error.kind) == (RunState.failed, "out_of_memory")
    assert len(warnings(run)) == short_memory.SHRINKS
    assert not any(isinstance(event, StepEvent) for event in run.events()[0])


def test_a_worker_that_the_system_killed_for_memory_is_followed_by_a_smaller_one(make_run, monkeypatch):
    run = make_run(**SMALL)
    monkeypatch.setattr(short_memory, "memory_kills", lambda: "boot 3")
    assert main(run.path) == 0
    monkeypatch.setattr(short_memory, "memory_kills", lambda: "other-boot 4")
    assert begin_again(run).rows_at_once is None, "the count of another start of the machine says nothing"
    monkeypatch.setattr(short_memory, "memory_kills", lambda: "other-boot 5")
    assert begin_again(run).rows_at_once == 4


def test_the_count_of_the_system_is_read_where_it_has_one():
    found = short_memory.memory_kills()
    assert found is None or int(found.split()[1]) >= 0


@pytest.mark.parametrize(("micro", "accumulation", "expected"), [(8, 2, 4), (6, 1, 3), (5, 3, 1), (1, 16, None)])
def test_fewer_rows_always_divide_the_batch(micro, accumulation, expected):
    plan = Plan(micro, accumulation, 3, 6, 0, frozenset({6}))
    fewer = plan.with_fewer_rows()
    assert (fewer.micro if fewer else None) == expected
    assert fewer is None or fewer.micro * fewer.accumulation == micro * accumulation
