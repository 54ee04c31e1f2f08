"""Help and wrong use in the user's language, with wide characters aligned; the syntax itself (names, metavars) stays as it is.

Help texts are marked where they are written, `help=told(T("..."))`, and said in the language of the moment when they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from agent.faces.layout import pad, width, wrap
from tools.text import Speaker, T, Text, english, visible

_BUILT_IN = (
    T("Show this message and exit."),
    T("Install completion for the current shell."),
    T("Show completion for the current shell, to copy it or customize the installation."),
)
"""What the library says in every help; it is looked up by these very sentences."""
_EXTRA = re.compile(r"^\[(?:default: (?P<default>.*)|(?P<required>required))\]$")
_NO_COMMAND = re.compile(r"^No such command '(?P<name>.*?)'\.?(?: Did you mean (?P<near>.*)\?)?$", re.S)
_WIDEST_NAME = 34
_SPEAKERS: list[Speaker] = [english]


def speak_with(say: Speaker) -> None:
    """Say every help from now on with this speaker."""
    _SPEAKERS[0] = say


def told(text: Text) -> str:
    """A help text as the command line library stores it: the message id, from which it is said when it is shown."""
    return text.msgid


class HelpedCommand(TyperCommand):
    """A command whose help speaks the user's language."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the whole help."""
        formatter.write("\n".join(help_lines(self, ctx, _SPEAKERS[0])))


EXIT_CODES: dict[int, Text] = {
    0: T("done"),
    1: T("failed, or a person said no"),
    2: T("wrong use: a flag, a name or a file has to be mended"),
    3: T("stopped by a budget (time, trainings, cost)"),
    4: T("something waits for a person; nothing was decided in their place"),
    75: T("try again later: another process is at work, or a server does not answer"),
    130: T("interrupted; nothing was left half written"),
}
"""What the program says to scripts when it ends; every command keeps to it."""


class HelpedGroup(TyperGroup):
    """The same for a command that has commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the whole help with the list of commands."""
        formatter.write("\n".join(help_lines(self, ctx, _SPEAKERS[0])))


def help_lines(command: Any, context: Any, say: Speaker) -> list[str]:
    """Usage, what it does, arguments, options, commands; for the whole program the exit codes too."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [*wrap(say(T("Usage: {usage}", usage=usage))), "", *wrap(_said(command.help, say), indent="  ")]
    arguments: list[tuple[str, str]] = []
    options: list[tuple[str, str]] = []
    for param in command.get_params(context):
        record = param.get_help_record(context)
        if record is not None:
            shown = (record[0], _with_extra(param.help or "", record[1], say))
            (arguments if param.param_type_name == "argument" else options).append(shown)
    commands = [
        (name, _said(one.help, say)) for name, one in getattr(command, "commands", {}).items() if not one.hidden
    ]
    lines += _section(T("Arguments:"), arguments, say)
    lines += _section(T("Options:"), options, say)
    lines += _section(T("Commands:"), commands, say)
    if context.parent is None:
        lines += _section(T("Exit codes:"), [(str(code), say(meaning)) for code, meaning in EXIT_CODES.items()], say)
    return lines


def wrong_use_lines(wrong: Any, say: Speaker) -> list[str]:
    """What was wrong with a command line, and where its help is."""
    lines = wrap(visible(say(T("Error: {message}", message=_wrong(wrong)))))
    if wrong.ctx is None:
        return lines
    return [
        *lines,
        *wrap(say(T("Next step: {hint}", hint=f"{wrong.ctx.command_path} --help")), indent="  "),
    ]


def _wrong(wrong: Any) -> Text:
    unknown = _NO_COMMAND.match(wrong.message)
    match type(wrong).__name__:
        case "NoSuchOption":
            near = ", ".join(wrong.possibilities or ())
            name = visible(str(wrong.option_name), 60)
            return (
                T("No such option {name}. Near: {near}", name=name, near=near)
                if near
                else T("No such option {name}.", name=name)
            )
        case "MissingParameter" if wrong.param is not None:
            return T("{name} is missing.", name=wrong.param.get_error_hint().strip("'"))
        case _ if unknown and unknown["near"]:
            return T(
                "No such command {name}. Near: {near}", name=repr(visible(unknown["name"], 60)), near=unknown["near"]
            )
        case _ if unknown:
            return T("No such command {name}.", name=repr(visible(unknown["name"], 60)))
    return T("{name}", name=visible(wrong.format_message(), 400))


def _said(help_text: str | None, say: Speaker) -> str:
    return say(Text(msgid=help_text)) if help_text else ""


def _with_extra(help_text: str, shown: str, say: Speaker) -> str:
    """The help of a parameter with what the library adds to it: a default, or that it is required."""
    extra = shown.removeprefix(help_text).strip()
    found = _EXTRA.match(extra)
    if found and found["default"] is not None:
        extra = "[" + say(T("default: {value}", value=found["default"])) + "]"
    elif found:
        extra = "[" + say(T("required")) + "]"
    return " ".join(part for part in (_said(help_text, say), extra) if part)


def _section(title: Text, rows: Sequence[tuple[str, str]], say: Speaker) -> list[str]:
    if not rows:
        return []
    column = min(_WIDEST_NAME, max(width(name) for name, _ in rows)) + 4
    lines = ["", say(title)]
    for name, text in rows:
        wrapped = wrap(text, indent=" " * column)
        head = "  " + name
        if width(head) + 2 <= column:
            wrapped[0] = pad(head, column) + wrapped[0][column:]
        else:
            wrapped.insert(0, head)
        lines += wrapped
    return lines
