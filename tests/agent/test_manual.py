from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from agent.journal import Journal
from agent.manual import adopt_opened, call_tool, open_for_adoption, train
from agent.session import task_lock
from agent.steps.compare import compared
from tests.support.cards import proposal
from tests.support.night_tasks import Place, give_version
from tools.compare import CompareArgs, compare
from tools.comparing.report import markdown
from tools.errors import Busy, InputError
from tools.files import sha256_bytes
from tools.text import english
from tools.versioning.forecasts import record_forecast, scored_forecasts
from tools.versioning.ledger import open_test, openings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def task(tmp_path):
    folder = tmp_path / "stance"
    shutil.copytree(ROOT / "tasks" / "stance", folder)
    return folder


def edit(task, value):
    edits = [{"path": ["training", "epochs"], "old": 4, "new": value}]
    seen = sha256_bytes((task / "configs" / "training_config.yaml").read_bytes())
    return json.dumps({"task_dir": str(task), "edits": edits, "expected_sha256": seen})


def test_a_tool_that_writes_leaves_a_line_in_the_journal(task):
    call_tool("edit_config", edit(task, 6))
    (entry,) = Journal(task).entries()
    assert (entry.session, entry.event, entry.by) == ("command", "tool", "person")
    assert entry.data["tool"] == "edit_config"
    assert entry.data["arguments"]["edits"][0]["new"] == 6


def test_a_tool_that_writes_waits_for_nobody_who_holds_the_task(task):
    before = (task / "configs" / "training_config.yaml").read_bytes()
    with task_lock(task), pytest.raises(Busy):
        call_tool("edit_config", edit(task, 6))
    assert (task / "configs" / "training_config.yaml").read_bytes() == before
    assert Journal(task).entries() == []


def test_a_tool_that_reads_needs_neither_lock_nor_journal(task):
    with task_lock(task):
        assert "macro_f1" in call_tool("read_results", json.dumps({"task_dir": str(task)}))
    assert Journal(task).entries() == []


def test_wrong_arguments_are_listed_and_nothing_is_recorded(task):
    with pytest.raises(InputError) as raised:
        call_tool("edit_config", json.dumps({"task_dir": str(task), "edit": []}))
    assert raised.value.problems
    assert Journal(task).entries() == []


def test_adopting_what_a_night_opened_shows_that_opening_again(tmp_path):
    task = Place(tmp_path, trained=("one",)).task("one")
    give_version(task, "v2", level=0.85)
    opened = open_test(task, versions=["v1", "v2"], why="adoption of v2", by="--allow config", decision_id="night:v2")
    assert open_for_adoption(task, "v2") == opened
    assert len(openings(task)) == 1
    assert adopt_opened(task, "v2").version == "v2"


def test_further_seeds_of_a_version_renew_its_comparison_and_what_came_of_its_forecast(tmp_path, monkeypatch):
    monkeypatch.setenv("ITERATE_CACHE", str(tmp_path / "cache"))
    task = Place(tmp_path, trained=("one",)).task("one")
    config = task / "configs/training_config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("epochs: 2", "epochs: 3"), encoding="utf-8")

    def came():
        (scored,) = scored_forecasts([task])
        return scored.outcome.observed

    train(task, "v2", [42], lambda event: None, english)
    assert not (task / "iterations/v2/comparison.md").exists(), "it was not compared, so there is nothing to renew"
    record_forecast(task, "v2", proposal(task="one"))
    compared(task, "v1", "v2", english)
    of_one_seed = came()
    train(task, "v2", [43], lambda event: None, english)
    now = compare(CompareArgs(task_dir=task, base="v1", new="v2"))
    assert now.new_seeds == 2 and came() == pytest.approx(now.metrics[0].difference)
    assert came() != of_one_seed
    assert (task / "iterations/v2/comparison.md").read_text(encoding="utf-8") == markdown(now, english)
