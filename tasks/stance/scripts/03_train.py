"""Train a version of this task: python scripts/03_train.py --version v2"""

from __future__ import annotations

import argparse
import sys

from iterate_program import TASK, iterate

parser = argparse.ArgumentParser(description="Train a version of this task.")
parser.add_argument("--version", required=True, help="such as v2")
arguments, more = parser.parse_known_args()
sys.exit(iterate("train", str(TASK), "--version", arguments.version, *more))
