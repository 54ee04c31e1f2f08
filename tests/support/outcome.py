"""What two workspaces have to agree in when one was killed on its way and the other was not; and what a kill must not leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.nights import nights
from tools.files import sha256_file

_CLOCKS = frozenset(
    {"at", "created_at", "started_at", "ended_at", "session", "decision_id", "minutes", "tokens_per_second"}
)
_CLOCKS |= {"peak_memory_mb", "resumed", "seconds", "program", "basis"}
"""Values that say when, how fast or by which process; everything else has to be equal."""
_OF_A_NIGHT = frozenset(
    {"id", "folder", "path", "resume", "taken_up", "budget", "chosen_at", "newest_at", "planned_minutes"}
)
"""The same of a night's report, and where it lies."""


def outcome(task: Path) -> dict[str, Any]:
    """Decisions, versions, results, openings, forecasts and the version in use of a task, without clocks."""
    journal = [one for one in _lines(task / "iterations/journal.jsonl")]
    return {
        "decisions": [_said(one) for one in journal if not _is_put_off(one)],
        # In which order the rest is put off follows minutes that were measured, and these are never the same twice.
        "put_off": sorted(str(_said(one)) for one in journal if _is_put_off(one)),
        "configuration": (task / "configs/training_config.yaml").read_text("utf-8"),
        "versions": {
            path.parent.name: _version(path.parent) for path in sorted(task.glob("iterations/*/manifest.json"))
        },
        "results": {
            path.name: _plain(json.loads(path.read_text("utf-8")))
            for path in sorted(task.glob("benchmarks/results/*.json"))
        },
        "predictions": _hashes(task, "benchmarks/results/*.jsonl"),
        "weights": _hashes(task, "models/**/*.safetensors"),
        "ledger": _plain(_lines(task / "iterations/test_ledger.jsonl")),
        "shown": _plain(_lines(task / "iterations/test_openings.jsonl")),
        "forecasts": _plain(_lines(task / "iterations/forecasts.jsonl")),
        "in_use": _plain(_json(task / "models/current.json")),
        "runs": sorted(path.parent.name for path in task.glob("runs/*/spec.json")),
    }


def _said(entry: dict[str, Any]) -> tuple[str, str, Any]:
    """What happened, in which round of proposals, and what was decided."""
    data = entry["data"]
    key = entry["key"].rpartition(":")[0] if _is_put_off(entry) else entry["key"]
    return entry["event"], key, _plain(data.get("decision") or data.get("choice"))


def _is_put_off(entry: dict[str, Any]) -> bool:
    return entry["event"] == "decision" and entry["data"]["decision"]["decision"] == "defer"


def night_lines(root: Path) -> list[Any]:
    """What the nights of a workspace wrote down, in its order; without what was used, and without who took them up."""
    return [
        _anywhere({name: value for name, value in _plain(line).items() if name not in {"pid", "host"}}, root)
        for path in sorted(root.glob(".iterate/nights/*/lines.jsonl"))
        for line in _lines(path)
        if line["type"] not in {"taken_up", "spent"} and line.get("guard") != "clock"
    ]


def _anywhere(value: Any, root: Path) -> Any:
    """Without the place of the workspace, which the commands of a night name."""
    return json.loads(json.dumps(value, ensure_ascii=False).replace(str(root), "WORKSPACE"))


def night_reports(root: Path) -> list[Any]:
    """What the reports of its nights are made of, without clocks and places."""
    facts = [night_facts(record).model_dump(mode="json") for record in nights(root)]
    return [_anywhere(_plain(one, _CLOCKS | _OF_A_NIGHT), root) for one in facts]


def half_written(root: Path) -> list[str]:
    """Files of the program that are not whole: JSON that does not parse."""
    found = []
    for path in [*root.rglob("*.json"), *root.rglob("*.jsonl")]:
        try:
            _lines(path) if path.suffix == ".jsonl" else _json(path)
        except ValueError:
            found.append(str(path.relative_to(root)))
    return found


def trained_twice(task: Path) -> list[str]:
    """Runs that have more than one end, or events after it; and versions with more runs than seeds."""
    found = []
    for file in sorted(task.glob("runs/*/events.jsonl")):
        events = _lines(file)
        ends = [place for place, event in enumerate(events) if event.get("type") == "end"]
        if len(ends) > 1 or (ends and ends[-1] != len(events) - 1):
            found.append(file.parent.name)
    specs = [_json(path) for path in sorted(task.glob("runs/*/spec.json"))]
    pairs = [(spec["version"], spec["seed"]) for spec in specs]
    return found + [f"{version} seed {seed}" for version, seed in set(pairs) if pairs.count((version, seed)) > 1]


def lost_approvals(task: Path) -> list[str]:
    """Proposals that were approved and did not become a version."""
    journal = _lines(task / "iterations/journal.jsonl")
    approved = [
        one for one in journal if one["event"] == "decision" and one["data"]["decision"]["decision"] == "approve"
    ]
    begun = {one["data"]["proposal_id"] for one in journal if one["event"] == "version_begun"}
    return [one["key"] for one in approved if one["data"]["decision"]["proposal_id"] not in begun]


def repeated(task: Path) -> list[str]:
    """Entries of the journal that stand there twice."""
    keys = [f"{one['session']} {one['key']}" for one in _lines(task / "iterations/journal.jsonl")]
    return sorted({key for key in keys if keys.count(key) > 1})


def _version(folder: Path) -> dict[str, Any]:
    files = {
        name: (folder / name).read_text("utf-8")
        for name in ("config_snapshot.yaml", "comparison.md")
        if (folder / name).exists()
    }
    for name in ("manifest.json", "results.json"):
        files[name] = _plain(_json(folder / name))
    files["sealed"] = [path.read_text("utf-8") for path in sorted(folder.glob("sealed/*.sealed"))]
    return files


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _hashes(task: Path, pattern: str) -> dict[str, str]:
    return {str(path.relative_to(task)): sha256_file(path) for path in sorted(task.glob(pattern))}


def _plain(value: Any, without: frozenset[str] = _CLOCKS) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one, without) for key, one in value.items() if key not in without}
    return [_plain(one, without) for one in value] if isinstance(value, list) else value
