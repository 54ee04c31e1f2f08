"""`iterate quick-check` and `iterate lr-range`: what runs and what it takes is said first, then it runs, then what it found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from agent.conversation.wishes import wish_for
from agent.events import Progress
from agent.faces.console import out, out_texts
from agent.faces.layout import table
from agent.faces.plain import PlainFace
from agent.faces.stream import StreamFace
from agent.faces.views.blocks import bullet
from agent.faces.views.quick import price_texts
from agent.faces.views.words import percent, points
from agent.proposing.now import base_version, proposals_now
from agent.session import task_lock
from tools.change import Proposal
from tools.comparing.words import metric_name
from tools.config import HIGHEST_RATE
from tools.diagnose import DiagnoseArgs, diagnose
from tools.edit_config import config_diff, text_after
from tools.editing.yaml_read import Refusal, parse, plain
from tools.editing.yaml_text import number
from tools.errors import InputError
from tools.probing.lr_range import RangeReading, plan_range, rate_change, read_range
from tools.probing.probe_runs import run_probe
from tools.probing.quick_check import QuickCheckArgs, QuickResult, plan_quick_check, run_quick_check
from tools.reading.task import load_task
from tools.runs import RateRange
from tools.task import Task
from tools.text import Speaker, T, Text, shell_word, visible

_SHOWN_POINTS = 12


@dataclass(frozen=True)
class QuickWishes:
    """What the person asked for."""

    changes: list[str]
    """Such as training.learning_rate=0.001."""
    proposal: int | None
    share: float
    valid_rows: int
    seeds: int
    only_price: bool


def check_quickly(path: Path, wishes: QuickWishes, say: Speaker, *, as_json: bool) -> int:
    """Try a change on a part of the rows; 130 when it was stopped."""
    proposal = _proposal(path, wishes, say)
    args = QuickCheckArgs(
        task_dir=path,
        changes=proposal.changes,
        change_id=proposal.id,
        metric=proposal.goal.metric,
        share=wishes.share,
        valid_rows=wishes.valid_rows,
        seeds=wishes.seeds,
    )
    with task_lock(path):
        plan = plan_quick_check(args)
        if not as_json:
            out_texts([T("Quick check: {title}", title=proposal.title), *price_texts(plan)], say)
        if wishes.only_price:
            if as_json:
                out(plan.model_dump_json(indent=2))
            return 0
        face = StreamFace() if as_json else PlainFace(say)
        result = run_quick_check(plan, lambda run, event: face.watch(Progress(run_id=run.name, event=event)))
    if result is None:
        return 130
    if as_json:
        out(result.model_dump_json(indent=2))
    else:
        out_texts(result_texts(result), say)
    return 0


def result_texts(result: QuickResult) -> list[Text]:
    """The paired difference with its interval, what it rests on, and how far it can be trusted."""
    unsure = result.low <= 0 <= result.high
    verdict = T("It shows no difference either way.") if unsure else T("The interval leaves out zero.")
    return [
        T(
            "{metric} on {rows} validation rows: {base} as it is, {changed} changed: {difference} points "
            "(95 percent interval {low} to {high}; {fixed} rows fixed, {broken} broken). {verdict}",
            metric=metric_name(result.metric),
            rows=result.valid_rows,
            base=percent(result.base),
            changed=percent(result.changed),
            difference=points(result.difference),
            low=points(result.low),
            high=points(result.high),
            fixed=result.fixed,
            broken=result.broken,
            verdict=verdict,
        ),
        T(
            "Trained on {before} and {after} rows, {seeds} seed(s) each. This is no version: the full training decides.",
            before=result.train_rows[0],
            after=result.train_rows[1],
            seeds=result.seeds,
        ),
        result.trust.text,
    ]


def _proposal(path: Path, wishes: QuickWishes, say: Speaker) -> Proposal:
    """The change to try: one of the proposals of now, or the wished values."""
    if (wishes.proposal is None) == (not wishes.changes):
        raise InputError(
            T("A quick check tries one change: give --proposal N, or --set KEY=VALUE."),
            hint=T("iterate propose {task} lists the proposals with their numbers.", task=shell_word(path.name)),
            page="methods/quick-check",
        )
    if wishes.proposal is None:
        return wish_for(path, [_edit(one) for one in wishes.changes], origin="person", say=say)
    base = base_version(path, "")
    known = proposals_now(path, base, diagnose(DiagnoseArgs(task_dir=path, version=base or None)))
    if wishes.proposal > len(known) or not known[wishes.proposal - 1].changes:
        raise InputError(
            T("There is no proposal {number} to try; there are {count}.", number=wishes.proposal, count=len(known)),
            hint=T("iterate propose {task} lists the proposals with their numbers.", task=shell_word(path.name)),
            page="methods/quick-check",
        )
    return known[wishes.proposal - 1]


def _edit(text: str) -> tuple[str, JsonValue]:
    """A key and a value as they would be written in the configuration."""
    key, given, value = text.partition("=")
    try:
        data = plain(parse(f"value: {value}")) if given else None
    except Refusal:
        data = None
    if not isinstance(data, dict):
        raise InputError(
            T("{text} is not KEY=VALUE.", text=visible(text, 80)),
            hint=T("Write, for example, --set training.learning_rate=0.001"),
            page="troubleshooting/configuration",
        )
    return key.strip(), data["value"]


def find_learning_rate(path: Path, wanted: tuple[float, float, int], say: Speaker, *, as_json: bool) -> int:
    """Run the range test and say what it found; 130 when it was stopped."""
    low, high, steps = wanted
    if not (0 < low < high <= HIGHEST_RATE):
        raise InputError(
            T(
                "The range must rise from above 0 to at most {most:g}, the highest learning rate that a configuration may "
                "have, not from {low:g} to {high:g}.",
                most=HIGHEST_RATE,
                low=low,
                high=high,
            ),
            page="methods/quick-check",
        )
    task = load_task(path)
    face = StreamFace() if as_json else PlainFace(say)
    with task_lock(path):
        run = plan_range(task, RateRange(low=low, high=high, steps=steps))
        if not as_json:
            out_texts([_range_price(task, steps, say)], say)
        done = run_probe(run, lambda event: face.watch(Progress(run_id=run.name, event=event)))
    if done is None:
        return 130
    reading = read_range(run)
    if as_json:
        change = rate_change(task, reading)
        out(
            json.dumps(
                {**reading.model_dump(), "most": reading.most, "change": change and change.model_dump(mode="json")},
                ensure_ascii=False,
            )
        )
        return 0
    _show_range(task, reading, say)
    return 0


def _range_price(task: Task, steps: int, say: Speaker) -> Text:
    training = task.config.values.training
    rows = steps * training.batch_size
    return T(
        "At most {steps} steps of {batch} rows: about as long as training on {rows} rows once. Nothing is evaluated or kept.",
        steps=steps,
        batch=training.batch_size,
        rows=rows,
    )


def _show_range(task: Task, reading: RangeReading, say: Speaker) -> None:
    every = max(1, len(reading.points) // _SHOWN_POINTS)
    rows = [
        [_rate(one.rate), "-" if one.smoothed is None else f"{one.smoothed:.3f}"] for one in reading.points[::every]
    ]
    for line in table([say(T("learning rate")), say(T("loss"))], rows):
        out(line)
    out_texts(range_texts(task, reading), say)
    change = rate_change(task, reading)
    if change is None:
        return
    for line in bullet(say(change.summary)):
        out(line)
    for line in config_diff(task.config.text, text_after(task.config, change.edits, say)).splitlines():
        out("  " + visible(line))
    told = T(
        "Nothing is written. Try it first: iterate quick-check {task} --set training.learning_rate={rate}",
        task=shell_word(task.name),
        rate=number(reading.instead_of(task.config.values.training.learning_rate) or 0.0),
    )
    out_texts([told], say)


def range_texts(task: Task, reading: RangeReading) -> list[Text]:
    """Where the loss falls fastest and where it diverges, which rates are usable by that, and whether the present one is."""
    diverges = (
        T("It does not diverge within this range.")
        if reading.diverges is None
        else T("It diverges from {rate} on.", rate=_rate(reading.diverges))
    )
    if reading.steepest is None:
        return [T("The loss hardly falls within this range, so the test says nothing about usable rates."), diverges]
    now = task.config.values.training.learning_rate
    usable = (
        T("Usable by that: from {least} on.", least=_rate(reading.steepest))
        if reading.most is None
        else T(
            "Usable by that: {least} to {most}, a third of where it diverges.",
            least=_rate(min(reading.steepest, reading.most)),
            most=_rate(reading.most),
        )
    )
    verdict = (
        T("The configured {now} is usable: the test gives no reason to change it.", now=_rate(now))
        if reading.instead_of(now) is None
        else T("The configured {now} is not; the nearest that is is proposed.", now=_rate(now))
    )
    return [
        T("The loss falls fastest at a rate of {rate}.", rate=_rate(reading.steepest)),
        diverges,
        usable,
        verdict,
        T(
            "A range test sees the first steps only: where it falls fastest, a model may just be learning the form of answers."
        ),
    ]


def _rate(rate: float) -> str:
    """A learning rate as people write it."""
    return f"{rate:.2g}"
