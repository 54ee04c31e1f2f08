"""The facts of a night, read from its record and from the task folders. Nothing is judged again, worded or written here.

What the sealed test set holds is in the facts only where the night's own record says that it was opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from agent.overnight.records import (
    Chosen,
    Guarded,
    Measured,
    NightAdopted,
    NightLine,
    NightPlan,
    NightRecord,
    Over,
    QuickChecked,
    Spent,
    TakenUp,
    TaskPaused,
    TestOpenedOnce,
    Tried,
)
from agent.overnight.reporting.decided import alone_facts, waiting_facts
from agent.overnight.reporting.shapes import (
    BudgetFacts,
    BudgetPoint,
    Estimate,
    ForecastLine,
    GuardFacts,
    MeasuredFacts,
    NightFacts,
    NightState,
    OpenedFacts,
    OpenedScore,
    QuickFacts,
    TaskFacts,
    TrialFacts,
)
from tools.compare import CompareArgs, compare
from tools.comparison import Comparison
from tools.errors import InputError, IterateError
from tools.text import T, visible
from tools.versioning.forecasts import Scored, score_of, scored_forecasts

Line = TypeVar("Line", bound=NightLine)


def night_facts(record: NightRecord) -> NightFacts:
    """Everything a report says about a night; raises InputError when its plan cannot be read."""
    plan, lines = read_plan(record), record.lines()
    trials = _trials(lines)
    over = next((line for line in lines if isinstance(line, Over)), None)
    scored = _scored(plan, trials)
    return NightFacts(
        id=record.id,
        folder=str(record.folder),
        state=_state(record, over),
        started_at=plan.started_at,
        newest_at=lines[-1].at if lines else plan.started_at,
        who=plan.who,
        seed=plan.seed,
        reason=over.reason if over is not None else None,
        message=over.message if over is not None else None,
        taken_up=len(_of(lines, TakenUp)),
        unreadable=_unreadable(record, lines),
        tasks=[_task(Path(path), plan, trials, lines) for path in plan.tasks],
        trials=trials,
        measured=_measured(plan, trials, lines),
        budget=BudgetFacts(limits=plan.limits, points=[_point(line) for line in _of(lines, Spent)]),
        forecasts=[_forecast(name, one) for name, one in scored],
        tonight=score_of([one for _, one in scored]),
        ever=score_of(_every_forecast(plan)),
        guards=[
            GuardFacts(at=line.at, task=line.task, guard=line.guard, message=line.message, page=line.page)
            for line in _of(lines, Guarded)
        ],
        waiting=waiting_facts(plan, lines),
        alone=alone_facts(plan, lines),
        rules=plan.rules,
        command=plan.command,
        resume=plan.resume,
    )


def read_plan(record: NightRecord) -> NightPlan:
    """The plan of a night; raises InputError when it cannot be read."""
    try:
        return record.plan()
    except (OSError, ValueError) as reason:
        raise InputError(
            T("The plan of the night {night} cannot be read.", night=visible(record.id, 60)),
            hint=T("`iterate fsck` says what is wrong with the workspace."),
        ) from reason


def _of(lines: Sequence[NightLine], kind: type[Line]) -> list[Line]:
    return [line for line in lines if isinstance(line, kind)]


def _state(record: NightRecord, over: Over | None) -> NightState:
    if over is not None:
        return "over"
    return "running" if record.is_worked_on else "cut_off"


def _unreadable(record: NightRecord, lines: Sequence[NightLine]) -> int:
    try:
        raw = (record.folder / "lines.jsonl").read_bytes().splitlines()
    except OSError:
        return 0
    return max(0, sum(1 for line in raw if line.strip()) - len(lines))


def _point(line: Spent) -> BudgetPoint:
    tokens = line.prompt_tokens + line.completion_tokens
    return BudgetPoint(
        at=line.at,
        minutes=line.minutes,
        runs=line.runs,
        dollars=line.dollars,
        tokens=tokens,
        estimated=line.estimated,
    )


# --- trials


def _trials(lines: Sequence[NightLine]) -> list[TrialFacts]:
    """Every trial in its order; one whose end is not recorded is under way, or was cut off."""
    chosen = {line.trial: line for line in _of(lines, Chosen)}
    checked = {line.trial: line for line in _of(lines, QuickChecked)}
    tried = {line.trial: line for line in _of(lines, Tried)}
    return [
        _trial(number, chosen.get(number), checked.get(number), tried.get(number))
        for number in sorted({*chosen, *checked, *tried})
    ]


def _trial(number: int, chosen: Chosen | None, checked: QuickChecked | None, tried: Tried | None) -> TrialFacts:
    known = chosen or checked or tried
    assert known is not None
    return TrialFacts.model_validate(
        {"number": number, "task": known.task, "title": None} | _choice(chosen) | _check(checked) | _end(tried)
    )


def _choice(line: Chosen | None) -> dict[str, object]:
    if line is None:
        return {}
    return {
        "title": line.proposal.title,
        "kinds": sorted({change.kind.value for change in line.proposal.changes}),
        "origin": line.proposal.origin,
        "proposal_id": line.proposal.id,
        "base": line.base,
        "chosen_at": line.at,
        "expected": line.expected if line.proposal.changes else None,
        "spread": line.spread,
        "planned_minutes": line.minutes,
        "candidates": line.candidates,
    }


def _check(line: QuickChecked | None) -> dict[str, object]:
    if line is None:
        return {}
    return {
        "quick": QuickFacts(difference=line.difference, low=line.low, high=line.high, goes_on=line.goes_on),
        "reason": line.reason,
    }


def _end(line: Tried | None) -> dict[str, object]:
    if line is None:
        return {}
    found: dict[str, object] = {
        "outcome": line.outcome,
        "reason": line.reason,
        "version": line.version,
        "ended_at": line.at,
        "seeds": line.seeds,
        "minutes": line.minutes,
    }
    if line.comparison is not None and line.comparison.split == "valid":
        return found | _compared(line.comparison, line.difference)
    return found | ({"observed": Estimate(value=line.difference)} if line.difference is not None else {})


def _compared(comparison: Comparison, difference: float | None) -> dict[str, object]:
    """The numbers of a comparison on valid; the difference over seeds counts where the trial has one."""
    observed = _estimate(comparison)
    if observed is not None and difference is not None:
        observed = observed.model_copy(update={"value": difference})
    line = next((one for one in comparison.metrics if one.metric == comparison.primary_metric), None)
    return {
        "metric": comparison.primary_metric,
        "observed": observed or (Estimate(value=difference) if difference is not None else None),
        "verdict": comparison.verdict,
        "noise_floor": comparison.noise.floor,
        "before": line.old if line else None,
        "after": line.new if line else None,
    }


def _estimate(comparison: Comparison) -> Estimate | None:
    line = next((one for one in comparison.metrics if one.metric == comparison.primary_metric), None)
    if line is None:
        return None
    if line.range is None:
        return Estimate(value=line.difference)
    return Estimate(value=line.difference, low=line.range.low, high=line.range.high, p=line.range.p)


# --- tasks


def _task(path: Path, plan: NightPlan, trials: Sequence[TrialFacts], lines: Sequence[NightLine]) -> TaskFacts:
    name = path.name
    mine = [one for one in trials if one.task == name]
    kept = [one for one in mine if one.outcome == "kept" and one.version]
    adopted = next((line for line in reversed(_of(lines, NightAdopted)) if line.task == name), None)
    paused = next((line for line in _of(lines, TaskPaused) if line.task == name), None)
    opened = next((line for line in reversed(_of(lines, TestOpenedOnce)) if line.task == name), None)
    begun = plan.start_versions.get(name, "")
    start = begun or (kept[0].version or "" if kept else "")
    gained = kept if begun else kept[1:]
    first = next((one for one in mine if one.base == start and one.before is not None), None)
    # A trial that trained nothing knows no floor; one that did may have come later.
    floors = (one.noise_floor for one in mine if one.base == start)
    seeds = _seeds(gained[-1], lines) if gained else 0
    return TaskFacts(
        name=name,
        path=str(path),
        start=start,
        best=(gained[-1].version or start) if gained else start,
        metric=next((one.metric for one in mine if one.metric), ""),
        before=first.before if first else None,
        after=gained[-1].after if gained else None,
        gain=_gain(path, start, gained, seeds),
        seeds=seeds,
        tried=len(mine),
        kept=len(gained),
        baseline=start if start and not begun else None,
        noise_floor=next((floor for floor in floors if floor is not None), None),
        paused=paused.reason if paused else None,
        opened=_opened(opened) if opened else None,
        adopted=adopted.version if adopted else None,
        replaced=adopted.before if adopted else None,
    )


def _seeds(best: TrialFacts, lines: Sequence[NightLine]) -> int:
    """How many seeds the best version has, those included that it got at the end of the night."""
    later = [len(line.seeds) for line in _of(lines, Measured) if (line.task, line.version) == (best.task, best.version)]
    return max([len(best.seeds), *later])


def _gain(path: Path, start: str, kept: Sequence[TrialFacts], seeds: int) -> Estimate | None:
    """The best version against the one the night began with; compared again for a chain of changes, and for later seeds."""
    if not kept:
        return None
    direct = kept[0].observed if len(kept) == 1 and kept[0].base == start else None
    if direct is not None and len(kept[0].seeds) >= seeds:
        return direct
    best = kept[-1].version or start
    return _compared_now(path, start, best) or direct or _summed(start, kept)


def _compared_now(path: Path, base: str, new: str) -> Estimate | None:
    """Two versions with all the seeds that they have by now; None where they cannot be compared any more."""
    try:
        return _estimate(compare(CompareArgs(task_dir=path, base=base, new=new)))
    except (IterateError, OSError, ValueError):
        return None


def _measured(plan: NightPlan, trials: Sequence[TrialFacts], lines: Sequence[NightLine]) -> list[MeasuredFacts]:
    """The versions with further seeds, each once; of one that the night made, what all its seeds say by now."""
    paths = {Path(path).name: Path(path) for path in plan.tasks}
    bases = {(one.task, one.version): one.base for one in trials if one.version and one.base}
    # One seed: the further training brought nothing, and a guard says why.
    newest = {(line.task, line.version): line.seeds for line in _of(lines, Measured) if len(line.seeds) > 1}
    found = []
    for (task, version), seeds in newest.items():
        base = bases.get((task, version))
        gain = _compared_now(paths[task], base, version) if base and task in paths else None
        found.append(MeasuredFacts(task=task, version=version, seeds=seeds, base=base if gain else None, gain=gain))
    return found


def _summed(start: str, kept: Sequence[TrialFacts]) -> Estimate | None:
    """Where the task cannot be read any more: the steps from version to version added up, without an interval."""
    steps = [one.observed.value for one in kept if one.observed is not None]
    chained = [start, *(one.version for one in kept)][: len(kept)] == [one.base for one in kept]
    return Estimate(value=sum(steps)) if chained and len(steps) == len(kept) else None


def _opened(line: TestOpenedOnce) -> OpenedFacts | None:
    opened = line.opened
    if not opened.scores:
        return None
    base = opened.versions[0] if len(opened.versions) > 1 else ""
    metric = (
        opened.comparison.primary_metric if opened.comparison else next(iter(opened.scores.get(line.version, {})), "")
    )
    said = [opened.valid_scores.get(version, {}).get(metric) for version in (base, line.version)]
    difference = Estimate(value=said[1] - said[0]) if said[0] is not None and said[1] is not None else None
    return OpenedFacts(
        at=line.at,
        base=base,
        version=line.version,
        ordinal=opened.ordinal,
        rows=opened.comparison.rows if opened.comparison else None,
        metric=metric,
        scores=[
            OpenedScore(version=version, metric=name, valid=opened.valid_scores.get(version, {}).get(name), test=value)
            for version, values in opened.scores.items()
            for name, value in values.items()
        ],
        valid=difference,
        test=_estimate(opened.comparison) if opened.comparison else None,
        p_corrected=opened.p_corrected,
        verdict=line.verdict,
        notes=opened.notes,
    )


# --- forecasts


def _scored(plan: NightPlan, trials: Sequence[TrialFacts]) -> list[tuple[str, Scored]]:
    """The scored forecasts of the versions that this night made, with their task."""
    found = []
    for path in map(Path, plan.tasks):
        made = {one.version for one in trials if one.task == path.name and one.version}
        found += [(path.name, one) for one in _forecasts_of(path) if one.forecast.version in made]
    return found


def _every_forecast(plan: NightPlan) -> list[Scored]:
    return [one for path in plan.tasks for one in _forecasts_of(Path(path))]


def _forecasts_of(path: Path) -> list[Scored]:
    try:
        return scored_forecasts([path])
    except (OSError, ValidationError):
        return []


def _forecast(task: str, one: Scored) -> ForecastLine:
    effect = one.forecast.effect
    return ForecastLine(
        task=task,
        version=one.forecast.version,
        metric=one.outcome.metric,
        low=effect.low,
        high=effect.high,
        level=effect.level,
        p_better=effect.p_better,
        observed=one.outcome.observed,
        inside=one.inside,
    )
