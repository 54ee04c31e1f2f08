"""Step 5: the new version against its parent on the same valid rows, and the record of it."""

from __future__ import annotations

from agent.context import Context, task_path
from agent.events import Compared, Notice
from agent.state import State
from tools.change import Proposal
from tools.compare import CompareArgs
from tools.compare import compare as compare_tool
from tools.comparing.report import markdown
from tools.files import write_atomic
from tools.text import T
from tools.versioning.forecasts import record_outcome


def compare(state: State, context: Context) -> State:
    """Compare, write the report beside the record, and score the forecast; the baseline has nothing to compare with."""
    work = state["work"]
    assert work is not None
    path = task_path(state)
    if not work["parent"]:
        message = T(
            "{version} is trained: it is the baseline that later versions are compared with.", version=work["version"]
        )
        context.emit(Notice(message=message))
        return {"comparison": None, "work": None, "base": work["version"]}
    comparison = compare_tool(CompareArgs(task_dir=path, base=work["parent"], new=work["version"]))
    report = path / "iterations" / work["version"] / "comparison.md"
    write_atomic(report, markdown(comparison, context.say))
    proposal = Proposal.model_validate(work["proposal"])
    record_outcome(path, work["version"], comparison)
    context.journal(state).note(
        context.session,
        "compared",
        work["version"],
        version=work["version"],
        parent=work["parent"],
        verdict=comparison.verdict,
        proposal_id=proposal.id,
    )
    context.emit(Compared(comparison=comparison, report=report.relative_to(path).as_posix()))
    return {"comparison": comparison.model_dump(mode="json"), "iteration": state.get("iteration", 0) + 1}
