"""The command line: `iterate COMMAND`. Only registration lives here; each command imports its work when it runs.

Exit codes are those of agent/commands/helping.py EXIT_CODES, which `iterate --help` shows.
"""

from __future__ import annotations

import signal
import sys

import typer

from agent.commands import (
    create,
    fsck,
    generating,
    improve,
    labelling,
    look,
    overnight,
    pairs,
    report,
    setup,
    talk,
    using,
    versions,
)
from agent.commands.common import OPTIONS, globals_first, guarded, language_flag, main_options, safe_say
from agent.commands.helping import HelpedGroup, speak_with, told
from tools.text import T

app = typer.Typer(
    name="iterate",
    cls=HelpedGroup,
    help=told(T("Improve an existing LLM fine-tuning task: diagnose, propose, approve, train, compare, decide.")),
    no_args_is_help=False,
    invoke_without_command=True,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.callback(invoke_without_command=True)(main_options)
for module in (
    talk,
    look,
    improve,
    overnight,
    report,
    generating,
    labelling,
    pairs,
    versions,
    using,
    create,
    fsck,
    setup,
):
    module.register(app)


def main() -> None:
    """Run the command; an error the user can meet is shown without a traceback and sets the exit code."""
    _leave_in_order()
    words = globals_first(sys.argv[1:])
    OPTIONS.language = language_flag(words)
    speak_with(safe_say())
    sys.exit(guarded(lambda: app(words, standalone_mode=False)))


def _leave_in_order() -> None:
    """Take a request to end, and a terminal that closes, as Ctrl-C: a session then says how to take it up again."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores the latter
            signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    main()
