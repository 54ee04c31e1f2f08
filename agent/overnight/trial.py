"""One trial: quick check, training, further seeds, and what becomes of the version; by the same session and tools as by day.

A trial that was cut anywhere is taken up where it stood: its session knows the open question, its runs are found again by
name, and each look at the numbers depends on what is recorded alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.approval import Answer, DecideQuestion, Question, ReviewQuestion
from agent.context import Context, Left
from agent.events import Event, Progress, SessionStarted
from agent.journal import Journal
from agent.overnight.belief import Belief, measured, usual_error
from agent.overnight.choose import keep, seeds_wanted
from agent.overnight.context import Night
from agent.overnight.ended import abandon, abandoned, crash_of, reason_of, session_of, version_of
from agent.overnight.hand_edits import edited_in, listed, pause_for_edit
from agent.overnight.overtime import is_going, stops
from agent.overnight.quick import quickly_checked
from agent.overnight.records import Chosen, Tried
from agent.overnight.rules import Choice, NightApprover
from agent.overnight.watchman import keep_seal
from agent.session import Session
from agent.steps.compare import compared
from agent.steps.execute import run_version
from tools.comparison import Comparison
from tools.errors import Busy, IterateError, RunFailed
from tools.launch_training import LaunchArgs, list_runs
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import load_task
from tools.running.answers_only import answers_only
from tools.running.weights import read_weights
from tools.runs import RunDir, WarningEvent
from tools.text import T, Text, visible
from tools.versioning.records import training_of
from tools.versioning.rule_facts import rule_facts

SHORT_OF_MEMORY = "Memory ran out with"
"""How the warning of a worker begins (tools/training/short_memory.py, which only workers import)."""


@dataclass(frozen=True)
class End:
    """How a trial ended."""

    outcome: str
    reason: Text
    version: str | None = None
    comparison: Comparison | None = None
    sealed: bool = True
    """False: the task is not as the night left it, and stays as it was found."""


def carry_out(night: Night, chosen: Chosen) -> None:
    """Bring a trial to its end and write it down; raises Left when this process should stop working."""
    path = night.tasks[chosen.task]
    try:
        end = _carried_out(night, chosen, path)
    except Busy as busy:
        night.pause(chosen.task, busy.message, "run")
        end = End("interrupted", busy.message, sealed=False)
    except IterateError as error:
        end = _broken(night, chosen, path, error.message)
    except Left:
        raise
    except Exception as error:  # whatever one task does to this program, the others go on
        end = _broken(night, chosen, path, unknown(error))
    _write_end(night, chosen, path, end)


def unknown(error: Exception) -> Text:
    """An error that nobody foresaw, for the record."""
    return T("Something went wrong that this program does not know: {error}", error=visible(repr(error), 300))


def has_begun(night: Night, chosen: Chosen) -> bool:
    """True once a session approved the change of a trial, or its quick check was measured."""
    path = night.tasks[chosen.task]
    return session_of(night, path, chosen) is not None or night.standing().quick(chosen.trial) is not None


def is_trained(night: Night, chosen: Chosen) -> bool:
    """True once the version of a trial has a result, or its trainings have ended and only wait to be read."""
    path = night.tasks[chosen.task]
    past = session_of(night, path, chosen)
    if past is None or past.version is None:
        return False
    return bool(training_of(path, past.version)) or not is_going(path, past.version)


def break_off(night: Night, chosen: Chosen, reason: Text) -> None:
    """End an open trial with the night: its training is cancelled, the configuration before it restored."""
    path = night.tasks[chosen.task]
    version = abandon(night, chosen, path, reason)
    _write_end(
        night, chosen, path, End("interrupted", reason, version, sealed=not edited_in(night, chosen, path, version))
    )


def after_seeds(belief: Belief, comparison: Comparison) -> Belief:
    """What is believed of a change once its version was measured; what cannot be compared teaches nothing."""
    known = measured(comparison)
    return belief if known is None else belief.after(*known)


def first_belief(chosen: Chosen) -> Belief:
    """What was believed of a change when it was chosen."""
    return Belief(chosen.expected, max(chosen.spread, 1e-6))


def note_memory(night: Night, task: str, progress: Progress) -> None:
    """Put it into the record when a training went on with fewer rows at once, since it then takes longer than was planned."""
    event = progress.event
    if isinstance(event, WarningEvent) and event.message.msgid.startswith(SHORT_OF_MEMORY):
        night.guard("memory", event.message, task=task, about=progress.run_id, page=event.page)


def _carried_out(night: Night, chosen: Chosen, path: Path) -> End:
    left = abandoned(night, path, chosen)
    if left is not None:  # an error ended it, and the night was killed before its line: it is not begun anew
        return End("crashed", reason_of(left), version_of(left))
    try:
        quick = quickly_checked(night, chosen, path)
    except RunFailed as failed:
        return End("crashed", failed.message)
    if quick is not None and not quick.goes_on:
        return End("dead_end", quick.reason)
    return _Trial(night, chosen, path, first_belief(chosen) if quick is None else quick.belief).run()


def _broken(night: Night, chosen: Chosen, path: Path, reason: Text) -> End:
    """An error that no step expects: a task that was changed by hand is left as it is, any other goes back to its base."""
    past = session_of(night, path, chosen)
    version = past.version if past is not None else None
    edited = edited_in(night, chosen, path, version)
    if edited:
        return End("interrupted", pause_for_edit(night, chosen.task, edited), version, sealed=False)
    abandon(night, chosen, path, reason)
    return End("crashed", reason, version)


def _write_end(night: Night, chosen: Chosen, path: Path, end: End) -> None:
    edited = edited_in(night, chosen, path, end.version) if end.sealed else []
    if edited:  # while it trained, or in a trial that asked nothing at its end
        pause_for_edit(night, chosen.task, edited)
    elif end.sealed:
        keep_seal(night.folder, path)
    trained = training_of(path, end.version) if end.version else []
    known = measured(end.comparison) if end.comparison is not None else None
    night.add(
        Tried,
        f"tried:{chosen.trial}",
        trial=chosen.trial,
        task=chosen.task,
        version=end.version,
        outcome=end.outcome,
        reason=end.reason,
        seeds=sorted(one.seed for one in trained),
        difference=known[0] if known is not None else None,
        comparison=end.comparison,
        minutes=round(sum(one.minutes for one in trained), 1),
    )


class _Trial:
    """The training of a chosen change, and the answers to its session's questions."""

    def __init__(self, night: Night, chosen: Chosen, path: Path, belief: Belief) -> None:
        self._night, self._chosen, self._path, self._belief = night, chosen, path, belief
        self._rules, self._afterwards = (
            NightApprover(night.rules, one, self._decide, facts=rule_facts(path)) for one in (chosen.proposal.id, None)
        )
        self._session = ""
        self._found: list[str] = []
        """Files that were changed by hand."""

    def run(self) -> End:
        """Run the session of the trial to its end, or take it up, or read what came of it."""
        past = session_of(self._night, self._path, self._chosen)
        if past is None and self._night.exhausted() in {"until", "hours"}:  # by its quick check
            return End("interrupted", T("The time of the night was over before it began."))
        if past is None or past.open:
            self._work(fresh=past is None)
        return self._end()

    @property
    def _training_minutes(self) -> float:
        """Planned for one training."""
        cost = self._chosen.proposal.cost
        return cost.minutes / max(1, cost.trainings)

    def answer(self, question: Question) -> Answer | None:
        """What the rules say; None where the task was changed by hand. The change of a trial is approved once."""
        rules = self._afterwards if isinstance(question, ReviewQuestion) and self._is_settled() else self._rules
        return rules.answer(question)

    def _is_settled(self) -> bool:
        past = session_of(self._night, self._path, self._chosen)
        return past is not None and past.settled

    def _work(self, *, fresh: bool) -> None:
        night = self._night
        leaving = stops(night, self._path, self._training_minutes, lambda: not is_trained(night, self._chosen))
        session = Session(
            self._path,
            approver=self,
            watch=self._hear,
            say=night.say,
            resume_command=night.plan.resume,
            leaving=leaving,
        )
        ended = session.run(fresh=fresh, wishes=[self._chosen.proposal] if fresh else [])
        # A session also waits where the rules left its next proposals alone: only one that was left is gone on with.
        if ended == "interrupted" or (ended == "waiting" and not self._found and not self._is_settled() and leaving()):
            raise Left

    def _hear(self, event: Event) -> None:
        if isinstance(event, SessionStarted):
            self._session = event.session
        if isinstance(event, Progress):
            self._night.meter.ran(event.run_id)
            note_memory(self._night, self._chosen.task, event)
        self._night.watch(event)

    def _end(self) -> End:
        """What came of the session, by the task's journal."""
        chosen, night, past = self._chosen, self._night, session_of(self._night, self._path, self._chosen)
        version = past.version if past is not None else None
        if self._found:
            return End("interrupted", pause_for_edit(night, chosen.task, self._found), version, sealed=False)
        if past is None or version is None:
            return End("dead_end", T("It no longer fits the configuration, so it was put aside."))
        if past.failed is not None:
            crash = crash_of(self._path, version, past.failed)
            if crash.guard is not None:
                night.guard(crash.guard, crash.reason, task=chosen.task, about=str(chosen.trial), page=crash.page)
            return End("crashed", crash.reason, version)
        if not chosen.base:
            return End("kept", T("It is the baseline that later versions are compared with."), version)
        if past.choice is None:
            return End("interrupted", T("Another session took its place before it was decided."), version)
        comparison = compared(self._path, chosen.base, version, night.say)
        _, reason = judged(night, chosen, self._belief, comparison)
        return End("kept" if past.choice == "continue" else "discarded", reason, version, comparison)

    def _decide(self, question: DecideQuestion) -> tuple[Choice, Text] | None:
        """Train further seeds as long as they are worth it, then keep the version or not; None after a hand edit."""
        version, parent = question.version, question.parent
        while True:
            self._found = edited_in(self._night, self._chosen, self._path, version)
            if self._found:
                return None
            comparison = compared(self._path, parent, version, self._night.say)
            begun = self._begun_seed(version)
            seed = begun if begun is not None else self._next_seed(version, parent, comparison)
            if seed is None or not self._train(version, parent, seed):
                break
        kept, reason = judged(self._night, self._chosen, self._belief, comparison)
        return ("continue" if kept else "rollback", reason)

    def _begun_seed(self, version: str) -> int | None:
        """A further seed that was begun before the night was cut off: finished whatever limit its own run has used up."""
        first = load_task(self._path).config.values.training.all_seeds
        noted = {entry.key for entry in Journal(self._path).entries() if entry.session == self._session}
        seeds = (RunDir(run).spec().seed for run in list_runs(self._path, version))
        return next((one for one in seeds if one not in first and f"compared:{version}:{one}" not in noted), None)

    def _next_seed(self, version: str, parent: str, comparison: Comparison) -> int | None:
        """The seed that is worth training now, one that the parent has where there is one; None for enough."""
        night = self._night
        belief = after_seeds(self._belief, comparison)
        noise = usual_error(comparison.rows, base_seeds=comparison.base_seeds)
        most = night.rules.seeds
        if measured(comparison) is None or not night.has_room(self._training_minutes):
            return None
        elsewhere = self._chosen.elsewhere
        if not seeds_wanted(belief, trained=comparison.new_seeds, most=most, noise=noise, elsewhere=elsewhere):
            return None
        trained = _seeds(self._path, version)
        shared = [seed for seed in _seeds(self._path, parent) if seed not in trained]
        if self._asks_only(parent):
            kept = read_weights(self._path, parent).seeds
            return next((seed for seed in shared if str(seed) in {str(one) for one in kept}), None)
        return next(iter(shared), max(trained, default=0) + 1)

    def _asks_only(self, parent: str) -> bool:
        return answers_only(self._path, parent, self._chosen.proposal.changes)

    def _train(self, version: str, parent: str, seed: int) -> bool:
        """Train one more seed, as `iterate train --version --seeds` does; False when it brought nothing."""
        night, asks = self._night, self._asks_only(parent)
        args = LaunchArgs(
            task_dir=self._path, version=version, seeds=[seed], train=not asks, weights_from=parent if asks else None
        )
        waiting = stops(night, self._path, self._training_minutes, partial(is_going, self._path, version, seed))
        context = Context(session=self._session, emit=self._hear, say=night.say, leaving=waiting)
        try:
            done = run_version(args, context)
        except RunFailed as failed:
            crash = crash_of(self._path, version, failed.message)
            night.guard(
                crash.guard or "kill", crash.reason, task=self._chosen.task, about=f"{self._chosen.trial}:{seed}"
            )
            return False
        if done:
            self._note(version, parent, seed)
        return done

    def _note(self, version: str, parent: str, seed: int) -> None:
        """The verdict with one more seed, for those who read the journal later."""
        verdict = compared(self._path, parent, version, self._night.say).verdict
        Journal(self._path).note(
            self._session,
            "compared",
            f"{version}:{seed}",
            version=version,
            parent=parent,
            verdict=verdict,
            proposal_id=self._chosen.proposal.id,
        )


