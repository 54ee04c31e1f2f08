from __future__ import annotations

from agent.model.client import open_model
from agent.model.prices import affordable
from agent.overnight.begin import start_night
from agent.overnight.budget import limits_of
from agent.overnight.night import run_night
from agent.overnight.records import Guarded, TakenUp
from agent.overnight.rules import read_rules
from agent.settings import Settings
from tests.support.night_tasks import Place, of, write
from tools.text import english


def test_a_server_that_is_gone_when_the_night_begins_is_in_its_record(tmp_path):
    place = Place(tmp_path, trained=("one",))
    write(tmp_path / "policy.yaml", "approve:\n  - kinds: [decoding]\n    from_model: true\n")
    settings = Settings(base_url="http://127.0.0.1:9/v1", timeout=2)  # which model it has must be asked first
    record = start_night(
        tmp_path,
        [place.task("one")],
        limits_of(max_hours="1", max_cost=1),
        read_rules(tmp_path / "policy.yaml"),
        seed=1,
        command="iterate overnight one",
    )
    ended = run_night(
        record,
        model=open_model(settings),
        watch=lambda event: None,
        say=english,
        stop=lambda: False,
        afford=lambda model: affordable(settings, model, 1.0),
    )
    assert ended == "nothing_worth_it"
    assert [line.guard for line in of(record.lines(), Guarded)] == ["endpoint"]
    assert not of(record.lines(), TakenUp)
