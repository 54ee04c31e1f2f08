"""A workspace whose task trains with a script of its own in half a second: the loop and the worker are real, the model is not.

v1 answers half of the rows right, every later version nine of ten; what a version answers follows from its name alone, so that
two trainings of one version are equal and two workspaces can be compared.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from pathlib import Path

LABELS = ["正面", "負面", "中立"]
DEFINITION = """task_name: mood
task_type: classification
language: en
input_format: {template: "文本：{text}"}
output_format: {type: label, labels: [正面, 負面, 中立]}
success_criteria: {primary_metric: macro_f1, threshold: 0.97}
"""
CONFIG = "# mine\ntraining:\n  command: python train.py\n  seeds: [42]\n"
POLICY = """approve:
  - kinds: [baseline]
  - kinds: [recipe, config, prompt]
max_trainings: 2
decide: {better: adopt, undecided: continue, worse: rollback}
adopt: if_test_not_worse
"""
SCRIPT = textwrap.dedent(
    """
    import json, os, time
    from pathlib import Path

    run, version = Path(os.environ["ITERATE_RUN_DIR"]), os.environ["ITERATE_VERSION"]
    with open("trained.log", "a") as log:
        log.write(version + "\\n")
    time.sleep(float(os.environ.get("TRAIN_SECONDS", "0")))
    wrong = 2 if version == "v1" else 10
    labels = ["正面", "負面", "中立"]
    for split in ("valid", "test"):
        rows = [json.loads(line) for line in (run / "data" / f"{split}.jsonl").read_text("utf-8").splitlines()]
        with open(run / f"predictions_{split}.jsonl", "w", encoding="utf-8") as out:
            for number, row in enumerate(rows):
                answer = row["expected"]
                if number % wrong == 0:
                    answer = labels[(labels.index(answer) + 1) % 3]
                out.write(json.dumps({"id": row["id"], "raw": answer}, ensure_ascii=False) + "\\n")
    """
)


def make_workspace(root: Path) -> Path:
    """Write the workspace; returns the task's folder."""
    task = root / "tasks" / "mood"
    files = {"task_definition.yaml": DEFINITION, "configs/training_config.yaml": CONFIG, "train.py": SCRIPT}
    for split in ("train", "valid", "test"):
        rows = [_row(split, number) for number in range(60 if split != "train" else 36)]
        files[f"data/{split}.jsonl"] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    for name, text in files.items():
        (task / name).parent.mkdir(parents=True, exist_ok=True)
        (task / name).write_text(text, encoding="utf-8")
    (root / "policy.yaml").write_text(POLICY, encoding="utf-8")
    return task


def _row(split: str, number: int) -> dict[str, str]:
    """In train one label is rare, so that there is something to propose."""
    label = LABELS[number % 3] if split != "train" else LABELS[2 if number % 9 == 0 else number % 2]
    return {"id": f"{split}{number}", "text": f"{split} 第 {number} 句" + "。" * (number % 7), "label": label}


def environment(root: Path) -> dict[str, str]:
    """The surroundings of a person without settings or endpoint; `python` is this interpreter."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {**os.environ, "PATH": path, "PYTHONPATH": str(Path.cwd()), "LANG": "C.UTF-8"}
    given |= {"ITERATE_CACHE": str(root / "cache"), "ITERATE_SETTINGS": str(root / "settings.yaml")}
    unwanted = ("ITERATE_WORKSPACE", "ITERATE_LANGUAGE", "ITERATE_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY", "LC_ALL")
    return {name: value for name, value in given.items() if name not in unwanted}
