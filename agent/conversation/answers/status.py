"""Where a task stands: score against target, classes, data."""

from __future__ import annotations

from agent.conversation.answers.telling import grid, items, para, task_of
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.proposing.now import base_version
from tools.comparing.words import metric_name, settled_sentence
from tools.outcomes.status import ClassLine, MetricLine, SplitLine, TaskStatus, task_status
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_task
from tools.text import T, Text, visible

_SPLITS = {"train": T("train"), "valid": T("valid"), "test": T("test (locked)")}


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """Say where the task stands and what to ask next."""
    path = task_of(understood, situation)
    results = read_results(ReadResultsArgs(task_dir=path))
    status = task_status(load_task(path), results, version=base_version(path, "") or None)
    task = visible(status.name, 60)
    if status.next_step is not None:
        para(tell, status.next_step)
    elif status.version is None:
        para(tell, T("{task} has no trained version yet; the first step is a baseline: improve {task}.", task=task))
    else:
        para(tell, T("{task}, {version} on valid: {scores}", task=task, version=status.version, scores=_scores(status)))
    if status.settled is not None:
        para(tell, settled_sentence(status.settled))
    _classes(status, situation, tell)
    items(tell, [_split(line) for line in status.splits])
    worst = min((line for line in status.classes if line.weak), key=lambda line: line.f1, default=None)
    if worst is not None:
        para(tell, T("Weakest: {label}. Ask: why is {label} low", label=visible(worst.label, 40)))


def _scores(status: TaskStatus) -> Text:
    """The targets with their gaps; the primary metric where there is no target."""
    lines = [line for line in status.metrics if line.target is not None]
    lines = lines or [line for line in status.metrics if line.metric == status.primary_metric]
    said = [_score(line) for line in lines]
    text = said[0] if said else T("not measured")
    for one in said[1:]:
        text = T("{one}; {other}", one=text, other=one)
    return text


def _score(line: MetricLine) -> Text:
    name = metric_name(line.metric)
    if line.value is None:
        return T("{metric} not measured", metric=name)
    if line.target is None or line.gap is None:
        return T("{metric} {value:.1%}", metric=name, value=line.value)
    values: dict[str, Text | float] = {"metric": name, "value": line.value, "target": line.target}
    if line.reached:
        return T("{metric} {value:.1%}, target {target:.1%} reached", **values)
    return T("{metric} {value:.1%}, {gap:.1f} points below the target {target:.1%}", gap=-line.gap * 100, **values)


def _classes(status: TaskStatus, situation: Situation, tell: Tell) -> None:
    fields = all(line.support is None for line in status.classes)
    if fields:
        header = [T("Field"), T("Score"), T("Problem")]
        grid(tell, header, [[one.label, f"{one.f1:.1%}", _weak(one, situation)] for one in status.classes])
        return
    header = [T("Class"), T("F1"), T("Support"), T("Train rows"), T("Problem")]
    rows = [
        [one.label, f"{one.f1:.1%}", str(one.support or 0), str(one.train_rows or 0), _weak(one, situation)]
        for one in status.classes
    ]
    grid(tell, header, rows)


def _weak(line: ClassLine, situation: Situation) -> str:
    return situation.say(T("⚠ low")) if line.weak else "-"


def _split(line: SplitLine) -> Text:
    text = T("{split}: {rows} rows", split=_SPLITS[line.split], rows=line.rows)
    return T("{line}, taken out of train", line=text) if line.carved else text
