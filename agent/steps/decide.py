"""The decision on a compared version: adopt, continue or roll back. The question is asked in a node of its own."""

from __future__ import annotations

from agent.approval import DecideQuestion, VersionChoice
from agent.context import Context, task_path
from agent.events import RolledBack
from agent.state import State
from agent.steps.review import Ask
from tools.comparison import Comparison
from tools.versions import record_choice, restore_version


def decide(state: State, ask: Ask) -> State:
    """Ask what should become of the version just compared."""
    work = state["work"]
    assert work is not None
    question = DecideQuestion(
        version=work["version"],
        parent=work["parent"],
        comparison=Comparison.model_validate(state["comparison"]),
        waiting=len(state.get("queue", [])),
    )
    return {"answer": ask(question.model_dump(mode="json"))}


def settle(state: State, context: Context) -> State:
    """Write the choice to the records and restore the parent's configuration when it says so."""
    work = state["work"]
    assert work is not None
    path = task_path(state)
    choice = VersionChoice.model_validate(state["answer"])
    context.journal(state).note(
        context.session,
        "choice",
        work["version"],
        by=choice.by,
        version=work["version"],
        choice=choice.model_dump(mode="json"),
    )
    record_choice(path, work["version"], choice.choice, by=choice.who, reason=choice.reason, say=context.say)
    if choice.choice == "rollback":
        restored = restore_version(path, work["parent"])
        context.emit(RolledBack(version=work["version"], restored=restored.version))
        return {"work": None, "base": work["parent"], "answer": None}
    if choice.choice == "continue":
        return {"work": None, "base": work["version"], "answer": None}
    return {}
