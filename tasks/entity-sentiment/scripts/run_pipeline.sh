#!/usr/bin/env bash
# Train a version and evaluate it: ./scripts/run_pipeline.sh --version v2
# PYTHON names the Python to use, when it is not the one of the active environment.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
python="${PYTHON:-$(command -v python || command -v python3)}"

"$python" "$scripts/03_train.py" "$@"
"$python" "$scripts/04_evaluate.py" "$@"
