from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from agent.faces import browser
from agent.faces.browser import same_site, serve_chat
from tools.errors import MissingPart
from tools.text import english


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def served(tmp_path: Path):
    """The port of a running `iterate serve`, in an empty workspace."""
    (tmp_path / "tasks").mkdir()
    port = free_port()
    command = [sys.executable, "-m", "agent.cli", "--workspace", str(tmp_path), "serve", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "ITERATE_LANGUAGE": "en"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(timeout=30)
    assert "Traceback" not in process.stderr.read()


def upgrade(port: int, origin: str | None) -> str:
    """The first line that answers a browser's wish for a connection."""
    key = base64.b64encode(b"0123456789abcdef").decode("ascii")
    lines = [
        "GET /ws?width=80&height=24 HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
    ]
    lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *([f"Origin: {origin}"] if origin else [])]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        return connection.recv(2000).decode("latin-1").splitlines()[0]


def test_a_browser_gets_the_page_and_its_connection_and_no_other_site_does(served: int):
    with urllib.request.urlopen(f"http://127.0.0.1:{served}/", timeout=30) as answer:
        page, policy = answer.read().decode("utf-8"), answer.headers["Content-Security-Policy"]
    assert "Iterate Mode" in page
    here = f"'self' http://127.0.0.1:{served}"
    assert f"style-src {here}" in policy, "no style sheet or font is fetched from another server"
    assert f"font-src {here}" in policy
    assert f"127.0.0.1:{served}" in page
    assert " 403 " in upgrade(served, "http://evil.example")
    assert " 403 " in upgrade(served, None)
    assert " 101 " in upgrade(served, f"http://127.0.0.1:{served}")


@pytest.mark.parametrize(
    ("origin", "host", "address", "allowed"),
    [
        ("http://localhost:8000", "localhost:8000", "http://127.0.0.1:8000", True),
        ("http://localhost:9000", "localhost:9000", "http://127.0.0.1:8000", True),  # a forwarded port
        ("http://rebound.example:8000", "rebound.example:8000", "http://127.0.0.1:8000", False),
        ("https://chat.example", "chat.example", "https://chat.example", True),
        ("null", "localhost:8000", "http://127.0.0.1:8000", False),
    ],
)
def test_a_name_that_was_pointed_at_this_machine_from_outside_is_refused(origin, host, address, allowed):
    assert same_site(origin, host, address) is allowed


def test_without_the_package_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(browser, "find_spec", lambda name: None)
    with pytest.raises(MissingPart) as raised:
        serve_chat("iterate chat", "127.0.0.1", 8000, None, english)
    assert "pip install" in str(raised.value.hint)


def test_another_address_than_this_machine_s_comes_with_a_warning(monkeypatch, capsys):
    class Served:
        def serve(self) -> None:
            """Ends at once."""

    monkeypatch.setattr(browser, "_server", lambda *_: Served())
    serve_chat("iterate chat", "127.0.0.1", 8000, None, english)
    assert "Anyone" not in capsys.readouterr().err
    for host in ("0.0.0.0", "192.168.1.5", "::"):
        serve_chat("iterate chat", host, 8000, None, english)
        assert "Anyone who reaches" in capsys.readouterr().err
