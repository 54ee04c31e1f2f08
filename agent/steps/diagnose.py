"""Step 2: what is wrong, with evidence. The tool computes facts; this step shows them, beside a language model's reading."""

from __future__ import annotations

from agent.advising.errors import Analysis, analyse
from agent.context import Context, task_path
from agent.events import Diagnosed
from agent.state import State
from tools.diagnose import DiagnoseArgs
from tools.diagnose import diagnose as diagnose_tool


def diagnose(state: State, context: Context) -> State:
    """Run the diagnosis on the version that is being improved."""
    diagnosis = diagnose_tool(DiagnoseArgs(task_dir=task_path(state), version=state["base"] or None))
    context.emit(Diagnosed(diagnosis=diagnosis))
    earlier = state.get("analysis")
    known = Analysis.model_validate(earlier) if earlier else None
    analysis = analyse(task_path(state), diagnosis, context, known)
    if analysis is not None:
        context.emit(analysis.event)
    return {
        "diagnosis": diagnosis.model_dump(mode="json"),
        "analysis": analysis.model_dump(mode="json") if analysis is not None else None,
    }
