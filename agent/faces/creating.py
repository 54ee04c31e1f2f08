"""`iterate create` and the plain chat's `/create`: the questions of a new task line by line, a summary, and a clear yes.

Nothing is written before that yes. `/back` asks the question before again, `/cancel` or the end of input leaves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.conversation.creating import Asked, Interview
from agent.conversation.defining import DEFINABLE, suggested
from agent.faces.console import ask, interactive, is_yes, out, out_texts, show_error
from agent.faces.layout import wrap
from agent.i18n import speaker
from agent.model.client import ChatModel
from agent.paths import Workspace
from tools.errors import InputError, IterateError, Problem
from tools.making.create_task import create_task
from tools.making.first_rows import next_step
from tools.making.guide_text import GUIDE
from tools.reading.task import load_task
from tools.text import Speaker, T, Text, visible

BACK = frozenset({"/back", "/b", "/返回", "/上一題"})
CANCEL = frozenset({"/cancel", "/q", "/quit", "/取消"})
SUGGEST = frozenset({"/suggest", "/建議"})
OpenModel = Callable[[], ChatModel | None]


def no_model() -> ChatModel | None:
    """Where no language model is set up."""
    return None


@dataclass(frozen=True)
class CreateWishes:
    """What the flags said."""

    given: Mapping[str, str] = field(default_factory=dict)
    """Question to its answer."""
    yes: bool = False
    """Ask nothing: what is usual stands for what was not said."""
    as_json: bool = False


def create_from_flags(
    workspace: Workspace, wishes: CreateWishes, say: Speaker, language: str, open_model: OpenModel
) -> int:
    """Ask what the flags do not say, where a person is there; else make the task, or name every flag that is missing."""
    if interactive() and not wishes.yes and not wishes.as_json:
        made = ask_and_create(workspace, say, language, open_model, wishes.given)
        return 0 if made is not None else 130
    interview = Interview(workspace.tasks_dir, language, wishes.given)
    missing = interview.missing()
    if missing:
        raise InputError(
            T("Too little is said to make a task, and nobody is here to ask."),
            hint=T("Give these flags, or run iterate create on a terminal."),
            problems=[
                Problem(message=T("{flag} is missing: {question}", flag=_FLAGS[one.key], question=one.question))
                for one in missing
            ],
        )
    interview.settle()
    path = made_task(workspace, interview)
    if wishes.as_json:
        out(json.dumps(facts(path), ensure_ascii=False, indent=2))
    else:
        _show_made(path, say)
    return 0


_FLAGS = {"name": "NAME", "goal": "--goal", "labels": "--label", "answer_fields": "--answer-field"}


def made_task(workspace: Workspace, interview: Interview) -> Path:
    """Write the folder as answered; its guide and comments speak the task's language."""
    wanted = interview.wanted()
    return create_task(workspace.tasks_dir, wanted, speaker(wanted.language))


def facts(path: Path) -> dict[str, object]:
    """What was made, for programs."""
    files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    return {"task": path.name, "path": str(path), "files": files, "next": str(next_step(load_task(path)))}


def made_texts(path: Path) -> list[Text]:
    """What was made, and what comes next."""
    return [
        T("Made the task {name} in {folder}.", name=visible(path.name), folder=visible(str(path))),
        T("Write down in {guide} what the answers mean, before anybody labels.", guide=GUIDE),
        next_step(load_task(path)),
    ]


def _show_made(path: Path, say: Speaker) -> None:
    for text in made_texts(path):
        out_texts([text], say)


def ask_and_create(
    workspace: Workspace, say: Speaker, language: str, open_model: OpenModel, given: Mapping[str, str]
) -> Path | None:
    """Ask, show the summary, and make the task on a clear yes; None when the person left."""
    asking = _Asking(Interview(workspace.tasks_dir, language, given), say, open_model)
    while asking.finish():
        try:
            path = made_task(workspace, asking.interview)
        except IterateError as error:  # such as a name that was taken meanwhile
            show_error(error, say)
            continue
        _show_made(path, say)
        return path
    out_texts([T("Nothing was made.")], say)
    return None


