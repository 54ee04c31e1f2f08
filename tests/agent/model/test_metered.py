"""Tokens and dollars: what an answer takes is counted once, broken answers included, and nothing is asked beyond a limit."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from agent.model.client import open_model
from agent.model.ladder import ask
from agent.model.prices import affordable, price_of
from agent.settings import Settings
from tests.support.openai_server import FakeEndpoint
from tools.errors import EndpointFailed
from tools.generating.writer import Price
from tools.text import T, Text

HELLO = [{"role": "user", "content": "Hello, 你好"}]


class Counting:
    def __init__(self, calls: int = 99) -> None:
        self.calls, self.used_up = [], calls

    def refuses(self) -> Text | None:
        return T("used up") if len(self.calls) >= self.used_up else None

    def used(self, prompt_tokens: int, completion_tokens: int, *, estimated: bool = False) -> None:
        self.calls.append((prompt_tokens, completion_tokens, estimated))


class Answer(BaseModel):
    word: str


@pytest.fixture
def server():
    with FakeEndpoint() as endpoint:
        yield endpoint


def model(server, tally):
    return open_model(Settings(base_url=server.base_url, model="small")).metered(tally)


def test_a_servers_own_count_is_taken(server):
    tally = Counting()
    server.answer("four words are here")
    model(server, tally).complete(HELLO)
    ((asked, answered, estimated),) = tally.calls
    assert asked > 0 and answered > 0 and not estimated


def test_every_try_of_a_question_is_counted(server):
    tally = Counting()
    server.fault("wrong_schema")
    server.answer('{"word": "yes"}')
    assert ask(model(server, tally), HELLO, Answer).value.word == "yes"
    assert len(tally.calls) == 2


def test_an_answer_that_breaks_off_is_paid_for_and_guessed(server):
    tally = Counting()
    server.fault("cut")
    with pytest.raises(EndpointFailed):
        model(server, tally).complete(HELLO)
    ((asked, answered, estimated),) = tally.calls
    assert asked > 0 and answered > 0 and estimated


def test_a_server_that_refuses_to_answer_costs_nothing(server):
    tally = Counting()
    server.fault("401")
    with pytest.raises(EndpointFailed):
        model(server, tally).complete(HELLO)
    assert tally.calls == []


def test_beyond_the_limit_nothing_is_sent(server):
    tally = Counting(calls=1)
    counted = model(server, tally)
    counted.complete(HELLO)
    with pytest.raises(EndpointFailed) as error:
        counted.complete(HELLO)
    assert (error.value.trouble, str(error.value.message)) == ("budget", "used up")
    assert len([one for one in server.requests if one.method == "POST"]) == 1


def test_the_model_itself_stays_uncounted(server):
    tally = Counting(calls=0)
    plain = open_model(Settings(base_url=server.base_url, model="small"))
    plain.metered(tally)
    assert plain.complete(HELLO)


def test_the_settings_go_before_a_local_address_and_that_before_the_list():
    prices = {"gpt-*": Price(prompt=9, completion=9), "gpt-4o-mini": Price(prompt=1, completion=1)}
    mine = Settings(base_url="http://localhost:8000/v1", prices=prices)
    assert price_of(mine, "GPT-4o-mini").price.prompt == 1
    assert price_of(mine, "gpt-5").price.prompt == 9
    assert price_of(mine, "qwen3").source == "local" and price_of(mine, "qwen3").price.prompt == 0
    far = Settings(base_url="https://models.example.org/v1")
    assert price_of(far, "gpt-4o-mini").source == "list"
    assert price_of(far, "qwen3") is None


def test_under_a_limit_of_cost_a_model_of_unknown_price_is_not_asked(server):
    far = Settings(base_url="https://models.example.org/v1", model="qwen3")
    found = affordable(far, open_model(far), 5.0)
    assert found.model is None and "prices:" in str(found.said)
    unlimited = affordable(far, open_model(far), None)
    assert unlimited.model is not None and unlimited.price is None and unlimited.said is not None
    here = Settings(base_url=server.base_url)
    local = affordable(here, open_model(here), 5.0)
    assert local.model is not None and local.price == Price(prompt=0, completion=0) and local.said is None
    assert affordable(Settings(), None, 5.0).said is None
