"""The texts of a new task's files: definition, first configuration (which explains itself) and README."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import JsonValue

from tools.editing.yaml_text import Style, flow, mapping_lines, number
from tools.task import SplitName, TaskType
from tools.text import Speaker, T, Text


class NewTask(NamedTuple):
    """What a new task is."""

    name: str
    source: str
    """Name of the file it was made from; "" for a task that has no rows yet."""
    task_type: TaskType
    language: str
    base_model: str
    fields: list[str]
    """Input fields of its rows, the main text first."""
    label_name: str
    """Column that the answer comes from."""
    labels: list[str]
    answer_fields: list[str]
    counts: dict[SplitName, int]
    seed: int
    goal: str = ""
    """What the model should do, in one sentence; "" where nobody was asked."""
    means: Mapping[str, str] = {}
    """What each label, or each field of the answer, means, as far as somebody said it."""
    json_label: bool = False
    """True when the label is answered inside a JSON object."""
    metric: str | None = None
    """The usual one of the task type when left out."""
    threshold: float = 0.80

    @property
    def chinese(self) -> bool:
        """True when its texts are Chinese."""
        return self.language.lower().startswith("zh")


_MEASURES: dict[TaskType, str] = {"classification": "macro_f1", "extraction": "field_score", "generation": "rouge_l"}


def definition_text(task: NewTask, say: Speaker) -> str:
    """task_definition.yaml: what the task is and what it should reach."""
    lines = [
        _comment(say, _made(task)),
        f"task_name: {_value(task.name)}",
        f"task_type: {task.task_type}",
        f"language: {_value(task.language)}",
        *_description(task, say),
        "",
        _comment(say, T("Braces name fields of the rows. A line that states the answer format is added by itself.")),
        "input_format:",
        f"  template: {_quoted(template(task))}",
        "",
        _comment(say, T("Answers are read strictly in this form.")),
        f"output_format: {flow(_output(task))}",
        "",
        _comment(say, T("Judged on valid until a version is adopted, then on test. Write the number that you need.")),
        f"success_criteria: {{primary_metric: {_metric(task)}, threshold: {_fraction(task.threshold)}}}",
        "",
    ]
    return "\n".join(lines)


def _made(task: NewTask) -> Text:
    if task.source:
        return T(
            "What the task is, and the targets it should reach. Made by `iterate init` from {source}.",
            source=task.source,
        )
    return T("What the task is, and the targets it should reach. Made by `iterate create`.")


def _description(task: NewTask, say: Speaker) -> list[str]:
    """The goal, and what each answer means: those who write or judge rows are told this, the trained model is not."""
    if not task.goal:
        return []
    told = [task.goal, *(f"{name}: {means}" for name, means in task.means.items() if means)]
    why = T("For those who write or judge rows; the trained model is shown the template only.")
    return ["", _comment(say, why), *mapping_lines({"description": "\n".join(told)}, 0, Style())]


def _fraction(value: float) -> str:
    short = f"{value:.2f}"
    return short if float(short) == value else number(value)


def _metric(task: NewTask) -> str:
    return task.metric or _MEASURES[task.task_type]


def template(task: NewTask) -> str:
    """The question put to the model, without the answer format."""
    asked = _question(task)
    colon = "：" if task.chinese else ": "
    return "\n".join([asked, *(f"{field}{colon}{{{field}}}" for field in task.fields)])


def _question(task: NewTask) -> str:
    subject = task.fields[1] if len(task.fields) > 1 else None
    name = _braceless(task.label_name)
    if task.goal:
        return _braceless(task.goal)
    if task.task_type != "classification":
        return "閱讀以下內容並作答。" if task.chinese else "Read the following and answer."
    if task.chinese:
        return f"判斷以下文本的「{name}」。" if subject is None else f"判斷以下文本對 {subject} 的「{name}」。"
    return (
        f"What is the {name} of this text?"
        if subject is None
        else f"What is the {name} of this text toward the {subject}?"
    )


def _braceless(name: str) -> str:
    return name.replace("{", "(").replace("}", ")").replace("\n", " ")


def _output(task: NewTask) -> dict[str, JsonValue]:
    if task.task_type == "classification" and task.json_label:
        field: JsonValue = {"type": "string", "enum": list(task.labels)}
        return {"type": "json", "schema": {task.label_name: field}}
    if task.task_type == "classification":
        return {"type": "label", "labels": list(task.labels)}
    if task.task_type == "extraction":
        return {"type": "json", "schema": {field: {"type": "string"} for field in task.answer_fields}}
    return {"type": "text"}


def config_text(task: NewTask, say: Speaker) -> str:
    """configs/training_config.yaml: the first version's settings, each with its trade-off."""
    small = task.base_model.startswith("embedded:")
    settings: list[tuple[str, str, Text]] = [
        (
            "base_model",
            _value(task.base_model),
            T("embedded:<name>, a local folder, or a hub id; larger is better and slower"),
        ),
        ("method", "sft", T("sft, or orpo, dpo, kto with rows that have chosen and rejected answers")),
        ("epochs", "3", T("passes over train; too few leaves it unlearned, too many learns it by heart")),
        (
            "learning_rate",
            "0.0005" if small else "0.0002",
            T("lower when the loss jumps; small models take higher ones"),
        ),
        ("batch_size", "16", T("rows per step; smaller batches make more and noisier steps")),
        ("max_length", "512", T("tokens of question and answer together; longer rows are cut")),
        ("warmup", "0.1", T("share of the steps with a rising learning rate")),
        ("early_stopping", "3", T("stop after so many evaluations without a better score on valid")),
        ("seed", "42", T("several seeds (seeds: [42, 43, 44]) show how much is luck")),
    ]
    lora = [
        ("r", "16", T("rank: how much the adapter can learn; doubling it costs memory and time")),
        ("alpha", "32", T("strength of the adapter; usually twice the rank")),
        ("dropout", "0.0", T("0.05 to 0.1 against overfitting")),
    ]
    files = [
        ("train", "[data/train.jsonl]", T("files in order; add files of new rows at the end")),
        ("valid", "data/valid.jsonl", T("for diagnosis and choosing")),
        ("test", "data/test.jsonl", T("locked until a version is adopted")),
    ]
    head = [
        _comment(say, T("How the next version is trained: everything that makes a version stands here.")),
        _comment(say, T("Train it with: python scripts/03_train.py --version v1")),
    ]
    return "\n".join(
        [*head, *_section("lora", lora, say), *_section("training", settings, say), *_section("data", files, say), ""]
    )


