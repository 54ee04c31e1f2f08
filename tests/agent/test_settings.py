from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import DEFAULT_BASE_URL, load_settings, settings_file

KEY = "sk-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"ITERATE_SETTINGS": str(tmp_path / "settings.yaml")}


def write(environ: dict[str, str], text: str) -> None:
    Path(environ["ITERATE_SETTINGS"]).write_text(text, encoding="utf-8")


def test_nothing_is_needed_to_start(tmp_path: Path):
    read = load_settings({"XDG_CONFIG_HOME": str(tmp_path)})
    assert read.settings.endpoint is None
    assert read.problems == []
    assert read.file == tmp_path / "iterate-mode" / "settings.yaml"


def test_the_settings_file_lies_in_the_home_folder_by_default():
    assert settings_file({}) == Path.home() / ".config" / "iterate-mode" / "settings.yaml"


def test_the_environment_is_laid_over_the_file(environ: dict[str, str]):
    write(environ, "language: en\nmodel: from-file\nbase_url: http://localhost:8000/v1/\n")
    settings = load_settings({**environ, "ITERATE_MODEL": "from-variable", "ITERATE_LANGUAGE": "zh_TW.UTF-8"}).settings
    assert (settings.language, settings.model, settings.endpoint) == (
        "zh-TW",
        "from-variable",
        "http://localhost:8000/v1",
    )


def test_an_empty_variable_is_no_value(environ: dict[str, str]):
    write(environ, "model: from-file\n")
    settings = load_settings({**environ, "ITERATE_MODEL": "", "OPENAI_API_KEY": " ", "OPENAI_BASE_URL": ""}).settings
    assert settings.model == "from-file"
    assert settings.endpoint is None


def test_a_key_alone_means_the_usual_endpoint(environ: dict[str, str]):
    write(environ, "")
    assert load_settings({**environ, "OPENAI_API_KEY": KEY}).settings.endpoint == DEFAULT_BASE_URL


def test_the_key_is_neither_dumped_nor_shown(environ: dict[str, str]):
    write(environ, "")
    read = load_settings({**environ, "OPENAI_API_KEY": KEY})
    assert read.settings.api_key is not None
    assert read.settings.api_key.get_secret_value() == KEY
    shown = [
        repr(read),
        str(read.settings),
        read.model_dump_json(),
        str(read.model_dump()),
        repr(read.settings.api_key),
    ]
    assert not any(KEY[3:10] in text for text in shown)


def test_a_key_in_the_file_is_not_used_and_not_repeated(environ: dict[str, str]):
    write(environ, f"api_key: {KEY}\n")
    read = load_settings(environ)
    assert read.settings.api_key is None
    assert "OPENAI_API_KEY" in str(read.problems[0].hint)
    assert KEY not in read.model_dump_json()


def test_a_misspelt_setting_is_reported_with_the_nearest_and_the_rest_is_used(environ: dict[str, str]):
    write(environ, "langauge: en\nmodel: m\n")
    read = load_settings(environ)
    assert read.settings.model == "m"
    (problem,) = read.problems
    assert "language" in str(problem.hint)
    assert problem.choices == [
        "language",
        "base_url",
        "model",
        "timeout",
        "endpoint_rows",
        "keys",
        "bell",
        "notify",
        "prices",
    ]


def test_all_wrong_values_are_reported_at_once_with_their_source(environ: dict[str, str]):
    write(environ, "language: klingon\nmodel: [1, 2]\n")
    read = load_settings({**environ, "OPENAI_BASE_URL": "localhost:8000"})
    assert {problem.path for problem in read.problems} == {environ["ITERATE_SETTINGS"], "OPENAI_BASE_URL"}
    assert len(read.problems) == 3
    assert read.settings.language is None
    assert next(problem for problem in read.problems if problem.value == "klingon").choices == ["en", "zh-TW"]


def test_a_password_in_the_address_is_refused_without_repeating_it(environ: dict[str, str]):
    write(environ, "")
    read = load_settings({**environ, "OPENAI_BASE_URL": "http://me:hunter22@host/v1"})
    assert read.settings.base_url is None
    assert "hunter22" not in read.model_dump_json()


@pytest.mark.parametrize("text", ["language: [", "- a\n- b\n", "just words", "a: b: c", "{\x00}", "\ufeff: : :"])
def test_a_broken_settings_file_is_one_problem_and_the_environment_still_counts(environ: dict[str, str], text: str):
    write(environ, text)
    read = load_settings({**environ, "ITERATE_MODEL": "m"})
    assert read.problems
    assert read.settings.model == "m"


