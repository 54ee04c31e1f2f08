"""Which version and which split a result file is of, from its name, its place, its content and what the user said.

Anything that speaks of test makes a file a test file. What stays unknown is treated like test by everybody who reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from tools.outcomes.foreign_results import lm_eval_split
from tools.results import SplitKnown

_WORDS: dict[str, SplitKnown] = {
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
    "holdout": "test",
    "predict": "test",
    "train": "train",
    "training": "train",
}
_VERSION = re.compile(r"(?<![a-z0-9])v(\d{1,6})(?![0-9])", re.IGNORECASE)
_SPLIT_KEYS = ("split", "dataset_split", "eval_split", "subset", "eval_dataset", "dataset")
_PREFIXES = ("test", "predict", "valid", "val", "dev")


def split_of_name(relative: str) -> SplitKnown:
    """The split that a path speaks of; test wins."""
    words = [word.lower() for word in re.split(r"[^0-9A-Za-z]+", relative)]
    found = [_WORDS[word] for word in words if word in _WORDS]
    return "test" if "test" in found else found[-1] if found else "unknown"


def split_of_content(data: Mapping[str, Any]) -> SplitKnown:
    """The split that a result object speaks of; test wins."""
    said = [split_of_name(value) for key in _SPLIT_KEYS if isinstance(value := data.get(key), str)]
    metrics = data.get("metrics")
    keys = [str(key) for key in [*data, *(metrics if isinstance(metrics, dict) else [])]]
    said += [_WORDS[prefix] for prefix in _PREFIXES if any(key.startswith(prefix + "_") for key in keys)]
    if (harness := lm_eval_split(data)) is not None:
        said.append("test" if harness == "test" else "valid")
    known = [split for split in said if split != "unknown"]
    return "test" if "test" in known else known[0] if known else "unknown"


def strictest(name: SplitKnown, content: SplitKnown, answered: SplitKnown) -> SplitKnown:
    """The split of a file: test if anything says so, else what the content, the name or the user says."""
    said = [split for split in (content, name, answered) if split != "unknown"]
    return "test" if "test" in said else said[0] if said else "unknown"


def version_of(relative: str, data: Mapping[str, Any] | None = None) -> str | None:
    """The version that a path speaks of (nearest part first), else the content; None when neither does."""
    for part in reversed(PurePosixPath(relative).parts):
        if found := _VERSION.search(part):
            return f"v{int(found.group(1))}"
    said = (data or {}).get("version", (data or {}).get("iteration"))
    if isinstance(said, int) and not isinstance(said, bool) and 0 < said < 1_000_000:
        return f"v{said}"
    if isinstance(said, str) and (found := _VERSION.fullmatch(said.strip())):
        return f"v{int(found.group(1))}"
    return None


def answered_splits(config: Mapping[str, Any]) -> dict[str, SplitKnown]:
    """What the user said about result files in configs/benchmark_config.yaml: `results: {file name: split}`."""
    block = config.get("results")
    if not isinstance(block, dict):
        return {}
    return {str(name): _WORDS.get(str(split).strip().lower(), "unknown") for name, split in block.items()}


def version_number(version: str) -> tuple[int, str]:
    """A key that sorts v2 before v10."""
    found = re.fullmatch(r"v(\d+)", version)
    return (int(found.group(1)) if found else -1, version)
