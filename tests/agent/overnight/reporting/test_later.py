"""What changed after a trial or after the night: further seeds at its end, an adoption by a person in the morning."""

from __future__ import annotations

from agent.overnight.records import Measured
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.markdown import markdown
from agent.overnight.reporting.opening import opening
from agent.overnight.reporting.words import paragraph
from tests.support.nights import Night, comparison
from tools.comparison import Comparison
from tools.files import now, write_model
from tools.text import english
from tools.versioning.adopt import POINTER, AdoptionRecord


def first_words(record) -> str:
    return paragraph(opening(night_facts(record)), english)


def one_seed(night: Night) -> Night:
    found = comparison("v1", "v2", 0.70, 0.76, seeds=1, floor=None)
    return night.choose(1, "epochs").end(1, "kept", found)


def test_the_gain_is_that_of_all_seeds_when_the_best_version_got_more_of_them_later(tmp_path, monkeypatch):
    def again(_) -> Comparison:
        return comparison("v1", "v2", 0.70, 0.72)

    monkeypatch.setattr("agent.overnight.reporting.facts.compare", again)
    night = one_seed(Night(tmp_path))
    assert "v2 scores +6.0 points" in first_words(night.record) and "mean over 1 seed(s)" in first_words(night.record)
    night.add(Measured, "measured:stance:v2:43", task="stance", version="v2", seeds=[42, 43])
    night.add(Measured, "measured:stance:v2:44", task="stance", version="v2", seeds=[42, 43, 44])
    told = first_words(night.over())
    assert "v2 scores +2.0 points" in told and "mean over 3 seed(s)" in told
    page = markdown(night_facts(night.record), english)
    assert page.count("was trained with further seeds") == 1, "told once, with all of them"
    assert "over all of them it is +2.0 points against v1 (+0.0 to +4.0)" in page


def test_a_seed_that_failed_is_not_told_as_one_that_was_trained(tmp_path):
    night = Night(tmp_path).add(Measured, "measured:stance", task="stance", version="v1", seeds=[42])
    assert night_facts(night.over()).measured == []


def test_a_report_that_is_read_after_an_adoption_does_not_say_that_nothing_was_adopted(tmp_path):
    night = one_seed(Night(tmp_path)).wait("adoption", "The rules leave it.", version="v2", command="iterate adopt")
    record = night.over()
    assert "Nothing was adopted" in first_words(record)
    parts = {"adapters": [], "by": "mei", "decision_id": "d", "previous": "v1"}
    write_model(tmp_path / "tasks/stance" / POINTER, AdoptionRecord(version="v2", at=now(), **parts))
    told = first_words(record)
    assert "Nothing was adopted" not in told and "Adopted since the night, not by it: v2 (stance)." in told
