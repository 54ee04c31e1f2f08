"""Generate rows of a class with a model.

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
