"""Step 4: write down the new version, train it, and keep its records.

Every part may run twice after a crash and then does nothing new: the version's name is fixed in the state before anything is
written, its record and its runs are found again by name, and collecting is repeatable.
"""

from __future__ import annotations

from pathlib import Path

from agent.context import Context, Left, task_path
from agent.events import Notice, Progress, VersionBegun
from agent.journal import Journal
from agent.state import State, Work
from tools.change import ChangeKind, Decision, Proposal
from tools.edit_config import text_after
from tools.errors import IterateError, RunFailed
from tools.evidence.power import visible as visible_differences
from tools.files import write_atomic
from tools.launch_training import LaunchArgs, launch_training, start, wait
from tools.preference.derived import write_derived
from tools.reading.task import load_split, load_task
from tools.running.answers_only import answers_only
from tools.running.collect import collect
from tools.runs import RunDir, RunEvent, RunState
from tools.text import T, Text
from tools.training.base_models import licence_notice, resolve_base_model
from tools.versioning.forecasts import record_forecast
from tools.versions import begin_version, list_versions, next_version, record_failure, record_results, restore_version

RESUMES = 3
"""How often a worker that was killed is started again before the step gives up; it continues from its checkpoint."""

CONFIG = "configs/training_config.yaml"


def dispatch(state: State, context: Context) -> State:
    """Take the next approved proposal and fix the name of the version it becomes."""
    first, *rest = state["queue"]
    version = next_version(task_path(state))
    return {"work": Work(**{**first, "version": version, "parent": state["base"]}), "queue": rest}


def prepare(state: State, context: Context) -> State:
    """Open the version's record, then write its configuration; a change that no longer fits is put aside."""
    work = _work(state)
    path = task_path(state)
    proposal, decision = Proposal.model_validate(work["proposal"]), Decision.model_validate(work["decision"])
    try:
        text = _new_text(path, work, proposal)
        if _kinds(proposal) == {ChangeKind.repair}:
            return _mend(state, context, text)
        write_derived(path, text)
    except IterateError as stale:
        message = T(
            "{title} no longer fits the configuration and was put aside: {reason}",
            title=proposal.title,
            reason=stale.message,
        )
        context.emit(Notice(level="warning", message=message))
        return {"work": None}
    begin_version(
        path,
        work["version"],
        parent=work["parent"] or None,
        config_text=text,
        proposal=proposal,
        decision=decision,
        say=context.say,
    )
    record_forecast(path, work["version"], proposal)
    write_atomic(path / CONFIG, text)
    context.journal(state).note(
        context.session,
        "version_begun",
        work["version"],
        by=decision.by,
        version=work["version"],
        proposal_id=proposal.id,
    )
    if work["parent"]:
        context.emit(Notice(message=_power(path)))
    announce(path, work["version"], work["parent"], proposal, context)
    return {}


def announce(path: Path, version: str, parent: str, proposal: Proposal, context: Context) -> None:
    """Say, before anything is spent, what will run, how long and with how much memory, and the base model's terms."""
    training = load_task(path).config.values.training
    if training.command is None:
        context.emit(Notice(message=licence_notice(resolve_base_model(training.base_model, path))))
    cost = proposal.cost
    context.emit(
        VersionBegun(
            version=version, parent=parent, title=proposal.title, minutes=cost.minutes, memory_gb=cost.memory_gb
        )
    )


def _power(path: Path) -> Text:
    """What this valid split can show, said before time is spent on it."""
    rows = len(load_split(load_task(path), "valid").split.rows)
    seen = visible_differences(rows).smallest
    if seen is None:
        return T("With {rows} validation rows no difference of a usual size can be shown reliably.", rows=rows)
    return T(
        "With {rows} validation rows, a true difference of {points:.0f} points is shown 4 times in 5; smaller ones mostly "
        "end undecided.",
        rows=rows,
        points=seen * 100,
    )


def _mend(state: State, context: Context, text: str) -> State:
    """Write a repair of the configuration; it changes nothing that is trained, so it makes no version."""
    work = _work(state)
    proposal = Proposal.model_validate(work["proposal"])
    write_atomic(task_path(state) / CONFIG, text)
    context.journal(state).note(context.session, "repaired", proposal.id, by=str(work["decision"]["by"]))
    context.emit(Notice(message=T("{title}: written. It changes nothing that is trained.", title=proposal.title)))
    return {"work": None}


def _kinds(proposal: Proposal) -> set[ChangeKind]:
    return {change.kind for change in proposal.changes}


