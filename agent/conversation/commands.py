"""The one registry of what can be said: slash commands, completion, palette, help and the phrases of free talk come from here.

A reading command is answered in the conversation (agent/conversation/answers/); an acting one becomes an Order that the face
carries out. Keys of the full-screen chat are in agent/faces/tui/keys.py and name these commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto

from tools.text import T, Text


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
    words = auto()
    """The rest of the line."""


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


COMMANDS: tuple[Command, ...] = (
    Command(
        "improve",
        T("Improve a task: load, diagnose, propose, and ask before anything runs."),
        (Slot.task,),
        phrases=(
            "improve {task}",
            "improve my {task} task",
            "make {task} better",
            "start with {task}",
            "work on {task}",
            "改善{task}",
            "改善我的{task}任務",
            "幫我改進{task}",
            "優化{task}",
            "讓{task}變好",
            "開始改善",
        ),
        aliases=("改善",),
        acts=True,
    ),
    Command(
        "tasks",
        T("List the tasks of this workspace."),
        phrases=("which tasks are there", "list tasks", "有哪些任務", "列出任務"),
        aliases=("任務",),
    ),
    Command(
        "status",
        T("Show where a task stands against its targets."),
        (Slot.task,),
        phrases=(
            "status",
            "status of {task}",
            "how is {task} doing",
            "where does {task} stand",
            "{task}的狀況",
            "目前狀況如何",
            "現在表現如何",
            "離目標多遠",
        ),
        aliases=("狀態",),
    ),
    Command(
        "diagnose",
        T("Show what is wrong, with evidence."),
        (Slot.task,),
        phrases=(
            "what is wrong",
            "what is wrong with {task}",
            "diagnose {task}",
            "哪裡有問題",
            "診斷{task}",
            "問題出在哪",
        ),
        aliases=("診斷",),
    ),
    Command(
        "why",
        T("Explain why a class scores low, or why a proposal was made."),
        (Slot.label, Slot.numbers),
        phrases=(
            "why is {label} low",
            "why is class {label} so bad",
            "why proposal {numbers}",
            "why",
            "為什麼{label}這麼低",
            "{label}為什麼差",
            "為什麼{label}分數低",
            "為什麼提議{numbers}",
        ),
        aliases=("為什麼",),
    ),
    Command(
        "errors",
        T("Open the errors: confusions, and the rows behind them."),
        (Slot.pair,),
        phrases=(
            "show errors",
            "show errors {pair}",
            "show the errors of {label}",
            "which rows are wrong",
            "看錯誤",
            "顯示錯誤{pair}",
            "{pair}的錯誤",
            "哪些題答錯",
        ),
        aliases=("錯誤",),
        acts=True,
    ),
    Command(
        "whatif",
        T("Say what a change would do, before anything is spent."),
        (Slot.change,),
        (Slot.change,),
        phrases=(
            "what would {change} do",
            "what if {change}",
            "would {change} help",
            "what happens with {change}",
            "{change}會怎樣",
            "如果{change}會如何",
            "{change}有用嗎",
        ),
        aliases=("如果",),
    ),
    Command(
        "try",
        T("Propose a change of your own; it is checked, priced and reviewed like any other."),
        (Slot.change,),
        (Slot.change,),
        phrases=(
            "try {change}",
            "set {change}",
            "change {change}",
            "use {change}",
            "試試{change}",
            "把{change}",
            "改成{change}",
            "設定{change}",
        ),
        aliases=("試",),
    ),
    Command(
        "proposals",
        T("List the proposals under review."),
        phrases=("proposals", "what do you propose", "show proposals", "有什麼建議", "列出提案", "你建議什麼"),
        aliases=("提案",),
    ),
    Command(
        "approve",
        T("Approve proposals by their numbers."),
        (Slot.numbers,),
        phrases=("approve {numbers}", "同意{numbers}", "核准{numbers}"),
        aliases=("核准", "同意"),
        acts=True,
    ),
    Command(
        "edit",
        T("Edit a proposal before approving it."),
        (Slot.numbers,),
        phrases=("edit {numbers}", "修改{numbers}"),
        aliases=("修改",),
        acts=True,
    ),
    Command(
        "reject",
        T("Reject proposals; the reason reaches the next ones."),
        (Slot.numbers, Slot.reason),
        phrases=("reject {numbers}", "reject {numbers} because {reason}", "拒絕{numbers}", "拒絕{numbers}因為{reason}"),
        aliases=("拒絕",),
        acts=True,
    ),
    Command(
        "later",
        T("Leave proposals for later."),
        (Slot.numbers,),
        phrases=("later", "decide later", "defer {numbers}", "稍後再說", "{numbers}稍後決定"),
        aliases=("稍後",),
        acts=True,
    ),
    Command(
        "adopt",
        T("Adopt a version: opens the locked test set, shows it and asks once more."),
        (Slot.version,),
        phrases=("adopt {version}", "use {version} from now on", "採用{version}"),
        aliases=("採用",),
        acts=True,
    ),
    Command(
        "continue",
        T("Keep the new version on record and go on from it."),
        phrases=("continue from here", "go on from this version", "從這版繼續"),
        aliases=("繼續",),
        acts=True,
    ),
    Command(
        "rollback",
        T("Go back to an earlier version; nothing is lost."),
        (Slot.version,),
        phrases=(
            "roll back",
            "roll back to {version}",
            "undo",
            "go back to {version}",
            "回滾",
            "回到{version}",
            "復原",
        ),
        aliases=("undo", "回滾"),
        acts=True,
    ),
    Command(
        "compare",
        T("Compare two versions on the same rows."),
        (Slot.versions,),
        phrases=(
            "compare {versions}",
            "compare {version} with {version}",
            "is {version} better",
            "比較{versions}",
            "{version}比較好嗎",
        ),
        aliases=("比較",),
    ),
    Command(
        "versions",
        T("Open the versions: records, comparison, fixed and broken rows."),
        phrases=("versions", "show versions", "what have we tried", "history", "版本", "有哪些版本", "試過什麼"),
        aliases=("history", "版本"),
        acts=True,
    ),
    Command(
        "training",
        T("Open the live view of the training."),
        phrases=("show training", "watch the training", "how is the training going", "看訓練", "訓練進度"),
        aliases=("watch", "訓練"),
        acts=True,
    ),
    Command(
        "stop",
        T("Stop the training that runs, after asking."),
        phrases=("stop the training", "cancel the training", "停止訓練", "取消訓練"),
        aliases=("停止",),
        acts=True,
    ),
    Command(
        "samples",
        T("Open the samples: review rows one by one."),
        phrases=("review samples", "review rows", "看樣本", "審核資料"),
        aliases=("樣本",),
        acts=True,
    ),
    Command(
        "refs",
        T("Search or read the reference pages."),
        (Slot.page,),
        phrases=(
            "read about {page}",
            "what is {page}",
            "explain {page}",
            "閱讀{page}",
            "說明{page}",
            "什麼是{page}",
            "查{page}",
        ),
        aliases=("read", "參考"),
        acts=True,
    ),
    Command(
        "forecasts",
        T("Show how earlier forecasts turned out."),
        phrases=("how good were your forecasts", "forecasts", "預測準不準", "預測紀錄"),
        aliases=("預測",),
    ),
    Command(
        "overnight",
        T("Run unattended until a time, under a budget."),
        (Slot.until,),
        phrases=(
            "start overnight until {until}",
            "run overnight",
            "overnight until {until}",
            "跑到{until}",
            "通宵跑到{until}",
            "今晚自動跑到{until}",
        ),
        aliases=("通宵",),
        acts=True,
    ),
    Command(
        "sessions",
        T("Pick an earlier session to go on with."),
        phrases=("resume a session", "earlier sessions", "先前的工作階段"),
        aliases=("resume", "工作階段"),
        acts=True,
    ),
    Command(
        "model",
        T("Say who answers: the language model or the rules, and how to change it."),
        phrases=("who are you", "which model answers", "誰在回答", "你是什麼模型"),
        aliases=("模型",),
    ),
    Command(
        "where",
        T("Show where things are: workspace, task, settings, records."),
        phrases=("where are the files", "where is my data", "檔案在哪"),
        aliases=("位置",),
    ),
    Command(
        "theme",
        T("Choose the colours: light, dark, or those of the terminal."),
        (Slot.words,),
        phrases=("change the theme", "換主題"),
        aliases=("主題",),
        acts=True,
    ),
    Command("copy", T("Copy the last answer to the clipboard."), aliases=("複製",), acts=True),
    Command(
        "help",
        T("Show what can be said."),
        (Slot.words,),
        phrases=("help", "what can I say", "how does this work", "說明", "怎麼用", "可以說什麼", "幫助"),
        aliases=("?", "說明"),
    ),
    Command(
        "quit",
        T("Leave; a training that runs goes on."),
        phrases=("quit", "exit", "bye", "離開", "結束"),
        aliases=("exit", "q", "離開"),
        acts=True,
    ),
)

BY_NAME: dict[str, Command] = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
"""Every word that may follow the slash."""
