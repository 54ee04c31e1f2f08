"""Does completion offer what fits, and only that?"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.conversation.commands import COMMANDS
from agent.conversation.situation import Situation
from agent.conversation.understand import complete
from agent.library import Library
from tests.support.mood_task import MoodTask
from tools.text import english


@pytest.fixture
def talk(tmp_path: Path) -> Situation:
    mood = MoodTask(tmp_path)
    mood.version("v1", wrong=[0])
    mood.version("v2", wrong=[])
    library = Library(Path(__file__).parents[3] / "references")
    return Situation(workspace=mood.workspace, library=library, say=english, language="en", task=mood.path)


def shown(prefix: str, talk: Situation) -> list[str]:
    return [one.insert for one in complete(prefix, talk, limit=50)]


def test_a_slash_alone_offers_every_command_by_its_name(talk: Situation) -> None:
    assert [one.shown for one in complete("/", talk, limit=99)] == [f"/{command.name}" for command in COMMANDS]
    assert len(complete("/", talk)) == 8


def test_names_are_completed_by_their_beginning_in_both_languages_and_when_misspelt(talk: Situation) -> None:
    assert shown("/stat", talk) == ["/status "]
    assert shown("/核", talk) == ["/核准 "]
    assert shown("/staus", talk)[0] == "/status "
    assert complete("/stat", talk)[0].note == "Show where a task stands against its targets."


@pytest.mark.parametrize(
    ("prefix", "first"),
    [
        ("/improve m", "/improve mood"),
        ("/why 中", "/why 中立"),
        ("/errors 中立→", "/errors 中立→正面"),
        ("/compare v1 ", "/compare v1 v2"),
        ("/rollback ", "/rollback v2"),
        ("/refs oversa", "/refs methods/oversampling"),
        ("/try learning", "/try learning rate 2e-4"),
    ],
)
def test_values_of_the_task_under_discussion_follow(talk: Situation, prefix: str, first: str) -> None:
    assert shown(prefix, talk)[0] == first


def test_free_talk_and_unknown_commands_are_left_alone(talk: Situation) -> None:
    assert complete("improve m", talk) == []
    assert complete("/nothing m", talk) == []
    assert complete("", talk) == []
