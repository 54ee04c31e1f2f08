"""Step 5: the new version against its parent on the same valid rows, and the record of it."""

from __future__ import annotations

from pathlib import Path

from agent.context import Context, task_path
from agent.events import Compared, Notice
from agent.state import State
from tools.change import Proposal
from tools.compare import CompareArgs
from tools.compare import compare as compare_tool
from tools.comparing.report import markdown
from tools.comparison import Comparison
from tools.files import write_atomic
from tools.text import Speaker, T
from tools.versioning.forecasts import record_outcome
from tools.versioning.records import find_version


def compared(path: Path, base: str, new: str, say: Speaker) -> Comparison:
    """The comparison of two versions as they are recorded now; its report and the outcome of the forecast follow it.

    Raises what the tool `compare` raises.
    """
    comparison = compare_tool(CompareArgs(task_dir=path, base=base, new=new))
    write_atomic(path / _report(new), markdown(comparison, say))
    record_outcome(path, new, comparison)
    return comparison


def compared_again(path: Path, version: str, say: Speaker) -> None:
    """Renew the comparison that is on record for a version, and the outcome of its forecast: with further seeds both say more.

    Raises what the tool `compare` raises.
    """
    manifest = find_version(path, version).manifest
    if manifest is not None and manifest.parent and (path / _report(version)).is_file():
        compared(path, manifest.parent, version, say)


def _report(version: str) -> str:
    return f"iterations/{version}/comparison.md"


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
    comparison = compared(path, work["parent"], work["version"], context.say)
    proposal = Proposal.model_validate(work["proposal"])
    context.journal(state).note(
        context.session,
        "compared",
        work["version"],
        version=work["version"],
        parent=work["parent"],
        verdict=comparison.verdict,
        proposal_id=proposal.id,
    )
    context.emit(Compared(comparison=comparison, report=_report(work["version"])))
    return {"comparison": comparison.model_dump(mode="json"), "iteration": state.get("iteration", 0) + 1}
