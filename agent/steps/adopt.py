"""Adoption: open the sealed test predictions, show them, ask once more, then move the pointer."""

from __future__ import annotations

from agent.approval import Confirmation, ConfirmQuestion, VersionChoice
from agent.context import Context, task_path
from agent.events import Adopted, Notice, TestOpened
from agent.state import State
from agent.steps.review import Ask
from tools.comparing.report import valid_and_test
from tools.comparison import Comparison
from tools.files import write_atomic
from tools.text import T
from tools.versioning.adopt import adopt, how_to_use
from tools.versioning.ledger import OpenedTest, adoption_of, open_test


def open_locked_test(state: State, context: Context) -> State:
    """Open the test set for this adoption and enter it in the ledger (once, however often this step runs)."""
    work = state["work"]
    assert work is not None
    choice = VersionChoice.model_validate(state["answer"])
    opened = open_test(
        task_path(state),
        versions=[work["parent"], work["version"]],
        why=adoption_of(work["version"]),
        by=choice.who,
        decision_id=context.session + ":" + work["version"],
    )
    context.journal(state).note(context.session, "test_opened", work["version"], by=choice.by, version=work["version"])
    report = task_path(state) / "iterations" / work["version"] / "adoption.md"
    write_atomic(report, valid_and_test(opened, context.say))
    context.emit(TestOpened(opened=opened))
    return {"opened": opened.model_dump(mode="json"), "answer": None}


def confirm(state: State, ask: Ask) -> State:
    """Ask once more, with the test result on the table."""
    work = state["work"]
    assert work is not None
    question = ConfirmQuestion(
        version=work["version"],
        parent=work["parent"],
        comparison=Comparison.model_validate(state["comparison"]),
        opened=OpenedTest.model_validate(state["opened"]),
    )
    return {"answer": ask(question.model_dump(mode="json"))}


def finish_adoption(state: State, context: Context) -> State:
    """Move the pointer, or leave it where it is."""
    work = state["work"]
    assert work is not None
    answer = Confirmation.model_validate(state["answer"])
    version = work["version"]
    journal = context.journal(state)
    if answer.adopt:
        record = adopt(task_path(state), version, by=answer.who, decision_id=context.session + ":" + version)
        journal.note(context.session, "adopted", version, by=answer.by, version=version, who=answer.who)
        context.emit(Adopted(record=record))
        context.emit(Notice(message=how_to_use(task_path(state))))
    else:
        journal.note(
            context.session,
            "not_adopted",
            version,
            by=answer.by,
            version=version,
            reason=answer.model_dump(mode="json")["reason"],
        )
        message = T(
            "{version} was not adopted; it stays on record, and the version in use is unchanged.", version=version
        )
        context.emit(Notice(message=message))
    return {"work": None, "base": version, "answer": None, "ended": "adopted" if answer.adopt else "kept"}
