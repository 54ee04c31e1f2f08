"""`iterate overnight` as a user types it: what is wrong is said before anything starts, and a detached night can be ended."""

from __future__ import annotations

import json
import signal
import time

import pytest

from agent.overnight.records import Chosen, Over, Tried
from tests.support.night_tasks import Place, of, write
from tests.support.openai_server import FakeEndpoint
from tools.versioning.ledger import openings

pytestmark = pytest.mark.training


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, trained=("one", "two"))


def ended(process, seconds=120):
    said = process.communicate(timeout=seconds)
    assert "Traceback" not in said[1], said[1]
    return process.returncode, said[0], said[1]


def wait_for(condition, seconds=90):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--until", "07:00"), "one, two"),
        (("one",), "--until 07:00"),
        (("one", "--until", "07:00", "--allow", "confg"), "config"),
        (("--resume",), "iterate overnight TASK"),
        (("one", "--resume", "x"), "--resume"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(place, words, told):
    code, out, err = ended(place.start(*words))
    assert (code, out) == (2, "")
    assert told in err
    assert place.nights == []


def test_a_detached_night_outlives_its_starter_and_is_ended_by_a_word(place):
    write(place.task("one") / "mood", "endless")
    before = place.configs()
    code, out, _ = ended(place.start("one", "--max-hours", "1", "--allow", "config,recipe", "--detach"))
    (night,) = place.nights
    assert code == 0 and night.is_worked_on
    assert str(night.folder / "night.log") in out and f"--stop {night.id}" in out
    assert ended(place.start("one", "--max-hours", "1"))[0] == 75
    wait_for(lambda: list(place.task("one").glob("runs/**/status.json")))
    assert ended(place.start("--stop"))[0] == 0
    assert not night.is_worked_on
    lines = night.lines()
    assert [line.reason for line in of(lines, Over)] == ["stopped"]
    assert {line.outcome for line in of(lines, Tried)} == {"interrupted"}
    assert place.configs() == before and openings(place.task("one")) == []
    assert (night.folder / "report.md").is_file()
    states = [json.loads(file.read_text())["state"] for file in place.task("one").glob("runs/**/status.json")]
    assert "running" not in states


def test_a_terminal_that_goes_away_leaves_a_night_that_can_be_taken_up(place):
    write(place.task("one") / "mood", "slow")
    process = place.start("one", "--max-hours", "1", "--max-runs", "1", "--allow", "config,recipe", "--json")
    wait_for(lambda: list(place.task("one").glob("runs/**/status.json")))
    process.send_signal(signal.SIGHUP)
    code, out, err = ended(process)
    (night,) = place.nights
    assert code == 130 and f"overnight --resume {night.id}" in err
    assert {json.loads(line)["night"] for line in out.splitlines()} == {night.id}
    assert not night.is_over and of(night.lines(), Chosen) and not of(night.lines(), Tried)
    code, out, _ = ended(place.start("--resume", night.id))
    assert code == 3 and night.is_over
    assert len(list(place.task("one").glob("runs/v2-*/spec.json"))) == 1


def test_what_the_model_costs_is_said_also_to_a_program_that_reads_json(place):
    write(place.root / "night.yaml", "approve:\n  - kinds: [decoding]\n    from_model: true\n")
    with FakeEndpoint() as server:
        server.by(lambda body: "no idea")
        prices = f"base_url: {server.base_url}\nmodel: small\nprices: {{small: {{prompt: 1, completion: 2}}}}\n"
        write(place.root / "settings.yaml", prices)
        limits = ("--max-hours", "1", "--max-cost", "1", "--policy", str(place.root / "night.yaml"))
        code, out, err = ended(place.start("one", *limits, "--json"))
    assert code in {0, 4}
    assert {json.loads(line)["night"] for line in out.splitlines()} == {place.nights[0].id}
    assert "small costs 1 and 2 dollars" in err
