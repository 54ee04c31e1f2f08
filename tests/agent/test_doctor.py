from __future__ import annotations

import importlib.metadata
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent import doctor, paths
from agent.doctor import Check, checks
from agent.endpoint import list_models, masked
from agent.paths import Workspace, find_workspace
from agent.settings import Settings, SettingsRead

KEY = "sk-abcdefghijklmnopqrstuvwxyz"


class FakeEndpoint(HTTPServer):
    """Answers GET with one prepared response and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body, self.location = 200, b'{"data": [{"id": "small"}, {"id": "large"}]}', ""
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: FakeEndpoint

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    server = FakeEndpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("ITERATE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "tasks" / "mine").mkdir(parents=True)
    return find_workspace(None, {}, tmp_path)


def read(**settings: Any) -> SettingsRead:
    return SettingsRead(settings=Settings(**settings), file=Path("settings.yaml"))


def line(report: list[Check], name: str) -> Check:
    return next(check for check in report if str(check.name) == name)


def test_every_failing_line_says_how_to_mend_it_and_a_fine_one_asks_for_nothing(workspace: Workspace):
    for check in checks(workspace, read()):
        assert str(check.detail)
        assert (check.mend is None) if check.ok else (check.ok is None or check.mend is not None)


def test_the_doctor_writes_nothing(workspace: Workspace):
    before = sorted(workspace.root.rglob("*"))
    checks(workspace, read())
    assert sorted(workspace.root.rglob("*")) == before


def test_without_an_endpoint_the_doctor_says_that_none_is_needed(workspace: Workspace):
    check = line(checks(workspace, read()), "Language model endpoint")
    assert check.ok is None
    assert "without one" in str(check.detail)


def test_an_endpoint_that_serves_the_model_is_fine_and_the_key_stays_hidden(
    workspace: Workspace, endpoint: FakeEndpoint
):
    check = line(checks(workspace, read(base_url=endpoint.url, model="small", api_key=KEY)), "Language model endpoint")
    assert check.ok
    assert KEY[:8] not in check.model_dump_json()
    assert endpoint.asked == [("/v1/models", f"Bearer {KEY}")]


def test_a_model_that_the_endpoint_does_not_serve_is_named_with_the_choices(
    workspace: Workspace, endpoint: FakeEndpoint
):
    check = line(checks(workspace, read(base_url=endpoint.url, model="smal")), "Language model endpoint")
    assert check.ok is False
    assert "large, small" in str(check.mend)


def test_the_only_model_of_an_endpoint_needs_no_setting(workspace: Workspace, endpoint: FakeEndpoint):
    endpoint.body = b'{"data": [{"id": "small"}]}'
    check = line(checks(workspace, read(base_url=endpoint.url)), "Language model endpoint")
    assert check.ok
    assert "serves small" in str(check.detail)


@pytest.mark.parametrize(
    ("status", "words"), [(401, "refused the key"), (403, "refused the key"), (404, "address"), (500, "500")]
)
def test_a_refusal_of_the_endpoint_is_said_in_words(endpoint: FakeEndpoint, status: int, words: str):
    endpoint.status = status
    assert words in str(list_models(endpoint.url, None).trouble)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 3}', b'{"data": [{"name": "x"}]}', b"\xff\xfe"])
def test_an_answer_that_is_no_list_of_models_is_said(endpoint: FakeEndpoint, body: bytes):
    endpoint.body = body
    assert "list of models" in str(list_models(endpoint.url, None).trouble)


def test_the_key_is_not_carried_along_a_redirect(endpoint: FakeEndpoint):
    endpoint.status, endpoint.location = 302, endpoint.url + "/elsewhere"
    assert list_models(endpoint.url, SecretStr(KEY)).models is None
    assert [path for path, _ in endpoint.asked] == ["/v1/models"]


def test_a_silent_endpoint_is_given_up_on_and_a_closed_port_is_said():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        assert "does not answer" in str(list_models(address, None, timeout=0.2).trouble)
    assert "does not answer" in str(list_models(address, None, timeout=0.2).trouble)


@pytest.mark.parametrize("key", ["", "short", "fifteen-letters"])
def test_a_short_key_shows_none_of_its_characters(key: str):
    assert masked(SecretStr(key)) == "…"


def test_a_missing_and_an_outdated_package_are_named_with_the_command_to_install(monkeypatch: pytest.MonkeyPatch):
    wanted = [
        "no-such-package>=1",
        "pydantic>=99",
        "typer>=0.1",
        'absent; extra == "dev"',
        'absent; sys_platform == "none"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: wanted)
    details = [f"{check.detail} {check.mend}" for check in doctor._packages()]
    assert len(details) == 2
    assert "no-such-package is not installed" in details[0]
    assert "-m pip install" in details[0]
    assert "pydantic" in details[1]


def test_a_program_that_is_not_installed_at_all_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "DISTRIBUTION", "no-such-distribution")
    (check,) = doctor._packages()
    assert check.ok is False


def test_a_wheel_that_lost_its_data_is_reported_folder_by_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "agent")
    (tmp_path / "agent" / "_data" / "tasks").mkdir(parents=True)
    assert [check.ok for check in doctor._data()] == [False, False, False]


def test_a_place_that_is_no_folder_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    (check,) = doctor._folders({str(tmp_path / "file" / "cache"): doctor.T("Cache folder")})
    assert check.ok is False
    assert "ITERATE_CACHE" in str(check.mend)


def test_a_full_disk_says_how_much_to_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "NEEDED_DISK", 1e9)
    (check,) = doctor._folders({str(tmp_path): doctor.T("Workspace folder")})
    assert check.ok is False
    assert "GB" in str(check.mend)


def test_a_missing_translation_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workspace: Workspace):
    monkeypatch.setattr("agent.i18n.LOCALE_DIR", tmp_path)
    assert line(checks(workspace, read()), "Language").ok is False


def test_a_terminal_that_cannot_show_chinese_is_reported(workspace: Workspace):
    program = "from agent.doctor import _language; from agent.settings import Settings; import json; "
    program += "check = _language(Settings()); print(json.dumps([check.ok, str(check.mend)]))"
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(doctor.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    ok, mend = json.loads(done.stdout)
    assert ok is False
    assert "UTF-8" in mend


def test_the_program_that_calls_a_person_is_looked_for_but_not_run(tmp_path: Path):
    program = tmp_path / "ping"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")

    def found() -> list[Check]:
        return list(doctor._notify(Settings(notify=[str(program)])))

    assert [one.ok for one in found()] == [False] and "chmod" in str(found()[0].mend)
    program.chmod(0o755)
    assert [one.ok for one in found()] == [True]
    assert not (tmp_path / "ran").exists()
    assert list(doctor._notify(Settings())) == []


def test_a_price_that_nobody_knows_is_said_before_a_night_needs_it():
    far = {"base_url": "https://models.example.org/v1"}
    assert [one.ok for one in doctor._price(Settings(**far, model="mine"))] == [None]
    known = Settings(**far, model="mine", prices={"mine": {"prompt": 1, "completion": 2}})
    assert [one.ok for one in doctor._price(known)] == [True]
    assert list(doctor._price(Settings(base_url="http://localhost:1/v1", model="mine"))) == []
