"""The chat as plain lines: for pipes, screen readers, and terminals that cannot show a full screen.

    iterate> improve stance        free talk or a slash command: agent/conversation/commands.py says what there is
    iterate> train stance          a command of the command line, as it is typed there

The conversation, the sessions, the questions and the orders are those of the full screen; only the showing is different.
"""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from agent.chat import Conversation, conversation_folder
from agent.conversation.commands import BY_NAME, Slot
from agent.conversation.situation import Situation
from agent.faces.console import ask, interactive, out, show_error, tell
from agent.faces.last_night import last_night
from agent.faces.layout import wrap
from agent.faces.plain_orders import PlainOrders
from agent.faces.plain_turn import PlainTurn
from agent.faces.views.tasks import task_lines, task_overview
from agent.library import Library
from agent.model.client import open_model
from agent.paths import Workspace
from agent.records import PastSession, newest_open
from agent.settings import Settings
from tools.errors import IterateError
from tools.text import Speaker, T, visible

RunCommand = Callable[[list[str]], int]
"""Runs a command of the command line, given as words, and returns its exit code."""

_ALWAYS_COMMANDS = frozenset({"doctor", "init", "models", "tool"})
"""Commands whose next word is no task; none of them begins a sentence that a person would say."""


class PlainChat:
    """One conversation on one terminal or pipe."""

    def __init__(
        self,
        workspace: Workspace,
        say: Speaker,
        language: str,
        settings: Settings,
        run: RunCommand,
        commands: Collection[str],
    ) -> None:
        self._workspace = workspace
        self._say = say
        self._language = language
        self._run = run
        self._commands = commands
        self._library = Library()
        self._model = open_model(settings)
        self._conversation = Conversation(conversation_folder(workspace))
        self._orders = PlainOrders(workspace, say, language, self._turn, self._model)

    def talk(self, task: Path | None, resume: PastSession | None) -> int:
        """Read lines until the end."""
        self._greet()
        self._orders.task = task or self._only_task()
        if resume is not None:
            self._orders.improve(resume.task)
        if interactive():
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401 - importing it gives the input line its keys and its history
        while not self._orders.leaving:
            line = self._read()
            if line is None:
                break
            if line.strip():
                self._hear(line.strip())
        return self._orders.code

    def _greet(self) -> None:
        overview = [task_overview(self._workspace.task_path(name)) for name in self._workspace.task_names()]
        for line in task_lines(self._workspace, overview, self._say, chatting=True):
            out(line)
        night = last_night(self._workspace)
        if night is not None:
            out(self._say(T("read the morning report: {state}", state=night)) + ": /report")
        if self._model is not None:
            who = T("{model} at {host} answers, a language model.", model=self._model.name, host=self._model.host)
        else:
            who = T("The rules of this program answer; no language model is set up, and none is needed.")
        for line in wrap(visible(self._say(who))):
            out(line)
        waiting = newest_open([self._workspace.task_path(name) for name in self._workspace.task_names()])
        if waiting is not None:
            told = T("A session on {task} is open: `improve {task}` goes on with it.", task=visible(waiting.task.name))
            out(self._say(told))

    def _only_task(self) -> Path | None:
        names = self._workspace.task_names()
        return self._workspace.task_path(names[0]) if len(names) == 1 else None

    def _read(self) -> str | None:
        """The next line; what comes from a pipe is repeated, so that the output can be read by itself."""
        task = self._orders.task
        prompt = f"{visible(task.name, 40)}> " if task is not None else "iterate> "
        if sys.stdin.isatty():
            with contextlib.suppress(KeyboardInterrupt):
                return ask(prompt)
            out()
            return ""  # an interrupted line is no wish to leave
        line = ask("")
        if line is not None and line.strip():
            out(prompt + visible(line))
        return line

    def _hear(self, line: str) -> None:
        words = self._command_line(line)
        try:
            if words is not None:
                self._orders.code = self._run(words)
                return
            self._orders.carry_out(self._turn(line))
        except KeyboardInterrupt:
            tell(self._say(T("Interrupted. Nothing was left half written.")))
        except IterateError as error:
            show_error(error, self._say)
            self._orders.code = error.exit_code

    def _command_line(self, line: str) -> list[str] | None:
        """The words of a line that is a command of the command line; None for talk and slash commands.

        What both have a word for is talk, unless it is written as only a command can be: with a flag, or with a task where
        talk expects none.
        """
        try:
            words = shlex.split(line)
        except ValueError:
            return None
        if words[:1] == ["iterate"] and len(words) > 1:
            return words[1:] if words[1] in self._commands or words[1].startswith("-") else None
        if not words or words[0] not in self._commands:
            return None
        return words if self._is_command(words) else None

    def _is_command(self, words: list[str]) -> bool:
        """True for words that begin like a command and cannot be talk."""
        flagged = any(word.startswith("-") for word in words[1:])
        names_task = len(words) > 1 and words[1] in self._workspace.task_names()
        said = BY_NAME.get(words[0])
        if said is not None and Slot.text in said.slots:  # in a text anything may begin with a dash
            return names_task and flagged
        if flagged or words[0] in _ALWAYS_COMMANDS:
            return True
        if said is not None:
            return names_task and Slot.task not in said.slots
        return names_task or len(words) == 1

    def _turn(self, text: str) -> PlainTurn:
        """One turn of the conversation."""
        shown = PlainTurn(self._say)
        try:
            self._conversation.turn(text, self._situation(), shown.tell)
        except KeyboardInterrupt:
            shown.flush()
            tell(self._say(T("The answer was interrupted.")))
        return shown

    def _situation(self) -> Situation:
        return Situation(
            workspace=self._workspace,
            library=self._library,
            say=self._say,
            language=self._language,
            task=self._orders.task,
            question=self._orders.answers.question,
            proposals=self._orders.answers.standing.proposals,
            model=self._model,
        )
