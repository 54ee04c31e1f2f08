"""From nothing to a first trained version: a task made from answers, texts labelled by a person, divided, and trained."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from agent.i18n import speaker
from agent.manual import train
from tests.journeys.conftest import Place, usual_environment
from tools.errors import InputError
from tools.making.create_task import create_task
from tools.making.wanted_task import Described, WantedTask
from tools.outcomes.status import task_status
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_task
from tools.text import english

LABELS = ["支持", "反對"]


@pytest.mark.training
def test_a_person_without_a_task_and_without_labelled_rows_gets_to_a_first_version(
    tmp_path: Path, tiny_model: Path
) -> None:
    place = Place(tmp_path, usual_environment(tmp_path))
    wanted = WantedTask(
        name="small",
        goal="判斷文本支持或反對。",
        language="zh-TW",
        labels=[Described(name=label, means=f"文中明說{label}") for label in LABELS],
        base_model=str(tiny_model),
    )
    path = create_task(tmp_path / "tasks", wanted, speaker("zh-TW"))
    with pytest.raises(InputError, match="no rows to train on"):
        train(path, None, [], lambda event: None, english)
    assert not (path / "iterations").exists()
    rng = random.Random(0)
    texts = ["".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(16)) + LABELS[n % 2] for n in range(30)]
    (path / "data" / "raw" / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    terminal = place.terminal("label", "small")
    for _ in texts:
        terminal.expect(r"1 支持")
        shown = terminal.before
        terminal.expect("> ")
        terminal.sendline("1" if shown.rstrip().endswith("支持") else "2")
    terminal.expect(r"\[y/N\]")
    terminal.sendline("y")
    terminal.expect("Divided")
    terminal.wait()
    files = {name: (path / "data" / f"{name}.jsonl").read_text(encoding="utf-8") for name in ("train", "valid", "test")}
    assert {name: text.count("\n") for name, text in files.items()} == {"train": 20, "valid": 4, "test": 6}
    place.config(epochs=1, batch_size=10)
    place.run("train", "small", check=True)
    status = task_status(load_task(path), read_results(ReadResultsArgs(task_dir=path)))
    assert status.version == "v1" and status.next_step is None
    assert {json.loads(line)["event"] for line in (path / "iterations" / "journal.jsonl").open(encoding="utf-8")} >= {
        "split",
        "train",
    }
