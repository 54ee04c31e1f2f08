"""A small task with two seeds whose runs are planned, prepared or launched."""

from __future__ import annotations

import json

from tools.reading.task import load_task
from tools.running.plan_runs import plan_runs

DEFINITION = """\
task_name: stance
task_type: classification
language: zh-TW
input_format: {template: "文本：{text}"}
output_format: {type: label, labels: [支持, 反對]}
"""
CONFIG = """\
training: {command: "true", seeds: [1, 2], learning_rate: 0.001}
"""


def rows(prefix, number):
    labels = ("支持", "反對")
    return [{"id": f"{prefix}{n}", "text": f"{prefix} 第 {n} 句", "label": labels[n % 2]} for n in range(number)]


def write_rows(path, items):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")


def make_task(task):
    """A task folder with two seeds that trains by a command."""
    (task / "configs").mkdir(parents=True)
    (task / "task_definition.yaml").write_text(DEFINITION, encoding="utf-8")
    (task / "configs" / "training_config.yaml").write_text(CONFIG, encoding="utf-8")
    for split, number in (("train", 6), ("valid", 4), ("test", 3)):
        write_rows(task / "data" / f"{split}.jsonl", rows(split, number))
    return task


def configure(folder, text):
    (folder / "configs" / "training_config.yaml").write_text(text, encoding="utf-8")


def plans(folder, version="v2", **options):
    return plan_runs(load_task(folder), version, **options)


def ids(folder, version="v2", **options):
    return [plan.spec.run_id for plan in plans(folder, version, **options)]
