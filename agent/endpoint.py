"""Asking an OpenAI-compatible endpoint which models it serves: the doctor's question, with the standard library only.

Not the client that talks to a model.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from agent.settings import is_local
from tools.text import T, Text, visible

TIMEOUT = 3.0
"""Seconds; a local server answers in milliseconds."""
_MOST_BYTES = 5_000_000


class Answer(BaseModel):
    """What the endpoint said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: list[str] | None = None
    """Names of its models; None when it could not be asked."""
    trouble: Text | None = None
    """Why it could not be asked."""
    status: int | None = None
    """HTTP status of a refusal."""


def list_models(base_url: str, api_key: SecretStr | None, timeout: float = TIMEOUT) -> Answer:
    """GET {base_url}/models; every failure is an answer with `trouble`, never an exception.

    Redirects are not followed: the key goes to the configured host and to no other.
    """
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    handlers: list[urllib.request.BaseHandler] = [Stay()]
    if is_local(base_url):  # no proxy reaches, or should see, what is asked on this machine
        handlers.append(urllib.request.ProxyHandler({}))
    headers = {"Accept": "application/json"}
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key.get_secret_value()}"
    try:
        request = urllib.request.Request(f"{base_url.rstrip('/')}/models", headers=headers)
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
            return _parse(response.read(_MOST_BYTES))
    except urllib.error.HTTPError as reason:
        return Answer(trouble=_refusal(reason.code), status=reason.code)
    except (OSError, HTTPException, ValueError) as reason:
        inner = getattr(reason, "reason", None)
        return Answer(trouble=T("it does not answer ({reason})", reason=visible(str(inner or reason), 120)))


def masked(api_key: SecretStr) -> str:
    """Enough of a key to recognise it: its last four characters, none of a short one."""
    value = api_key.get_secret_value()
    return f"…{value[-4:]}" if len(value) >= 16 else "…"


def _parse(body: bytes) -> Answer:
    try:
        listed = json.loads(body)["data"]
        return Answer(models=sorted(visible(str(one["id"]), 120) for one in listed))
    except (ValueError, TypeError, KeyError, RecursionError):
        return Answer(trouble=T("it answers, but not with a list of models"))


def _refusal(code: int) -> Text:
    if code in {401, 403}:
        return T("it refused the key (HTTP {code})", code=code)
    if code == 404:
        return T("it has no list of models at this address (HTTP 404)")
    return T("it answers with HTTP {code}", code=code)
