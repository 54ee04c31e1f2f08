"""A task whose rows can be told apart, and a writer of rows that is a function: no server, the same answers every time."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tools.generating.writer import Complete, JudgeSlots, Price, Usage, Wording, Writer, WriteSlots
from tools.reading.task import load_task
from tools.task import Task

LABELS = ["支持", "反對", "中立"]
TARGETS = ["週休三日", "課徵碳費", "核電延役", "廢除死刑"]
_WORDS = """
預算 里長 公車 說明會 問卷 委員 居民 店家 學校 統計 期程 草案 提案 法規 調查 今年 去年 明年 公聽會 意見 數字 平日 假日 車站 診所
市場 村民 老師 醫師 司機 攤販 橋墩 河堤 隧道 機場 港口 冬天 夏天 早上 晚上 發票 薪資 房租 稅率 罰單 路燈 座位 門票 票價 班次
補助 名額 資格 文件 窗口 櫃台 電話 網站 表格 簽名 公文 圖表 報告 初稿 定案
"""
WORDS = _WORDS.split()
Answer = Callable[[str], str | Exception]
"""From a prompt to an answer, or to the failure that it meets."""


def sentence(seed: object, words: int = 8) -> str:
    """A text that no other seed gives."""
    return "，".join(random.Random(str(seed)).sample(WORDS, words)) + "。"


def make_task(folder: Path, counts: tuple[int, int, int] = (24, 20, 8)) -> Task:
    """A stance task with rare 中立; valid and test have 15 rows each."""
    (folder / "configs").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "task_definition.yaml").write_text(
        "task_name: t\ntask_type: classification\nlanguage: zh-TW\n"
        "input_format: {template: '對「{target}」的立場：{text}'}\n"
        "output_format: {type: label, labels: [支持, 反對, 中立]}\n",
        encoding="utf-8",
    )
    (folder / "configs" / "training_config.yaml").write_text("# mine\nlora: {r: 8}\n", encoding="utf-8")
    for split, sizes in (("train", counts), ("valid", (5, 5, 5)), ("test", (5, 5, 5))):
        names = [(label, n) for label, size in zip(LABELS, sizes, strict=True) for n in range(size)]
        rows = [
            {
                "id": f"{split}-{label}{n}",
                "text": sentence(f"{split}{label}{n}", 6 + n % 5),
                "target": TARGETS[n % 4],
                "label": label,
            }
            for label, n in names
        ]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "data" / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    return load_task(folder)


def prompt_of(slots: WriteSlots | JudgeSlots) -> str:
    """A prompt that says everything its slots say."""
    kind = "WRITE" if isinstance(slots, WriteSlots) else "JUDGE"
    return f"{kind}\n" + "\n".join(f"{name}: {value}" for name, value in slots)


WORDING = Wording(write=prompt_of, judge=prompt_of, sha256="0" * 64, registers=["news"], angles=["plain"])


def good_rows(prompt: str) -> list[dict[str, Any]]:
    """One usable row for each cell of the plan in a prompt, other rows for other prompts."""
    cells = re.findall(r'^(?:cells: )?(\d+)\. target "(.+?)";', prompt, re.MULTILINE)
    return [{"target": target, "text": sentence(prompt + place), "label": "中立"} for place, target in cells]


def good(prompt: str) -> str:
    """Good rows, and a judge who always says 中立."""
    if prompt.startswith("WRITE"):
        return json.dumps({"rows": good_rows(prompt)}, ensure_ascii=False)
    return json.dumps({"label": "中立"})


class Scripted:
    """Counts and remembers what it is asked."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.prompts: list[str] = []

    def __call__(self, messages: Sequence[dict[str, str]], response_format: type, usage: Usage) -> str:
        with self._lock:
            self.prompts.append(messages[-1]["content"])
        usage.prompt_tokens += 100
        usage.completion_tokens += 50
        answer = self._answer(messages[-1]["content"])
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def written(self) -> list[str]:
        """The prompts for rows."""
        return [prompt for prompt in self.prompts if prompt.startswith("WRITE")]

    @property
    def judged(self) -> list[str]:
        """The prompts for labels."""
        return [prompt for prompt in self.prompts if prompt.startswith("JUDGE")]


def writer_of(complete: Complete, price: Price | None = None, *, may_see_rows: bool = True) -> Writer:
    """The function as a writer and as its judge."""
    return Writer(
        name="scripted", complete=complete, judge=complete, wording=WORDING, price=price, may_see_rows=may_see_rows
    )
