"""The user's settings: a small YAML file and environment variables over it.

    # ~/.config/iterate-mode/settings.yaml, or the file that ITERATE_SETTINGS names
    language: zh-TW                      # ITERATE_LANGUAGE
    base_url: http://localhost:8000/v1   # OPENAI_BASE_URL
    model: qwen3-8b                      # ITERATE_MODEL; may be left out where the endpoint has only one
    timeout: 120                         # ITERATE_TIMEOUT: seconds until the first word of an answer
    endpoint_rows: never                 # ITERATE_ENDPOINT_ROWS: whether data rows may be sent to it (allow or never)
    keys: {training: f6}                 # other keys of the full-screen chat, by the names that its help (F1) shows
    bell: false                          # no bell when a question waits or a training ends
    notify: [notify-send, Iterate Mode]  # a program and its arguments, run then too (agent/notify.py); no shell reads them
    prices:                              # US dollars for a million tokens, by name or pattern of a model
      "qwen3-*": {prompt: 0.1, completion: 0.4}

The key of an endpoint comes from OPENAI_API_KEY only: it is never read from the file, dumped or shown. A setting that
cannot be used is reported and left out; everything works without any of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from agent.i18n import LANGUAGES, normalise_language
from tools.editing.nearest import nearest
from tools.errors import Problem
from tools.generating.writer import Price
from tools.text import T, visible

DEFAULT_BASE_URL = "https://api.openai.com/v1"
"""Used when a key is set without an address."""

_VARIABLES = {
    "ITERATE_LANGUAGE": "language",
    "OPENAI_BASE_URL": "base_url",
    "ITERATE_MODEL": "model",
    "ITERATE_TIMEOUT": "timeout",
    "ITERATE_ENDPOINT_ROWS": "endpoint_rows",
}
_NAMES = [*_VARIABLES.values(), "keys", "bell", "notify", "prices"]
"""What may stand in the settings file."""
_MAY_HOLD_SECRETS = {"base_url", "notify"}
"""An address may carry a password, and the arguments of a program a token: their values are not repeated."""
_CHOICES = {"language": list(LANGUAGES), "endpoint_rows": ["allow", "never"]}


class Settings(BaseModel):
    """What a user set once for all tasks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str | None = None
    """en or zh-TW; None leaves it to the task and the locale."""
    base_url: str | None = None
    """Address of an OpenAI-compatible endpoint, up to and with /v1."""
    model: str | None = None
    """Name of the language model at that endpoint; None takes its only one."""
    timeout: float | None = Field(default=None, gt=0, le=3600)
    """Seconds until the first word of an answer; None leaves it to the client."""
    endpoint_rows: Literal["allow", "never"] = "allow"
    """Whether data rows may stand in what is sent to the endpoint; before they go to another machine the program says so."""
    keys: dict[str, str] = {}
    """Keys of the full-screen chat that differ from its own: name of the binding to key."""
    bell: bool = True
    """Whether the full-screen chat rings when it needs somebody who looks elsewhere."""
    notify: list[str] = []
    """A program with its arguments that is run when somebody is needed or something has ended; empty runs nothing."""
    prices: dict[str, Price] = {}
    """Name or pattern of a model to what its tokens cost; it goes before every other price."""
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    """From the environment; left out of every dump."""

    @property
    def endpoint(self) -> str | None:
        """The endpoint to call, None when neither an address nor a key was given.

        An address without a path gets /v1, where nearly every server has it; one that was copied whole loses its last part.
        """
        if not self.base_url:
            return DEFAULT_BASE_URL if self.api_key else None
        address = self.base_url.rstrip("/").removesuffix("/chat/completions").removesuffix("/models")
        return address if urlsplit(address).path else f"{address}/v1"

    @property
    def endpoint_host(self) -> str:
        """Host and port of the endpoint, for people; empty without one."""
        return visible(urlsplit(self.endpoint or "").netloc, 120)

    @property
    def endpoint_is_local(self) -> bool:
        """Whether the endpoint is on this machine."""
        return is_local(self.endpoint or "")

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str | None) -> str | None:
        if value is None:
            return None
        known = normalise_language(value)
        if known is None:
            raise ValueError(f"choose one of {', '.join(LANGUAGES)}")
        return known

    @field_validator("notify", mode="before")
    @classmethod
    def _program_and_arguments(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError("write it as a list, the program first, such as [notify-send, Iterate Mode]")
        if isinstance(value, list) and value and not str(value[0]).strip():
            raise ValueError("the name of the program is empty")
        return value

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("it must start with http:// or https:// and name a host")
        if parts.username or parts.password:
            raise ValueError("it must not carry a user name or password: put the key into OPENAI_API_KEY")
        return value


def is_local(address: str) -> bool:
    """Whether a web address names this machine."""
    host = urlsplit(address).hostname or ""
    try:
        number = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return number.is_loopback or number.is_unspecified


class SettingsRead(BaseModel):
    """The settings that can be used, and what was wrong with the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: Settings
    file: Path
    """Where the settings file is, or would be."""
    problems: list[Problem] = []


def settings_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The settings file: ITERATE_SETTINGS, else settings.yaml in the user's configuration folder."""
    if environ.get("ITERATE_SETTINGS"):
        return Path(environ["ITERATE_SETTINGS"]).expanduser()
    home = Path(environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return home / "iterate-mode" / "settings.yaml"


def load_settings(environ: Mapping[str, str] = os.environ) -> SettingsRead:
    """Read the file and lay the environment over it; what cannot be used is left out and listed in `problems`."""
    path = settings_file(environ)
    raw, problems = _read_file(path, named="ITERATE_SETTINGS" in environ)
    problems += _refuse_unknown(raw, path)
    sources = dict.fromkeys(raw, str(path))
    for variable, name in _VARIABLES.items():
        if environ.get(variable, "").strip():
            raw[name], sources[name] = environ[variable].strip(), variable
    try:
        Settings.model_validate(raw)
    except ValidationError as reason:
        problems += _drop_refused(raw, reason, sources)
    key = environ.get("OPENAI_API_KEY", "").strip()
    if not (
        key.isascii() and key.isprintable() and " " not in key
    ):  # no HTTP header can carry it, and an error would show it
        problems.append(_unusable_key())
        key = ""
    settings = Settings.model_validate({**raw, "api_key": SecretStr(key) if key else None})
    return SettingsRead(settings=settings, file=path, problems=problems)


def _unusable_key() -> Problem:
    message = T(
        "The key in OPENAI_API_KEY holds a space, a line break or a character that no key has; it was not used."
    )
    return Problem(
        message=message, path="OPENAI_API_KEY", hint=T("Copy the key again, on one line and without quotes.")
    )


def _read_file(path: Path, *, named: bool) -> tuple[dict[str, Any], list[Problem]]:
    if not path.is_file():
        if not named:
            return {}, []
        missing = T("The settings file that ITERATE_SETTINGS names does not exist.")
        return {}, [Problem(message=missing, path=str(path), hint=T("Make that file or unset the variable."))]
    from ruamel.yaml import YAML, YAMLError  # 120 ms, needed only where there is a settings file

    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except (YAMLError, OSError, ValueError) as reason:
        mark = getattr(reason, "problem_mark", None)
        broken = T("The settings file cannot be read: {reason}.", reason=visible(str(reason).splitlines()[0], 200))
        return {}, [Problem(message=broken, path=str(path), line=mark.line + 1 if mark else None)]
    if values is None:
        return {}, []
    if not isinstance(values, dict):
        return {}, [Problem(message=T("The settings file must hold lines of `name: value`."), path=str(path))]
    return {str(key): value for key, value in values.items()}, []


def _refuse_unknown(raw: dict[str, Any], path: Path) -> list[Problem]:
    """Take unknown names, and a key that stands in the file, out of `raw` and say so."""
    problems = []
    if raw.pop("api_key", None) is not None:
        message = T("A key does not belong in the settings file; it was not used.")
        advice = T("Remove that line and put the key into the environment variable OPENAI_API_KEY.")
        problems.append(Problem(message=message, path=str(path), hint=advice))
    for name in [each for each in raw if each not in _NAMES]:
        del raw[name]
        near = nearest(name, _NAMES)
        hint = T("Did you mean {near}?", near=near) if near else None
        message = T("{name} is not a setting.", name=visible(name, 80))
        problems.append(Problem(message=message, path=str(path), choices=_NAMES, hint=hint))
    return problems


def _drop_refused(raw: dict[str, Any], reason: ValidationError, sources: Mapping[str, str]) -> list[Problem]:
    problems = []
    for error in reason.errors(include_url=False):
        name = str(error["loc"][0])
        if name not in raw:  # a second mistake in a setting that is left out already
            continue
        value = raw.pop(name)
        detail = error["msg"].removeprefix("Value error, ")
        problems.append(
            Problem(
                message=T("The setting {name} was left out: {reason}.", name=name, reason=detail),
                path=sources.get(name),
                value=None if name in _MAY_HOLD_SECRETS else visible(str(value), 80),
                choices=_CHOICES.get(name, []),
            )
        )
    return problems
