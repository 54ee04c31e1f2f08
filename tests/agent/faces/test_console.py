"""What is written to the terminal, and what becomes of the program when nobody is there to read it any more."""

from __future__ import annotations

import os
import pty
import signal
import sys

import pytest

from agent.faces.console import out, tell, unheard
from agent.faces.overnight import _leaving_on_signals


@pytest.fixture
def gone(monkeypatch):
    """Streams on a terminal whose other end has hung up, as after a lost SSH connection."""
    ours, theirs = pty.openpty()
    os.close(ours)
    with os.fdopen(theirs, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        yield stream


def test_a_terminal_that_is_gone_ends_no_night(gone):
    with unheard():
        out("a line of the night")
        tell("a note")
    out("said by nobody to nobody")


def test_a_reader_that_has_gone_ends_no_night(monkeypatch):
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with unheard():
            out("iterate overnight | head")


def test_a_full_disk_under_the_log_ends_no_night_and_is_an_error_elsewhere(monkeypatch):
    with open("/dev/full", "wb", buffering=0) as raw:
        stream = os.fdopen(os.dup(raw.fileno()), "w", buffering=1)
        monkeypatch.setattr(sys, "stdout", stream)
        with unheard():
            out("a line of the night")
        with pytest.raises(OSError, match="No space"):
            out("another")
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_a_night_under_nohup_survives_its_terminal_and_heeds_the_other_signals():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _leaving_on_signals(lambda: None) as left:
            signal.raise_signal(signal.SIGHUP)
            assert not left()
            signal.raise_signal(signal.SIGTERM)
            assert left()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
