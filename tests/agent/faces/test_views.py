from __future__ import annotations

from agent.approval import ReviewQuestion
from agent.events import Decided, Progress
from agent.faces.console import error_lines
from agent.faces.views.history import TaskHistory, VersionLine, history_lines
from agent.faces.views.progress import ProgressLines
from agent.faces.views.proposal import proposal_lines
from agent.faces.views.sentences import sentence
from agent.i18n import speaker
from agent.journal import Entry
from agent.policy import PolicyApprover
from agent.written_rules import parse_rules
from tools.change import Change, ChangeKind, Cost, Decision, Difficulty, Edit, Effect, Goal, Proposal, Tier, Verb
from tools.errors import InputError, Problem
from tools.runs import StepEvent
from tools.text import T, english
from tools.versioning.forecasts import scored
from tools.versioning.notes import notes


def proposal(diff: str) -> Proposal:
    return Proposal(
        task="mood",
        title=T("Epochs: {old} → {new}", old=3, new=6),
        problem=T("The model is underfitted."),
        goal=Goal(metric="f1[中立]", now=0.42, wanted=0.6),
        changes=[
            Change(kind=ChangeKind.config, summary=T("more"), edits=[Edit(path=("training", "epochs"), old=3, new=6)])
        ],
        diff=diff,
        config_sha256="",
        effect=Effect(metric="macro_f1", low=-0.01, high=0.05, p_better=0.7, source="prior", basis=T("A guess.")),
        cost=Cost(minutes=12, memory_gb=2.5, basis=T("Measured.")),
        difficulty=Difficulty.low,
        tier=Tier.quick,
        page="methods/sft",
    )


def test_a_proposal_shows_everything_that_is_needed_to_decide():
    text = "\n".join(proposal_lines(proposal("-  epochs: 3\n+  epochs: 6"), english, number=1, total=2))
    for part in (
        "1 of 2",
        "underfitted",
        "F1 of 中立",
        "42.0%",
        "60.0%",
        "-1.0",
        "+5.0",
        "70%",
        "12 min",
        "2.5 GB",
        "Undo",
    ):
        assert part in text
    assert "+  epochs: 6" in text and "methods/sft" in text


def test_a_diff_cannot_move_the_cursor_or_recolour_the_terminal():
    hostile = "+  note: \x1b[2J\x1b[1;1Happroved\u202e"
    text = "\n".join(proposal_lines(proposal(hostile), english, number=1, total=1))
    assert "\x1b" not in text and "\u202e" not in text
    assert "\\u001b" in text


def test_an_error_lists_every_problem_with_its_place_choices_and_next_step():
    error = InputError(
        T("The configuration has mistakes."),
        hint=T("Mend them."),
        page="troubleshooting/configuration",
        problems=[
            Problem(message=T("not a number"), path="configs/training_config.yaml", line=7, choices=["sft", "orpo"]),
            Problem(message=T("out of range"), path="configs/training_config.yaml", line=9),
        ],
    )
    text = "\n".join(error_lines(error, english))
    for part in (
        "configs/training_config.yaml:7",
        "sft, orpo",
        "configs/training_config.yaml:9",
        "Mend them.",
        "iterate refs",
    ):
        assert part in text


def test_a_thousand_problems_do_not_scroll_the_first_ones_away():
    error = InputError(T("Bad rows."), problems=[Problem(message=T("row {n}", n=n)) for n in range(1000)])
    lines = error_lines(error, english)
    assert len(lines) < 60
    assert any("950 more" in line for line in lines)


def test_a_long_training_shows_a_few_lines_and_its_last_step():
    progress = ProgressLines(english)
    shown = [
        line
        for step in range(1, 1001)
        for line in progress.lines(
            Progress(
                run_id="v2-s42",
                event=StepEvent(at="", step=step, total_steps=1000, epoch=step / 250, loss=1.0 / step, eta_seconds=60),
            )
        )
    ]
    assert 10 < len(shown) < 30
    assert "step 1000/1000" in shown[-1]


def test_a_loss_that_is_not_a_number_is_said_in_words():
    event = StepEvent(at="", step=1, total_steps=1, epoch=0.1, loss=None)
    assert "not a number" in ProgressLines(english).lines(Progress(run_id="r", event=event))[0]


def test_why_a_rule_left_something_is_said_in_the_language_of_whoever_reads_the_journal():
    change = proposal("")
    words = "--approve recipe"
    rule = PolicyApprover(parse_rules(["recipe"]), by="rule", who=words, defer_rest=True, approved=lambda _: 0)
    deferred = rule.answer(ReviewQuestion(proposal=change, number=1, total=1, approved=0))
    by_a_person = Decision(proposal_id="p", decision=Verb.reject, reason="太貴", by="person", who="mei", at="now")
    earlier_release = deferred.model_copy(update={"reason": "No rule allows changes of the kind config."})
    lines = [
        {"decision": one.model_dump(mode="json"), "proposal": change.model_dump(mode="json")}
        for one in (deferred, by_a_person, earlier_release)
    ]
    entries = [Entry(at="now", session="s", key=str(n), event="decision", data=one) for n, one in enumerate(lines)]
    version = VersionLine(version="v1", parent=None, created_at=None, value=None, seeds=0, in_use=False, changes=[])
    history = TaskHistory(
        metric="macro_f1", versions=[version], decisions=entries, openings=[], forecasts=[], score=scored([])
    )
    told = "\n".join(history_lines(history, speaker("zh-TW")))
    assert "沒有規則允許" in told and "太貴" in told and "No rule allows changes" in told
    assert "沒有規則允許" in notes("v2", change, deferred, speaker("zh-TW"))


def test_a_proposal_that_no_rule_covered_says_why():
    decision = Decision(proposal_id="p", decision=Verb.defer, reason="The licence\x1b[31m is new.", by="rule", at="now")
    told = english(sentence(Decided(decision=decision, title=T("Base model")), english))
    assert told.startswith("-> left for later: Base model (The licence")
    assert "\x1b" not in told
