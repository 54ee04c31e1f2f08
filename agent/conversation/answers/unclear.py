"""What is said to a line that was not understood, or that lacks something: the nearest commands, or the valid choices."""

from __future__ import annotations

from agent.conversation.answers.telling import items, para
from agent.conversation.choices import choices
from agent.conversation.commands import BY_NAME, Command, Slot
from agent.conversation.help import example, possible_now, slash_form
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Unclear
from tools.text import T, Text, visible

_QUESTIONS: dict[Slot, Text] = {
    Slot.task: T("Which task?"),
    Slot.label: T("Which class?"),
    Slot.pair: T("Which expected and which answered class?"),
    Slot.version: T("Which version?"),
    Slot.versions: T("Which versions?"),
    Slot.numbers: T("Which proposals? Say their numbers."),
    Slot.change: T("Which change? Say a setting with its new value, or a remedy."),
    Slot.until: T("Until when?"),
    Slot.page: T("About what?"),
    Slot.text: T("Which text?"),
}
_MOST_CHOICES = 12
_OFFERED = 3
_USUAL = ("help", "status", "improve")
"""Offered when fewer commands are near."""


def say_unclear(found: Unclear, text: str, situation: Situation, tell: Tell) -> None:
    """Ask for what is missing, or say honestly that it was not understood."""
    if found.missing is not None and found.candidates:
        _ask(found.candidates[0], found.missing, situation, tell)
        return
    para(tell, T('I did not understand "{text}". Nothing was done.', text=visible(" ".join(text.split()), 80)))
    nearest = _nearest(found.candidates, situation)
    items(tell, [_offer(command, situation) for command in nearest])
    if situation.question is not None:
        waits, answers = possible_now(situation)
        para(tell, waits)
        items(tell, [T("{words}", words=words) for words in answers])
    if situation.question is not None or any(command.strict for command in nearest):
        para(tell, T("What decides something is taken word for word only, as in the examples."))


def _nearest(candidates: list[Command], situation: Situation) -> list[Command]:
    """The candidates, filled up with the usual ones, where no question waits that has answers of its own."""
    names = _USUAL if situation.question is None else _USUAL[:1]
    usual = [BY_NAME[name] for name in names if BY_NAME[name] not in candidates]
    return [*candidates, *usual][:_OFFERED]


def _offer(command: Command, situation: Situation) -> Text:
    form, said = f"/{command.name}", example(command, situation)
    if not said:
        return T("{form}: {summary}", form=form, summary=command.summary)
    return T('"{example}": {summary} ({form})', form=form, summary=command.summary, example=visible(said, 80))


def _ask(command: Command, missing: Slot, situation: Situation, tell: Tell) -> None:
    para(tell, _QUESTIONS.get(missing, T("Something is missing.")))
    valid = [visible(choice.value, 60) for choice in choices(missing, situation)]
    if valid:
        shown = ", ".join(valid[:_MOST_CHOICES])
        more = len(valid) - _MOST_CHOICES
        items(
            tell,
            [T("{choices} and {count} more", choices=shown, count=more) if more > 0 else T("{choices}", choices=shown)],
        )
    elif missing is Slot.numbers:
        para(tell, T("No proposals are under review; improve a task to get some."))
    para(tell, T("Like this: {form}", form=slash_form(command, situation)))
