"""What the program says to scripts when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.commands.common import guarded
from agent.commands.helping import EXIT_CODES, help_lines
from agent.faces.overnight import exit_code
from agent.overnight.records import Over, Waiting
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.nights import line_up
from agent.session import EXIT_CODES as SESSION_CODES
from tests.support.nights import Night
from tools import errors
from tools.errors import Busy, EndpointFailed, InputError, IterateError, NeedsPerson, Refused
from tools.generating.asking import LimitReached, NothingUsable, Paused
from tools.text import T, english


def failing(error: BaseException) -> int:
    def command() -> None:
        raise error

    return guarded(command)


def all_errors(base: type[IterateError] = IterateError) -> Iterator[type[IterateError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from all_errors(kind)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError(T("wrong")), 2),
        (Refused(T("no")), 1),
        (NeedsPerson(T("nobody here")), 4),
        (Busy(T("held")), 75),
        (EndpointFailed(T("gone"), trouble="connection"), 75),
        (EndpointFailed(T("busy"), trouble="rate"), 75),
        (EndpointFailed(T("wrong key"), trouble="auth"), 1),
        (LimitReached(T("spent")), 3),
        (Paused(T("later")), 75),
        (NothingUsable(T("look")), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_ends_with_its_code(error, code):
    assert failing(error) == code


def test_no_error_and_no_session_ends_with_a_code_that_help_does_not_explain():
    assert {kind.exit_code for kind in all_errors()} <= set(EXIT_CODES)
    assert set(SESSION_CODES.values()) <= set(EXIT_CODES)
    assert errors.NeedsPerson in set(all_errors())


@pytest.mark.parametrize(
    ("reason", "code"),
    [("until", 3), ("hours", 3), ("runs", 3), ("cost", 3), ("stopped", 130), ("failed", 1), ("nothing_worth_it", 0)],
)
def test_a_night_ends_with_the_code_of_its_reason(tmp_path: Path, reason, code):
    night = Night(tmp_path).add(Over, "over", reason=reason, message=T("over"))
    assert exit_code(night.record, reason) == code
    assert code in EXIT_CODES


def test_a_night_that_left_decisions_behind_says_so(tmp_path: Path):
    night = Night(tmp_path)
    wait = {"task": "stance", "reason": T("for you"), "command": "iterate run stance"}
    night.add(Waiting, "waiting:1", what="offer", **wait)
    assert exit_code(night.record, "nothing_worth_it") == 0
    assert line_up(night.record).waiting == 0 and night_facts(night.record).decisions == []
    night.add(Waiting, "waiting:2", what="adoption", **wait)
    assert exit_code(night.record, "nothing_worth_it") == 4


def test_the_help_of_the_program_lists_every_code_and_that_of_a_command_does_not():
    import typer

    from agent.cli import app

    program = typer.main.get_command(app)
    context = program.make_context("iterate", [], resilient_parsing=True)
    shown = "\n".join(help_lines(program, context, english))
    assert all(f"\n  {code} " in shown for code in EXIT_CODES)
    command = program.commands["run"]
    inner = command.make_context("run", ["stance"], parent=context, resilient_parsing=True)
    assert "Exit codes" not in "\n".join(help_lines(command, inner, english))
