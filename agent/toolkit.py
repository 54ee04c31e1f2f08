"""The six tools as LangChain tools, each with its effect in the metadata, so that the strong ones can be left out.

Free chat gets the reading ones only. An approval is an edge of the graph and never a tool call.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.contract import TOOLS, Effects, Signature, Tool

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool

READING = frozenset({Effects.read})


def langchain_tools(effects: Collection[Effects] = READING) -> list[StructuredTool]:
    """The tools whose effect is among `effects`; only the reading ones unless more is asked for."""
    return [_wrap(tool) for tool in TOOLS.values() if tool.effect in effects]


def _wrap(tool: Tool) -> StructuredTool:
    from langchain_core.tools import StructuredTool

    signature = tool.resolve()
    return StructuredTool.from_function(
        func=partial(_run, signature),
        name=tool.name,
        description=tool.description,
        args_schema=signature.args,
        metadata={"effect": tool.effect.value},
    )


def _run(signature: Signature, **arguments: Any) -> str:
    """Call the tool and answer in JSON, the form in which a model reads it."""
    return signature.function(signature.args(**arguments)).model_dump_json()
