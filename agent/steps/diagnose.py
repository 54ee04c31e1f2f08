"""Step 2: what is wrong, with evidence. The tool computes facts; this step shows them."""

from __future__ import annotations

from agent.context import Context, task_path
from agent.events import Diagnosed
from agent.state import State
from tools.diagnose import DiagnoseArgs
from tools.diagnose import diagnose as diagnose_tool


def diagnose(state: State, context: Context) -> State:
    """Run the diagnosis on the version that is being improved."""
    diagnosis = diagnose_tool(DiagnoseArgs(task_dir=task_path(state), version=state["base"] or None))
    context.emit(Diagnosed(diagnosis=diagnosis))
    return {"diagnosis": diagnosis.model_dump(mode="json")}
