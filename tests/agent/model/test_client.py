from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from agent.model.client import CallPiece, ChatModel, TextPiece, ToolSpec, UsagePiece, open_model
from agent.model.faults import Address
from agent.model.wire import Patience
from agent.settings import Settings, load_settings
from tests.support.openai_server import FAULTS, FakeEndpoint
from tools.errors import EndpointFailed

KEY = "sk-canary-0123456789abcdef"
ASK = [{"role": "user", "content": "How is stance doing?"}]
TOOL = ToolSpec("task_status", "Where a task stands.", {"type": "object", "properties": {"task": {"type": "string"}}})
TROUBLE = {
    "401": "auth",
    "404": "request",
    "429": "rate",
    "500": "server",
    "redirect": "request",
    "hang": "timeout",
    "stall": "timeout",
    "cut": "cut",
    "faded": "cut",
    "invalid_json": "invalid",
    "html": "invalid",
    "error": "server",
    "refusal": "refused",
    "empty": "empty",
}
"""What each fault of a server becomes; the others are answers: of another form, too long, without end."""


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as running:
        yield running


@pytest.fixture(autouse=True, scope="module")
def _client_is_imported():
    """The first request of a program waits seconds for the import of its HTTP client; short limits should not."""
    import openai  # noqa: F401


def model_of(
    server: FakeEndpoint, *, name: str | None = "small", key: str | None = None, seconds: float = 20.0
) -> ChatModel:
    address = Address(server.base_url, server.host, local=True, key=SecretStr(key) if key else None)
    return ChatModel(address, name, patience=Patience(first=seconds, between=seconds, asked=0.2))


def _patience(fault: str) -> float:
    return 0.3 if fault in {"hang", "stall"} else 20.0


def words(pieces: list[object]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))


def test_no_endpoint_means_no_model_and_opening_one_asks_nobody(server: FakeEndpoint):
    assert open_model(Settings()) is None
    model = open_model(Settings(base_url=server.base_url, model="small"))
    assert model is not None
    assert (model.name, model.host, server.requests) == ("small", server.host, [])


def test_an_answer_comes_in_pieces_and_ends_with_its_usage(server: FakeEndpoint):
    server.answer("立場任務的宏平均 F1 是 0.61。")
    pieces = list(model_of(server).stream(ASK))
    assert words(pieces) == "立場任務的宏平均 F1 是 0.61。"
    assert len(pieces) > 3
    assert pieces[-1] == UsagePiece(7, 3, "stop")
    assert server.asked[0].body["temperature"] < 0.5
    assert 0 < server.asked[0].body["max_tokens"] <= 4096


def test_the_first_words_arrive_while_the_server_still_writes(server: FakeEndpoint):
    server.fault("stall", text="Once")
    stream = model_of(server).stream(ASK)
    assert next(stream) == TextPiece("Once")
    stream.close()
    assert server.hung_up.wait(5)


def test_a_tool_call_arrives_whole_although_it_is_streamed_in_parts(server: FakeEndpoint):
    server.calls([("task_status", {"task": "stance"}), ("task_status", {"task": "sentiment"})], text="I look.")
    pieces = list(model_of(server).stream(ASK, [TOOL]))
    calls = [piece.call for piece in pieces if isinstance(piece, CallPiece)]
    assert [(call.id, call.arguments) for call in calls] == [
        ("call_0", '{"task": "stance"}'),
        ("call_1", '{"task": "sentiment"}'),
    ]
    assert server.asked[0].body["tools"][0]["function"]["name"] == "task_status"


def test_a_server_that_does_not_stream_answers_all_the_same(server: FakeEndpoint):
    server.streams = False
    server.call("task_status", {"task": "stance"}, text="I look.")
    pieces = list(model_of(server).stream(ASK, [TOOL]))
    assert words(pieces) == "I look."
    assert any(isinstance(piece, CallPiece) and piece.call.name == "task_status" for piece in pieces)


@pytest.mark.parametrize(("fault", "trouble"), TROUBLE.items())
def test_every_fault_is_one_word_with_a_next_step_and_a_page(server: FakeEndpoint, fault: str, trouble: str):
    server.fault(fault, times=3, location="http://127.0.0.1:1/v1", retry_after=0)
    with pytest.raises(EndpointFailed) as caught:
        list(model_of(server, seconds=_patience(fault)).stream(ASK))
    assert caught.value.trouble == trouble
    assert caught.value.hint is not None
    assert caught.value.page == "troubleshooting/language-model"
    assert server.host in str(caught.value) or "small" in str(caught.value)