def _new_text(path: Path, work: Work, proposal: Proposal) -> str:
    """The version's configuration: its own snapshot when the record was opened before a crash, else the edited file."""
    for record in list_versions(path):
        if record.version == work["version"] and record.snapshot:
            return record.snapshot.read_bytes().decode("utf-8")
    edits = [edit for change in proposal.changes for edit in change.edits]
    return text_after(load_task(path).config, edits)


def execute(state: State, context: Context) -> State:
    """Train every seed of the version and collect what it left; a failure restores the parent's configuration."""
    work = _work(state)
    path = task_path(state)
    try:
        finished = run_version(_launch(path, work), context)
    except RunFailed as failed:
        return _give_up(state, context, failed)
    if not finished:
        return _give_up(
            state, context, RunFailed(T("The training of {version} was cancelled.", version=work["version"]))
        )
    return {}


def _launch(path: Path, work: Work) -> LaunchArgs:
    """A training; or only an evaluation with the parent's weights, when nothing but the asking changed and they are here."""
    proposal = Proposal.model_validate(work["proposal"])
    if answers_only(path, work["parent"], proposal.changes):
        return LaunchArgs(task_dir=path, version=work["version"], train=False, weights_from=work["parent"])
    return LaunchArgs(task_dir=path, version=work["version"])


def run_version(args: LaunchArgs, context: Context) -> bool:
    """Run the version's trainings to their end and keep result, history, sealed predictions and weights.

    True when all seeds succeeded, False when one was cancelled; raises RunFailed for a failure, Left when the person leaves.
    """
    path, version = args.task_dir, args.version
    launched = launch_training(args)
    for run_dir in launched.paths:
        if not _follow(run_dir, context):
            return False
    outcome = collect(load_task(path), version, launched.paths)
    record_results(path, version, outcome, say=context.say)
    Journal(path).note(
        context.session, "trained", version + ":" + ",".join(str(one.seed) for one in outcome.seeds), version=version
    )
    return True


def _follow(run_dir: Path, context: Context) -> bool:
    """Start a run, or take it up again, and pass its events on; True when it succeeded.

    Raises Left when the person leaves first; the run goes on, and following it again starts nothing twice.
    """

    def tell(event: RunEvent) -> None:
        context.emit(Progress(run_id=run_dir.name, event=event))

    offset = 0
    for attempt in range(RESUMES + 1):
        start(run_dir)
        try:
            status = wait(run_dir, tell, offset=offset, should_stop=context.leaving)
        except RunFailed as gone:
            ended = RunDir(run_dir).status()
            # Without a status it died before its first word: killed early, or it cannot start, which the last attempt shows.
            if attempt == RESUMES or (ended is not None and ended.state.ended):
                raise
            context.emit(Notice(level="warning", message=gone.message))
            events = RunDir(run_dir).file("events.jsonl")
            offset = events.stat().st_size if events.exists() else 0
            continue
        if status is None or not status.state.ended:
            raise Left
        return status.state is RunState.succeeded
    raise AssertionError("the last attempt returns or raises")


def _give_up(state: State, context: Context, failed: RunFailed) -> State:
    work = _work(state)
    path = task_path(state)
    proposal_id = Proposal.model_validate(work["proposal"]).id
    record_failure(path, work["version"], failed.message, say=context.say)
    context.journal(state).note(
        context.session,
        "failed",
        work["version"],
        version=work["version"],
        reason=failed.message.model_dump(mode="json"),
        proposal_id=proposal_id,
    )
    context.emit(Notice(level="error", message=failed.message, page=failed.page))
    if failed.hint:
        context.emit(Notice(message=failed.hint))
    if work["parent"] and _is_edited(path, work):
        context.emit(
            Notice(level="warning", message=T("The configuration was changed by hand meanwhile and stays as it is."))
        )
    elif work["parent"]:
        restore_version(path, work["parent"])
    return {"work": None, "ended": "failed"}


def _is_edited(path: Path, work: Work) -> bool:
    """True for a configuration that neither this version nor the one before it had: somebody wrote it while it trained."""
    own = [record.snapshot for record in list_versions(path) if record.version in {work["version"], work["parent"]}]
    present = (path / CONFIG).read_bytes() if (path / CONFIG).is_file() else None
    return present is not None and all(snapshot is None or snapshot.read_bytes() != present for snapshot in own)


def _work(state: State) -> Work:
    work = state["work"]
    assert work is not None
    return work
