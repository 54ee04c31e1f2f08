from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from babel.messages.extract import extract_from_dir

from agent.cli import app
from agent.commands.common import globals_first, language_flag
from agent.commands.helping import help_lines
from agent.faces.layout import width
from tools.text import Text

ROOT = Path(__file__).resolve().parents[2]
BUILT_IN = {"Show completion for the current shell, to copy it or customize the installation."}


def commands():
    """Every command of the command line, by its words."""
    root = typer.main.get_command(app)
    found = {"iterate": root}
    for name, command in root.commands.items():
        found[name] = command
        found |= {f"{name} {inner}": each for inner, each in getattr(command, "commands", {}).items()}
    return found


def iterate(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **environment}
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *words],
        env=surroundings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_help_text_is_a_message_that_is_collected_for_translation():
    collected = {
        message for _, _, message, _, _ in extract_from_dir(ROOT / "agent", [("**.py", "python")], keywords={"T": None})
    }
    texts = {
        text
        for command in commands().values()
        for text in (command.help, *(param.help for param in command.params if not param.hidden))
        if text
    }
    assert sorted(texts - collected) == []


def test_every_command_and_every_parameter_is_explained():
    silent = [
        f"{name} {param.name}"
        for name, command in commands().items()
        for param in command.params
        if not param.hidden and not param.help
    ]
    assert silent == []
    assert [name for name, command in commands().items() if not command.help] == []


@pytest.mark.parametrize("name", ["iterate", "run", "init", "models"])
def test_help_is_said_by_the_speaker_and_fits_a_terminal_in_wide_characters(name: str, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command = commands()[name]
    context = typer.main.get_command(app).context_class(command, info_name=name)

    def in_chinese(text: Text) -> str:
        if "usage" in text.params or "value" in text.params:
            return text.msgid.format(**text.params)
        return "說明這個指令的用途，" * (len(text.msgid) // 16 + 1)

    lines = help_lines(command, context, in_chinese)
    assert all(width(line) <= 80 for line in lines)
    assert not [line for line in lines if line.strip() and line.strip()[0] in "，。"]
    assert any("說明這個指令的用途" in line for line in lines)


def test_help_speaks_the_language_of_the_flag_wherever_it_stands():
    for words in (["--lang", "zh-TW", "--help"], ["--help", "--lang=zh-TW"], ["run", "--help", "-l", "zh-TW"]):
        shown = iterate(*words)
        assert shown.returncode == 0, shown.stderr
        assert "用法：" in shown.stdout or "診斷" in shown.stdout


def test_wrong_use_is_explained_with_the_next_step_and_no_traceback():
    for words in (["nosuch"], ["run"], ["run", "x", "--nope"], ["serve", "--port", "many"], ["--lang", "fr", "tasks"]):
        done = iterate(*words, ITERATE_LANGUAGE="en")
        assert done.returncode == 2, words
        assert "Error:" in done.stderr
        assert "Traceback" not in done.stderr
        assert "Next step" in done.stderr


@pytest.mark.parametrize(
    ("words", "parsed"),
    [
        (["--resume"], ["--resume="]),
        (["chat", "--resume", "--plain"], ["chat", "--resume=", "--plain"]),
        (["--resume", "stance"], ["--resume", "stance"]),
        (["tasks", "-w", "here", "--json"], ["-w", "here", "tasks", "--json"]),
        (["run", "x", "--lang=zh-TW"], ["--lang=zh-TW", "run", "x"]),
    ],
)
def test_global_options_may_stand_anywhere_and_resume_needs_no_name(words, parsed):
    assert globals_first(words) == parsed


def test_the_language_of_help_is_known_before_anything_is_parsed():
    assert language_flag(["run", "x", "-l", "zh-TW"]) == "zh-TW"
    assert language_flag(["--lang=en", "tasks"]) == "en"
    assert language_flag(["tasks"]) is None