def test_nobody_listening_is_said_as_such():
    with FakeEndpoint() as server:
        model = model_of(server)
    with pytest.raises(EndpointFailed) as caught:
        list(model.stream(ASK))
    assert caught.value.trouble == "connection"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_key_reaches_the_server_and_nobody_else(
    server: FakeEndpoint, fault: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    with FakeEndpoint() as elsewhere:
        server.fault(fault, times=3, location=elsewhere.base_url + "/chat/completions", retry_after=0)
        model = model_of(server, key=KEY, seconds=_patience(fault))
        shown = [repr(model), str(model), repr(vars(model))]
        try:
            shown.append(repr(list(model.stream(ASK))))
        except EndpointFailed as failed:
            shown += [str(failed), repr(failed), repr(failed.args), str(failed.hint), *_chain(failed)]
        assert elsewhere.requests == []
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    out, err = capfd.readouterr()
    assert not any(KEY[3:14] in text for text in [*shown, caplog.text, out, err])


def _chain(error: BaseException) -> list[str]:
    """The errors behind an error, as a traceback would show them."""
    behind = error.__cause__ or error.__context__
    return [] if behind is None else [repr(behind), str(vars(behind)), *_chain(behind)]


def test_a_local_server_without_a_key_gets_none(server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)  # of another program: this model was opened without one
    list(model_of(server).stream(ASK))
    assert "authorization" not in server.asked[0].headers


def test_a_server_on_this_machine_is_asked_without_a_proxy(server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch):
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert words(list(model_of(server, name=None).stream(ASK))) == "I see."


def test_a_busy_server_is_waited_for_as_it_asks_and_the_wait_is_said(server: FakeEndpoint):
    heard: list[str] = []
    server.fault("429", retry_after=0.1).answer("Now.")
    assert words(list(model_of(server).stream(ASK, notice=lambda text: heard.append(str(text))))) == "Now."
    assert len(server.asked) == 2
    assert "is busy" in heard[0]


def test_a_wait_beyond_the_limit_is_not_waited_but_told(server: FakeEndpoint):
    server.fault("429", retry_after=3600)
    with pytest.raises(EndpointFailed) as caught:
        list(model_of(server).stream(ASK))
    assert "3600" in str(caught.value.hint)
    assert len(server.asked) == 1


def test_a_server_that_failed_once_is_asked_again(server: FakeEndpoint):
    server.fault("500").answer("Better.")
    assert model_of(server).complete(ASK) == "Better."


@pytest.mark.parametrize("fault", ["hang", "stall"])
def test_a_stop_ends_a_silent_answer_at_once_and_hangs_up(server: FakeEndpoint, fault: str):
    server.fault(fault)
    stop = threading.Event()
    model = ChatModel(Address(server.base_url, server.host, local=True), "small")  # waits two minutes if not stopped
    pieces: list[object] = []
    reader = threading.Thread(target=lambda: pieces.extend(model.stream(ASK, stopped=stop.is_set)), daemon=True)
    reader.start()
    _wait_for(lambda: bool(server.asked))
    stop.set()
    reader.join(10)
    assert not reader.is_alive()
    assert server.hung_up.wait(10)
    assert not any(isinstance(piece, UsagePiece) for piece in pieces)


def _wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    assert condition()


def test_words_that_came_before_a_break_are_kept(server: FakeEndpoint):
    server.fault("cut", text="The class 中立 is low because")
    came: list[object] = []
    with pytest.raises(EndpointFailed):
        came.extend(iter_into(came, model_of(server)))
    assert "中立" in words(came)


def iter_into(came: list[object], model: ChatModel) -> Iterator[object]:
    for piece in model.stream(ASK):
        came.append(piece)
    yield from ()


def test_an_answer_without_end_is_left_at_its_limit(server: FakeEndpoint):
    server.fault("endless")
    pieces = list(model_of(server).stream(ASK, max_tokens=100))
    assert pieces[-1] == UsagePiece(None, None, "length")
    assert len(words(pieces)) < 20_000
    assert server.hung_up.wait(10)


def test_a_whole_answer_that_was_cut_at_the_limit_is_no_answer(server: FakeEndpoint):
    server.fault("length")
    with pytest.raises(EndpointFailed) as caught:
        model_of(server).complete(ASK, max_tokens=8)
    assert (caught.value.trouble, "8 tokens" in str(caught.value)) == ("cut", True)


@pytest.mark.parametrize(
    "text", ["<think>Hm, is it 5?</think>\n\nIt is 5.", "  <think>a</think><think>b</think>It is 5."]
)
def test_what_a_model_thinks_aloud_is_not_its_answer(server: FakeEndpoint, text: str):
    server.answer(text, reasoning="Let me think about it.").answer(text)
    assert words(list(model_of(server).stream(ASK))) == "It is 5."
    assert model_of(server).complete(ASK) == "It is 5."


def test_a_thought_without_an_answer_is_empty(server: FakeEndpoint):
    server.answer("<think>and then, and then")
    with pytest.raises(EndpointFailed) as caught:
        list(model_of(server).stream(ASK))
    assert caught.value.trouble == "empty"


def test_a_tag_that_an_answer_talks_about_stays(server: FakeEndpoint):
    server.answer("Your template lacks <think> and </think>.").answer("<b>bold</b>")
    model = model_of(server)
    assert words(list(model.stream(ASK))) == "Your template lacks <think> and </think>."
    assert words(list(model.stream(ASK))) == "<b>bold</b>"


@pytest.mark.parametrize("status", [400, 500])
def test_refused_tools_are_remembered_and_not_tried_again(server: FakeEndpoint, status: int):
    server.tools, server.refusal_status = False, status
    model = model_of(server)
    with pytest.raises(EndpointFailed) as caught:
        list(model.stream(ASK, [TOOL]))
    assert caught.value.trouble == "request"
    assert not model.takes_tools
    assert len(server.asked) == 1
    assert words(list(model.stream(ASK))) == "I see."


def test_a_context_that_is_too_short_is_no_refusal_of_the_tools_that_it_counts(
    server: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
):
    said = "maximum context length is 4096 tokens, you requested 4200 (1652 in the messages, 500 in the functions)"
    monkeypatch.setattr(
        server, "refused", lambda body: said if body.get("max_tokens", 9999) > 1000 else None, raising=False
    )
    model = model_of(server)
    assert words(list(model.stream(ASK, [TOOL]))) == "I see."
    assert model.takes_tools and len(server.asked) == 2


@pytest.mark.parametrize("field", ["max_tokens", "temperature", "stream_options"])
def test_a_field_that_a_server_refuses_is_left_out_and_not_sent_again(server: FakeEndpoint, field: str):
    server.refused_fields = [field]
    model = model_of(server)
    assert words(list(model.stream(ASK))) == "I see."
    list(model.stream(ASK))
    assert len(server.asked) == 3
    assert field not in server.asked[2].body
    assert {"max_tokens", "max_completion_tokens"} & set(server.asked[2].body)


def test_a_server_that_refuses_every_name_of_the_limit_is_not_asked_for_ever(server: FakeEndpoint):
    server.refused_fields = ["max_tokens", "max_completion_tokens"]
    with pytest.raises(EndpointFailed) as caught:
        list(model_of(server).stream(ASK))
    assert caught.value.trouble == "request"


def test_the_only_model_of_a_server_is_taken_and_several_are_listed(server: FakeEndpoint):
    model = model_of(server, name=None)
    assert model.complete(ASK) == "I see."
    assert (model.name, server.asked[0].body["model"]) == ("small", "small")
    server.models = ["small", "large"]
    with pytest.raises(EndpointFailed) as caught:
        model_of(server, name=None).complete(ASK)
    assert "large, small" in str(caught.value)
    assert "ITERATE_MODEL" in str(caught.value.hint)


@pytest.mark.parametrize(
    "written", ["http://{host}", "http://{host}/", "http://{host}/v1", "http://{host}/v1/chat/completions"]
)
def test_an_address_is_understood_as_people_write_it(server: FakeEndpoint, written: str):
    model = open_model(Settings(base_url=written.format(host=server.host), model="small"))
    assert model is not None
    assert model.complete(ASK) == "I see."


def test_rows_that_leave_this_machine_are_announced_once_and_can_be_forbidden():
    local = open_model(Settings(base_url="http://localhost:8000/v1", model="m"))
    far = open_model(Settings(base_url="https://models.example.org/v1", model="m"))
    closed = open_model(Settings(base_url="https://models.example.org/v1", model="m", endpoint_rows="never"))
    assert local is not None and far is not None and closed is not None
    assert (local.may_see_rows, local.rows_notice()) == (True, None)
    notice = far.rows_notice()
    assert "models.example.org" in str(notice)
    assert far.rows_notice() is None
    assert not closed.may_see_rows


def test_the_words_of_a_server_cannot_move_the_cursor(server: FakeEndpoint):
    server.models = ["\x1b[2Jsmall"]
    with pytest.raises(EndpointFailed) as caught:
        list(model_of(server, name="\x1b[2J\u202eother").stream(ASK))
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


def test_the_key_of_the_environment_is_the_one_that_is_sent(server: FakeEndpoint, tmp_path):
    environ = {"ITERATE_SETTINGS": str(tmp_path / "none"), "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": KEY}
    model = open_model(load_settings(environ).settings)
    assert model is not None
    assert model.complete(ASK) == "I see."
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {KEY}"}


def test_a_row_with_half_a_character_is_sent_all_the_same(server: FakeEndpoint):
    assert model_of(server).complete([{"role": "user", "content": "row: \ud83d!"}]) == "I see."
    assert server.asked[0].body["messages"][0]["content"] == "row: ?!"
