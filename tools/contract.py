"""The six tools as one table: name, what each does, what it may do to the world, and where it is.

    read_results  diagnose  edit_config  generate_data  launch_training  compare

Importing this file imports none of them: a tool is resolved by its import path when it is first used. Arguments and results are
the pydantic models in the signature of each function. Wrapping the tools for a language model is agent/toolkit.py.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum, auto
from importlib import import_module
from typing import Any, NamedTuple, get_type_hints

from pydantic import BaseModel, ValidationError

from tools.editing.nearest import nearest
from tools.errors import InputError, NotFound, Problem
from tools.text import T, visible


class Effects(StrEnum):
    """The strongest thing a tool may do; approval is asked from `write` on."""

    read = auto()
    """Looks at files."""
    write = auto()
    """Changes files of the task, in a way that can be undone."""
    spend = auto()
    """Uses the machine for minutes, or a paid endpoint."""
    destroy = auto()
    """Removes something that cannot be brought back; none of the six does."""


class Signature(NamedTuple):
    """A resolved tool: the function and the models of its arguments and its result."""

    function: Callable[[Any], BaseModel]
    args: type[BaseModel]
    result: type[BaseModel]


class Tool(NamedTuple):
    """One row of the table."""

    name: str
    description: str
    """One sentence, for people and for a model that chooses a tool."""
    effect: Effects
    path: str
    """module:function; its first parameter is the arguments model."""

    def resolve(self) -> Signature:
        """Import the tool."""
        module_name, function_name = self.path.split(":")
        function = getattr(import_module(module_name), function_name)
        hints = get_type_hints(function)
        result = hints.pop("return")
        return Signature(function, next(iter(hints.values())), result)


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "read_results",
            "Read the evaluation results and loss histories of a task, in this program's format and those of other tools.",
            Effects.read,
            "tools.read_results:read_results",
        ),
        Tool(
            "diagnose",
            "Find what is wrong with a version of a task, with numbers, row ids and the page that explains each finding.",
            Effects.read,
            "tools.diagnose:diagnose",
        ),
        Tool(
            "edit_config",
            "Change single keys of a task's training configuration, keeping comments and order; refuses a stale file.",
            Effects.write,
            "tools.edit_config:edit_config",
        ),
        Tool(
            "generate_data",
            "Plan more weight for scarce labels by oversampling or class weights, as a change to be approved.",
            Effects.read,
            "tools.generate_data:generate_data",
        ),
        Tool(
            "launch_training",
            "Start the training of a version in a process of its own; launching the same version twice is launching it once.",
            Effects.spend,
            "tools.launch_training:launch_training",
        ),
        Tool(
            "compare",
            "Compare two versions on the same validation rows: paired intervals, fixed and broken rows, verdict.",
            Effects.read,
            "tools.compare:compare",
        ),
    )
}
"""Name to tool, in the order of the specification's steps."""


def find_tool(name: str) -> Tool:
    """The tool of that name; raises NotFound with the names there are."""
    if name in TOOLS:
        return TOOLS[name]
    near = nearest(name, TOOLS)
    raise NotFound(
        T("There is no tool {name}; the tools are {tools}.", name=visible(name, 60), tools=", ".join(TOOLS)),
        hint=T("Did you mean {name}?", name=near) if near else T("Choose one of these."),
    )


def call(name: str, args_json: str) -> str:
    """Run a tool with arguments as JSON and return its result as JSON; raises InputError that lists every wrong argument."""
    tool = find_tool(name).resolve()
    try:
        args = tool.args.model_validate_json(args_json)
    except ValidationError as invalid:
        raise InputError(
            T("The arguments of {name} are not valid; nothing was done.", name=name),
            hint=T("Its arguments are: {fields}.", fields=", ".join(tool.args.model_fields)),
            problems=[_problem(error["loc"], error["msg"], error.get("input")) for error in invalid.errors()],
        ) from invalid
    return tool.function(args).model_dump_json()


def _problem(place: tuple[int | str, ...], reason: str, value: object) -> Problem:
    key = ".".join(str(part) for part in place) or "arguments"
    return Problem(
        message=T("{key}: {reason}", key=visible(key, 80), reason=visible(reason, 200)), value=visible(repr(value), 80)
    )
