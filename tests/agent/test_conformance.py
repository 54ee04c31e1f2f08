from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.conformance import Ability, abilities
from agent.faces.checking import run_endpoint_check
from agent.model.client import ChatModel
from agent.model.faults import Address
from tests.support.openai_server import FakeEndpoint, Reply
from tools.text import english

KEY = "sk-canary-0123456789abcdef"
WEATHER = json.dumps({"city": "Taipei", "temperature": 27, "sunny": True})


def capable(body: dict[str, Any]) -> str | Reply:
    """A server and a model that can do everything that is asked of them."""
    if body.get("tools") and body["messages"][-1]["role"] != "tool":
        return Reply(calls=(("task_status", '{"task": "stance"}'),))
    return WEATHER if "Taipei" in json.dumps(body["messages"]) else "one two three four five"


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as running:
        running.by(capable)
        yield running


def report(server: FakeEndpoint, **kwargs: Any) -> dict[str, Ability]:
    model = ChatModel(Address(server.base_url, server.host, local=True), None, **kwargs)
    return {str(ability.name): ability for ability in abilities(model)}


def states(found: dict[str, Ability]) -> dict[str, str]:
    return {name: ability.state for name, ability in found.items()}


def test_a_server_that_can_everything_is_ok_on_every_line(server: FakeEndpoint):
    found = report(server)
    assert states(found) == {
        "Chat": "ok",
        "Streaming": "ok",
        "First word": "ok",
        "Tools": "ok",
        "Tool results": "ok",
        "JSON schema": "ok",
        "JSON mode": "ok",
        "JSON in plain text": "ok",
        "Data rows": "note",
    }
    assert all(ability.effect is None for ability in found.values())


def test_a_server_without_tools_and_forms_is_degraded_and_each_line_says_what_changes(server: FakeEndpoint):
    server.tools = server.json_schema = server.streams = False
    found = report(server)
    degraded = {name for name, state in states(found).items() if state == "degraded"}
    assert degraded == {"Streaming", "Tools", "JSON schema"}
    assert "facts" in str(found["Tools"].effect)
    assert "JSON mode is used instead" in str(found["JSON schema"].effect)


def test_a_model_that_does_not_call_its_tool_is_told_from_a_server_that_refuses_it(server: FakeEndpoint):
    server.by(lambda body: "I do not know." if body.get("tools") else capable(body))
    assert "did not call" in str(report(server)["Tools"].detail)


@pytest.mark.parametrize("call", [("task_status", "{task: "), ("delete_everything", "{}")])
def test_a_call_that_cannot_be_read_does_not_count(server: FakeEndpoint, call: tuple[str, str]):
    server.by(lambda body: Reply(calls=(call,)) if body.get("tools") else capable(body))
    assert report(server)["Tools"].state == "degraded"


def test_a_model_that_keeps_to_no_form_leaves_analyses_to_the_rules(server: FakeEndpoint):
    server.by(lambda body: "Lovely weather!" if "Taipei" in str(body) else capable(body))
    found = report(server)
    assert "by rules" in str(found["JSON in plain text"].effect)
    assert "by rules" in str(found["JSON schema"].effect)


def test_a_server_that_cannot_chat_is_asked_nothing_more(server: FakeEndpoint):
    server.fault("401")
    found = report(server)
    assert states(found) == {"Chat": "failed"}
    assert "OPENAI_API_KEY" in str(found["Chat"].effect)
    assert len(server.asked) == 1


def test_a_late_first_word_is_measured_and_said(server: FakeEndpoint):
    model = ChatModel(Address(server.base_url, server.host, local=True), "small")
    ticks = iter([float(9 * number) for number in range(100)])
    found = {str(each.name): each for each in abilities(model, clock=lambda: next(ticks))}
    assert found["First word"].state == "degraded"
    assert "9.0 s" in str(found["First word"].detail)


def test_no_data_of_the_user_is_in_the_questions(server: FakeEndpoint):
    report(server)
    assert all(len(request.words) < 700 for request in server.asked)


def test_rows_that_are_forbidden_are_named_with_the_setting(server: FakeEndpoint):
    assert "endpoint_rows" in str(report(server, may_see_rows=False)["Data rows"].detail)


@pytest.fixture
def configured(server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path) -> FakeEndpoint:
    for name, value in {
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": KEY,
        "ITERATE_MODEL": "small",
        "ITERATE_SETTINGS": str(tmp_path / "none.yaml"),
    }.items():
        monkeypatch.setenv(name, value)
    return server


def test_the_command_shows_a_line_each_and_succeeds_when_only_degraded(
    configured: FakeEndpoint, capsys: pytest.CaptureFixture[str]
):
    configured.tools = False
    assert run_endpoint_check(english, as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok       Chat: small at 127.0.0.1")
    assert any(line.startswith("degraded Tools: ") for line in lines)
    assert any(line.lstrip().startswith("-> ") for line in lines)


def test_the_command_fails_for_a_server_that_cannot_chat_and_json_says_the_same_without_the_key(
    configured: FakeEndpoint, capsys: pytest.CaptureFixture[str]
):
    configured.fault("401")
    assert run_endpoint_check(english, as_json=True) == 1
    shown = capsys.readouterr().out
    (only,) = json.loads(shown)
    assert (only["name"], only["state"]) == ("Chat", "failed")
    assert KEY[3:14] not in shown


def test_without_an_endpoint_the_command_says_that_none_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("ITERATE_SETTINGS", str(tmp_path / "none.yaml"))
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert run_endpoint_check(english, as_json=False) == 0
    assert "without one" in " ".join(capsys.readouterr().out.split())


def test_the_flag_of_the_doctor_asks_the_endpoint(configured: FakeEndpoint):
    result = CliRunner().invoke(app, ["doctor", "--endpoint", "--json"])
    assert result.exit_code == 0
    assert [one["name"] for one in json.loads(result.output)][:2] == ["Chat", "Streaming"]
    assert KEY[3:14] not in result.output