def judged(night: Night, chosen: Chosen, belief: Belief, comparison: Comparison) -> tuple[bool, Text]:
    """Whether later trials start from it, and why; the same numbers always give the same answer."""
    known = measured(comparison)
    parts = {"task": chosen.task, "about": str(chosen.trial)}
    if known is None:
        reason = T("It was measured in another way than the version before, so nothing can be said about it.")
        night.guard("evaluator", reason, page="methods/comparing-versions", **parts)
        return False, reason
    blocking = [line.metric for line in comparison.classes if line.blocks]
    blocking += [line.metric for line in comparison.slices if line.blocks]
    now = after_seeds(belief, comparison)
    kept = keep(now, *known)
    if kept and blocking:
        reason = T("It fell beyond the margin on {parts}, which must not get worse.", parts=listed(blocking))
        night.guard("protected_slice", reason, page="methods/comparing-versions", **parts)
        return False, reason
    return kept, _words(now, known[0], comparison.new_seeds, kept=kept)


def _words(belief: Belief, difference: float, seeds: int, *, kept: bool) -> Text:
    parts = {
        "points": 100 * difference,
        "seeds": seeds,
        "expected": 100 * belief.mean,
        "better": belief.p_better,
    }
    if kept:
        return T(
            "{points:+.1f} points on validation over {seeds} seed(s). With what was believed before, {expected:+.1f} points "
            "are expected ({better:.0%} that it gains at all), so later trials start from it. No claim is made by this.",
            **parts,
        )
    return T(
        "{points:+.1f} points on validation over {seeds} seed(s). With what was believed before, {expected:+.1f} points are "
        "expected ({better:.0%} that it gains at all): too little to build on.",
        **parts,
    )


def _seeds(path: Path, version: str) -> list[int]:
    """The seeds that a version has results of."""
    result = latest(read_results(ReadResultsArgs(task_dir=path)), version, "valid")
    return sorted(int(seed) for seed in result.seeds) if result is not None else []
