"""What is decided at the end of a training step."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tools.config import Training
from tools.runs import RunDir
from tools.training.cancel import Cancelled, CancelToken
from tools.training.pilot import Pilot
from tools.training.plan import Plan


@pytest.fixture
def pilot(tmp_path):
    """A pilot of a run in `tmp_path` that evaluates after step 2 of 4."""
    plan = Plan.make(Training(epochs=2, batch_size=2), [10] * 4)
    recorder = SimpleNamespace(at_step=lambda step, epoch: None)
    return Pilot(plan, SimpleNamespace(recorder=recorder, cancel=CancelToken(RunDir(tmp_path))), timed=False)


def end(pilot, step):
    """What the pilot wants after a step: (evaluate, save)."""
    control = SimpleNamespace(should_evaluate=False, should_save=False)
    pilot.on_step_end(None, SimpleNamespace(global_step=step, epoch=step / 2), control)
    return control.should_evaluate, control.should_save


def test_a_step_that_is_due_is_evaluated_and_saved(pilot):
    assert [end(pilot, step) for step in (1, 2, 3, 4)] == [(False, False), (True, True)] * 2


def test_a_stop_saves_the_step_it_comes_after(pilot, tmp_path):
    (tmp_path / "cancel").touch()
    assert end(pilot, 1) == (False, True)


def test_a_stop_leaves_no_checkpoint_of_a_step_that_still_has_to_be_evaluated(pilot, tmp_path):
    (tmp_path / "cancel").touch()
    with pytest.raises(Cancelled):
        end(pilot, 2)
