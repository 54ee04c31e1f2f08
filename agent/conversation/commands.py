"""The one registry of what can be said: slash commands, completion, palette and help come from here, the phrases of free
talk from agent/conversation/phrases.py.

A reading command is answered in the conversation (agent/conversation/answers/); an acting one becomes an Order that the face
carries out. Keys of the full-screen chat are in agent/faces/tui/keys.py and name these commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Literal

from agent.conversation.phrases import PHRASES
from tools.text import T, Text

Group = Literal["look", "change", "decide", "go"]


class Slot(StrEnum):
    """What may follow a command; agent/conversation/slots.py finds it in typed text."""

    task = auto()
    """Name of a task."""
    label = auto()
    """Class label of the task under discussion."""
    pair = auto()
    """Expected and answered label: 中立→正面."""
    version = auto()
    versions = auto()
    """One or two versions."""
    numbers = auto()
    """Numbers of proposals: 1 and 3."""
    reason = auto()
    """The rest of the line."""
    page = auto()
    """Reference page id, or words to search for."""
    change = auto()
    """A configuration key and its new value, or the name of a remedy such as oversampling."""
    until = auto()
    """Time of day."""
    form = auto()
    """A form of an export, or several."""
    folder = auto()
    """Where to write: the rest of the line, as it was typed."""
    words = auto()
    """The rest of the line."""
    text = auto()
    """The rest of the message exactly as it was typed, line ends and full-width marks included: a model is asked it."""


@dataclass(frozen=True)
class Command:
    """One thing that can be said."""

    name: str
    """English word after the slash; also the name in an Order."""
    summary: Text
    slots: tuple[Slot, ...] = ()
    """In their order after a slash command."""
    required: tuple[Slot, ...] = ()
    """The slots without which it cannot be carried out."""
    phrases: tuple[str, ...] = ()
    """How people say it, in English and Traditional Chinese, with slots in braces: "why is {label} low"."""
    aliases: tuple[str, ...] = ()
    """Other words after the slash, Chinese ones included."""
    acts: bool = False
    """True: an Order for the face; False: answered in the conversation."""
    strict: bool = False
    """True: in free talk only a phrase word for word counts, since something is decided, stopped or spent, or since what
    follows is a text of any words."""
    group: Group = "look"
    """Heading under which help lists it."""


COMMANDS: tuple[Command, ...] = (
    Command(
        "improve",
        T("Improve a task: load, diagnose, propose, and ask before anything runs."),
        slots=(Slot.task,),
        phrases=PHRASES["improve"],
        aliases=("改善",),
        acts=True,
        group="go",
    ),
    Command(
        "create",
        T("Make a new task without rows: asks what it is, step by step."),
        slots=(Slot.words,),
        phrases=PHRASES["create"],
        aliases=("new", "建立"),
        acts=True,
        group="go",
    ),
    Command(
        "label",
        T("Label rows of data/raw where it pays."),
        slots=(Slot.task,),
        phrases=PHRASES["label"],
        aliases=("標記",),
        acts=True,
        group="change",
    ),
    Command(
        "split",
        T("Divide the first labelled rows into train, valid and a locked test, after asking."),
        slots=(Slot.task,),
        phrases=PHRASES["split"],
        aliases=("切分",),
        acts=True,
        strict=True,
        group="change",
    ),
    Command(
        "tasks",
        T("List the tasks of this workspace."),
        phrases=PHRASES["tasks"],
        aliases=("任務",),
    ),
    Command(
        "status",
        T("Show where a task stands against its targets."),
        slots=(Slot.task,),
        phrases=PHRASES["status"],
        aliases=("狀態",),
    ),
    Command(
        "diagnose",
        T("Show what is wrong, with evidence."),
        slots=(Slot.task,),
        phrases=PHRASES["diagnose"],
        aliases=("診斷",),
    ),
    Command(
        "why",
        T("Explain why a class scores low, or why a proposal was made."),
        slots=(Slot.label, Slot.numbers),
        phrases=PHRASES["why"],
        aliases=("為什麼",),
    ),
    Command(
        "errors",
        T("Open the errors: confusions, and the rows behind them."),
        slots=(Slot.pair, Slot.label),
        phrases=PHRASES["errors"],
        aliases=("錯誤",),
        acts=True,
    ),
    Command(
        "whatif",
        T("Say what a change would do, before anything is spent."),
        slots=(Slot.change,),
        required=(Slot.change,),
        phrases=PHRASES["whatif"],
        aliases=("如果",),
        group="change",
    ),
    Command(
        "try",
        T("Propose a change of your own; it is checked, priced and reviewed like any other."),
        slots=(Slot.change,),
        required=(Slot.change,),
        phrases=PHRASES["try"],
        aliases=("試",),
        group="change",
    ),
    Command(
        "proposals",
        T("List the proposals under review."),
        phrases=PHRASES["proposals"],
        aliases=("提案",),
    ),
    Command(
        "approve",
        T("Approve proposals by their numbers."),
        slots=(Slot.numbers,),
        required=(Slot.numbers,),
        phrases=PHRASES["approve"],
        aliases=("核准", "同意"),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "edit",
        T("Edit a proposal before approving it."),
        slots=(Slot.numbers,),
        required=(Slot.numbers,),
        phrases=PHRASES["edit"],
        aliases=("修改",),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "quick",
        T("Try the proposal that waits on part of the rows first; that decides nothing."),
        phrases=PHRASES["quick"],
        aliases=("快速檢查",),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "reject",
        T("Reject proposals; the reason reaches the next ones."),
        slots=(Slot.numbers, Slot.reason),
        required=(Slot.numbers,),
        phrases=PHRASES["reject"],
        aliases=("拒絕",),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "later",
        T("Leave proposals for later."),
        slots=(Slot.numbers,),
        phrases=PHRASES["later"],
        aliases=("稍後",),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "adopt",
        T("Adopt a version: opens the locked test set, shows it and asks once more."),
        slots=(Slot.version,),
        required=(Slot.version,),
        phrases=PHRASES["adopt"],
        aliases=("採用",),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "continue",
        T("Keep the new version on record and go on from it."),
        phrases=PHRASES["continue"],
        aliases=("繼續",),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "rollback",
        T("Go back to an earlier version; nothing is lost."),
        slots=(Slot.version,),
        phrases=PHRASES["rollback"],
        aliases=("undo", "回滾"),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "compare",
        T("Compare two versions on the same rows."),
        slots=(Slot.versions,),
        phrases=PHRASES["compare"],
        aliases=("比較",),
    ),
    Command(
        "versions",
        T("Open the versions: records, comparison, fixed and broken rows."),
        phrases=PHRASES["versions"],
        aliases=("history", "版本"),
        acts=True,
    ),
    Command(
        "predict",
        T("Answer a text with the version in use or another; fields besides it stand before it: target=X."),
        slots=(Slot.version, Slot.text),
        required=(Slot.text,),
        phrases=PHRASES["predict"],
        aliases=("預測",),
        acts=True,
        strict=True,
    ),
    Command(
        "export",
        T("Write a version for use elsewhere, after asking: adapter, merged, gguf or ollama."),
        slots=(Slot.version, Slot.form, Slot.folder),
        phrases=PHRASES["export"],
        aliases=("匯出",),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "training",
        T("Open the live view of the training."),
        phrases=PHRASES["training"],
        aliases=("watch", "訓練"),
        acts=True,
    ),
    Command(
        "stop",
        T("Stop the training that runs, after asking."),
        phrases=PHRASES["stop"],
        aliases=("停止",),
        acts=True,
        strict=True,
        group="decide",
    ),
    Command(
        "samples",
        T("Open the samples: review rows one by one."),
        phrases=PHRASES["samples"],
        aliases=("樣本",),
        acts=True,
    ),
    Command(
        "refs",
        T("Search or read the reference pages."),
        slots=(Slot.page,),
        phrases=PHRASES["refs"],
        aliases=("read", "參考"),
        acts=True,
    ),
    Command(
        "forecasts",
        T("Show how earlier forecasts turned out."),
        phrases=PHRASES["forecasts"],
        aliases=("預測紀錄",),
    ),
    Command(
        "overnight",
        T("Run unattended until a time, under a budget."),
        slots=(Slot.until,),
        phrases=PHRASES["overnight"],
        aliases=("通宵",),
        acts=True,
        strict=True,
        group="go",
    ),
    Command(
        "report",
        T("Read the morning report: what a night did, and what waits for you."),
        phrases=PHRASES["report"],
        aliases=("morning", "晨報"),
        acts=True,
    ),
    Command(
        "sessions",
        T("Pick an earlier session to go on with."),
        phrases=PHRASES["sessions"],
        aliases=("resume", "工作階段"),
        acts=True,
        group="go",
    ),
    Command(
        "model",
        T("Say who answers: the language model or the rules, and how to change it."),
        phrases=PHRASES["model"],
        aliases=("模型",),
    ),
    Command(
        "where",
        T("Show where things are: workspace, task, settings, records."),
        phrases=PHRASES["where"],
        aliases=("位置",),
    ),
    Command(
        "theme",
        T("Choose the colours: light, dark, or those of the terminal."),
        slots=(Slot.words,),
        phrases=PHRASES["theme"],
        aliases=("主題",),
        acts=True,
        group="go",
    ),
    Command(
        "copy",
        T("Copy the last answer to the clipboard."),
        aliases=("複製",),
        acts=True,
        group="go",
    ),
    Command(
        "help",
        T("Show what can be said."),
        slots=(Slot.words,),
        phrases=PHRASES["help"],
        aliases=("?", "說明"),
        group="go",
    ),
    Command(
        "quit",
        T("Leave; a training that runs goes on."),
        phrases=PHRASES["quit"],
        aliases=("exit", "q", "離開"),
        acts=True,
        strict=True,
        group="go",
    ),
)

BY_NAME: dict[str, Command] = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
"""Every word that may follow the slash."""
