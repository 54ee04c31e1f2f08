"""Are forecasts scored against what really happened, and does the prior learn from it?"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.change import Change, ChangeKind, Cost, Difficulty, Edit, Effect, Goal, Proposal, Tier
from tools.compare import CompareArgs, compare
from tools.text import T
from tools.versioning.forecasts import (
    FILE,
    Outcome,
    change_key,
    learned_effect,
    outcomes_of,
    record_forecast,
    record_outcome,
    scored,
)

PRIOR = Effect(metric="macro_f1", low=0.02, high=0.08, p_better=0.8, source="prior", basis=T("The matrix."))


def change(*path: str, kind=ChangeKind.config) -> Change:
    return Change(kind=kind, summary=T("A change."), edits=[Edit(path=path, new=1)])


def proposal(*changes: Change, effect: Effect = PRIOR) -> Proposal:
    return Proposal(
        task="mood",
        title=T("x"),
        problem=T("x"),
        goal=Goal(metric="macro_f1", wanted=0.8),
        changes=list(changes),
        diff="",
        config_sha256="",
        effect=effect,
        cost=Cost(minutes=1, basis=T("x")),
        difficulty=Difficulty.low,
        tier=Tier.quick,
        page="methods/lora",
    )


def outcome(observed: float, error: float | None = 0.01) -> Outcome:
    return Outcome(at="", version="v2", base="v1", metric="macro_f1", observed=observed, error=error)


@pytest.fixture
def task(claim_task):
    task = claim_task(240)
    task.version("v1", {1: range(60), 2: range(61)})
    task.version("v2", {1: range(48), 2: range(49)})
    task.version("v3", {1: range(100), 2: range(101)})
    return task


def comparison(task, new):
    return compare(CompareArgs(task_dir=task.path, base="v1", new=new))


def test_a_forecast_is_scored_by_what_came_of_it(task):
    record_forecast(task.path, "v2", proposal(change("lora", "r")))
    record_outcome(task.path, "v2", comparison(task, "v2"))
    record_forecast(task.path, "v3", proposal(change("training", "epochs")))
    record_outcome(task.path, "v3", comparison(task, "v3"))
    score = scored([task.path])
    assert (score.count, score.coverage, score.level) == (2, 0.5, 0.8)
    assert score.brier == pytest.approx(((0.8 - 1) ** 2 + (0.8 - 0) ** 2) / 2)
    assert {kind.kind: kind.inside for kind in score.kinds} == {"config:lora.r": 1, "config:training.epochs": 0}


def test_steps_that_run_again_write_nothing_twice(task):
    for _ in range(2):
        record_forecast(task.path, "v2", proposal(change("lora", "r")))
        record_outcome(task.path, "v2", comparison(task, "v2"))
    assert len(task.read(FILE).splitlines()) == 2


def test_an_outcome_after_more_seeds_replaces_the_earlier_one(task):
    record_forecast(task.path, "v2", proposal(change("lora", "r")))
    record_outcome(task.path, "v2", comparison(task, "v2"))
    task.version("v2", {1: range(48), 2: range(49), 3: range(150)})
    record_outcome(task.path, "v2", comparison(task, "v2"))
    assert scored([task.path]).count == 1
    assert outcomes_of("config:lora.r", [task.path])[0].observed < 0


def test_a_baseline_forecasts_nothing(task):
    record_forecast(task.path, "v1", proposal())
    record_outcome(task.path, "v1", comparison(task, "v1"))
    assert not (task.path / FILE).exists()


def test_versions_that_cannot_be_compared_teach_nothing(task):
    task.version("v2", {1: range(48)}, digest="other")
    record_forecast(task.path, "v2", proposal(change("lora", "r")))
    record_outcome(task.path, "v2", comparison(task, "v2"))
    assert scored([task.path]).count == 0


def test_without_forecasts_there_is_no_score(tmp_path):
    score = scored([tmp_path])
    assert (score.count, score.coverage, score.brier) == (0, None, None)


def test_a_torn_line_does_not_hide_the_others(task):
    record_forecast(task.path, "v2", proposal(change("lora", "r")))
    with (task.path / FILE).open("a", encoding="utf-8") as stream:
        stream.write('{"type": "outc')
    record_outcome(task.path, "v2", comparison(task, "v2"))
    assert scored([task.path]).count == 1


def test_a_kind_of_change_is_the_same_for_every_class():
    one, other = change("training", "class_weights", "中立"), change("training", "class_weights", "正面")
    assert change_key(one) == change_key(other) == "config:training.class_weights"


def test_more_of_a_number_is_another_kind_of_change_than_less_of_it():
    def epochs(old, new):
        return Change(
            kind=ChangeKind.config, summary=T("c"), edits=[Edit(path=("training", "epochs"), old=old, new=new)]
        )

    assert change_key(epochs(4, 6)) == change_key(epochs(2, 3)) == "config:training.epochs:up"
    assert change_key(epochs(4, 1)) == "config:training.epochs:down"


def test_bundles_teach_nothing_about_their_parts(task):
    record_forecast(task.path, "v2", proposal(change("lora", "r"), change("training", "epochs")))
    record_outcome(task.path, "v2", comparison(task, "v2"))
    assert outcomes_of("config:lora.r", [task.path]) == []
    assert scored([task.path]).count == 1


def test_without_outcomes_the_prior_stays_as_it_is():
    assert learned_effect(PRIOR, []) == PRIOR
    other = outcome(0.1).model_copy(update={"metric": "accuracy"})
    assert learned_effect(PRIOR, [other]) == PRIOR


@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=12))
@settings(deadline=None, max_examples=60)
def test_the_learned_middle_lies_between_the_prior_and_what_was_observed(observed):
    effect = learned_effect(PRIOR, [outcome(value) for value in observed])
    middle, mean = (effect.low + effect.high) / 2, sum(observed) / len(observed)
    assert min(0.05, mean) - 1e-9 <= middle <= max(0.05, mean) + 1e-9
    assert effect.low < effect.high
    assert effect.source == "learned"
    assert (effect.p_better > 0.5) == (middle > 0)


def test_more_outcomes_and_more_exact_ones_move_the_forecast_further():
    def middle(*outcomes):
        effect = learned_effect(PRIOR, outcomes)
        return (effect.low + effect.high) / 2

    assert middle(*[outcome(0.0)] * 9) < middle(outcome(0.0)) < 0.05
    assert middle(outcome(0.0, error=0.001)) < middle(outcome(0.0, error=0.1))


def test_learning_pulls_a_wrong_prior_to_the_truth_when_no_change_of_a_kind_does_anything():
    draws = random.Random(0)
    effect = learned_effect(PRIOR, [outcome(draws.gauss(0, 0.01)) for _ in range(30)])
    assert effect.low < 0 < effect.high
    assert abs(effect.low + effect.high) / 2 < 0.006
