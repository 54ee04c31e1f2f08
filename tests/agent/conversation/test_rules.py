"""Do the rules answer with numbers and rows from the tools, in both languages, without touching anything?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.approval import ReviewQuestion
from agent.conversation.answers.listed import listed_proposals
from agent.conversation.commands import BY_NAME, COMMANDS
from agent.conversation.rules import ANSWERS, answer_by_rules
from agent.conversation.said import (
    DiffBlock,
    Filed,
    Grid,
    Items,
    Order,
    Ordered,
    PageLink,
    PageRead,
    Para,
    RowList,
    Said,
    TurnEvent,
)
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.i18n import speaker
from agent.library import Library
from tests.support.mood_task import TEST_TEXT, MoodTask
from tools.compare import CompareArgs, compare
from tools.diagnose import DiagnoseArgs, diagnose
from tools.text import english
from tools.versioning.forecasts import record_forecast, record_outcome

LIBRARY = Library(Path(__file__).parents[3] / "references")
WRONG = [*range(2, 41, 3), 0]
"""13 rows of 中立 answered as 正面, and one of 正面 answered as 負面."""


@pytest.fixture
def mood(tmp_path: Path) -> MoodTask:
    task = MoodTask(tmp_path)
    task.version("v1", wrong=WRONG)
    return task


@pytest.fixture
def talk(mood: MoodTask) -> Situation:
    return Situation(workspace=mood.workspace, library=LIBRARY, say=english, language="en", task=mood.path)


Ask = Callable[..., list[TurnEvent]]


@pytest.fixture
def ask(mood: MoodTask, talk: Situation) -> Ask:
    """Answers a line and makes sure that no file changed and no test text was shown."""

    def answered(line: str, situation: Situation = talk) -> list[TurnEvent]:
        before, events = mood.files(), []
        answer_by_rules(line, situation, events.append)
        assert mood.files() == before
        assert TEST_TEXT not in "".join(event.model_dump_json() for event in events)
        return events

    return answered


def words(events: list[TurnEvent]) -> str:
    """Everything said in sentences and tables, in English."""
    parts = []
    for block in blocks(events):
        match block:
            case Para():
                parts.append(str(block.text))
            case Items():
                parts += [str(item) for item in block.items]
            case Grid():
                parts += [" | ".join(row) for row in block.rows]
    return "\n".join(parts)


def blocks(events: list[TurnEvent]) -> list:
    return [event.block for event in events if isinstance(event, Said)]


def strings(value: object) -> Iterator[str]:
    """Every string in nested data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for one in value.values() for text in strings(one))
    elif isinstance(value, list):
        yield from (text for one in value for text in strings(one))


def orders(events: list[TurnEvent]) -> list[Order]:
    return [event.order for event in events if isinstance(event, Ordered)]


def filed(events: list[TurnEvent]) -> list[Filed]:
    return [event for event in events if isinstance(event, Filed)]


def test_every_command_is_either_answered_here_or_an_order() -> None:
    assert set(ANSWERS) <= {command.name for command in COMMANDS}
    assert {command.name for command in COMMANDS if not command.acts} <= set(ANSWERS)


def test_status_gives_the_score_the_gap_and_the_classes(ask: Ask, mood: MoodTask) -> None:
    said = words(ask("status"))
    line = diagnose(DiagnoseArgs(task_dir=mood.path)).status.metrics[0]
    assert f"{line.value:.1%}" in said
    assert f"{-line.gap * 100:.1f} points below the target 80.0%" in said if line.gap < 0 else "reached" in said
    assert "中立" in said
    assert "why is" in said or all(not one.weak for one in diagnose(DiagnoseArgs(task_dir=mood.path)).status.classes)


def test_why_explains_a_class_with_scores_confusions_and_three_valid_rows(ask: Ask, mood: MoodTask) -> None:
    events = ask("why is 中立 low?")
    said = words(events)
    line = next(one for one in diagnose(DiagnoseArgs(task_dir=mood.path)).status.classes if one.label == "中立")
    assert f"F1 {line.f1:.1%}, precision {line.precision:.1%}, recall {line.recall:.1%} on 20 rows" in said
    assert "Training rows: 20 (33% of train" in said
    assert "Answered instead of 中立: 正面 13." in said
    shown = next(block for block in blocks(events) if isinstance(block, RowList))
    assert len(shown.rows) == 3
    assert all(row.id.startswith("valid") and (row.expected, row.answered) == ("中立", "正面") for row in shown.rows)
    assert any(isinstance(block, PageLink) for block in blocks(events))


def test_why_without_a_name_explains_the_weakest_class(ask: Ask, mood: MoodTask) -> None:
    weakest = min(diagnose(DiagnoseArgs(task_dir=mood.path)).status.classes, key=lambda line: line.f1).label
    assert words(ask("/why")).startswith(weakest)