def _section(name: str, settings: list[tuple[str, str, Text]], say: Speaker) -> list[str]:
    width = max(len(key) + len(value) for key, value, _ in settings) + 4
    return ["", f"{name}:", *(f"  {f'{key}: {value}':<{width}}{_comment(say, why)}" for key, value, why in settings)]


def readme_text(task: NewTask, unused: int, say: Speaker) -> str:
    """README.md: where the rows come from and what to do next."""
    counts = T(
        "Rows: {train} for training, {valid} for validation, {test} for the locked test (seed {seed}).",
        train=task.counts["train"],
        valid=task.counts["valid"],
        test=task.counts["test"],
        seed=task.seed,
    )
    apart = T("Splits are stratified by label, and rows with the same text are in the same split.")
    left = T("{count} rows are left over in data/raw/unused.jsonl; they are free for training later.", count=unused)
    paragraphs = [
        f"# {task.name}",
        say(T("Made by `iterate init` from {source}.", source=task.source)),
        say(counts) + " " + say(apart) + (" " + say(left) if unused else ""),
        say(T("The first version:")),
        "    python scripts/03_train.py --version v1\n    python scripts/04_evaluate.py --version v1",
        say(T("Then let the program look for what to improve:")),
        f"    iterate run {task.name}",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _comment(say: Speaker, text: Text) -> str:
    return "# " + " ".join(say(text).split())


def _value(text: str) -> str:
    return flow(text, inside=False)


def _quoted(text: str) -> str:
    """A text in double quotes, so that its line breaks stay visible."""
    return json.dumps(text, ensure_ascii=False)
