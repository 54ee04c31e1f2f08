"""What an import costs is a structure, not a clock: these run in a fresh interpreter and look at sys.modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["torch", "transformers", "trl", "peft", "datasets", "accelerate", "sklearn", "pandas"]
"""5 s and 0.5 GB each: they belong to the worker processes of a training."""
SLOW = ["langgraph", "langchain_core", "openai", "textual", "numpy", "scipy", "pyarrow"]
"""0.1 to 1 s each: a command imports what it needs when it runs."""

REPORT = "import json, sys; print(json.dumps([name for name in {names!r} if name in sys.modules]))"


def loaded_after(program: str, names: list[str]) -> list[str]:
    """Which of `names` are in sys.modules after `program` ran in a fresh interpreter."""
    report = REPORT.format(names=names)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{report}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_importing_the_command_line_loads_nothing_heavy():
    assert loaded_after("import agent.cli", HEAVY + SLOW) == []


def test_asking_for_help_loads_nothing_heavy():
    program = "import contextlib, sys, agent.cli\nsys.argv = ['iterate', '--help']\n"
    program += "with contextlib.suppress(SystemExit):\n    agent.cli.main()"
    assert loaded_after(program, HEAVY + SLOW) == []


def test_starting_the_program_as_a_module_shows_its_help():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "agent.cli", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout


def modules_of(package: str) -> list[str]:
    """Dotted names of all modules of a package except the worker side of tools.training, which may import anything."""
    files = sorted((ROOT / package).rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return [name for name in names if not name.startswith("tools.training.")]


@pytest.mark.parametrize("package", ["agent", "tools"])
def test_no_module_outside_the_worker_loads_a_training_library_even_indirectly(package: str):
    program = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in modules_of(package))
    assert loaded_after(program, HEAVY) == []


def test_the_tools_load_no_graph_and_no_screen_even_indirectly():
    program = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in modules_of("tools"))
    assert loaded_after(program, ["agent", "langgraph", "langchain_core", "textual"]) == []


def test_the_full_screen_paints_with_textual_alone():
    """The rest is imported in a thread after the first paint, while the person can already type."""
    late = ["langgraph", "langchain_core", "openai", "agent.session", "agent.graph", "agent.chat"]
    assert loaded_after("import agent.faces.tui.app", [*late, *HEAVY, "textual"]) == ["textual"]


def test_what_only_lists_or_resumes_sessions_waits_for_no_graph():
    assert loaded_after("import agent.faces.opening, agent.records", ["langgraph", "textual", *HEAVY]) == []
