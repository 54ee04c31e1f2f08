"""What can go wrong between this program and the server of a model, as errors that say what to do next.

The server's own words are foreign text: they are shortened, made visible, and cleared of the key before anyone reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from pydantic import SecretStr

from tools.errors import EndpointFailed, EndpointTrouble
from tools.text import T, Text, visible

PAGE = "troubleshooting/language-model"
_LONGEST_WORDS = 300


@dataclass(frozen=True)
class Address:
    """Where a model is served, and the key for that place only."""

    base_url: str
    """Without a slash at its end."""
    host: str
    """Host and port, for people."""
    local: bool
    """True on this machine: asked without a proxy."""
    key: SecretStr | None = None

    def clean(self, words: str) -> str:
        """Foreign words as they may be shown: without the key, without control characters, short."""
        secret = self.key.get_secret_value() if self.key else ""
        return visible(words.replace(secret, "…") if secret else words, _LONGEST_WORDS)


@dataclass(frozen=True)
class Trouble:
    """One failed exchange: the error for people, and what decides whether another try makes sense."""

    error: EndpointFailed
    status: int | None = None
    """HTTP status, None when there was no answer at all."""
    words: str = ""
    """What the server said, in lower case and uncut, for recognising known refusals; never shown."""
    wait: float | None = None
    """Seconds that the server asked to wait."""


def failure(trouble: EndpointTrouble, message: Text, hint: Text | None = None) -> EndpointFailed:
    """An EndpointFailed with the page about language models."""
    return EndpointFailed(message, trouble=trouble, hint=hint, page=PAGE)


def from_exception(reason: Exception, address: Address) -> Trouble:
    """The trouble behind an exception of the HTTP client; nothing of the exception itself is kept, since it knows the key."""
    from openai import APIConnectionError, APIStatusError, APITimeoutError

    if isinstance(reason, APIStatusError):
        return _from_status(reason.status_code, reason.response.text, reason.response.headers, address)
    inner = reason.__cause__ if isinstance(reason, APIConnectionError) and reason.__cause__ else reason
    name = type(inner).__name__
    if isinstance(reason, APITimeoutError) or "Timeout" in name:
        if "Connect" in name:
            return Trouble(unreachable(address, T("no connection within the time limit")))
        return Trouble(silent(address, None))
    if name in {"RemoteProtocolError", "ReadError", "IncompleteRead"}:
        return Trouble(cut(address))
    return Trouble(unreachable(address, address.clean(str(inner) or name)))


def unreachable(address: Address, reason: str | Text) -> EndpointFailed:
    """No connection could be made."""
    return failure(
        "connection",
        T("The language model at {host} cannot be reached ({reason}).", host=address.host, reason=reason),
        T("Start that server, or correct OPENAI_BASE_URL; `iterate doctor --endpoint` checks it."),
    )


def silent(address: Address, seconds: float | None, *, began: bool = False) -> EndpointFailed:
    """The server holds the line and says nothing."""
    hint = T(
        "A large model on a small machine may need longer: set `timeout` in the settings, or choose a smaller model."
    )
    if seconds is None:
        return failure("timeout", T("The language model at {host} did not answer in time.", host=address.host), hint)
    if began:
        message = T(
            "The language model at {host} stopped in the middle of its answer for {seconds:.0f} s.",
            host=address.host,
            seconds=seconds,
        )
    else:
        message = T(
            "The language model at {host} said nothing for {seconds:.0f} s.", host=address.host, seconds=seconds
        )
    return failure("timeout", message, hint)


def cut(address: Address) -> EndpointFailed:
    """The connection ended before the answer did."""
    return failure(
        "cut",
        T("The answer of the language model at {host} broke off.", host=address.host),
        T("Ask again; if it happens often, look into the log of that server."),
    )


def nonsense(address: Address, words: str) -> EndpointFailed:
    """What came is not what the protocol asks for."""
    return failure(
        "invalid",
        T(
            "The server at {host} answers, but not in the form of a chat completion: {words}",
            host=address.host,
            words=repr(address.clean(words)[:120]),  # cut after cleaning: half a key would not be recognised
        ),
        T("Check that OPENAI_BASE_URL is the address of an OpenAI-compatible server; with most it ends in /v1."),
    )


def told(address: Address, words: str) -> EndpointFailed:
    """The server reported an error of its own in the middle of the stream."""
    return failure(
        "server",
        T("The server at {host} reports an error: {words}", host=address.host, words=address.clean(words)),
        T("Look into the log of that server, or ask again."),
    )


def refused(name: str, words: str) -> EndpointFailed:
    """The model declined."""
    shown = visible(words.strip(), _LONGEST_WORDS) or T("it gave no reason")
    return failure(
        "refused",
        T("The language model {name} declined to answer: {words}", name=name, words=shown),
        T("Put it differently, or go on without it: every step works by rules."),
    )


def empty(name: str) -> EndpointFailed:
    """An answer without a word."""
    return failure(
        "empty",
        T("The language model {name} gave an empty answer.", name=name),
        T("Ask again; if it stays empty, the chat template of the model may not fit that server."),
    )


def too_long(name: str, limit: int) -> EndpointFailed:
    """An answer that was asked for whole and ended at its limit."""
    return failure(
        "cut",
        T("The answer of the language model {name} was cut at its limit of {limit} tokens.", name=name, limit=limit),
        T("Ask for less at once, or choose a model that thinks less before it answers."),
    )


def _from_status(status: int, body: str, headers: Mapping[str, str], address: Address) -> Trouble:
    words = error_words(body)
    wait = _asked_wait(headers) if status in {429, 503} else None
    shown = address.clean(words) or T("no reason given")
    error = _refusal(status, shown, headers.get("location", ""), address)
    if status == 429 and wait is not None:
        hint = T("It asks to wait {seconds:.0f} s. Ask again then, or choose another model.", seconds=wait)
        error = failure("rate", error.message, hint)
    return Trouble(error, status=status, words=words.lower(), wait=wait)


def _refusal(status: int, shown: str | Text, location: str, address: Address) -> EndpointFailed:
    host = address.host
    if status in {401, 403}:
        return failure(
            "auth",
            T("The server at {host} refused the key (HTTP {status}): {words}", host=host, status=status, words=shown),
            T("Set OPENAI_API_KEY to a key of that server, then start the program again."),
        )
    if status == 429:
        return failure(
            "rate",
            T("The server at {host} takes no more requests for now (HTTP 429): {words}", host=host, words=shown),
            T("Wait a little, or look at the limits of your account there."),
        )
    if 300 <= status < 400:
        return failure(
            "request",
            T("The server at {host} sends the request elsewhere: {place}", host=host, place=address.clean(location)),
            T("Set OPENAI_BASE_URL to the final address: the key is never sent on to another place."),
        )
    if status >= 500:
        return failure(
            "server",
            T("The server at {host} failed (HTTP {status}): {words}", host=host, status=status, words=shown),
            T("Look into the log of that server, or ask again."),
        )
    return failure(
        "request",
        T(
            "The server at {host} did not accept the request (HTTP {status}): {words}",
            host=host,
            status=status,
            words=shown,
        ),
        T("Check OPENAI_BASE_URL and the name of the model; `iterate doctor --endpoint` says what the server can do."),
    )


def error_words(body: str) -> str:
    """The message inside an error body, whatever the server's way to pack it; the body itself when it is plain text."""
    try:
        inner: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "" if body.lstrip().startswith("<") else " ".join(body.split())  # a web page says nothing to a person
    for name in ("error", "detail", "message"):
        while isinstance(inner, dict) and name in inner:
            inner = inner[name]
    return inner if isinstance(inner, str) else json.dumps(inner, ensure_ascii=False)


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds from a retry-after header, which holds a number or a date."""
    raw = headers.get("retry-after", "").strip()
    try:
        return max(float(raw), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(raw).timestamp() - time(), 0.0)
    except (ValueError, TypeError):
        return None
