"""Which model to talk to where none is set: the only one that the server has."""

from __future__ import annotations

from agent.endpoint import list_models
from agent.model.faults import Address, failure
from tools.errors import EndpointTrouble
from tools.text import T

_MOST_LISTED = 12


def only_model(address: Address) -> str:
    """The name of the server's only model; raises EndpointFailed with the names where there is a choice."""
    found = list_models(address.base_url, address.key)
    if found.models is None:
        reason = found.trouble or T("no answer")
        raise failure(
            _trouble(found.status),
            T(
                "No model is chosen, and {host} was asked in vain which it has: {trouble}.",
                host=address.host,
                trouble=reason,
            ),
            T("Set ITERATE_MODEL to the name of a model of that server."),
        )
    if len(found.models) != 1:
        some = ", ".join(found.models[:_MOST_LISTED]) or "-"
        count = len(found.models)
        raise failure(
            "request",
            T("No model is chosen, and {host} has {count}: {models}.", host=address.host, count=count, models=some),
            T("Set ITERATE_MODEL, or `model:` in the settings file, to one of them."),
        )
    return found.models[0]


def _trouble(status: int | None) -> EndpointTrouble:
    if status is None:
        return "connection"
    return "auth" if status in {401, 403} else "server"
