"""What could be tried next: each task is looked at, what the rules do not allow is put on the morning list, and one is chosen.

Looking writes lines (a task that pauses, a proposal that waits), each of them once. Choosing draws from the plan's seed and the
number of the trial alone, so that a night that was killed before it wrote its choice comes to the same one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.advising.advise import advise
from agent.context import Context, Left
from agent.conversation.wishes import WishedEdit, wish_for
from agent.events import Event, Notice
from agent.journal import Journal
from agent.overnight.belief import Beliefs, arms_of, measured, seen_before, seen_in, usual_error
from agent.overnight.choose import FLOOR, choose
from agent.overnight.context import Night, Standing
from agent.overnight.ended import unfinished_work
from agent.overnight.hand_edits import pause_for_edit
from agent.overnight.last_seeds import Held, held_back
from agent.overnight.records import Chosen, NightRecord, Tried, Waiting, night_records
from agent.overnight.rules import refusal
from agent.overnight.trial import unknown
from agent.overnight.watchman import changed_by_hand, kept_seal, runs_since
from agent.proposing.generation_rules import offers
from agent.proposing.labelling_rules import labelling_offers
from agent.proposing.now import base_version, history_of, proposals_now
from tools.change import ChangeKind, Proposal
from tools.diagnose import DiagnoseArgs, Diagnosis
from tools.diagnose import diagnose as diagnose_tool
from tools.errors import EndpointFailed, IterateError
from tools.launch_training import active_runs
from tools.launchers.base import RunHealth, state_of
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import load_split, load_task
from tools.task import Task
from tools.text import T, Text, visible
from tools.versioning.rule_facts import rule_facts
from tools.versions import list_versions

if TYPE_CHECKING:  # a night without a model needs nothing of its client
    from agent.model.client import ChatModel


@dataclass(frozen=True)
class Looked:
    """A task that something may be tried on."""

    task: Task
    base: str
    """The version that the next one starts from; "" when there is none yet."""
    base_seeds: list[int]
    allowed: list[Proposal]
    """What the rules cover and was never tried."""
    noise: float
    """Standard error that the first measurement will have."""


@dataclass(frozen=True)
class Next:
    """What is done next: a trial, or further seeds of a version that was measured with one seed only."""

    looked: Looked
    proposal: Proposal
    expected: float
    spread: float
    minutes: float
    candidates: int
    elsewhere: float = 0.0
    """Expected gain of one training of the best other change."""


def look_at_all(night: Night) -> list[Looked]:
    """Every task that is not paused; one that cannot be worked on is paused, whatever is wrong with it."""
    found = []
    for name, path in night.tasks.items():
        if name not in night.standing().paused:
            looked = _looked_at(night, path)
            if looked is not None:
                found.append(looked)
    return found


def next_of(night: Night, found: Sequence[Looked]) -> Next | None:
    """What is tried next among the tasks; first versions before everything else. None when nothing is worth its cost."""
    candidates = sum(len(looked.allowed) for looked in found)
    for looked in found:
        if not looked.base and looked.allowed and _affordable(night, looked.allowed[0], []):
            first = looked.allowed[0]
            return Next(looked, first, 0.0, 0.0, first.cost.minutes, candidates)
    standing, held = night.standing(), held_back(night)
    beliefs = _beliefs(night, standing, [looked.task for looked in found])
    arms = {}
    for looked in (one for one in found if one.base):
        for arm in arms_of(looked.task, looked.allowed, beliefs):
            if arm.belief.worth(looked.noise) >= FLOOR and _affordable(night, _proposal(looked, arm.key), held):
                arms[arm] = looked
    rng = random.Random(f"{night.plan.seed}:{standing.next_trial}")
    noise = min((looked.noise for looked in arms.values()), default=1.0)
    minutes_left = night.minutes_left() - sum(one.runs * one.minutes for one in held)
    choice = choose(list(arms), rng=rng, minutes_left=minutes_left, noise=noise)
    if choice is None:
        return None
    looked, seeds = arms[choice.arm], night.rules.seeds
    proposal = _proposal(looked, choice.arm.key)
    minutes = choice.arm.minutes * seeds
    return Next(looked, proposal, choice.expected, choice.spread, minutes, candidates, choice.elsewhere)


def _proposal(looked: Looked, key: str) -> Proposal:
    return next(one for one in looked.allowed if one.id == key)


def _affordable(night: Night, proposal: Proposal, held: Sequence[Held]) -> bool:
    """True when all trainings of its configuration fit into what is left, in number and in minutes."""
    left, cost = night.runs_left(), proposal.cost
    if left is not None and max(1, cost.trainings) + sum(one.runs for one in held) > left:
        return False
    return night.has_room(cost.minutes + sum(one.runs * one.minutes for one in held))


def _looked_at(night: Night, path: Path) -> Looked | None:
    """The task, or None once it is paused or nothing is left to try on it."""
    name = path.name
    try:
        if _is_held_up(night, path):
            return None
        return _proposed(night, path)
    except Left:
        raise
    except IterateError as error:
        night.pause(name, error.message, "status")
    except Exception as error:  # whatever one task does to this program, the others go on
        night.pause(name, unknown(error), "status")
    return None


def _is_held_up(night: Night, path: Path) -> bool:
    """True when something on the task is not the night's to touch; it is paused then."""
    name = path.name
    sealed = kept_seal(night.folder, name)
    edited = changed_by_hand(path, sealed) if sealed is not None else []
    if edited:
        pause_for_edit(night, name, edited)
        return True
    session = unfinished_work(path)
    if session is not None:
        reason = T("The session {id} holds approved work that is not finished.", id=session)
        night.pause(name, reason, "run")
        return True
    own = runs_since(night.folder, path)  # one of them may be on, where the night was killed while it waited for it
    running = [run for run in active_runs(path) if run.name not in own and state_of(run) is not RunHealth.ended]
    if running:
        reason = T("A training that the night did not start is running: {runs}.", runs=visible(running[0].name, 80))
        night.pause(name, reason, "train", "--stop")
    return bool(running)


