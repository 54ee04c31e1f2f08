"""The scripts of a task folder: thin, they only call the installed program with the flags that existing tasks use."""

from __future__ import annotations

from pathlib import Path

from tools.files import write_atomic

_PROGRAM = '''"""Calls the installed program for this task; used by the scripts beside it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

TASK = Path(__file__).resolve().parent.parent


def iterate(command: str, *arguments: str) -> int:
    """Run `iterate COMMAND` for this task with the Python that runs the script; returns its exit code."""
    if find_spec("agent") is None or find_spec("agent.cli") is None:
        sys.stderr.write(
            f"The program iterate-mode is not installed for {sys.executable}.\\n"
            "Install it with: python -m pip install iterate-mode\\n"
            "or run this script with the Python of the environment that has it, such as .venv/bin/python.\\n"
        )
        return 69
    return subprocess.call([sys.executable, "-m", "agent.cli", command, *arguments])
'''

_TRAIN = '''"""Train a version of this task: python scripts/03_train.py --version v2"""

from __future__ import annotations

import argparse
import sys

from iterate_program import TASK, iterate

parser = argparse.ArgumentParser(description="Train a version of this task.")
parser.add_argument("--version", required=True, help="such as v2")
arguments, more = parser.parse_known_args()
sys.exit(iterate("train", str(TASK), "--version", arguments.version, *more))
'''

_EVALUATE = '''"""Evaluate a version of this task on its validation split: python scripts/04_evaluate.py --version v2"""

from __future__ import annotations

import argparse
import sys

from iterate_program import TASK, iterate

parser = argparse.ArgumentParser(description="Evaluate a version of this task.")
parser.add_argument("--version", required=True, help="such as v2")
arguments, more = parser.parse_known_args()
sys.exit(iterate("evaluate", str(TASK), "--version", arguments.version, *more))
'''

_GENERATE = '''"""Generate rows of a class with a model.

python scripts/generate_data_gpt.py --target_class 中立 --num_samples 200 --output data/raw/generated_neutral.jsonl
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from iterate_program import TASK, iterate

parser = argparse.ArgumentParser(description="Generate rows with a model.")
parser.add_argument("--target_class", "--target-class", help="the class to write rows of")
parser.add_argument("--num_samples", "--num-samples", type=int, help="how many rows; 200, or those of the batch")
parser.add_argument("--output", type=Path, help="file for the rows, such as data/raw/generated.jsonl")
arguments, more = parser.parse_known_args()
flags = []
if arguments.num_samples is not None:
    flags += ["--num-samples", str(arguments.num_samples)]
if arguments.target_class is not None:
    flags += ["--target-class", arguments.target_class]
if arguments.output is not None:
    flags += ["--output", str(arguments.output)]
sys.exit(iterate("generate", str(TASK), *flags, *more))
'''

_OVERSAMPLE = '''"""Repeat rows of rare classes until each has enough: python scripts/oversample.py --target_count 500"""

from __future__ import annotations

import argparse
import sys

from iterate_program import TASK, iterate

parser = argparse.ArgumentParser(description="Repeat rows of rare classes.")
parser.add_argument("--target_count", "--target-count", type=int, required=True, help="rows wanted of each class")
parser.add_argument("--label", action="append", default=[], help="only this class; may be given several times")
arguments, more = parser.parse_known_args()
labels = [part for label in arguments.label for part in ("--label", label)]
sys.exit(iterate("oversample", str(TASK), "--target-count", str(arguments.target_count), *labels, *more))
'''

_PIPELINE = """#!/usr/bin/env bash
# Train a version and evaluate it: ./scripts/run_pipeline.sh --version v2
# PYTHON names the Python to use, when it is not the one of the active environment.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
python="${PYTHON:-$(command -v python || command -v python3)}"

"$python" "$scripts/03_train.py" "$@"
"$python" "$scripts/04_evaluate.py" "$@"
"""

SCRIPTS = {
    "iterate_program.py": _PROGRAM,
    "03_train.py": _TRAIN,
    "04_evaluate.py": _EVALUATE,
    "generate_data_gpt.py": _GENERATE,
    "oversample.py": _OVERSAMPLE,
    "run_pipeline.sh": _PIPELINE,
}
"""File name to content."""


def write_scripts(task_dir: Path) -> list[Path]:
    """Write the scripts into task_dir/scripts and return their paths; files that are there already stay as they are."""
    written: list[Path] = []
    for name, content in SCRIPTS.items():
        path = task_dir / "scripts" / name
        if path.exists():
            continue
        write_atomic(path, content)
        path.chmod(0o755 if name.endswith(".sh") else 0o644)
        written.append(path)
    return written
