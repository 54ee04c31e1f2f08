from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.training


def test_a_person_goes_from_a_new_task_to_an_adopted_second_version(place):
    screen = place.terminal("run", "small")
    screen.expect("Train the configuration as it stands")
    screen.expect("> ")
    screen.sendline("approve")
    screen.expect("baseline that later versions are compared with")
    screen.expect(r"Proposal 1 of \d+")
    screen.expect("> ")
    screen.sendline("")  # an empty line is no yes
    screen.expect("> ")
    screen.sendline("approve")
    while screen.expect([r"Proposal \d+ of \d+", "Step 4 of 5"]) == 0:
        screen.expect("> ")
        screen.sendline("later")
    screen.expect("Step 5 of 5")
    screen.expect("Recommended")
    screen.expect("> ")
    screen.sendline("adopt")
    screen.expect("locked test set was opened")
    screen.expect("adopt now")
    screen.expect("> ")
    screen.sendline("adopt")
    screen.expect("v2 is now the version in use")
    screen.expect("finished")
    screen.wait()
    assert screen.exitstatus == 0
    current = json.loads((place.task / "models" / "current.json").read_text(encoding="utf-8"))
    assert current["version"] == "v2"
    ledger = (place.task / "iterations" / "test_ledger.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(ledger) == 1
    assert len(place.runs()) == 2


def test_a_rejected_change_is_not_proposed_again_and_its_reason_is_on_record(trained):
    first = trained.terminal("run", "small")
    first.expect(r"Proposal 1 of \d+: ([^\r]+)")
    title = first.match[1]
    first.expect("> ")
    first.sendline("reject")
    first.expect("Why")
    first.sendline("太貴")
    first.expect("-> rejected")
    first.close(force=True)
    decision = next(entry for entry in trained.journal() if entry["event"] == "decision")
    assert decision["data"]["decision"]["reason"] == "太貴"
    again = trained.run("propose", "small")
    assert f": {title}" not in again.stdout


def test_an_edited_value_is_validated_and_is_what_gets_approved(trained):
    screen = trained.terminal("run", "small")
    screen.expect(r"Proposal 1 of \d+")
    screen.expect("> ")
    screen.sendline("edit")
    screen.expect(r"(\S+) \[.*\]: ")
    screen.sendline("minus one")
    screen.expect("Error")
    screen.expect(r"\S+ \[.*\]: ")
    screen.sendline("")  # the proposed value
    screen.expect("Edited by you")
    screen.expect("> ")
    screen.sendline("1")
    screen.expect("approved as edited")
    screen.close(force=True)
    decisions = [entry["data"]["decision"]["decision"] for entry in trained.journal() if entry["event"] == "decision"]
    assert decisions == ["edit"]


def test_leaving_keeps_the_question_and_coming_back_asks_the_same_one(trained):
    first = trained.terminal("run", "small")
    first.expect(r"Proposal 1 of \d+: ([^\r]+)")
    title = first.match[1]
    first.expect("> ")
    first.sendline("q")
    first.expect(r"Continue with: iterate --workspace \S+ run small")
    first.wait()
    assert first.exitstatus == 4
    second = trained.terminal("run", "small")
    second.expect("taken up again")
    second.expect(r"Proposal 1 of \d+: ([^\r]+)")
    assert second.match[1] == title
    second.close(force=True)