def test_why_with_a_number_explains_that_proposal_of_the_list(ask: Ask, talk: Situation) -> None:
    listed = listed_proposals(Understood(BY_NAME["proposals"], {}, 100), talk)
    review = replace(talk, proposals=listed)
    events = ask("為什麼提議1", review)
    assert str(listed[0].title) in words(events)
    assert "Expect:" in words(events)
    assert [block.text for block in blocks(events) if isinstance(block, DiffBlock)] == [listed[0].diff]
    assert "The list has" in words(ask(f"why {len(listed) + 1}", review))


def test_proposals_are_listed_with_forecast_and_price_and_the_one_that_waits(ask: Ask, talk: Situation) -> None:
    listed = listed_proposals(Understood(BY_NAME["proposals"], {}, 100), talk)
    question = ReviewQuestion(proposal=listed[0], number=1, total=len(listed), approved=0)
    events = ask("what do you propose", replace(talk, proposals=listed, question=question))
    assert [len(block.rows) for block in blocks(events) if isinstance(block, Grid)] == [len(listed)]
    assert "Number 1 waits for your answer" in words(events)
    assert "To review them: improve mood" in words(ask("what do you propose"))


def test_what_a_change_would_do_is_shown_and_not_filed(ask: Ask) -> None:
    events = ask("what if learning rate 1e-4")
    assert filed(events) == []
    diff = next(block.text for block in blocks(events) if isinstance(block, DiffBlock))
    assert "-  learning_rate: 0.0002\n+  learning_rate: 0.0001" in diff
    said = words(events)
    assert "Expect: Macro-F1" in said
    assert "rule of thumb" in said
    assert "Cost:" in said
    assert "nothing was filed" in said


def test_a_remedy_means_the_labels_that_need_it(ask: Ask, mood: MoodTask) -> None:
    few = [mood.row("train", n) for n in range(60) if mood.label(n) != "中立" or n < 15]
    mood.write("data/train.jsonl", "".join(json.dumps(row) + "\n" for row in few))
    for line in ("what would oversampling do", "過採樣有用嗎", "would oversampling 中立 help"):
        events = ask(line)
        assert filed(events) == []
        assert "中立: 20" in "".join(block.text for block in blocks(events) if isinstance(block, DiffBlock)), line


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("try learning rate 1e-4", "training.learning_rate", 1e-4),
        ("把輪數改成 6", "training.epochs", 6),
        ("try a higher rank", "lora.r", 32),
        ("set the weight of 中立 to 1.5", "training.class_weights.中立", 1.5),
        ("/try lr_scheduler cosine", "training.lr_scheduler", "cosine"),
        ("try deduplicating the data", "data.deduplicate", True),
    ],
)
def test_a_wish_is_filed_for_review(ask: Ask, line: str, key: str, value: object) -> None:
    (one,) = filed(ask(line))
    edits = {edit.dotted: edit.new for change in one.proposal.changes for edit in change.edits}
    assert edits[key] == value
    assert one.proposal.origin == "person"


def test_a_wish_that_cannot_be_is_explained(ask: Ask) -> None:
    said = words(ask("/try learnin_rate 3"))
    assert "learnin_rate" in said
    assert "training.learning_rate" in said
    assert "larger model" in words(ask("would a larger model help"))
    assert "New rows are not written" in words(ask("更多資料會有用嗎"))


def test_versions_are_compared_on_valid_only(ask: Ask, mood: MoodTask) -> None:
    assert "nothing to compare v1 with" in words(ask("compare"))
    mood.version("v2", wrong=[0])
    for line in ("compare v1 v2", "v2 比較好嗎", "compare"):
        said = words(ask(line))
        assert "v2 against v1 on the same 60 valid rows" in said
        assert "Fixed rows (13): valid" in said
    assert not (mood.path / "iterations" / "test_ledger.jsonl").exists()


def test_an_unknown_version_names_the_ones_there_are(ask: Ask) -> None:
    assert "v1" in words(ask("compare v1 v7"))


def test_words_find_pages_and_an_id_opens_one(ask: Ask) -> None:
    events = ask("什麼是過擬合")
    assert isinstance(events[0], PageRead)
    assert events[0].page == "troubleshooting/overfitting"
    assert blocks(events)[-1].kind == "page" or any(isinstance(block, PageLink) for block in blocks(events))
    assert orders(ask("/refs methods/lora")) == [Order(command="refs", args={"page": "methods/lora"})]
    assert orders(ask("/refs")) == [Order(command="refs")]
    assert "No reference page" in words(ask("what is xyzzyplugh"))


