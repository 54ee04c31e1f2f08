"""The client against a server that is not ours: `transformers serve` with the embedded SmolLM2.

Only the protocol is looked at. A model of 135 million weights answers what it likes, and that is why the last step of the
ladder, where nothing usable came, is walked here with a real model.
"""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from agent.model.client import ChatModel, TextPiece, UsagePiece
from agent.model.faults import Address
from agent.model.ladder import ask
from tools.errors import EndpointFailed
from tools.training.base_models import EMBEDDED, part_files
from tools.training.prepare_model import prepare_base_model

NEEDED = ("fastapi", "uvicorn", "starlette", "rich")
ASK = [{"role": "user", "content": "Name three colours."}]
STARTING = 180.0
"""Seconds: the server imports torch and loads the weights first."""

pytestmark = [pytest.mark.training, pytest.mark.timeout(600)]


def _serve_command() -> str:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"`transformers serve` needs the packages {', '.join(missing)} (pip install -e .[dev])")
    if part_files(EMBEDDED["smollm2-135m"]) is None:
        pytest.skip("SmolLM2 is not installed (iterate models add smollm2-135m)")
    return shutil.which("transformers", path=str(Path(sys.executable).parent)) or pytest.skip("no transformers command")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Address, str]]:
    """Address and model name of a running server."""
    command = _serve_command()
    folder = prepare_base_model("embedded:smollm2-135m", lambda *_: None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    with log.open("wb") as written:
        words = [command, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32"]
        process = subprocess.Popen(words, stdout=written, stderr=subprocess.STDOUT)
        try:
            _wait_until_it_answers(process, port, log)
            yield Address(f"http://127.0.0.1:{port}/v1", f"127.0.0.1:{port}", local=True), str(folder)
        finally:
            process.terminate()
            process.wait(60)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + STARTING
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


def test_a_real_server_streams_words_and_says_how_many_it_counted(served: tuple[Address, str]):
    model = ChatModel(*served)
    pieces = list(model.stream(ASK, max_tokens=12))
    words = [piece.text for piece in pieces if isinstance(piece, TextPiece)]
    last = pieces[-1]
    assert len(words) > 1
    assert isinstance(last, UsagePiece)
    assert last.finish in {"stop", "length"}
    assert last.completion_tokens is not None
    assert 0 < last.completion_tokens <= 12


def test_a_real_server_can_be_stopped_in_the_middle_and_asked_again(served: tuple[Address, str]):
    model = ChatModel(*served)
    came: list[object] = []
    for piece in model.stream(ASK, max_tokens=400, stopped=lambda: len(came) >= 2):
        came.append(piece)
    assert len(came) == 2
    assert not isinstance(came[-1], UsagePiece)
    assert any(isinstance(piece, UsagePiece) for piece in model.stream(ASK, max_tokens=4))


def test_a_model_too_small_for_any_form_ends_in_a_typed_failure_or_a_valid_answer(served: tuple[Address, str]):
    class Cause(BaseModel):
        cause: str
        rows: list[int]

    try:
        asked = ask(ChatModel(*served), [{"role": "user", "content": "Why is B low?"}], Cause, max_tokens=8)
    except EndpointFailed as failed:
        assert failed.trouble == "invalid"
    else:
        assert isinstance(asked.value, Cause)