def _proposed(night: Night, path: Path) -> Looked | None:
    task = load_task(path)
    base = base_version(path, "")
    if base and not _is_base_configuration(path, base):
        reason = T(
            "The configuration is not that of {version}, so a change would not be the only difference. Train it as it "
            "stands first, or restore that version.",
            version=base,
        )
        night.pause(path.name, reason, "train")
        return None
    diagnosis = _diagnosis(night, path, base)
    proposals = _advised(night, path, base, diagnosis)
    tried = _tried(night, path)
    allowed = []
    facts = rule_facts(path)
    for proposal in proposals:
        refused = _mends(proposal) or refusal(night.rules, proposal, facts)
        if refused is not None:
            _wait(night, path.name, proposal, refused)
        elif proposal.id not in tried:
            allowed.append(proposal)
    _offer(night, path, diagnosis)
    if not allowed:
        return None
    seeds = _seeds_of(path, base)
    rows = max(1, len(load_split(task, "valid").split.rows))
    return Looked(task, base, seeds, allowed, usual_error(rows, base_seeds=max(1, len(seeds))))


def _is_base_configuration(path: Path, base: str) -> bool:
    snapshot = next((one.snapshot for one in list_versions(path) if one.version == base), None)
    return snapshot is not None and snapshot.read_bytes() == load_task(path).config.text.encode("utf-8")


def _mends(proposal: Proposal) -> Text | None:
    """A repair makes no version, so there is nothing to measure and nothing to go back to: a person writes it."""
    if {change.kind for change in proposal.changes} == {ChangeKind.repair}:
        return T("It mends the configuration file without making a version; look at it and write it yourself.")
    return None


def _seeds_of(path: Path, base: str) -> list[int]:
    result = latest(read_results(ReadResultsArgs(task_dir=path)), base, "valid") if base else None
    return sorted(int(seed) for seed in result.seeds) if result is not None else []


def _diagnosis(night: Night, path: Path, base: str) -> Diagnosis:
    """What is found on a version; looked at again only when the version, its seeds or its trials have changed."""
    trials = len(night.standing().trials(path.name))
    key = (path.name, base, str(_seeds_of(path, base)), str(trials))
    if key not in night.diagnoses:
        night.diagnoses[key] = diagnose_tool(DiagnoseArgs(task_dir=path, version=base or None))
    return night.diagnoses[key]


