"""Repeat rows of rare classes until each has enough: python scripts/oversample.py --target_count 500"""

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
