"""The morning report: honest in its first paragraph, complete after it, and whole whatever stood in the record."""

from __future__ import annotations

import json
import re
import time
import xml.etree.ElementTree as ElementTree
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.journal import Journal
from agent.overnight.records import LOCK, BudgetLimits, NightRecord
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.figures import elapsed_minutes, score_points, shares
from agent.overnight.reporting.html import html
from agent.overnight.reporting.markdown import markdown
from agent.overnight.reporting.opening import opening
from agent.overnight.reporting.words import moment, paragraph, points
from agent.overnight.reporting.write import write_report
from tests.support.nights import Night, at, busy_night, comparison, proposal
from tests.support.run_dirs import copy_task, make_child, make_result
from tools.change import Decision, Verb
from tools.files import append_line, now, write_model
from tools.launchers.base import lock_descriptor
from tools.text import T, english
from tools.versioning.adopt import POINTER, AdoptionRecord
from tools.versioning.forecasts import record_forecast, record_outcome

HOSTILE = "</script><img src=http://x.example/a onerror=alert(1)>\x1b[31m\u202e](http://x.example) | `rm -rf` {task} {0} & \"'"


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Page(HTMLParser):
    """Fails on tags that do not match; keeps what a page would load or run."""

    VOID = frozenset({"meta", "br", "img", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def first_words(record: NightRecord) -> str:
    return paragraph(opening(night_facts(record)), english)


def pictures(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg.*?</svg>", page, re.S)]


# --- the first paragraph


def test_it_says_first_how_the_night_ended_what_valid_and_the_locked_test_say_and_that_nothing_was_adopted(tmp_path):
    told = first_words(busy_night(tmp_path))
    assert told.startswith(
        "The night 2026-11-22-2300 on stance, official-doc ended at 2026-11-22 17:10 UTC because its time was up."
    )
    assert "On stance, v3 scores +3.2 points of Macro-F1 against v1 on valid (mean over 3 seed(s)" in told
    assert "says +1.2 points (95 percent interval -1.8 to +4.2, p = 0.400): undecided: no gain is shown." in told
    assert "Nothing was adopted: the versions in use are those from before the night." in told
    assert "Nothing that was tried on official-doc was kept." in told and "Decisions that wait for you: 3." in told


def test_a_gain_whose_interval_holds_zero_is_called_not_significant_and_without_a_test_nothing_is_claimed(tmp_path):
    night = Night(tmp_path).choose(1, "epochs").end(1, "kept", comparison("v1", "v2", 0.7, 0.71, half=0.02))
    told = first_words(night.over("nothing_worth_it"))
    assert "95 percent interval -1.0 to +3.0): not significant, the interval holds zero." in told
    assert "The locked test set was not opened for it, so no gain is claimed." in told
    assert "because nothing that was left promised to be worth its cost" in told


def test_a_gain_that_the_test_shows_and_an_adoption_are_said_as_what_they_are(tmp_path):
    night = Night(tmp_path).choose(1, "epochs").end(1, "kept", comparison("v1", "v2", 0.6, 0.7))
    told = first_words(night.open_test("v1", "v2", 0.6, 0.69).adopt("v2").over())
    assert "the interval lies above zero" in told and "better: this gain may be claimed" in told
    assert "v2 of stance was adopted in place of v1" in told and "Nothing was adopted" not in told


def test_a_test_that_says_worse_is_not_softened(tmp_path):
    night = Night(tmp_path).choose(1, "epochs").end(1, "kept", comparison("v1", "v2", 0.6, 0.7))
    assert "worse: do not adopt it for this" in first_words(night.open_test("v1", "v2", 0.69, 0.6).over())


def test_a_night_that_is_not_over_says_whether_it_runs_and_how_to_take_it_up(tmp_path):
    record = Night(tmp_path).choose(1, "epochs").record
    assert "was cut off" in first_words(record)
    assert "Take it up with `iterate overnight --resume 2026-11-22-2300`." in first_words(record)
    assert "What became of" not in first_words(record) and "not finished" in markdown(night_facts(record), english)
    with (record.folder / LOCK).open("w+b") as held:
        assert lock_descriptor(held.fileno(), blocking=False)
        assert "is still running" in first_words(record) and "nothing of it is final" in first_words(record)


def test_nights_without_a_trial_and_with_nothing_but_crashes_are_told(tmp_path):
    empty = Night(tmp_path / "a").over("stopped")
    assert "a person stopped it" in first_words(empty) and "No change was tried." in first_words(empty)
    crashed = Night(tmp_path / "b").choose(1, "epochs").end(1, "crashed", reason=T("Out of memory.")).over("failed")
    assert "1 (0 kept, 0 discarded, 0 dead ends, 1 crashed or interrupted)" in first_words(crashed)
    assert "- (1) crashed: Out of memory." in markdown(night_facts(crashed), english)


def test_a_baseline_that_the_night_trained_is_no_gain(tmp_path):
    night = Night(tmp_path, starts={"stance": ""}).choose(
        1, "baseline", base="", proposal=proposal("stance", "v1", changes=[])
    )
    night.end(1, "kept", version="v1", seeds=[42]).choose(2, "epochs").end(
        2, "discarded", comparison("v1", "v2", 0.7, 0.69)
    )
    told = first_words(night.over())
    assert "v1 is the first version of stance, trained this night" in told and "scores" not in told
    assert "Changes tried in 24 min: 1 (0 kept, 1 discarded" in told
    assert re.search(r"\| 1 +\| v1 \(v1\) +\| baseline +\| +- +\|", markdown(night_facts(night.record), english))


# --- what is counted


def test_the_gain_of_a_chain_is_counted_from_the_start_and_has_no_interval_that_nobody_measured(tmp_path):
    facts = night_facts(busy_night(tmp_path))
    stance = facts.tasks[0]
    assert (stance.start, stance.best, stance.kept, stance.tried) == ("v1", "v3", 2, 4)
    assert stance.gain is not None and stance.gain.value == pytest.approx(0.032) and stance.gain.low is None
    assert [point.best for point in score_points(stance, facts.trials)] == [0.731, 0.744, 0.744]


def test_a_chain_whose_versions_are_at_hand_is_compared_again_from_its_start_for_an_interval(tmp_path):
    task = copy_task(tmp_path / "tasks")
    for version, parent, fixed in (("v2", "v1", 30), ("v3", "v2", 50)):
        make_child(task, version, parent)
        make_result(task, version, fixed=fixed)
    night = Night(tmp_path).choose(1, "one").end(1, "kept", comparison("v1", "v2", 0.58, 0.6))
    night.choose(2, "two", base="v2").end(2, "kept", comparison("v2", "v3", 0.6, 0.61))
    gain = night_facts(night.over()).tasks[0].gain
    assert gain is not None and gain.low is not None and gain.low < gain.value < gain.high and gain.value > 0.05


def test_nothing_of_the_test_set_and_no_row_is_in_a_report_before_an_opening(tmp_path):
    night = Night(tmp_path).choose(1, "epochs")
    sealed = comparison("v1", "v2", 0.123, 0.456, split="test")
    night.end(1, "kept", sealed, difference=0.01)
    facts = night_facts(night.over())
    said = facts.model_dump_json() + markdown(facts, english) + html(facts, english)
    assert "0.123" not in said and "12.3" not in said and "45.6" not in said and "row-7" not in said
    assert "nothing is claimed, and nothing of it is known" in said


def test_forecasts_of_the_night_are_scored_apart_from_those_before_it(tmp_path):
    task = tmp_path / "tasks/stance"
    night = Night(tmp_path)
    for trial, version, now_ in ((1, "v2", 0.71), (2, "v3", 0.9), (0, "v9", 0.72)):
        found = comparison("v1", version, 0.7, now_)
        record_forecast(task, version, proposal("stance", "epochs"))
        record_outcome(task, version, found)
        if trial:
            night.choose(trial, "epochs").end(trial, "discarded", found)
    facts = night_facts(night.over())
    assert [(one.version, one.inside) for one in facts.forecasts] == [("v2", True), ("v3", False)]
    assert (facts.tonight.count, facts.tonight.coverage, facts.ever.count) == (2, 0.5, 3)
    assert "Tonight: 50% of 2 forecasts held their interval (80% was promised); Brier score 0.04" in markdown(
        facts, english
    )


def test_decisions_taken_alone_name_the_rule_that_the_journal_has(tmp_path):
    night = Night(tmp_path).choose(1, "epochs")
    change = proposal("stance", "epochs", new=5)
    decided = Decision(proposal_id=change.id, decision=Verb.approve, by="policy", who="night.yaml, rule 2", at=at(6))
    Journal(tmp_path / "tasks/stance").note("s", "decision", "1", by="policy", decision=decided.model_dump(mode="json"))
    alone = night_facts(night.adopt("v2").over()).alone
    assert [one.rule for one in alone] == ["night.yaml, rule 2", "--allow config adopt: wait"]


def test_a_decision_that_was_taken_in_the_morning_no_longer_waits(tmp_path):
    record = busy_night(tmp_path)
    task = tmp_path / "tasks/stance"
    assert [one.settled for one in night_facts(record).waiting] == [False, False, False]
    used = AdoptionRecord(version="v3", adapters=[], at=now(), by="person", decision_id="d", previous="v1")
    write_model(task / POINTER, used)
    waiting = night_facts(record).waiting[0].proposal
    said = Decision(proposal_id=waiting.id, decision=Verb.reject, by="person", who="me", at="2026-11-23T08:00:00+00:00")
    Journal(task).note("s", "decision", "1", by="person", decision=said.model_dump(mode="json"))
    facts = night_facts(record)
    assert [one.number for one in facts.open] == [2] and "Decisions that wait for you: 1." in first_words(record)
    assert "iterate adopt stance v3\n" in markdown(facts, english)


def test_commands_are_quoted_and_stay_in_the_workspace_that_the_night_was_started_in(tmp_path):
    night = Night(tmp_path, ("my task; rm -rf",), command="iterate -w '/my place' overnight x --until 07:00")
    night.choose(1, "epochs", task="my task; rm -rf").end(
        1, "kept", comparison("v1", "v2", 0.6, 0.7), task="my task; rm -rf"
    )
    said = markdown(night_facts(night.over()), english)
    assert "iterate --workspace '/my place' adopt 'my task; rm -rf' v2" in said
    assert "iterate --workspace '/my place' rollback 'my task; rm -rf' --to v1" in said


def test_a_task_outside_of_the_workspace_is_named_by_its_path(tmp_path):
    task = tmp_path / "else where" / "mood"
    night = Night(tmp_path / "here", (str(task),), starts={"mood": "v1"})
    night.choose(1, "epochs", task="mood").end(1, "kept", comparison("v1", "v2", 0.6, 0.7, task="mood"), task="mood")
    said = markdown(night_facts(night.over()), english)
    assert f"iterate adopt '{task}' v2\n" in said and f"iterate rollback '{task}' --to v1\n" in said


def test_the_budget_is_counted_in_parts_of_its_limits_and_a_clock_that_was_set_back_stands_still(tmp_path):
    night = Night(tmp_path, limits=BudgetLimits(until=at(100), runs=4)).spend(10, 1, 0.0)
    night.minutes = -60
    facts = night_facts(night.spend(20, 2, 0.0).over())
    assert elapsed_minutes(facts) == [5, 5]
    assert [one.shares for one in shares(facts)] == [[0.05, 0.05], [0.25, 0.5]]


def test_a_line_that_a_crash_tore_is_left_out_and_said(tmp_path):
    record = busy_night(tmp_path)
    before = len(night_facts(record).trials)
    with (record.folder / "lines.jsonl").open("ab") as lines:
        lines.write(b'{"type": "tried", "at": "2026')
    facts = night_facts(record)
    assert (facts.unreadable, len(facts.trials)) == (1, before)
    assert "that count for nothing here: 1." in markdown(facts, english)


def test_a_trial_whose_choice_is_lost_still_has_its_row(tmp_path):
    facts = night_facts(Night(tmp_path).end(4, "discarded", comparison("v1", "v2", 0.7, 0.69)).over())
    assert "(its record is lost) (v2)" in markdown(facts, english)
    assert pictures(html(facts, english))


# --- the files


def test_both_files_are_written_beside_the_record_and_open_with_the_same_paragraph(tmp_path):
    record = busy_night(tmp_path)
    text, page = write_report(record, english)
    assert (text.parent, page.parent) == (record.folder, record.folder)
    told = first_words(record)
    assert text.read_text("utf-8").splitlines()[2] == told
    assert told in unescape(page.read_text("utf-8"))
    assert write_report(record, english) == (text, page)


def test_the_page_needs_nothing_from_outside_and_runs_nothing(tmp_path):
    page = html(night_facts(busy_night(tmp_path)), english)
    found = Page(page)
    names = [tag for tag, _ in found.tags]
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(names)
    assert all(not name.startswith("on") for _, attributes in found.tags for name in attributes)
    assert not re.search(r"url\(|@import|https?://", page)
    assert "prefers-color-scheme: dark" in page and "@media print" in page and "default-src 'none'" in page


def test_every_table_has_heads_and_every_plot_a_title_a_description_and_the_numbers_in_a_table(tmp_path):
    page = html(night_facts(busy_night(tmp_path)), english)
    tags = Page(page).tags
    assert all(attributes.get("scope") in {"col", "row"} for tag, attributes in tags if tag == "th")
    assert [tag for tag, _ in tags].count("caption") == [tag for tag, _ in tags].count("table")
    drawn = pictures(page)
    assert len(drawn) == 3
    for one in drawn:
        title, about = (one.find(name) for name in ("title", "desc"))
        assert title is not None and about is not None and title.text and about.text
        assert one.attrib["aria-labelledby"].split() == [title.attrib["id"], about.attrib["id"]]
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "73.1%" in re.sub(r"<svg.*?</svg>", "", page, flags=re.S)


def test_markdown_has_every_section_in_its_order_and_tables_of_one_width(tmp_path):
    said = markdown(night_facts(busy_night(tmp_path)), english)
    assert re.findall(r"^## (.*)", said, re.M) == [
        "Budget",
        "What was tried",
        "Valid said, test says",
        "Forecasts and what came of them",
        "Guards that fired",
        "Decisions that wait for you",
        "Decisions that were taken alone",
        "Reproduce, adopt, roll back",
        "Where the records are",
        "Rules of this night",
        "What this night cannot show",
    ]
    for block in re.findall(r"(?:^\|.*\n)+", said, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_what_could_be_done_besides_is_not_among_the_decisions(tmp_path):
    night = Night(tmp_path, ("stance",)).wait("offer", "Rows could be labelled.", command="iterate label stance")
    said = markdown(night_facts(night.record), english)
    decisions, _, besides = said.partition("## What only you could do besides")
    assert "No decision waits for you." in decisions.partition("## Decisions that wait for you")[2]
    assert "iterate label stance" in besides.partition("\n## ")[0] and "Decide number" not in said


def test_hostile_titles_reasons_names_and_commands_stay_text(tmp_path):
    night = Night(
        tmp_path, ("stance",), who=HOSTILE, command=HOSTILE, resume=HOSTILE, rules={"source": HOSTILE, HOSTILE: [1]}
    )
    night.choose(1, T(HOSTILE)).check(1, 0.01).end(1, "kept", comparison("v1", "v2", 0.6, 0.7), reason=T(HOSTILE, x=1))
    night.choose(2, "x" * 100_000 + HOSTILE, base="v2").guard("leak", HOSTILE).pause("stance", HOSTILE)
    night.wait("proposal", HOSTILE, command=HOSTILE, proposal=proposal("stance", HOSTILE)).wait("offer", HOSTILE)
    facts = night_facts(night.record)
    page, text = html(facts, english), markdown(facts, english)
    tags = {tag for tag, _ in Page(page).tags}
    assert not {"script", "img"} & tags and "\x1b" not in page + text and "\u202e" not in page + text
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    assert "](http" not in prose and not re.search(r"(?<!\\)<(?:img|/script)", prose)
    assert pictures(page) and len(page) < 200_000


WORDS = st.text(max_size=40)
AMOUNT = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-0.2, 0.2)
OUTCOMES = st.sampled_from(["kept", "discarded", "dead_end", "crashed", "interrupted", None])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    trials=st.lists(st.tuples(WORDS, AMOUNT, AMOUNT, OUTCOMES, st.booleans()), max_size=5),
    spent=st.lists(AMOUNT, max_size=4),
    ends=st.booleans(),
)
def test_any_night_can_be_told(tmp_path_factory, trials, spent, ends):
    night = Night(tmp_path_factory.mktemp("night"), ("a", "b"))
    for number, (title, expected, gain, outcome, quick) in enumerate(trials, 1):
        task = "ab"[number % 2]
        night.choose(number, title, task=task, expected=expected, spread=abs(gain))
        if quick:
            night.check(number, gain, task=task)
        if outcome is not None:
            found = (
                comparison("v1", f"v{number + 1}", 0.5, gain, task=task) if outcome in {"kept", "discarded"} else None
            )
            night.end(number, outcome, found, task=task)
    for amount in spent:
        night.spend(abs(amount), len(spent), abs(amount))
    if ends:
        night.over()
    facts = night_facts(night.record)
    page = html(facts, english)
    Page(page)
    assert all(
        re.fullmatch(r"-?[\d.]+", value)
        for one in pictures(page)
        for each in one.iter()
        for name, value in each.attrib.items()
        if name in {"x", "y", "cx", "cy", "x1", "y1", "x2", "y2", "width", "height"}
    )
    assert markdown(facts, english).endswith("\n") and len(facts.trials) == len(trials)


# --- words and facts


def test_moments_are_told_in_the_time_of_the_machine_and_points_are_never_minus_zero(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Taipei")
    time.tzset()
    assert moment("2026-11-22T17:10:00+00:00") == "2026-11-23 01:10 UTC+8"
    assert moment("yesterday\x1b") == "yesterday\\u001b"
    assert (points(-0.0001), points(0.0125), points(1e300)) == ("+0.0", "+1.2", "+1e+302")


def test_the_facts_are_one_json_document(tmp_path):
    record = busy_night(tmp_path)
    append_line(record.folder / "lines.jsonl", "not json")
    again = json.loads(night_facts(record).model_dump_json())
    assert again["trials"][0]["outcome"] == "kept" and again["unreadable"] == 1
