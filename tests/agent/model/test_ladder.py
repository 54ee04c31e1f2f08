from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from agent.model import ladder
from agent.model.client import ChatModel
from agent.model.faults import Address
from agent.model.ladder import ask
from agent.model.schema import strict_schema
from tests.support.openai_server import FakeEndpoint, Reply
from tools.errors import EndpointFailed

ASK = [{"role": "system", "content": "You analyse errors."}, {"role": "user", "content": "What is wrong with 中立?"}]
GOOD = {"label": "中立", "cause": "few rows", "rows": [3, 5]}


class Cause(BaseModel):
    model_config = ConfigDict(extra="forbid")

    label: Literal["中立", "正面"]
    cause: str = Field(max_length=40)
    rows: list[int] = []


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ladder, "_WORKING", {})
    monkeypatch.setattr(ladder, "_BARE_MODE", set())


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as running:
        yield running


def model_of(server: FakeEndpoint) -> ChatModel:
    return ChatModel(Address(server.base_url, server.host, local=True), "small")


def forms(server: FakeEndpoint) -> list[str]:
    return [request.body.get("response_format", {}).get("type", "text") for request in server.asked]


def test_a_good_server_is_asked_once_with_the_schema(server: FakeEndpoint):
    asked = ask(model_of(server.answer_json(GOOD)), ASK, Cause)
    assert (asked.value.rows, asked.rung, asked.retried) == ([3, 5], "json_schema", False)
    schema = server.asked[0].body["response_format"]["json_schema"]["schema"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["label", "cause", "rows"]


def test_a_server_without_json_schema_gets_the_schema_in_the_prompt_and_json_mode(server: FakeEndpoint):
    server.json_schema = False
    asked = ask(model_of(server.answer_json(GOOD)), ASK, Cause)
    assert asked.rung == "json_mode"
    assert "additionalProperties" in server.asked[1].words
    assert server.asked[1].body["response_format"]["schema"]["required"] == ["label", "cause", "rows"]


@pytest.mark.parametrize("status", [400, 500])
def test_a_server_that_refuses_a_schema_inside_json_mode_is_asked_without_it_from_then_on(server: FakeEndpoint, status):
    server.json_schema, server.refused_fields, server.refusal_status = False, ["response_format.schema"], status
    server.by(lambda _: json.dumps(GOOD))
    assert ask(model_of(server), ASK, Cause).rung == "json_mode"
    before = len(server.asked)
    ask(model_of(server), ASK, Cause)
    assert [request.body["response_format"] for request in server.asked[before:]] == [{"type": "json_object"}]


def test_a_server_that_knows_no_form_at_all_is_read_from_plain_text(server: FakeEndpoint):
    server.json_schema = server.json_mode = False
    server.answer('Sure! Here it is:\n```json\n{\'label\': \'中立\', "cause": "few rows", "rows": [3, 5,],}\n```\nBye.')
    asked = ask(model_of(server), ASK, Cause)
    assert (asked.value.cause, asked.rung) == ("few rows", "text")
    assert forms(server) == ["json_schema", "json_object", "json_object", "text"]


def test_the_rung_that_works_is_remembered_for_this_endpoint_and_model(server: FakeEndpoint):
    server.json_schema = False
    server.by(lambda _: json.dumps(GOOD))
    ask(model_of(server), ASK, Cause)
    ask(model_of(server), ASK, Cause)
    assert forms(server) == ["json_schema", "json_object", "json_object"]


def test_a_server_that_takes_the_schema_and_ignores_it_is_asked_in_the_prompt_instead(server: FakeEndpoint):
    server.by(lambda body: json.dumps(GOOD) if body["response_format"]["type"] == "json_object" else "It is fine.")
    asked = ask(model_of(server), ASK, Cause)
    assert (asked.rung, asked.retried) == ("json_mode", True)


def test_a_mistake_is_told_once_and_the_corrected_answer_is_taken(server: FakeEndpoint):
    server.answer_json(GOOD | {"rows": [99]}).answer_json(GOOD)
    asked = ask(model_of(server), ASK, Cause, check=lambda cause: "row 99 does not exist" if 99 in cause.rows else None)
    assert (asked.value.rows, asked.rung, asked.retried) == ([3, 5], "json_schema", True)
    assert "row 99 does not exist" in server.asked[1].words
    assert len(server.asked) == 2


def test_a_value_outside_its_choices_is_told_with_its_place_and_without_repeating_it(server: FakeEndpoint):
    server.json_schema = False
    server.answer_json(GOOD | {"label": "憤怒"}).answer_json(GOOD)
    asked = ask(model_of(server), ASK, Cause)
    told = server.asked[2].body["messages"][-1]["content"]
    assert asked.retried
    assert "label" in told
    assert "憤怒" not in told


@pytest.mark.parametrize("fault", ["wrong_schema", "empty", "length"])
def test_a_model_that_never_keeps_to_the_form_is_given_up_after_few_calls(server: FakeEndpoint, fault: str):
    server.otherwise = Reply(text="{", fault=fault)
    with pytest.raises(EndpointFailed) as caught:
        ask(model_of(server), ASK, Cause)
    assert caught.value.trouble == "invalid"
    assert len(server.asked) == 4


def test_a_check_that_no_answer_passes_ends_in_a_failure_too(server: FakeEndpoint):
    server.by(lambda _: json.dumps(GOOD))
    with pytest.raises(EndpointFailed) as caught:
        ask(model_of(server), ASK, Cause, check=lambda _: "not on the list")
    assert "not on the list" in str(caught.value)


@pytest.mark.parametrize(("fault", "trouble"), [("401", "auth"), ("refusal", "refused"), ("cut", "invalid")])
def test_what_asking_for_less_cannot_mend_is_not_asked_again(server: FakeEndpoint, fault: str, trouble: str):
    server.otherwise = Reply(text="{", fault=fault)
    with pytest.raises(EndpointFailed) as caught:
        ask(model_of(server), ASK, Cause)
    assert caught.value.trouble == trouble
    assert len(server.asked) == (1 if trouble != "invalid" else 4)


def test_thoughts_before_the_answer_do_not_spoil_it(server: FakeEndpoint):
    server.answer(f'<think>{{"label": "正面"}}</think>\n{json.dumps(GOOD)}')
    assert ask(model_of(server), ASK, Cause).value.label == "中立"


def test_a_strict_schema_closes_inner_objects_and_keeps_fields_named_like_keywords():
    class Inner(BaseModel):
        title: str = Field(min_length=2)
        default: int = 3

    class Outer(BaseModel):
        parts: list[Inner]

    schema = strict_schema(Outer)
    inner = schema["$defs"]["Inner"]
    assert schema["required"] == ["parts"]
    assert set(inner["properties"]) == {"title", "default"}
    assert inner["additionalProperties"] is False
    assert "minLength" not in json.dumps(schema)


def test_a_person_who_stops_the_question_is_not_asked_to_wait_for_the_next_rung(server: FakeEndpoint):
    server.otherwise = Reply(text="{", fault="stall")
    with pytest.raises(EndpointFailed):
        ask(model_of(server), ASK, Cause, stopped=lambda: bool(server.asked))
    assert len(server.asked) == 1
