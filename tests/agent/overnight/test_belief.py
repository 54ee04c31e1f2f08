"""Are forecasts turned into beliefs in one currency, and moved by what was observed, once each?"""

from __future__ import annotations

import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.overnight.belief import (
    Belief,
    Beliefs,
    Observation,
    arms_of,
    forecast_belief,
    kind_of,
    seen_before,
    seen_in,
    share_of,
    usual_error,
)
from agent.proposing.forecast import effect, prior_gain
from tests.support.mood_task import MoodTask
from tools.change import Change, ChangeKind, Cost, Difficulty, Edit, Effect, Goal, Proposal, Tier
from tools.reading.task import load_task
from tools.text import T

RANK = effect("macro_f1", prior_gain("rank"), T("The matrix."))
beliefs = st.builds(Belief, st.floats(-0.1, 0.1), st.floats(0.005, 0.1))


def change(*path: str) -> Change:
    return Change(kind=ChangeKind.config, summary=T("A change."), edits=[Edit(path=path, new=1)])


def proposal(*changes: Change, effect: Effect = RANK, trainings: int = 1) -> Proposal:
    return Proposal(
        task="mood",
        title=T("x"),
        problem=T("x"),
        goal=Goal(metric="macro_f1", wanted=0.8),
        changes=list(changes),
        diff="",
        config_sha256="",
        effect=effect,
        cost=Cost(minutes=6, trainings=trainings, basis=T("x")),
        difficulty=Difficulty.low,
        tier=Tier.quick,
        page="methods/lora",
    )


@given(beliefs, st.floats(-0.2, 0.2), st.floats(0.005, 0.2))
def test_a_measurement_is_drawn_back_towards_the_belief_and_makes_it_surer(before, difference, error):
    after = before.after(difference, error)
    low, high = sorted((before.mean, difference))
    assert low - 1e-9 <= after.mean <= high + 1e-9
    assert after.sd < before.sd


@given(beliefs, st.floats(0.005, 0.2))
def test_measuring_is_worth_at_least_what_deciding_now_would_bring(belief, error):
    assert belief.worth(error) >= max(belief.mean, 0.0) - 1e-9
    assert belief.worth(error) >= belief.worth(2 * error) - 1e-9


def test_the_worth_of_measuring_is_what_deciding_after_it_brings_on_average():
    chance, belief, error = random.Random(1), Belief(-0.01, 0.02), 0.03
    brought = []
    for _ in range(60_000):
        true = chance.gauss(belief.mean, belief.sd)
        brought.append(true if belief.after(chance.gauss(true, error), error).mean > 0 else 0.0)
    assert fmean(brought) == pytest.approx(belief.worth(error), abs=3 * 0.02 / math.sqrt(60_000))


def test_the_luckiest_of_many_changes_that_do_nothing_is_not_taken_at_its_word():
    chance, gaps, taken = random.Random(2), [], []
    for _ in range(400):
        measured = [chance.gauss(0, 0.03) for _ in range(12)]
        gaps.append(max(measured))
        taken.append(Belief(0.0, 0.01).after(max(measured), 0.03).mean)
    assert fmean(gaps) > 0.04
    assert fmean(taken) < 0.006


def test_outcomes_of_a_kind_move_its_next_forecast_and_leave_other_kinds_alone():
    known = Beliefs()
    before = known.about("config:lora.r", RANK)
    known.observed(Observation("config:lora.r", -0.05, 0.02, "accuracy"))
    assert known.about("config:lora.r", RANK).mean < before.mean
    assert known.about("config:lora.dropout", RANK) == before


def test_what_a_forecast_has_learned_already_is_not_counted_twice():
    learned = RANK.model_copy(update={"source": "learned"})
    known = Beliefs([Observation("config:lora.r", -0.05, 0.02, "macro_f1")])
    assert known.about("config:lora.r", learned) == Beliefs().about("config:lora.r", learned)
    known.observed(Observation("config:lora.r", -0.05, 0.02, "f1[中立]"))
    assert known.about("config:lora.r", learned).mean < forecast_belief(learned).mean


def test_what_was_measured_on_the_task_stays_as_it_is():
    measured = RANK.model_copy(update={"source": "measured"})
    known = Beliefs([Observation("config:lora.r", -0.2, 0.01, "accuracy")])
    assert known.about("config:lora.r", measured) == forecast_belief(measured)


def test_a_class_counts_in_the_primary_metric_by_one_over_the_classes(tmp_path):
    task = load_task(MoodTask(tmp_path).path)
    labels = len(task.definition.answer.labels)
    assert share_of("f1[中立]", task) == labels > 1
    assert share_of("macro_f1", task) == 1.0
    of_class = proposal(change("data", "oversample"), effect=RANK.model_copy(update={"metric": "f1[中立]"}))
    whole, part = (arms_of(task, [one], Beliefs())[0] for one in (proposal(change("data", "oversample")), of_class))
    assert part.mean == pytest.approx(whole.mean / labels) and part.sd == pytest.approx(whole.sd / labels)


def test_a_bundle_is_a_kind_of_its_own_and_the_baseline_is_no_arm(tmp_path):
    task = load_task(MoodTask(tmp_path).path)
    bundle = proposal(change("training", "epochs"), change("lora", "r"), trainings=3)
    assert kind_of(bundle.changes) == "config:lora.r+config:training.epochs"
    arms = arms_of(task, [proposal(), bundle], Beliefs())
    assert [(arm.key, arm.minutes) for arm in arms] == [(bundle.id, 2.0)]


def test_earlier_outcomes_count_up_to_the_start_of_the_night_alone(tmp_path):
    mood = MoodTask(tmp_path)
    line = '{{"type":"{type}","at":"{at}","version":"v2",{rest}}}\n'
    text = RANK.model_dump_json()
    mood.write(
        "iterations/forecasts.jsonl",
        line.format(
            type="forecast", at="2026-01-01", rest=f'"proposal_id":"a","kinds":["config:lora.r"],"effect":{text}'
        )
        + line.format(
            type="outcome", at="2026-01-02", rest='"base":"v1","metric":"macro_f1","observed":0.02,"error":null'
        ),
    )
    (seen,) = seen_before([load_task(mood.path)], "2026-01-03")
    assert (seen.kind, seen.difference, seen.metric) == ("config:lora.r", 0.02, "macro_f1") and seen.error > 0
    assert seen_before([load_task(mood.path)], "2026-01-02") == []


def test_a_trial_is_remembered_under_the_metric_that_its_forecast_was_about():
    seen = seen_in(proposal(change("lora", "r")), 0.01, 0.02)
    assert seen == Observation("config:lora.r", 0.01, 0.02, "macro_f1")


def test_the_usual_error_falls_with_rows_and_with_seeds_on_either_side():
    assert usual_error(240) == pytest.approx(0.0295, abs=0.0005)
    assert usual_error(240) > usual_error(240, base_seeds=3) > usual_error(240, seeds=3, base_seeds=3)
    assert usual_error(1000) < usual_error(240)
