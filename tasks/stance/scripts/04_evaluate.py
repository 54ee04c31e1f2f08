"""Evaluate a version of this task on its validation split: python scripts/04_evaluate.py --version v2"""

from __future__ import annotations

import argparse
import sys

from iterate_program import TASK, iterate

parser = argparse.ArgumentParser(description="Evaluate a version of this task.")
parser.add_argument("--version", required=True, help="such as v2")
arguments, more = parser.parse_known_args()
sys.exit(iterate("evaluate", str(TASK), "--version", arguments.version, *more))
