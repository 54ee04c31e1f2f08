"""Does a night keep trainings back for the seeds of its best version, and use them before it opens the test?"""

from __future__ import annotations

import pytest

from agent.overnight.begin import start_night
from agent.overnight.night import run_night
from agent.overnight.records import BudgetLimits, Chosen, Measured, Over, Spent, TestOpenedOnce, Tried, Waiting
from agent.overnight.rules import parse_allow
from tests.support.night_tasks import Place, of
from tools.compare import CompareArgs, compare
from tools.text import english
from tools.versioning.forecasts import scored_forecasts
from tools.versioning.records import training_of

pytestmark = pytest.mark.training


def test_the_best_version_gets_its_seeds_before_anything_is_claimed_of_it(tmp_path, monkeypatch):
    place = Place(tmp_path, trained=("one",))
    monkeypatch.setenv("ITERATE_CACHE", str(tmp_path / "cache"))
    limits, rules = BudgetLimits(hours=1.0, runs=3), parse_allow("config,recipe")
    record = start_night(place.root, place.tasks, limits, rules, seed=3, command="iterate overnight")
    run_night(record, model=None, watch=lambda event: None, say=english, stop=lambda: False)
    lines = record.lines()
    (kept,) = (line for line in of(lines, Tried) if line.outcome == "kept")
    assert kept.seeds == [42]
    later = [line for line in of(lines, Measured) if line.version == kept.version]
    assert [line.key for line in later] == [f"measured:one:{kept.version}:{seed}" for seed in (43, 44)]
    assert [one.seed for one in training_of(place.task("one"), kept.version)] == [42, 43, 44]
    claims = [line for line in lines if isinstance(line, TestOpenedOnce) or getattr(line, "what", "") == "adoption"]
    assert lines.index(claims[0]) > lines.index(later[-1])
    assert of(lines, Spent)[-1].runs == 3 and of(lines, Over) and of(lines, Waiting)
    (forecast,) = scored_forecasts(place.tasks)
    now = compare(CompareArgs(task_dir=place.task("one"), base=kept_from(lines), new=kept.version))
    judged = {line.metric: line.difference for line in (*now.classes, *now.metrics)}
    assert now.new_seeds == 3, "what came of the forecast is what all seeds say"
    assert forecast.outcome.observed == pytest.approx(judged[forecast.outcome.metric])


def kept_from(lines):
    """The version that the first trial began with."""
    return of(lines, Chosen)[0].base
