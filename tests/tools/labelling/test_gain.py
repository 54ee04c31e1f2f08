"""The simulation of what labelling brings, in miniature: every way of choosing starts alike, and labels help."""

from __future__ import annotations

import pytest

from tests.benchmarks.labelling_gain import ARMS, miniature


def test_every_way_of_choosing_starts_alike_and_labelling_helps(capsys: pytest.CaptureFixture[str]) -> None:
    scores = miniature()
    assert set(scores) == set(ARMS)
    assert {tuple(trial[0] for trial in trials) for trials in scores.values()} == {
        tuple(trial[0] for trial in scores["random"])
    }
    assert all(len(trial) >= 3 for trials in scores.values() for trial in trials)
    gains = {arm: sum(trial[-1] - trial[0] for trial in trials) for arm, trials in scores.items()}
    assert gains["as iterate label does"] > 0
    told = capsys.readouterr().out
    assert "made-up: train 24, valid 24, pool" in told
    assert all(arm in told for arm in ARMS)