class _Asking:
    """The questions at one terminal."""

    def __init__(self, interview: Interview, say: Speaker, open_model: OpenModel) -> None:
        self.interview = interview
        self._say = say
        self._open_model = open_model
        self._suggested: tuple[str, str] | None = None
        """Key and text of a suggestion that an empty line takes."""

    def finish(self) -> bool:
        """Until everything is answered and the person says yes; False when they leave."""
        while True:
            asked = self.interview.asked
            if asked is None:
                word = self._summary()
                if word is not None:
                    return word
            elif not self._ask(asked):
                return False

    def _ask(self, asked: Asked) -> bool:
        """Ask once; False when the person leaves."""
        self._show(asked)
        typed = self._typed(asked)
        if typed is None or typed.strip().casefold() in CANCEL:
            return False
        if typed.strip().casefold() in BACK:
            self.interview.back()
            return True
        first, _, last = typed.rpartition("\n")
        if asked.key in DEFINABLE and last.strip().casefold() in SUGGEST:
            self._suggest(asked, first or self._standing(asked))
            return True
        try:
            self.interview.answer(typed if typed.strip() else self._standing(asked))
            self._suggested = None
        except IterateError as error:
            show_error(error, self._say)
        return True

    def _standing(self, asked: Asked) -> str:
        """What an empty line takes: the suggestion, else what stands there."""
        key, text = self._suggested or ("", "")
        return text if key == asked.key else asked.now

    def _show(self, asked: Asked) -> None:
        number, of = self.interview.place
        out("")
        out_texts([T("{number} of {of}  {question}", number=number, of=of, question=asked.question)], self._say)
        lines = [self._say(asked.help)]
        lines += [f"{place} {value}: {self._say(means)}" for place, (value, means) in enumerate(asked.choices, 1)]
        lines += [visible(line) for line in self._standing(asked).splitlines() if asked.many]
        for line in [*lines, "(" + "; ".join(self._say(key) for key in self._keys(asked)) + ")"]:
            for part in wrap(line, indent="  "):
                out(part)

    def _keys(self, asked: Asked) -> list[Text]:
        keys = [T("/back, /cancel")]
        if asked.many:
            keys.append(T("an empty line ends the list"))
        if asked.key in DEFINABLE and self._open_model() is not None:
            keys.append(T("/suggest lets the language model word what they mean"))
        return keys

    def _typed(self, asked: Asked) -> str | None:
        """What the person types: a line, or lines until an empty one; None at the end of input."""
        if not asked.many:
            return ask(f"[{visible(asked.now, 60)}] > " if asked.now else "> ")
        lines: list[str] = []
        while (line := ask("> ")) is not None and line.strip():
            if not lines and line.strip().casefold() in BACK | CANCEL:
                return line
            lines.append(line)
            if line.strip().casefold() in SUGGEST:
                break
        return None if line is None and not lines else "\n".join(lines)

    def _suggest(self, asked: Asked, text: str) -> None:
        model = self._open_model()
        if model is None:
            out_texts([T("No language model is set up; write what they mean in your own words.")], self._say)
            return
        try:
            self._suggested = (asked.key, suggested(model, self.interview, asked.key, text))
        except IterateError as error:
            show_error(error, self._say)
            self._suggested = (asked.key, text)
            return
        out_texts(
            [T("The language model suggests this. An empty line takes it; type your own lines to replace it.")],
            self._say,
        )

    def _summary(self) -> bool | None:
        """True for a clear yes, False to leave, None to go on asking."""
        out("")
        out_texts([T("This is the task that will be made:")], self._say)
        for line in summary_lines(self.interview, self._say):
            out(line)
        typed = ask(self._say(T("Make it? y makes it, a number changes that answer, q leaves: ")))
        word = "q" if typed is None else typed.strip().casefold()
        if is_yes(typed):
            return True
        if word in {"q", "n", "no", *CANCEL}:
            return False
        if word in BACK:
            self.interview.back()
        elif not (word.isdecimal() and self.interview.go(int(word))):
            out_texts(
                [T("{typed} is not one of the choices; nothing was made.", typed=visible(word, 40) or '""')], self._say
            )
        return None


def summary_lines(interview: Interview, say: Speaker) -> list[str]:
    """Every answer under its number."""
    lines: list[str] = []
    for number, (asked, answer) in enumerate(interview.summary(), 1):
        first, *more = answer.splitlines() or [""]
        title = f"{number} {say(asked.title)}: "
        lines += wrap(title + ("" if more else visible(first)), indent="  ")
        lines += [part for one in (first, *more) if more for part in wrap(visible(one), indent="      ")]
    return lines
