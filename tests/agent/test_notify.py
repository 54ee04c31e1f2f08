from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from agent import notify as notifying
from agent.notify import notify, notify_soon, program_of
from agent.settings import Settings

KEY = "sk-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def hook(tmp_path: Path):
    """A real program that writes down what it got; its own lines come after that."""

    def write(then: str = "") -> Settings:
        file = tmp_path / "hook.sh"
        out = tmp_path / "heard"
        file.write_text(
            f'#!/bin/sh\ncat > "{out}.json"\nprintf "%s|" "$@" > "{out}.args"\nenv > "{out}.env"\n{then}\n',
            encoding="utf-8",
        )
        file.chmod(0o755)
        return Settings(notify=[str(file), "--to", "a b; echo $HOME"])

    return write


def heard(tmp_path: Path, part: str) -> str:
    return (tmp_path / f"heard.{part}").read_text(encoding="utf-8")


def test_the_program_gets_the_facts_on_stdin_and_the_message_in_its_environment(hook, tmp_path):
    settings = hook()
    assert notify(settings, "waiting", "a decision waits", task="mood", command="iterate run mood") is None
    facts = json.loads(heard(tmp_path, "json"))
    assert (facts["happening"], facts["task"], facts["command"]) == ("waiting", "mood", "iterate run mood")
    assert "ITERATE_TITLE=iterate - mood\n" in heard(tmp_path, "env")
    assert "ITERATE_MESSAGE=a decision waits\n" in heard(tmp_path, "env")


def test_no_shell_reads_the_arguments(hook, tmp_path):
    notify(hook(), "finished", "done")
    assert heard(tmp_path, "args") == "--to|a b; echo $HOME|"


def test_a_key_never_reaches_the_program(hook, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("HF_TOKEN", KEY)
    monkeypatch.setenv("MY_OWN", "kept")
    notify(hook(), "finished", "done")
    assert KEY not in heard(tmp_path, "env") + heard(tmp_path, "json") + heard(tmp_path, "args")
    assert "MY_OWN=kept" in heard(tmp_path, "env")


def test_hostile_names_reach_it_on_one_line_and_visibly(hook, tmp_path):
    notify(hook(), "task_paused", "paused", task="mood\x1b[2J\nITERATE_MESSAGE=adopted\x00")
    facts = json.loads(heard(tmp_path, "json"))
    assert facts["task"] == "mood\\u001b[2J ITERATE_MESSAGE=adopted\\u0000"
    assert "\nITERATE_MESSAGE=adopted" not in heard(tmp_path, "env")


def test_a_program_that_fails_is_only_a_warning(hook):
    assert "3" in str(notify(hook("exit 3"), "night_over", "done"))


def test_a_program_that_hangs_is_ended_with_what_it_started(hook, tmp_path, monkeypatch):
    monkeypatch.setattr(notifying, "SECONDS", 0.5)
    settings = hook(f'sleep 60 & echo $! > "{tmp_path}/child"\nsleep 60')
    assert "took longer" in str(notify(settings, "night_over", "done"))
    child = int((tmp_path / "child").read_text())
    assert _gone(child)


def test_a_program_that_is_missing_or_not_executable_is_said(tmp_path):
    plain = tmp_path / "plain.txt"
    plain.write_text("no program", encoding="utf-8")
    for name in (str(plain), str(tmp_path / "nowhere"), "no-such-program-anywhere"):
        settings = Settings(notify=[name])
        assert program_of(settings) is None
        assert "not there" in str(notify(settings, "waiting", "a decision waits"))


def test_a_file_that_the_system_cannot_run_is_a_warning(tmp_path):
    file = tmp_path / "broken"
    file.write_bytes(b"\x00\x01 no program format")
    file.chmod(0o755)
    assert "did not start" in str(notify(Settings(notify=[str(file)]), "waiting", "a decision waits"))


def test_a_program_that_does_not_read_is_no_trouble(tmp_path):
    file = tmp_path / "deaf.sh"
    file.write_text("#!/bin/sh\nexec <&-\nexit 0\n", encoding="utf-8")
    file.chmod(0o755)
    assert notify(Settings(notify=[str(file)]), "waiting", "x" * 10_000, command="y" * 10_000) is None


def test_without_a_program_nothing_is_run(monkeypatch):
    monkeypatch.setattr(notifying.subprocess, "Popen", None)
    assert notify(Settings(), "waiting", "a decision waits") is None
    notify_soon(Settings(), "waiting", "a decision waits", warn=lambda text: pytest.fail(str(text)))


def test_in_the_background_a_failure_still_becomes_a_warning(hook):
    warned: list[str] = []
    notify_soon(hook("exit 4"), "failed", "a training failed", warn=lambda text: warned.append(str(text)))
    for _ in range(500):
        if warned:
            break
        time.sleep(0.02)
    assert "4" in warned[0]


def _gone(pid: int) -> bool:
    for _ in range(250):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False
