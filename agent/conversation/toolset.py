"""The tools of the chat's language model: they read, and one of them files a proposal that a person has to decide on.

    read_results  diagnose  compare  task_status  error_rows  search_references  read_reference  propose_change

None writes, trains, approves, adopts or opens the test split, and none gives an Order: whatever a model asks for, this table
is all there is. What a tool answers is data, packed as JSON so that no row can pass for an instruction of the program.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from agent.advising import facts
from agent.conversation.said import Filed, PageRead
from agent.conversation.situation import Situation
from agent.conversation.wishes import wish
from agent.journal import Journal
from agent.model.client import ToolCall, ToolSpec
from agent.proposing.now import history_of
from tools.change import Proposal, Verb
from tools.editing.nearest import nearest
from tools.errors import InputError, IterateError, NotFound
from tools.text import T, visible

A = TypeVar("A", bound=BaseModel)

MOST_CHARACTERS = 6_000
"""Of one answer to the model; what is longer is cut, and the answer says so."""
MOST_ROWS = 10
MOST_FILED = 2
"""Proposals that a model may file in one turn."""
LONGEST_COMMENT = 400


@dataclass(frozen=True)
class Outcome:
    """What came of a tool call."""

    text: str
    """For the model: JSON, without control characters."""
    ok: bool
    rows: bool = False
    """True when it holds the text of data rows."""
    event: PageRead | Filed | None = None
    """For the person; a tool can cause nothing else."""


@dataclass(frozen=True)
class Facts:
    """What a tool found."""

    value: dict[str, Any]
    rows: bool = False
    event: PageRead | Filed | None = None


@dataclass(frozen=True)
class ChatTool(Generic[A]):
    """One row of the table."""

    name: str
    description: str
    args: type[A]
    run: Callable[[A, Situation], Facts]
    shows_rows: bool = False
    """True: only for a model that may see rows."""


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _OfTask(_Args):
    task: str | None = Field(default=None, description="Name of a task; the one under discussion when left out.")


class _OfVersion(_OfTask):
    version: str | None = Field(default=None, description='Such as "v2"; the newest when left out.')


class _Compare(_OfTask):
    base: str = Field(description='The older version, such as "v1".')
    new: str = Field(description='The newer version, such as "v2".')


class _ErrorRows(_OfVersion):
    expected: str | None = Field(default=None, description="Only rows whose right answer is this label.")
    answered: str | None = Field(default=None, description="Only rows that were answered with this label.")
    ids: list[str] = Field(default=[], max_length=50, description="Instead: these rows, of validation or train.")
    limit: int = Field(default=5, ge=1, le=MOST_ROWS)


class _Search(_Args):
    query: str = Field(min_length=1, max_length=300, description="Words for a symptom or a method, in any language.")


class _ReadPage(_Args):
    page: str = Field(max_length=120, description="Page id, such as troubleshooting/overfitting.")


class _Edit(_Args):
    key: str = Field(max_length=200, description="Such as training.learning_rate or data.oversample.LABEL")
    value: JsonValue = Field(description="The new value; null takes the key out.")


class _Propose(_Args):
    edits: list[_Edit] = Field(min_length=1, max_length=6)
    why: str = Field(min_length=1, max_length=2_000, description="One sentence for the person.")


def _status(args: _OfTask, situation: Situation) -> Facts:
    return Facts(facts.status_facts(_task(args.task, situation)))


def _results(args: _OfVersion, situation: Situation) -> Facts:
    return Facts(facts.result_facts(_task(args.task, situation), args.version))


def _diagnose(args: _OfVersion, situation: Situation) -> Facts:
    return Facts(facts.diagnosis_facts(_task(args.task, situation), args.version, situation.say))


def _compare(args: _Compare, situation: Situation) -> Facts:
    return Facts(facts.comparison_facts(_task(args.task, situation), args.base, args.new, situation.say))


def _error_rows(args: _ErrorRows, situation: Situation) -> Facts:
    path = _task(args.task, situation)
    wrong = facts.wrong_rows(path, args.version, expected=args.expected, answered=args.answered)
    if not args.ids:
        shown = [facts.prediction_facts(row) for row in wrong[: args.limit]]
        return Facts({"split": "valid", "wrong_rows": shown, "of": len(wrong)}, rows=True)
    answered = [facts.prediction_facts(row) for row in wrong if row.id in args.ids]
    known = {one["id"] for one in answered}
    rest = facts.rows_by_id(path, set(args.ids) - known)
    found = [*answered, *(facts.row_facts(row) for row in rest)]
    return Facts({"rows": found[:MOST_ROWS], "found": len(found), "asked": len(args.ids)}, rows=True)


def _search(args: _Search, situation: Situation) -> Facts:
    cards = situation.library.search(args.query, situation.language)
    found = [{"page": card.id, "title": card.title, "when_to_read": card.when_to_read} for card in cards]
    return Facts({"pages": found})


def _read_page(args: _ReadPage, situation: Situation) -> Facts:
    page = situation.library.read(args.page, situation.language)
    event = PageRead(page=page.card.id, title=page.card.title)
    return Facts({"page": page.card.id, "title": page.card.title, "text": page.text}, event=event)


def _propose(args: _Propose, situation: Situation) -> Facts:
    edits = [(edit.key, edit.value) for edit in args.edits]
    comment = visible(" ".join(args.why.split()), LONGEST_COMMENT)
    proposal = wish(situation, edits, origin="model", comment=comment)
    _refuse_rejected(proposal, situation)
    shown = facts.proposal_facts(proposal, situation.say)
    if any(one.id == proposal.id for one in situation.proposals):
        return Facts({"filed": False, "reason": "This change is on the list under review already.", "proposal": shown})
    note = "It waits for the person, who alone can approve it. Nothing has been changed."
    return Facts({"filed": True, "note": note, "proposal": shown}, event=Filed(proposal=proposal))


def _refuse_rejected(proposal: Proposal, situation: Situation) -> None:
    """A change that the person rejected is not filed again; the model reads why it was rejected."""
    assert situation.task is not None
    history = history_of(Journal(situation.task))
    if proposal.id not in history.rejected():
        return
    reasons = [
        str(one.reason)
        for earlier, one in history.decisions
        if earlier.id == proposal.id and one.decision is Verb.reject
    ]
    raise InputError(
        T("The person rejected exactly this change before: {reason}", reason=visible(reasons[-1] or "-", 300)),
        hint=T("Propose something that takes this into account, or ask the person."),
    )


TOOLS: dict[str, ChatTool[Any]] = {
    tool.name: tool
    for tool in (
        ChatTool(
            "task_status", "Where a task stands: scores against targets, classes, settings, rows.", _OfTask, _status
        ),
        ChatTool("read_results", "Validation scores and loss curves of the versions.", _OfVersion, _results),
        ChatTool("diagnose", "What is wrong with a version, with evidence and the page on it.", _OfVersion, _diagnose),
        ChatTool("compare", "Two versions on the same validation rows: intervals, verdict, rows.", _Compare, _compare),
        ChatTool(
            "error_rows",
            "Wrong answers on validation with their text, or single rows by id. Test rows are never shown.",
            _ErrorRows,
            _error_rows,
            shows_rows=True,
        ),
        ChatTool("search_references", "Find reference pages about a symptom or a method.", _Search, _search),
        ChatTool("read_reference", "Read one reference page.", _ReadPage, _read_page),
        ChatTool(
            "propose_change",
            "File a change of the training configuration for the person's review. It approves and starts nothing.",
            _Propose,
            _propose,
        ),
    )
}
"""Name to tool."""


def specs(*, rows: bool) -> list[ToolSpec]:
    """The tools as the model is told of them; without `rows` those that show data rows are left out."""
    return [
        ToolSpec(tool.name, tool.description, tool.args.model_json_schema())
        for tool in TOOLS.values()
        if rows or not tool.shows_rows
    ]


def use(call: ToolCall, situation: Situation, *, filed: Collection[str] = ()) -> Outcome:
    """Run a call; everything that is wrong with it becomes an answer that the model can mend.

    `filed` are the proposals that it filed in this turn already.
    """
    try:
        return _use(call, situation, filed)
    except ValidationError as invalid:
        wrong = [f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in invalid.errors()[:5]]
        return _failure("The arguments are not valid.", problems=wrong)
    except IterateError as error:
        problems = [str(one.message) + (f" {one.hint}" if one.hint else "") for one in error.problems[:8]]
        return _failure(str(error.message), problems=problems, hint=str(error.hint or ""))


def _use(call: ToolCall, situation: Situation, filed: Collection[str]) -> Outcome:
    tool = TOOLS.get(call.name)
    may_see_rows = situation.model is None or situation.model.may_see_rows
    if tool is None or (tool.shows_rows and not may_see_rows):
        allowed = ", ".join(each.name for each in specs(rows=may_see_rows))
        return _failure(f"There is no tool {visible(call.name, 60)}.", hint=f"The tools are: {allowed}.")
    args = tool.args.model_validate_json(call.arguments)
    if isinstance(args, _Propose) and len(filed) >= MOST_FILED:
        return _failure(
            f"At most {MOST_FILED} proposals can be filed in one answer.", hint="Let the person decide first."
        )
    found = tool.run(args, situation)
    if isinstance(found.event, Filed) and found.event.proposal.id in filed:
        return _failure("You filed this change in this answer already.")
    return Outcome(_packed(found.value), ok=True, rows=found.rows, event=found.event)


def _task(name: str | None, situation: Situation) -> Path:
    """The folder of a task of this workspace by its name alone; a model names no paths."""
    current = situation.task
    if current is not None and name in {None, "", current.name}:
        return current
    names = situation.workspace.task_names()
    if name in names:
        return situation.workspace.tasks_dir / str(name)
    near = nearest(name, names) if name else None
    raise NotFound(
        T("There is no task {name}.", name=visible(name or "-", 60)),
        hint=T("Did you mean {near}?", near=near)
        if near
        else T("The tasks are: {names}.", names=", ".join(names) or "-"),
    )


def _failure(error: str, *, problems: Collection[str] = (), hint: str = "") -> Outcome:
    value = {"error": error, "problems": list(problems), "hint": hint}
    return Outcome(_packed({name: part for name, part in value.items() if part}), ok=False)


def _packed(value: dict[str, Any]) -> str:
    """The value as JSON text with control and bidirectional characters shown; what is too long is cut and says so."""
    text = visible(json.dumps(value, ensure_ascii=False))
    if len(text) <= MOST_CHARACTERS:
        return text
    missing = len(text) - MOST_CHARACTERS
    return f"{text[:MOST_CHARACTERS]} [cut here: {missing} more characters; ask for less at once]"
