"""What can be said: what is possible right now, then every command by group; or one command in full."""

from __future__ import annotations

from agent.conversation.answers.telling import grid, items, para
from agent.conversation.commands import BY_NAME, Command, Slot
from agent.conversation.help import GROUPS, example, of_group, possible_now, slash_form
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.conversation.wording import fold
from tools.text import T


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """All of it, or the command named after /help."""
    word = fold(str(understood.args.get("words", "")).strip().lstrip("/"))
    command = BY_NAME.get(word)
    if command is not None:
        _one(command, situation, tell)
        return
    text, phrases = possible_now(situation)
    para(tell, text)
    items(tell, [T("{phrase}", phrase=phrase) for phrase in phrases])
    header = [T("Command"), T("What it does"), T("For example")]
    for group, title in GROUPS.items():
        rows = [[f"/{one.name}", situation.say(one.summary), example(one, situation)] for one in of_group(group)]
        grid(tell, header, rows, title)
    para(tell, T("Plain sentences work as well. What decides something counts only in these words: /help approve"))


def _one(command: Command, situation: Situation, tell: Tell) -> None:
    para(tell, T("{form}: {summary}", form=slash_form(command, situation), summary=command.summary))
    if Slot.text in command.slots:
        para(tell, T("In free talk it counts only in exactly one of these wordings, because any text may follow them."))
    elif command.strict:
        para(tell, T("In free talk it counts only in exactly one of these wordings, because it decides something."))
    items(tell, [T("{phrase}", phrase=phrase.replace("{", "<").replace("}", ">")) for phrase in command.phrases])
