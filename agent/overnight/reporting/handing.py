"""What a report hands on: the commands that reproduce, adopt or roll back, where the records are, the rules, and the limits.

Commands are put together from names that were quoted for a shell; they are shown, never run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.overnight.commands import command_like
from agent.overnight.reporting.document import Block, Para, Table
from agent.overnight.reporting.shapes import NightFacts, TaskFacts
from agent.overnight.reporting.words import plain
from agent.overnight.rules import flat_rules
from agent.paths import task_word
from tools.text import T, Text, visible

_LONGEST_COMMAND = 1_000
_MOST_RULES = 60


def commands(facts: NightFacts) -> list[tuple[Text, str]]:
    """What each command does, and its exact line."""
    found = [(T("Run a night like this one"), visible(facts.command, _LONGEST_COMMAND))]
    if facts.state != "over":
        found.append((T("Take this night up again"), visible(facts.resume, _LONGEST_COMMAND)))
    for one in facts.tasks:
        found += _of_task(facts, one)
    found.append((T("Read this report again"), _line(facts, "report", facts.id)))
    return found


def _of_task(facts: NightFacts, one: TaskFacts) -> Iterator[tuple[Text, str]]:
    name, task = plain(one.name, 40), task_word(Path(facts.folder).parents[2], Path(one.path))
    if one.adopted is not None and (one.replaced or one.start):
        back = one.replaced or one.start
        told = T("Take the adoption on {task} back", task=name)
        yield told, _line(facts, "rollback", task, "--to", back)
    elif one.kept and one.best != one.start:
        told = T("Adopt {version} of {task}; it asks once more", version=plain(one.best, 40), task=name)
        yield told, _line(facts, "adopt", task, one.best)
    if one.adopted is None and one.kept and one.start:
        told = T("Restore the configuration of {version} of {task}", version=plain(one.start, 40), task=name)
        yield told, _line(facts, "rollback", task, "--to", one.start)
    if one.tried:
        yield T("Every version and decision of {task}", task=name), _line(facts, "history", task)


def _line(facts: NightFacts, *words: str) -> str:
    return visible(command_like(facts.command, *words), _LONGEST_COMMAND)


def records(facts: NightFacts) -> Iterator[Block]:
    """Where everything that this report stands on can be read."""
    folder = facts.folder.rstrip("/")
    rows: list[list[Text | str]] = [
        [T("Plan, limits and rules of the night"), f"{folder}/plan.json"],
        [T("Everything that happened, line by line"), f"{folder}/lines.jsonl"],
        [T("This report"), f"{folder}/report.md, {folder}/report.html"],
    ]
    for one in facts.tasks:
        rows.append(
            [
                T("Versions, journal, forecasts and openings of {task}", task=plain(one.name, 40)),
                f"{one.path}/iterations/",
            ]
        )
    yield Table(T("Files"), [T("What"), T("Where")], rows)
    who = T("Started by {who}; its random draws have the seed {seed}.", who=plain(facts.who, 60), seed=facts.seed)
    lost = [
        T(
            "Lines of the record that cannot be read, cut off by a crash, and that count for nothing here: {count}.",
            count=facts.unreadable,
        )
    ]
    yield Para([who, *(lost if facts.unreadable else [])])


def rules(facts: NightFacts) -> Iterator[Block]:
    """The rules that were in force, key by key."""
    rows: list[list[Text | str]] = [[plain(key, 80), plain(value, 200)] for key, value in flat_rules(facts.rules)]
    if not rows:
        yield Para([T("No rule is on record: nothing but what waits for a person was allowed.")])
        return
    yield Table(T("What the night was allowed"), [T("Rule"), T("Value")], rows[:_MOST_RULES])
    if len(rows) > _MOST_RULES:
        yield Para([T("and {count} more in plan.json", count=len(rows) - _MOST_RULES)])
    yield Para(
        [
            T(
                "What no rule can allow at night: destroying, uploading, accepting a licence, and opening the locked test set "
                "before the end of the night."
            ),
            T("These rules were fixed when the night began; whoever edited a policy file meanwhile changed nothing."),
        ]
    )


def not_shown(facts: NightFacts) -> list[Text]:
    """What may not be concluded from this night."""
    return [
        *_of_choosing(facts),
        *_of_test(facts),
        *_of_ends(facts),
        T(
            "Everything holds for these rows, these seeds and this machine; other rows, and what changes after today, were not "
            "measured."
        ),
    ]


def _of_choosing(facts: NightFacts) -> Iterator[Text]:
    tried = sum(not one.is_baseline for one in facts.trials)
    if tried > 1:
        yield T(
            "The best of {count} changes looks better on valid than it is, because it was chosen there: only the locked test "
            "is a claim.",
            count=tried,
        )
    if any(one.observed is not None and one.observed.direction == 0 for one in facts.trials):
        yield T(
            "An interval that holds zero does not show that a change does nothing; it shows that these rows and seeds cannot "
            "tell."
        )
    if any(len(one.seeds) == 1 for one in facts.trials):
        yield T("Changes with one seed may owe what they show to that seed.")


def _of_test(facts: NightFacts) -> Iterator[Text]:
    opened = [one.opened for one in facts.tasks if one.opened is not None]
    if any(one.verdict == "undecided" for one in opened):
        yield T("Undecided on test is not equal: more test rows or seeds would settle it, more openings would not.")
    most = max((one.ordinal or 0 for one in opened), default=0)
    if most > 1:
        yield T(
            "A test set that was opened {count} times says less than one that was opened once; the p-values are corrected for "
            "it.",
            count=most,
        )
    if not opened and any(one.kept for one in facts.tasks):
        yield T("Nothing was measured on test, so how much of the gain on valid is real is unknown.")


def _of_ends(facts: NightFacts) -> Iterator[Text]:
    outcomes = {one.outcome for one in facts.trials}
    if "dead_end" in outcomes:
        yield T(
            "A dead end was ended by a quick check on few rows or steps; a full training might have said otherwise."
        )
    if outcomes & {"crashed", "interrupted"}:
        yield T("A trial that crashed or was interrupted says nothing about its change.")
    if facts.state != "over":
        yield T("The night is not finished: what it would still have tried, replicated or dropped is unknown.")
