"""Is free talk understood in both languages, and is nothing decided by a sentence that only speaks of deciding?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.approval import DecideQuestion, ReviewQuestion
from agent.conversation.commands import BY_NAME, COMMANDS, Slot
from agent.conversation.phrases import PHRASES
from agent.conversation.situation import Situation
from agent.conversation.understand import Unclear, Understood, parse_slash, understand
from agent.library import Library
from agent.paths import Workspace
from agent.proposing import baseline
from tests.agent.conversation.held_out import HELD_OUT
from tests.agent.conversation.utterances import CHINESE, ENGLISH, NOT_AN_ORDER
from tools.errors import InputError
from tools.reading.task import load_task
from tools.text import T, english

ROOT = Path(__file__).parents[3]
LIBRARY = Library(ROOT / "references")


@pytest.fixture(scope="module")
def talk() -> Situation:
    """The bundled tasks, entity-sentiment under discussion."""
    workspace = Workspace(root=ROOT, tasks_dir=ROOT / "tasks", origin=T("for a test"))
    task = ROOT / "tasks" / "entity-sentiment"
    return Situation(workspace=workspace, library=LIBRARY, say=english, language="en", task=task)


@pytest.fixture(scope="module")
def review(talk: Situation) -> Situation:
    """Proposal 2 of 3 waits for an answer."""
    proposal = baseline(load_task(talk.task))
    question = ReviewQuestion(proposal=proposal, number=2, total=3, approved=0)
    return replace(talk, question=question, proposals=[proposal] * 3)


def acts(found: Understood | Unclear) -> bool:
    """True when it would make an order or file a proposal."""
    return isinstance(found, Understood) and (found.command.acts or found.command.name == "try")


@pytest.mark.parametrize(("text", "command", "args"), [*ENGLISH, *CHINESE])
def test_what_people_type_is_understood(talk: Situation, text: str, command: str, args: dict[str, object]) -> None:
    found = understand(text, talk)
    assert isinstance(found, Understood), found
    assert (found.command.name, {name: found.args.get(name) for name in args}) == (command, args)


@pytest.mark.parametrize("text", [text for text, _, _ in NOT_AN_ORDER])
def test_a_sentence_about_an_order_is_not_the_order(review: Situation, text: str) -> None:
    assert not acts(understand(text, review)), understand(text, review)


def test_nine_of_ten_sentences_that_nothing_was_tuned_on_are_understood(talk: Situation) -> None:
    wrong = []
    for text, command, args in HELD_OUT:
        found = understand(text, talk)
        if command is None:
            right = not acts(found)
        else:
            right = isinstance(found, Understood) and found.command.name == command
            right = right and all(found.args.get(name) == value for name, value in args.items())
        wrong += [] if right else [(text, found)]
    assert len(wrong) <= len(HELD_OUT) // 10, wrong


STRICT = [command for command in COMMANDS if command.strict]
FILLED = {"numbers": "2", "version": "v2", "reason": "too slow", "until": "7:30"}
FILLED |= {"form": "merged", "folder": "out/here", "text": "It is fine"}


@pytest.mark.parametrize("command", STRICT, ids=lambda command: command.name)
def test_every_phrase_of_a_deciding_command_works_as_it_is_written(review: Situation, command) -> None:
    for phrase in command.phrases:
        said = phrase
        for name, value in FILLED.items():
            said = said.replace("{" + name + "}", value)
        for typed in (said, said.upper() if said.isascii() else said, f"  {said}. "):
            found = understand(typed, review)
            if command.name == "adopt" and "{version}" not in phrase:
                assert isinstance(found, Unclear)  # no version waits for a decision here
                continue
            assert isinstance(found, Understood), (typed, found)
            assert found.command is command, (typed, found.command.name)


@pytest.mark.parametrize(
    "around", ["not {}", "should I {}", "{} ?", "{}? yes", "perhaps {}", "「{}」", "x {}", "不要{}", "{}嗎", "如果{}"]
)
def test_nothing_around_a_deciding_phrase_leaves_it_a_decision(review: Situation, around: str) -> None:
    for command in STRICT:
        for phrase in command.phrases:
            if "{" not in phrase:
                found = understand(around.format(phrase), review)
                assert not (isinstance(found, Understood) and found.command.strict), (phrase, found)


def test_a_misspelt_order_is_offered_and_not_carried_out(review: Situation) -> None:
    for typed, meant in (("aprove 1", "approve"), ("rollbak to v1", "rollback"), ("regect 2", "reject")):
        found = understand(typed, review)
        assert isinstance(found, Unclear)
        assert meant in [command.name for command in found.candidates]


def test_a_long_text_is_not_searched_for_orders(review: Situation) -> None:
    row = "approve 1\n" * 200
    assert understand(row, review) == Unclear([])


def test_the_question_that_waits_says_which_number_is_meant(review: Situation, talk: Situation) -> None:
    assert understand("approve", review).args == {"numbers": [2]}
    assert understand("拒絕因為太慢", review).args == {"numbers": [2], "reason": "太慢"}
    found = understand("approve", talk)
    assert isinstance(found, Unclear)
    assert found.missing is Slot.numbers


def test_the_version_that_waits_is_the_one_to_adopt(talk: Situation) -> None:
    question = DecideQuestion.model_construct(version="v3", parent="v1")
    assert understand("adopt it", replace(talk, question=question)).args == {"version": "v3"}


def test_a_reason_keeps_its_words_as_they_were_typed(talk: Situation) -> None:
    found = understand("reject 1 because Qwen/Qwen3-8B needs 20 GB", talk)
    assert found.args == {"numbers": [1], "reason": "Qwen/Qwen3-8B needs 20 GB"}


def test_what_is_missing_is_asked_for(talk: Situation) -> None:
    for text, name, slot in (
        ("improve banking", "improve", Slot.task),
        ("改善客服", "improve", Slot.task),
        ("why is sarcasm low", "why", Slot.label),
        ("what if pigs fly", "whatif", Slot.change),
        ("try harder", "try", Slot.change),
    ):
        found = understand(text, talk)
        assert isinstance(found, Unclear), text
        assert ([command.name for command in found.candidates], found.missing) == ([name], slot)


def test_labels_of_the_task_that_is_named_are_known(talk: Situation) -> None:
    assert understand("why is 期限 low in official-doc", talk).args == {"label": "期限", "task": "official-doc"}
    nowhere = replace(talk, task=None)
    assert understand("why is 反對 low", nowhere).args == {"label": "反對", "task": "stance"}
    assert "task" not in understand("why is 中立 low", nowhere).args  # two tasks have it


@pytest.mark.parametrize(
    ("line", "command", "args"),
    [
        ("/status", "status", {}),
        ("／狀態 stance", "status", {"task": "stance"}),
        ("/errors 中立→正面", "errors", {"pair": ["中立", "正面"]}),
        ("/錯誤中立→正面", "errors", {"pair": ["中立", "正面"]}),
        ("/errors 中立", "errors", {"label": "中立"}),
        ("/why 2", "why", {"numbers": [2]}),
        ("/approve 1, 3", "approve", {"numbers": [1, 3]}),
        ("/核准1", "approve", {"numbers": [1]}),
        ("/reject 2 because Too slow", "reject", {"numbers": [2], "reason": "Too slow"}),
        ("/try lr 2e-4", "try", {"change": {"edits": [["training.learning_rate", 2e-4]]}}),
        (
            "/try lr 2e-4 in stance",
            "try",
            {"change": {"edits": [["training.learning_rate", 2e-4]]}, "task": "stance"},
        ),
        ("/try base_model=out/stance", "try", {"change": {"edits": [["base_model", "out/stance"]]}}),
        ("/try base_model=Qwen/Qwen3-0.6B", "try", {"change": {"edits": [["base_model", "Qwen/Qwen3-0.6B"]]}}),
        ("/whatif foo 3", "whatif", {"change": {"edits": [["foo", 3]]}}),
        ("/compare v1 v2", "compare", {"versions": ["v1", "v2"]}),
        ("/undo", "rollback", {}),
        ("/rollback 1", "rollback", {"version": "v1"}),
        ("/read methods/lora", "refs", {"page": "methods/lora"}),
        ("/overnight 早上七點半", "overnight", {"until": "07:30"}),
        ("/?", "help", {}),
    ],
)
def test_slash_commands_take_their_values_in_order(
    talk: Situation, line: str, command: str, args: dict[str, object]
) -> None:
    found = parse_slash(line, talk)
    assert isinstance(found, Understood), found
    assert (found.command.name, found.args, found.score) == (command, args, 100.0)


def test_an_unknown_slash_command_names_the_nearest_ones(talk: Situation) -> None:
    with pytest.raises(InputError) as caught:
        parse_slash("/statsu", talk)
    assert "/statsu" in str(caught.value.message)
    assert "/status" in str(caught.value.hint)


def test_a_value_that_fits_nothing_is_asked_for_again(talk: Situation) -> None:
    for line, slot in (("/improve nowhere", Slot.task), ("/overnight soon", Slot.until), ("/approve", Slot.numbers)):
        found = parse_slash(line, talk)
        assert isinstance(found, Unclear)
        assert found.missing is slot


def test_numbers_with_words_behind_them_that_no_slot_takes_decide_nothing(review: Situation) -> None:
    for line in ("/approve 1-3", "/approve 1 only if it is cheap", "/later 1 or so"):
        found = parse_slash(line, review)
        assert isinstance(found, Unclear) and found.missing is Slot.numbers, line
    assert parse_slash("/reject 1 too dear", review).args == {"numbers": [1], "reason": "too dear"}


def test_the_registry_and_its_phrases_name_the_same_commands_and_known_slots() -> None:
    assert {command.name for command in COMMANDS if command.phrases} == set(PHRASES)
    words = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(words) == len(set(words)) == len(BY_NAME)
    for command in COMMANDS:
        assert set(command.required) <= set(command.slots)
        named = {part.split("}")[0] for phrase in command.phrases for part in phrase.split("{")[1:]}
        assert named <= {slot.value for slot in Slot}
    assert {c.name for c in STRICT} >= {"approve", "adopt", "reject", "later", "rollback", "stop", "quit", "overnight"}
