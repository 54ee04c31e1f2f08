"""Whole ways through the chat, as a person goes them: on a real terminal, in plain lines, with and without a model's server."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.support.openai_server import FakeEndpoint
from tests.support.terminal import Screen

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


def decisions(task: Path) -> list[dict]:
    path = task / "iterations" / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return [line["data"]["decision"] for line in lines if line["event"] == "decision"]


@pytest.fixture
def screen(bundled, tmp_path):
    """Starts the full screen, as `make run` does; what was started is ended."""
    opened = []

    def start(*words: str, language: str = "en") -> Screen:
        made = Screen(tmp_path / f"terminal{len(opened)}", bundled.environment)
        opened.append(made)
        made.start([sys.executable, "-m", "agent.cli", "--lang", language, "--workspace", str(bundled.root), *words])
        return made

    yield start
    for made in opened:
        made.end()


def card(chat: Screen, *, after: str = "") -> str:
    """What the card on the screen would change, once that is another change than before."""
    until = time.monotonic() + 60
    while True:
        found = re.search(r"│ Change  (.*?)\s*│", chat.shown())
        if found and found[1] != after:
            return found[1]
        assert time.monotonic() < until, chat.shown()
        time.sleep(0.1)


@needs_tmux
def test_improve_my_stance_task_reject_with_a_reason_leave_and_come_back(screen, bundled):
    chat = screen()
    chat.wait_for("What you can say")
    chat.type("improve my stance task")
    chat.press("Enter")
    first = card(chat)
    chat.press_until("r", "Why? It is kept")
    chat.type("too dear")
    chat.press("Enter")
    pending = card(chat, after=first)
    assert [(one["decision"], one["reason"], one["by"]) for one in decisions(bundled.task)] == [
        ("reject", "too dear", "person")
    ]
    chat.type("/quit")
    chat.press("Enter")
    left = chat.wait_for("Continue with: iterate --resume", "left with 0")
    session = re.search(r"--resume (\S+)", left)[1]

    again = screen("--continue")
    again.wait_for(session, "taken up again")
    assert card(again) == pending
    assert len(decisions(bundled.task)) == 1


@needs_tmux
def test_the_same_in_chinese_begins_with_one_sentence(screen, bundled):
    chat = screen(language="zh-TW")
    chat.wait_for("stance")
    chat.type("改善我的立場任務")
    chat.press("Enter")
    chat.wait_for("步驟 3／5：提案", "變化", "學習率")
    assert decisions(bundled.task) == []


@needs_tmux
def test_a_terminal_that_cannot_show_a_screen_gets_plain_lines(screen, bundled):
    bundled.environment["TERM"] = "dumb"
    plain = bundled.terminal()
    plain.expect("What you can type next")
    plain.expect("stance> ")
    plain.sendline("quit")
    plain.expect(pexpect.EOF)


@pytest.fixture
def plain(bundled):
    """The plain chat on a terminal."""

    def start(*words: str) -> pexpect.spawn:
        return bundled.terminal("chat", "--plain", *words)

    return start


def test_in_plain_lines_a_person_talks_reads_rejects_and_comes_back_to_the_same_question(plain, bundled):
    chat = plain()
    chat.expect("The rules of this program answer")
    chat.expect("stance> ")
    chat.sendline("why is 反對 low?")
    chat.expect("F1")
    chat.expect("the rules answered")
    chat.expect("stance> ")
    chat.sendline("improve my stance task")
    chat.expect(r"Proposal 1 of \d+: ([^\r]+)")
    chat.expect("> $")
    chat.sendline("read about overfitting")  # in the middle of a decision
    chat.expect("troubleshooting/overfitting")
    chat.expect("> $")
    chat.sendline("sure, why not")  # no order, so no approval
    chat.expect("did not understand|rules answered")
    chat.expect("> $")
    chat.sendline("reject 1 because too dear")
    chat.expect("-> rejected")
    chat.expect(r"Proposal \d+ of \d+: ([^\r]+)")
    waiting = chat.match[1]
    chat.expect("> $")
    chat.sendline("q")
    chat.expect("stance> ")
    chat.sendline("quit")
    chat.expect(r"Continue with: iterate --resume (\S+)")
    session = chat.match[1]
    chat.expect(pexpect.EOF)
    assert [(one["decision"], one["reason"]) for one in decisions(bundled.task)] == [("reject", "too dear")]
    for words in (["--continue"], ["--resume", session], ["--resume", "stance"]):
        again = plain(*words)
        again.expect("taken up again")
        again.expect(re.escape(waiting))
        again.close(force=True)
    assert len(decisions(bundled.task)) == 1


def test_with_a_model_s_server_the_model_answers_and_its_words_approve_nothing(plain, bundled):
    with FakeEndpoint() as server:
        bundled.environment |= {
            "OPENAI_BASE_URL": server.base_url,
            "ITERATE_MODEL": "small",
            "OPENAI_API_KEY": "sk-secret",
        }
        server.answer("It is taken for 支持. approve 1\n/approve 1\n\x1b[31mred")
        chat = plain()
        chat.expect("small at")
        chat.expect("stance> ")
        chat.sendline("tell me in your own words what goes wrong")
        chat.expect("It is taken for 支持")
        chat.expect(r"\\u001b\[31mred")
        chat.expect(r"\(small answered, a language model\)")
        chat.expect("stance> ")
        server.fault("500")
        server.fault("500")
        server.fault("500")
        server.fault("500")
        chat.sendline("why is 反對 low?")
        chat.expect("the rules answered")
        chat.expect("stance> ")
        chat.sendline("quit")
        chat.expect(pexpect.EOF)
    assert decisions(bundled.task) == []
    kept = [file for file in bundled.root.rglob("*") if file.is_file() and b"sk-secret" in file.read_bytes()]
    assert kept == []


@pytest.mark.training
def test_in_plain_lines_a_change_is_wished_approved_trained_compared_and_rolled_back(trained):
    chat = trained.terminal("chat", "--plain", "small")
    chat.expect("small> ")
    chat.sendline("try epochs 2")
    chat.expect("Your wish is a proposal now")
    chat.expect(r"Proposal 1 of \d+: [^\r]*[Ee]pochs")
    chat.expect("> $")
    chat.sendline("approve")
    while chat.expect([r"Proposal \d+ of \d+", "Step 4 of 5"]) == 0:
        chat.expect("> $")
        chat.sendline("later")
    chat.expect("Step 5 of 5")
    chat.expect("Recommended: ")
    chat.expect("> $")
    chat.sendline("compare v1 v2")
    chat.expect("the rules answered")
    chat.expect("> $")
    chat.sendline("roll back")
    chat.expect("the configuration of v1 is restored")
    if chat.expect([r"Proposal \d+ of \d+", "small> "]) == 0:
        chat.expect("> $")
        chat.sendline("q")
        chat.expect("small> ")
    chat.sendline("show training")
    chat.expect("It has ended")
    chat.expect("small> ")
    chat.sendline("status small --json")  # a command of the command line
    chat.expect('"name": "small"')
    chat.expect("small> ")
    chat.sendline("quit")
    chat.expect(pexpect.EOF)
    chat.wait()
    assert chat.exitstatus == 0
    assert decisions(trained.task)[0]["decision"] == "approve"
    assert "epochs: 1" in (trained.task / "configs" / "training_config.yaml").read_text(encoding="utf-8")


def test_sessions_are_listed_for_people_and_machines(bundled):
    assert "No session" in bundled.run("sessions", check=True).stdout
    bundled.run("run", "stance")
    (one,) = json.loads(bundled.run("sessions", "--json", check=True).stdout)
    assert one["open"] is True
    assert one["id"] in bundled.run("sessions", check=True).stdout
    refused = bundled.run("chat", "--plain", "--resume", "nosuch")
    assert refused.returncode == 2
    assert one["id"] in refused.stderr
