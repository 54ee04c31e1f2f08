"""What can be said, from the registry: by group, in the person's language, and what is possible at this moment.

Only facts for showing; the answer is agent/conversation/answers/helping.py, the help screen is another reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.approval import ConfirmQuestion, DecideQuestion, ReviewQuestion
from agent.conversation.choices import Choice, choices
from agent.conversation.commands import COMMANDS, Command, Group, Slot
from agent.conversation.situation import Situation
from tools.text import T, Text

GROUPS: dict[Group, Text] = {
    "look": T("Look"),
    "change": T("Think about a change"),
    "decide": T("Decide"),
    "go": T("Begin, leave, get help"),
}
"""Headings in their order."""
_SLOT_WORDS: dict[Slot, Text] = {
    Slot.task: T("TASK"),
    Slot.label: T("CLASS"),
    Slot.pair: T("EXPECTED→ANSWERED"),
    Slot.version: T("VERSION"),
    Slot.versions: T("VERSION VERSION"),
    Slot.numbers: T("NUMBERS"),
    Slot.reason: T("REASON"),
    Slot.page: T("PAGE or WORDS"),
    Slot.change: T("KEY VALUE or REMEDY"),
    Slot.until: T("HH:MM"),
    Slot.form: T("FORM"),
    Slot.folder: T("to FOLDER"),
    Slot.words: T("WORDS"),
    Slot.text: T("TEXT"),
}
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def of_group(group: Group) -> list[Command]:
    """The commands under a heading."""
    return [command for command in COMMANDS if command.group == group]


def slash_form(command: Command, situation: Situation) -> str:
    """/errors EXPECTED→ANSWERED CLASS, in the person's language."""
    words = [situation.say(_SLOT_WORDS[slot]) for slot in command.slots]
    return " ".join(
        [
            f"/{command.name}",
            *(
                word if slot in command.required else f"[{word}]"
                for slot, word in zip(command.slots, words, strict=True)
            ),
        ]
    )


def example(command: Command, situation: Situation) -> str:
    """A phrase in the person's language with values that fit; "" for a command without phrases."""
    chinese = situation.language.startswith("zh")
    mine = [phrase for phrase in command.phrases if bool(_CHINESE.search(phrase)) is chinese] or list(command.phrases)
    if not mine:
        return ""
    full = [phrase for phrase in mine if "{" in phrase] if command.slots else []
    return _spaced(_filled((full or mine)[0], situation))


def possible_now(situation: Situation) -> tuple[Text, Sequence[str]]:
    """What waits for the person, and what can be said to it."""
    chinese = situation.language.startswith("zh")
    match situation.question:
        case ReviewQuestion(number=number, total=total):
            say = [f"核准 {number}", f"拒絕 {number} 因為…", f"為什麼 {number}", "稍後再說"]
            english = [f"approve {number}", f"reject {number} because ...", f"why {number}", "later"]
            text = T("Proposal {number} of {total} waits for your answer.", number=number, total=total)
            return text, say if chinese else english
        case DecideQuestion(version=version, parent=parent):
            say = [f"採用 {version}", "從這版繼續", "回滾", f"比較 {parent} {version}"]
            english = [f"adopt {version}", "continue from here", "roll back", f"compare {parent} {version}"]
            return T("{version} waits for your decision.", version=version), say if chinese else english
        case ConfirmQuestion(version=version):
            return T("The adoption of {version} waits for your confirmation.", version=version), []
    names = situation.workspace.task_names()
    task = situation.task.name if situation.task is not None else (names[0] if names else "")
    if chinese:
        return T("Nothing waits for an answer."), [_spaced(f"改善{task}"), "目前狀況如何", "哪裡有問題"]
    return T("Nothing waits for an answer."), [f"improve {task}", "status", "what is wrong"]


def _spaced(phrase: str) -> str:
    """A space between Chinese and Latin letters or digits, as Chinese readers set them."""
    return re.sub(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])", " ", phrase)


def _filled(phrase: str, situation: Situation) -> str:
    """The phrase with a value that fits in each brace."""
    usual = {
        "numbers": "1",
        "version": "v1",
        "versions": "v1 v2",
        "reason": "...",
        "words": "...",
        "change": "oversampling",
        "form": "merged",
        "folder": "FOLDER",
        "text": "...",
    }
    usual |= {"until": "7", "page": "overfitting", "pair": "A→B", "label": "A", "task": "TASK"}
    if situation.language.startswith("zh"):
        usual |= {"until": "早上七點", "page": "過擬合", "change": "過採樣"}
    for name in re.findall(r"\{(\w+)\}", phrase):
        fitting = next(choices(Slot(name), situation), None) if name in {"task", "label", "pair"} else None
        if name == "task" and situation.task is not None:
            fitting = Choice(situation.task.name)
        phrase = phrase.replace("{" + name + "}", fitting.value if fitting else usual[name], 1)
    return phrase
