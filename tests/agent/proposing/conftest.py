from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from tools.diagnose import Diagnosis
from tools.finding import Finding, FindingKind, Severity
from tools.outcomes.status import task_status
from tools.reading.task import load_task
from tools.results import ClassScore, ResultFiles, SplitResult
from tools.task import Task
from tools.text import T

CONFIG = """\
# how v1 is trained
lora:
  r: 16          # rank
  alpha: 32

training:
  base_model: embedded:gemma3-270m
  epochs: 4      # first guess
  learning_rate: 0.0001
  warmup: 0.1
"""
COUNTS = {"正面": 60, "負面": 50, "中立": 10}
F1 = {"正面": 0.8, "負面": 0.75, "中立": 0.42}


@pytest.fixture
def make_task(tmp_path: Path) -> Callable[..., Task]:
    def make(config: str | None = CONFIG, *, labels: bool = True, counts: dict[str, int] | None = None) -> Task:
        folder = tmp_path / "tasks" / "feelings"
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "configs").mkdir(exist_ok=True)
        output = "{type: label, labels: [正面, 負面, 中立]}" if labels else "{type: text}"
        kind = "classification" if labels else "generation"
        (folder / "task_definition.yaml").write_text(
            f"task_name: feelings\ntask_type: {kind}\ninput_format: {{template: '文本：{{text}}'}}\noutput_format: {output}\n"
            + ("success_criteria: {primary_metric: macro_f1, threshold: 0.8}\n" if labels else ""),
            encoding="utf-8",
        )
        if config is not None:
            (folder / "configs" / "training_config.yaml").write_text(config, encoding="utf-8")
        for split in ("train", "valid", "test"):
            names = [(label, n) for label, count in (counts or COUNTS).items() for n in range(count)]
            rows = [{"id": f"{split}-{label}{n}", "text": f"{split} {label} {n}", "label": label} for label, n in names]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / "data" / f"{split}.jsonl").write_text(lines, encoding="utf-8")
        return load_task(folder)

    return make


@pytest.fixture
def task(make_task: Callable[..., Task]) -> Task:
    return make_task()


def finding(kind: str, severity: str = "warning", *, lost: float | None = 0.1, **more: Any) -> Finding:
    about: dict[str, JsonValue] = more.pop("about", {})
    return Finding(
        kind=FindingKind(kind),
        severity=Severity(severity),
        title=T("A finding"),
        detail=T("Some detail."),
        about=about,
        lost=lost,
        page=more.pop("page", "troubleshooting/low-accuracy"),
        **more,
    )


def diagnosis(task: Task, *findings: Finding, version: str | None = "v1") -> Diagnosis:
    per_class = {label: ClassScore(precision=f1, recall=f1, f1=f1, support=40) for label, f1 in F1.items()}
    macro = sum(F1.values()) / len(F1)
    result = SplitResult(
        version="v1", split="valid", metrics={"macro_f1": macro, "accuracy": 0.7}, per_class=per_class, rows=120
    )
    results = ResultFiles(results=[result] if version else [])
    return Diagnosis(
        task=task.name,
        version=version,
        findings=list(findings),
        healthy=all(one.severity is Severity.info for one in findings),
        status=task_status(task, results),
    )


@pytest.fixture
def made() -> Any:
    class Made:
        finding = staticmethod(finding)
        diagnosis = staticmethod(diagnosis)
        scarce = finding("class_imbalance", about={"label": "中立", "f1": 0.42, "train_rows": 10}, lost=0.118)
        weak = finding("weak_class", about={"label": "負面", "f1": 0.5, "train_rows": 50}, lost=0.06)

    return Made