def test_forecasts_are_scored_once_there_is_an_outcome(ask: Ask, talk: Situation, mood: MoodTask) -> None:
    assert "No forecast has been put to the test" in words(ask("預測準不準"))
    listed = listed_proposals(Understood(BY_NAME["proposals"], {}, 100), talk)
    mood.version("v2", wrong=[0])
    record_forecast(mood.path, "v2", listed[0])
    record_outcome(mood.path, "v2", compare(CompareArgs(task_dir=mood.path, base="v1", new="v2")))
    said = words(ask("how good were your forecasts"))
    assert "1 forecast(s) tested" in said
    assert "Brier score" in said
    assert "mood | v2 |" in said


def test_an_order_carries_what_was_said_and_the_task_it_needs(ask: Ask) -> None:
    assert orders(ask("approve 1 and 3")) == [Order(command="approve", args={"numbers": [1, 3]})]
    assert orders(ask("improve")) == [Order(command="improve", args={"task": "mood"})]
    assert orders(ask("中立被誤判成正面")) == [Order(command="errors", args={"pair": ["中立", "正面"]})]
    assert orders(ask("start overnight until 7")) == [Order(command="overnight", args={"until": "07:00"})]


def test_the_only_task_is_meant_when_none_is_under_discussion_else_it_is_asked(
    ask: Ask, talk: Situation, tmp_path: Path
) -> None:
    nowhere = replace(talk, task=None)
    assert "mood, v1 on valid" in words(ask("status", nowhere))
    MoodTask(tmp_path / "other").path.rename(tmp_path / "tasks" / "second")
    said = words(ask("status", nowhere))
    assert "Which task?" in said
    assert "mood, second" in said
    assert orders(ask("improve", nowhere)) == []
    assert "second has no trained version yet" in words(ask("status of second", nowhere))


def test_what_is_not_understood_is_said_with_the_nearest_commands(ask: Ask) -> None:
    events = ask("colourless green ideas")
    assert 'I did not understand "colourless green ideas". Nothing was done.' in words(events)
    assert "/help" in words(events)
    assert orders(events) == filed(events) == []
    assert "There is no command /statsu." in words(ask("/statsu"))
    assert "Which change?" in words(ask("what if pigs fly"))


def test_foreign_text_is_never_shown_with_its_control_characters(ask: Ask, mood: MoodTask) -> None:
    mood.version("v1", wrong=WRONG, texts={2: "\x1b[31mapprove 1\u202e", 5: "\x1b]0;x\x07"})
    for line in ("why is 中立 low", "\x1b[2Jhello\u202e", "/\x1b[2J"):
        shown = "".join(text for event in ask(line) for text in strings(event.model_dump()))
        assert not any(bad in shown for bad in "\x1b\u202e\x07")


def test_help_lists_every_command_with_an_example_in_the_language_of_the_person(ask: Ask, talk: Situation) -> None:
    listed = words(ask("help"))
    assert all(f"/{command.name} |" in listed for command in COMMANDS)
    assert "why is 正面 low" in listed
    chinese = words(ask("說明", replace(talk, language="zh-TW", say=speaker("zh-TW"))))
    assert "為什麼正面這麼低" in chinese
    assert "approve {numbers}".replace("{numbers}", "<numbers>") in words(ask("/help approve"))


def test_help_says_what_is_possible_right_now(ask: Ask, talk: Situation) -> None:
    listed = listed_proposals(Understood(BY_NAME["proposals"], {}, 100), talk)
    question = ReviewQuestion(proposal=listed[0], number=2, total=3, approved=0)
    said = words(ask("what can I say", replace(talk, question=question)))
    assert "Proposal 2 of 3 waits for your answer." in said
    assert "approve 2" in said
    assert "Nothing waits for an answer." in words(ask("help"))


def test_what_is_not_understood_while_a_question_waits_names_its_answers(ask: Ask, talk: Situation) -> None:
    listed = listed_proposals(Understood(BY_NAME["proposals"], {}, 100), talk)
    question = ReviewQuestion(proposal=listed[0], number=2, total=3, approved=0)
    said = words(ask("colourless green ideas", replace(talk, question=question)))
    assert "reject 2 because ..." in said and "/improve" not in said


def test_who_answers_and_where_things_are_is_said(ask: Ask, mood: MoodTask) -> None:
    said = words(ask("who are you"))
    assert "no language model is set up" in said
    assert "OPENAI_BASE_URL" in said
    assert "iterate doctor --endpoint" in said
    assert str(mood.path) in words(ask("檔案在哪"))
    assert "mood | v1 | Macro-F1" in words(ask("which tasks are there"))


def test_diagnosis_names_findings_rows_and_pages(ask: Ask, mood: MoodTask) -> None:
    events = ask("哪裡有問題")
    found = diagnose(DiagnoseArgs(task_dir=mood.path))
    assert str(found.findings[0].title) in words(events)
    assert "中立 → 正面 | 13" in words(events)
    assert next(block.page for block in blocks(events) if isinstance(block, PageLink)) == found.findings[0].page
