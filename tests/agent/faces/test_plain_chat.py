from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from agent.approval import DecideQuestion, Decision, ReviewQuestion
from agent.conversation.commands import COMMANDS
from agent.conversation.said import Delta, Filed, Order, Ordered, Said, ToolUsed, TurnEnded
from agent.conversation.said import Grid as GridBlock
from agent.faces import plain_orders
from agent.faces.layout import width
from agent.faces.plain_answers import TypedAnswers
from agent.faces.plain_chat import PlainChat
from agent.faces.plain_turn import PlainTurn
from agent.faces.views.blocks import block_lines
from agent.paths import Workspace, offer_examples
from agent.proposing.now import proposals_now
from agent.settings import Settings
from tools.change import Verb
from tools.diagnose import DiagnoseArgs, diagnose
from tools.text import T, english


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """The bundled tasks in a folder of their own."""
    offer_examples(tmp_path)
    return Workspace(root=tmp_path, tasks_dir=tmp_path / "tasks", origin=T("test"))


class Typed:
    """A plain chat that is given lines through a pipe."""

    def __init__(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.ran: list[list[str]] = []
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        names = ["run", "train", "status", "adopt", "rollback", "tool", "refs", "propose", "doctor", "compare"]
        names += ["predict", "export"]
        self.chat = PlainChat(workspace, english, "en", Settings(), self._run, names)
        self.code = 0

    def _run(self, words: list[str]) -> int:
        self.ran.append(words)
        return 0

    def lines(self, *lines: str) -> str:
        """What is shown after these lines."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        self.code = self.chat.talk(None, None)
        return self._capsys.readouterr().out


@pytest.fixture
def typed(workspace, monkeypatch, capsys) -> Typed:
    return Typed(workspace, monkeypatch, capsys)


def test_every_order_of_the_registry_can_be_carried_out(workspace):
    orders = plain_orders.PlainOrders(workspace, english, "en", lambda _: PlainTurn(english), None)
    assert {command.name for command in COMMANDS if command.acts} <= set(orders._table)


def test_a_pipe_gets_the_tasks_what_can_be_said_and_an_answer_to_each_line(typed):
    shown = typed.lines(
        "status of stance", "show errors 反對→支持", "誰在回答", "history stance", "no such thing at all"
    )
    assert "improve entity-sentiment" in shown
    assert "> show errors 反對→支持" in shown
    assert "wrong answers of v1 on validation" in shown
    assert "(the rules answered)" in shown
    assert "I did not understand" in shown
    assert typed.ran == []


def test_nothing_that_comes_through_a_pipe_is_ever_approved(typed, workspace):
    shown = typed.lines("improve stance", "approve 1", "approve 1 and 2", "adopt v1", "yes", "a")
    assert "Step 3 of 5" in shown
    assert typed.code != 0
    journal = workspace.task_path("stance") / "iterations" / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    assert not [line for line in lines if json.loads(line)["event"] in {"decision", "adopted", "test_opened"}]


def test_a_task_that_is_not_named_is_asked_for(typed, capsys):
    typed.lines("show errors")
    assert typed.code == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("iterate doctor", ["doctor"]),
        ("run stance", ["run", "stance"]),
        ("train stance --version v2", ["train", "stance", "--version", "v2"]),
        ("rollback stance --to v1", ["rollback", "stance", "--to", "v1"]),
        ("adopt stance v2", ["adopt", "stance", "v2"]),
        ("tool diagnose '{}'", ["tool", "diagnose", "{}"]),
        ("status stance --json", ["status", "stance", "--json"]),
        ("status stance", None),
        ("adopt v2", None),
        ("train it harder", None),
        ("propose something better", None),
        ("run until 7", None),
        ("what's wrong with stance", None),
        ("/status stance", None),
        ("iterate on it again", None),
        ("predict stance --text 很好", ["predict", "stance", "--text", "很好"]),
        ("predict it was - honestly - fine", None),
        ("predict stance matters", None),
        ("export stance --to out", ["export", "stance", "--to", "out"]),
        ("export v2", None),
    ],
)
def test_a_line_is_a_command_only_where_it_can_be_nothing_else(typed, line, words):
    assert typed.chat._command_line(line) == words


@pytest.fixture
def listed(workspace):
    """The proposals for a task, and the question about the first."""
    task = workspace.task_path("stance")
    proposals = proposals_now(task, "v1", diagnose(DiagnoseArgs(task_dir=task, version="v1")))
    assert len(proposals) >= 3
    return proposals, [
        ReviewQuestion(proposal=one, number=n, total=len(proposals), approved=0)
        for n, one in enumerate(proposals, start=1)
    ]


def test_approve_1_and_3_answers_the_first_now_and_the_third_when_it_comes(listed):
    proposals, questions = listed
    answers = TypedAnswers(lambda _: None)
    answers.standing.show(proposals)
    assert answers.answer(questions[0]) is None
    now = answers.meant(Order(command="approve", args={"numbers": [1, 3]}), questions[0])
    assert isinstance(now, Decision)
    assert (now.decision, now.proposal_id, now.by) == (Verb.approve, proposals[0].id, "person")
    assert answers.answer(questions[1]) is None
    later = answers.answer(questions[2])
    assert isinstance(later, Decision)
    assert later.proposal_id == proposals[2].id


def test_a_number_that_the_list_has_not_decides_nothing(listed):
    proposals, questions = listed
    told = []
    answers = TypedAnswers(told.append)
    answers.standing.show(proposals)
    assert answers.meant(Order(command="approve", args={"numbers": [99]}), questions[0]) is None
    assert "99" in str(told[0])
    assert all(answers.answer(question) is None for question in questions)


def test_a_rejection_keeps_its_reason_and_without_one_it_is_asked_for(listed):
    _, questions = listed
    answers = TypedAnswers(lambda _: None)
    said = answers.meant(Order(command="reject", args={"numbers": [1], "reason": "太貴"}), questions[0])
    assert isinstance(said, Decision)
    assert said.reason == "太貴"
    assert answers.meant(Order(command="reject", args={}), questions[0]) == "reject"


def test_words_about_another_version_do_not_answer_the_question_about_this_one():
    question = DecideQuestion.model_construct(kind="decide", version="v3", parent="v2", comparison=None, waiting=0)
    answers = TypedAnswers(lambda _: None)
    assert answers.meant(Order(command="adopt", args={"version": "v3"}), question) == "adopt"
    assert answers.meant(Order(command="adopt", args={"version": "v2"}), question) is None
    assert answers.meant(Order(command="rollback", args={"version": "v1"}), question) is None
    assert answers.meant(Order(command="approve", args={"numbers": [1]}), question) is None


def test_a_model_s_words_and_a_tool_s_outcome_cannot_move_the_cursor(capsys):
    turn = PlainTurn(english)
    turn.tell(Delta(text="first \x1b[31mred\n[bold]not markup[/bold] sec"))
    turn.tell(Delta(text="ond\u202e"))
    turn.tell(ToolUsed(name="read_results", arguments='{"a": "\x1b]0;x\x07"}', outcome="\x1b[2J", ok=False))
    turn.tell(TurnEnded(by="model", model="evil\x1b[0m"))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]not markup[/bold] second" in shown
    assert "[tool failed] read_results" in shown
    assert "evil" in shown.splitlines()[-2]


def test_only_an_order_and_a_wish_of_the_turn_are_kept(listed):
    proposals, _ = listed
    turn = PlainTurn(english)
    turn.tell(Delta(text="approve 1"))  # words of a model are words
    turn.tell(Filed(proposal=proposals[0]))
    turn.tell(Ordered(order=Order(command="versions")))
    assert [order.command for order in turn.orders] == ["versions"]
    assert turn.filed == [proposals[0]]


def test_a_table_that_is_too_wide_becomes_entries_that_fit(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    header = [T("Command"), T("What it does"), T("For example"), T("More")]
    block = GridBlock(header=header, rows=[["/why", "說明類別分數為什麼低" * 4, "why is 中立 low", "-"]])
    lines = block_lines(block, english)
    assert all(width(line) <= 60 for line in lines)
    assert "For example why is 中立 low" in " ".join(line.strip() for line in lines)
    assert block_lines(Said(block=block).block, english) == lines
