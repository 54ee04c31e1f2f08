"""Making a whole task folder from a few answers, for somebody who has no rows yet.

    WantedTask  ->  task_definition.yaml, configs/, README, annotation guide, scripts, empty data files, data/raw

The texts, the scripts and the way a folder appears are those of `iterate init` (tools/making/init_task.py), which starts from
a table. Nothing that is there is ever touched.
"""

from __future__ import annotations

from pathlib import Path

from tools.files import write_atomic
from tools.making.guide_text import GUIDE, guide_text, new_readme_text, raw_readme_text
from tools.making.new_folder import build_folder, free_place
from tools.making.task_files import NewTask, config_text, definition_text
from tools.making.task_scripts import write_scripts
from tools.making.wanted_task import WantedTask, require_usable
from tools.text import Speaker


def create_task(tasks_dir: Path, wanted: WantedTask, say: Speaker) -> Path:
    """Write the folder of the task and return it; `say` speaks the task's language.

    Raises Refused for a name that is taken, InputError with every problem, WriteFailed; then nothing is left behind.
    """
    target = free_place(tasks_dir, wanted.name)
    require_usable(wanted)
    build_folder(target, lambda building: _fill(building, new_task(wanted), say))
    return target


def new_task(wanted: WantedTask) -> NewTask:
    """What the texts of the files are made from."""
    described = wanted.labels if wanted.task_type == "classification" else wanted.answer_fields
    return NewTask(
        name=wanted.name,
        source="",
        task_type=wanted.task_type,
        language=wanted.language,
        base_model=wanted.base_model,
        fields=wanted.fields,
        label_name=wanted.label_name,
        labels=[label.name for label in wanted.labels] if wanted.task_type == "classification" else [],
        answer_fields=[field.name for field in wanted.answer_fields],
        counts={"train": 0, "valid": 0, "test": 0},
        seed=0,
        goal=wanted.goal.strip(),
        means={one.name: one.means for one in described},
        json_label=wanted.answer == "json",
        metric=wanted.metric,
        threshold=wanted.target,
    )


def _fill(building: Path, new: NewTask, say: Speaker) -> None:
    files = {
        "task_definition.yaml": definition_text(new, say),
        "configs/training_config.yaml": config_text(new, say),
        "README.md": new_readme_text(new, say),
        GUIDE: guide_text(new, say),
        "data/raw/README.md": raw_readme_text(new, say),
        **{f"data/{split}.jsonl": "" for split in new.counts},
    }
    for name, text in files.items():
        write_atomic(building / name, text)
    write_scripts(building)
