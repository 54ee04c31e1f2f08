"""The summary of a task (specification, step 1) as Markdown lines whose columns line up in a terminal."""

from __future__ import annotations

from agent.faces.layout import table, wrap
from agent.faces.views.words import percent, points
from tools.comparing.words import metric_name, settled_sentence
from tools.outcomes.status import ClassLine, MetricLine, SplitLine, TaskStatus
from tools.text import Speaker, T, visible

_TYPES = {
    "classification": T("classification"),
    "extraction": T("extraction"),
    "generation": T("generation"),
}
_SPLITS = {"train": T("train"), "valid": T("valid"), "test": T("test (locked)")}


def status_lines(status: TaskStatus, say: Speaker) -> list[str]:
    """Basic information, scores against targets, classes, data."""
    return [
        "## " + say(T("Task: {name}", name=visible(status.name))),
        "",
        *_basics(status, say),
        *_performance(status, say),
        *_classes(status, say),
        *_data(status, say),
        *_locked(status, say),
        *_next(status, say),
    ]


def _next(status: TaskStatus, say: Speaker) -> list[str]:
    return ["### " + say(T("Next step")), *wrap(say(status.next_step)), ""] if status.next_step is not None else []


def _basics(status: TaskStatus, say: Speaker) -> list[str]:
    method = status.method.upper()
    if status.lora_r is not None:
        method += f" + LoRA r={status.lora_r} alpha={status.lora_alpha:g}"
    kind = say(_TYPES[status.task_type]) + (f" ({visible(status.domain)})" if status.domain else "")
    training = T("{epochs:g} epochs, learning rate {rate:g}", epochs=status.epochs, rate=status.learning_rate)
    return [
        "### " + say(T("Basics")),
        "- " + say(T("Task type: {kind}", kind=kind)),
        "- " + say(T("Base model: {model}", model=visible(status.base_model))),
        "- " + say(T("Training method: {method}", method=method)) + ", " + say(training),
        "",
    ]


def _performance(status: TaskStatus, say: Speaker) -> list[str]:
    if status.version is None:
        return ["### " + say(T("Scores")), say(T("No version has been trained and evaluated yet.")), ""]
    header = [say(T("Metric")), say(T("Score")), say(T("Target")), say(T("Gap"))]
    rows = [_metric_row(line, say) for line in status.metrics]
    title = T("Scores of {version} on valid", version=status.version)
    settled = wrap(say(settled_sentence(status.settled))) if status.settled is not None else []
    return ["### " + say(title), *table(header, rows, indent=""), *settled, ""]


def _metric_row(line: MetricLine, say: Speaker) -> list[str]:
    value = say(T("unknown")) if line.value is None else percent(line.value)
    if line.target is None:
        return [say(metric_name(line.metric)), value, "", ""]
    gap = "" if line.gap is None else points(line.gap) + (" ✓" if line.reached else "")
    return [say(metric_name(line.metric)), value, percent(line.target), gap]


def _classes(status: TaskStatus, say: Speaker) -> list[str]:
    if not status.classes:
        return []
    fields = all(line.support is None for line in status.classes)
    header = [say(T("Field") if fields else T("Class")), say(T("Score") if fields else T("F1"))]
    if not fields:
        header += [say(T("Support")), say(T("Train rows"))]
    header.append(say(T("Problem")))
    rows = [_class_row(line, say, fields=fields) for line in status.classes]
    return ["### " + say(T("By field") if fields else T("By class")), *table(header, rows, indent=""), ""]


def _class_row(line: ClassLine, say: Speaker, *, fields: bool) -> list[str]:
    numbers = [] if fields else ["" if n is None else str(n) for n in (line.support, line.train_rows)]
    return [visible(line.label, 40), percent(line.f1), *numbers, say(T("⚠ low")) if line.weak else "-"]


def _data(status: TaskStatus, say: Speaker) -> list[str]:
    lines = ["### " + say(T("Data"))]
    for split in status.splits:
        lines.append("- " + _split_line(split, say))
    return [*lines, ""]


def _split_line(split: SplitLine, say: Speaker) -> str:
    text = say(T("{split}: {rows} rows", split=_SPLITS[split.split], rows=split.rows))
    if split.unlabelled:
        text += say(T(", {count} without an answer", count=split.unlabelled))
    if split.carved:
        text += say(T(" (taken out of train, since there is no valid file)"))
    if split.shares:
        text += ": " + ", ".join(f"{visible(label, 40)} {share:.0%}" for label, share in split.shares.items())
    return text


def _locked(status: TaskStatus, say: Speaker) -> list[str]:
    if not status.locked:
        return []
    files = ", ".join(visible(file) for file in status.locked)
    return [say(T("Locked until an adoption, not read: {files}", files=files)), ""]
