"""The commands that a night hands on, pasted from wherever the reader is."""

from __future__ import annotations

import shlex
from pathlib import Path

from agent.faces.overnight import NightWish, begin, detached_lines
from agent.overnight.budget import Meter
from agent.overnight.context import Night
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.handing import commands
from agent.overnight.rules import NightRules
from tests.support.night_tasks import Place, write
from tools.text import english


def night_of(record):
    plan = record.plan()
    return Night(
        record=record,
        plan=plan,
        rules=NightRules.model_validate(plan.rules),
        meter=Meter(record),
        watch=lambda event: None,
        say=english,
        stop=lambda: False,
        tell=lambda line: None,
    )


def test_every_command_names_the_workspace_where_the_current_folder_does_not_lead_to_it(tmp_path, monkeypatch):
    place = Place(tmp_path / "my nights", trained=("one",))
    write(tmp_path / "night.yaml", "approve:\n  - kinds: [decoding]\n")
    monkeypatch.chdir(tmp_path)
    record = begin(place.root, [place.task("one")], NightWish(max_hours="1", policy=Path("night.yaml")))
    plan = record.plan()
    said = [plan.command, plan.resume, night_of(record).command("adopt", "one", "v2")]
    said += [line for _, line in commands(night_facts(record))]
    assert {tuple(shlex.split(line)[:3]) for line in said} == {("iterate", "--workspace", str(place.root))}
    assert str(tmp_path / "night.yaml") in plan.command  # a policy file too is named so that it is found from elsewhere
    named = f"iterate --workspace {shlex.quote(str(place.root))} "
    assert sum(named in english(line) for line in detached_lines(record, 1)) == 3


def test_no_command_names_a_workspace_that_the_current_folder_leads_to(tmp_path, monkeypatch):
    place = Place(tmp_path, trained=("one",))
    monkeypatch.chdir(place.task("one"))
    plan = begin(place.root, [place.task("one")], NightWish(max_hours="1")).plan()
    assert "--workspace" not in plan.command + plan.resume