def test_a_file_that_is_not_utf8_is_one_problem(environ: dict[str, str]):
    Path(environ["ITERATE_SETTINGS"]).write_bytes("model: 模型".encode("big5"))
    assert len(load_settings(environ).problems) == 1


def test_a_settings_file_that_was_named_but_is_missing_is_said(environ: dict[str, str]):
    (problem,) = load_settings(environ).problems
    assert problem.path == environ["ITERATE_SETTINGS"]


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1"),
        ("http://localhost:11434/", "http://localhost:11434/v1"),
        ("https://models.example.org/v1/", "https://models.example.org/v1"),
        ("https://models.example.org/v1/chat/completions", "https://models.example.org/v1"),
        ("https://models.example.org/api/v3", "https://models.example.org/api/v3"),
    ],
)
def test_an_address_is_taken_as_people_write_it(environ: dict[str, str], written: str, endpoint: str):
    write(environ, "")
    assert load_settings({**environ, "OPENAI_BASE_URL": written}).settings.endpoint == endpoint


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.2:8000", True),
        ("http://[::1]:8000/v1", True),
        ("http://0.0.0.0:8000/v1", True),
        ("http://localhost.example.org/v1", False),
        ("http://192.168.1.5:8000/v1", False),
        ("https://api.openai.com/v1", False),
    ],
)
def test_only_this_machine_is_local(environ: dict[str, str], address: str, local: bool):
    write(environ, "")
    assert load_settings({**environ, "OPENAI_BASE_URL": address}).settings.endpoint_is_local is local


def test_whether_rows_may_be_sent_and_how_long_to_wait_can_be_set(environ: dict[str, str]):
    write(environ, "timeout: 300\nendpoint_rows: never\n")
    assert (load_settings(environ).settings.timeout, load_settings(environ).settings.endpoint_rows) == (300.0, "never")
    read = load_settings({**environ, "ITERATE_TIMEOUT": "-3", "ITERATE_ENDPOINT_ROWS": "sometimes"})
    assert {problem.path for problem in read.problems} == {"ITERATE_TIMEOUT", "ITERATE_ENDPOINT_ROWS"}
    assert ["allow", "never"] in [problem.choices for problem in read.problems]


@pytest.mark.parametrize(
    "key", ["sk-two words-0123456789", "sk-line\nbreak-0123456789", "ｓｋ－０１２３４５６７８９", "“sk-0123456789”"]
)
def test_a_key_that_no_header_can_carry_is_not_used_and_not_repeated(environ: dict[str, str], key: str):
    write(environ, "")
    read = load_settings({**environ, "OPENAI_API_KEY": key})
    assert read.settings.api_key is None
    assert "OPENAI_API_KEY" in str(read.problems[0].path)
    assert key[3:8] not in read.model_dump_json()


def test_keys_and_the_bell_can_be_set_and_a_wrong_key_leaves_only_the_keys_out(environ: dict[str, str]):
    write(environ, "keys: {training: f6}\nbell: false\n")
    read = load_settings(environ)
    assert (read.settings.keys, read.settings.bell, read.problems) == ({"training": "f6"}, False, [])
    write(environ, "keys: {training: [f6], errors: {a: 1}}\nbell: false\n")
    read = load_settings(environ)
    assert (read.settings.keys, read.settings.bell, len(read.problems)) == ({}, False, 1)


def test_a_program_and_prices_are_read_and_what_cannot_be_used_is_left_out(environ: dict[str, str]):
    write(environ, 'notify: [notify-send, "a b"]\nprices: {"qwen*": {prompt: 0.1, completion: 0.4}}\n')
    settings = load_settings(environ).settings
    assert settings.notify == ["notify-send", "a b"]
    assert settings.prices["qwen*"].completion == 0.4
    for wrong in (
        "notify: curl https://x/?token=abc",
        "notify: ['']",
        "prices: {gpt: 3}",
        "prices: {gpt: {prompt: -1}}",
    ):
        write(environ, f"{wrong}\nmodel: m\n")
        read = load_settings(environ)
        assert read.settings.model == "m" and not read.settings.notify and not read.settings.prices
        assert len(read.problems) == 1 and "token=abc" not in read.model_dump_json()
