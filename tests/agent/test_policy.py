from __future__ import annotations

from pathlib import Path

import pytest

from agent.approval import ConfirmQuestion, FirstAnswer, ReviewQuestion
from agent.policy import Policy, PolicyApprover
from agent.written_rules import parse_rules, read_policy
from tests.support.nights import comparison
from tools.change import Change, ChangeKind, Cost, Difficulty, Edit, Effect, Goal, Proposal, Tier, Verb
from tools.errors import InputError
from tools.text import T
from tools.versioning.ledger import OpenedTest
from tools.versioning.rule_facts import RuleFacts


def proposal(kind=ChangeKind.config, path=("training", "epochs"), minutes=5.0, trainings=1, changes=None):
    change = Change(kind=kind, summary=T("more"), edits=[Edit(path=path, old=1, new=2)])
    return Proposal(
        task="mood",
        title=T("a change"),
        problem=T("a problem"),
        goal=Goal(metric="macro_f1", wanted=0.8),
        changes=[change] if changes is None else changes,
        diff="",
        config_sha256="",
        effect=Effect(metric="macro_f1", low=0, high=0.1, p_better=0.7, source="prior", basis=T("a guess")),
        cost=Cost(minutes=minutes, trainings=trainings, basis=T("measured")),
        difficulty=Difficulty.low,
        tier=Tier.quick,
        page="methods/sft",
    )


def ask(approver, wanted):
    return approver.answer(ReviewQuestion(proposal=wanted, number=1, total=1, approved=0))


def by_rules(*rules, defer_rest=True):
    return PolicyApprover(parse_rules(list(rules)), by="rule", who="test", defer_rest=defer_rest, approved=nothing)


def nothing(proposal_id):
    """No training was approved before."""
    return 0


def test_a_rule_approves_its_kind_and_defers_everything_else():
    approver = by_rules("recipe")
    assert ask(approver, proposal(ChangeKind.recipe, ("data", "oversample", "中立"))).decision is Verb.approve
    assert ask(approver, proposal()).decision is Verb.defer


def test_a_pattern_of_keys_covers_a_proposal_only_if_it_covers_every_edit():
    both = Change(
        kind=ChangeKind.config,
        summary=T("two keys"),
        edits=[Edit(path=("lora", "r"), old=1, new=2), Edit(path=("training", "epochs"), old=1, new=2)],
    )
    assert ask(by_rules("lora.*"), proposal(path=("lora", "r"))).decision is Verb.approve
    assert ask(by_rules("lora.*"), proposal(changes=[both])).decision is Verb.defer


def test_the_baseline_needs_a_word_of_its_own():
    first = proposal(changes=[])
    assert ask(by_rules("config"), first).decision is Verb.defer
    assert ask(by_rules("training.*"), first).decision is Verb.defer
    assert ask(by_rules("baseline"), first).decision is Verb.approve
    assert ask(by_rules("any"), first).decision is Verb.approve


def test_a_policy_stops_approving_when_its_trainings_are_used_up():
    policy = Policy.model_validate({"approve": [{"kinds": ["config"]}], "max_trainings": 2})
    approver = PolicyApprover(policy, by="policy", who="night.yaml", defer_rest=True, approved=lambda _: len(filed))
    filed: list[Verb] = []
    for _ in range(3):
        filed.append(ask(approver, proposal()).decision)
    assert filed == [Verb.approve, Verb.approve, Verb.defer]


def test_a_policy_with_a_longest_cost_leaves_costlier_changes_alone():
    policy = Policy.model_validate({"approve": [{"max_minutes": 10}]})
    approver = PolicyApprover(policy, by="policy", who="night.yaml", defer_rest=True, approved=nothing)
    assert ask(approver, proposal(minutes=11)).decision is Verb.defer


def test_with_a_person_present_what_no_rule_covers_is_left_to_the_person():
    assert ask(by_rules("recipe", defer_rest=False), proposal()) is None


def test_nobody_to_ask_means_no_answer():
    assert FirstAnswer([]).answer(ReviewQuestion(proposal=proposal(), number=1, total=1, approved=0)) is None


def test_a_rule_with_a_typo_approves_nothing_and_lists_the_valid_kinds():
    with pytest.raises(InputError) as error:
        parse_rules(["recipe", "confg"])
    assert [problem.value for problem in error.value.problems] == ["confg"]
    assert "config" in error.value.problems[0].choices


@pytest.mark.parametrize(
    "text",
    ["approve: everything", "- a\n- list", "approve: [{kinds: [spend]}]", "decide: {worse: adopt}", "{", "adopt: yes"],
)
def test_a_policy_file_that_is_wrong_is_refused_whole(tmp_path, text):
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_policy(file)


def test_an_empty_policy_file_approves_nothing(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text("", encoding="utf-8")
    assert (
        ask(
            PolicyApprover(read_policy(file), by="policy", who="x", defer_rest=True, approved=nothing), proposal()
        ).decision
        is Verb.defer
    )


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_the_policy_file_on_the_reference_page_is_one(tmp_path, language):
    page = Path(__file__).parents[2] / "references" / "troubleshooting" / f"sessions-and-locks.{language}.md"
    example = "approve" + page.read_text(encoding="utf-8").partition("```text\napprove")[2].partition("```")[0]
    file = tmp_path / "policy.yaml"
    file.write_text(example, encoding="utf-8")
    policy = read_policy(file)
    assert len(policy.approve) == 4
    assert set(Policy.model_fields) - {"decide"} <= set(example.replace(":", " ").split())


def test_what_a_language_model_thought_of_is_still_asked_by_day():
    idea = proposal().model_copy(update={"origin": "model"})
    assert ask(by_rules("any"), idea).decision is Verb.defer
    assert ask(by_rules("any", defer_rest=False), idea) is None


def test_a_deferred_proposal_says_which_condition_failed():
    policy = Policy.model_validate({"approve": [{"kinds": ["recipe"]}, {"kinds": ["config"], "max_minutes": 4}]})
    answer = ask(
        PolicyApprover(policy, by="policy", who="night.yaml", defer_rest=True, approved=nothing), proposal(minutes=5)
    )
    assert "5 min" in str(answer.reason)


@pytest.mark.parametrize(("adopt", "deploys", "adopted"), [("if_better", False, True), ("if_better", True, None)])
def test_a_task_with_a_deploy_command_is_adopted_by_rule_only_where_the_file_allows_it(adopt, deploys, adopted):
    compared = comparison("v1", "v2", 0.7, 0.8)
    opened = OpenedTest(ordinal=1, versions=["v1", "v2"], scores={}, verdict="better", notes=[])
    question = ConfirmQuestion(version="v2", parent="v1", comparison=compared, opened=opened)
    for deploy, expected in ((False, adopted), (True, True)):
        policy = Policy.model_validate({"adopt": adopt, "deploy": deploy})
        facts = RuleFacts(deploys=deploys)
        approver = PolicyApprover(policy, by="policy", who="night.yaml", defer_rest=True, approved=nothing, facts=facts)
        answer = approver.answer(question)
        assert (None if answer is None else answer.adopt) == expected