def _advised(night: Night, path: Path, base: str, diagnosis: Diagnosis) -> list[Proposal]:
    """What the rules propose, with ideas of a language model where the policy file allows them and there is one."""
    proposals = proposals_now(path, base, diagnosis)
    model = _askable(night)
    if model is None:
        return proposals

    def make(edits: Sequence[WishedEdit], why: str) -> Proposal:
        return wish_for(path, edits, origin="model", comment=why, say=night.say)

    context = Context(session=night.who, emit=_listening(night), say=night.say, model=model, leaving=night.leaving)
    advised = advise(context, diagnosis, proposals, history_of(Journal(path)), make=make)
    night.stay_or_leave()
    return advised


def _askable(night: Night) -> ChatModel | None:
    """The model where its ideas are allowed and its cost can be kept; a server that is gone is looked for again each time."""
    if night.model is None or not any(one.from_model for one in night.rules.approve):
        return None
    if night.is_priced:
        return night.model
    try:
        found = night.afford(night.model)
    except EndpointFailed as failed:
        reason = T("The loop goes on with what the rules found. {reason}", reason=failed.message)
        night.guard("endpoint", reason, task=None, page=failed.page)
        return None
    if found.model is None:
        if found.said is not None:
            night.guard("endpoint", found.said, task=None)
        return None
    if found.said is not None:
        night.watch(Notice(level="warning", message=found.said))
    night.meter.price, night.is_priced = found.price, True
    return night.model


def _listening(night: Night) -> Callable[[Event], None]:
    """Passes events on; the first failure of the endpoint becomes a line, and the rules go on without it."""

    def emit(event: Event) -> None:
        if isinstance(event, Notice) and event.level == "warning":
            night.guard("endpoint", event.message, task=None, page=event.page)
        night.watch(event)

    return emit


def _tried(night: Night, path: Path) -> set[str]:
    """Changes that were tried on this task: tonight, in earlier nights, by hand."""
    found = set(history_of(Journal(path)).outcomes)
    workspace = night.folder.parents[2]
    for record in night_records(workspace):
        found |= _tried_in(record, str(path)) if record.id != night.record.id else set()
    return found | {chosen.proposal.id for chosen, _ in night.standing().trials(path.name)}


def _tried_in(record: NightRecord, path: str) -> set[str]:
    """What another night of this workspace tried on a task, whatever came of it."""
    try:
        if path not in record.plan().tasks:
            return set()
    except (OSError, ValueError):
        return set()
    lines = record.lines()
    done = {line.trial for line in lines if isinstance(line, Tried) and line.outcome != "interrupted"}
    task = Path(path).name
    return {line.proposal.id for line in lines if isinstance(line, Chosen) and line.trial in done and line.task == task}


def _wait(night: Night, task: str, proposal: Proposal, reason: Text) -> None:
    night.add(
        Waiting,
        f"waiting:{task}:{proposal.id}",
        task=task,
        what="proposal",
        reason=reason,
        proposal=proposal,
        command=night.command("run", task),
    )


def _offer(night: Night, path: Path, diagnosis: Diagnosis) -> None:
    """What only a person can start: writing rows, labelling rows."""
    task = path.name
    written = offers(path, diagnosis, has_model=night.model is not None)
    for reason, verb in (
        *((one, "generate") for one in written),
        *((one, "label") for one in labelling_offers(path, diagnosis)),
    ):
        command = night.command(verb, task)
        night.add(Waiting, f"waiting:{task}:offer:{verb}", task=task, what="offer", reason=reason, command=command)


def _beliefs(night: Night, standing: Standing, tasks: Sequence[Task]) -> Beliefs:
    """What earlier iterations and the trials of tonight say about each kind of change."""
    beliefs = Beliefs(seen_before(tasks, night.plan.started_at))
    by_name = {task.name: task for task in tasks}
    for name in night.tasks:
        for chosen, tried in standing.trials(name):
            known = measured(tried.comparison) if tried.comparison is not None else None
            task = by_name.get(name)
            if known is not None and task is not None and chosen.proposal.changes:
                beliefs.observed(seen_in(chosen.proposal, *known))
    return beliefs
