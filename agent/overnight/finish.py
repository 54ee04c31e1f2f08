"""The end of a night: the locked test is opened once for each task's best version, and a task is left as it can be explained.

Choosing was bold; this is where a claim is made. Whoever adopts is the rules of the night or a person, never the numbers of
validation. Every part may run twice and then does nothing new.
"""

from __future__ import annotations

from pathlib import Path

from agent.journal import Journal
from agent.overnight.belief import Belief, measured
from agent.overnight.choose import AdoptRule, ending, gain_over_start, worth_opening
from agent.overnight.context import Night, Standing
from agent.overnight.hand_edits import pause_for_edit
from agent.overnight.records import NightAdopted, StopReason, TestOpenedOnce, Waiting
from agent.overnight.rules import adoption_waits
from agent.overnight.trial import first_belief, unknown
from agent.overnight.watchman import changed_by_hand, keep_seal, kept_seal, kept_start, restore_start
from agent.session import task_lock
from tools.compare import CompareArgs
from tools.compare import compare as compare_tool
from tools.comparing.report import valid_and_test
from tools.errors import Busy, IterateError
from tools.files import write_atomic
from tools.text import T, Text, visible
from tools.versioning.adopt import POINTER, adopt, current
from tools.versioning.ledger import OpenedTest, adoption_of, open_test, openings
from tools.versioning.rule_facts import rule_facts
from tools.versions import restore_version


def finish(night: Night, reason: StopReason) -> None:
    """Open, adopt or leave to a person, and restore: for each task, whatever happens on another."""
    for name, path in night.tasks.items():
        try:
            _finish_task(night, path, claims=reason != "stopped" and not night.stop_wanted())
        except Busy as busy:
            night.pause(name, busy.message, "run")
            _leave_alone(night, path, night.standing())
        except IterateError as error:
            night.pause(name, error.message, "status")
        except OSError as error:
            night.pause(name, T("{reason}", reason=visible(str(error), 300)), "status")
        except Exception as error:  # whatever one task does to this program, the night ends and the others are claimed
            night.pause(name, unknown(error), "status")


def _finish_task(night: Night, path: Path, *, claims: bool) -> None:
    name, standing = path.name, night.standing()
    sealed = kept_seal(night.folder, name)
    if sealed is None or not standing.trials(name):
        return
    edited = [one for one in changed_by_hand(path, sealed, _own(standing, name)) if not _is_own_end(night, path, one)]
    if edited:
        if name not in standing.paused:
            pause_for_edit(night, name, edited)
        _leave_alone(night, path, standing)
        return
    with task_lock(path):
        claims = claims or _has_opened(night, path)
        adopted = _claim(night, path, standing) if claims else _leave(night, path, standing)
        if not adopted:
            restore_start(night.folder, path)
        keep_seal(night.folder, path)


def _own(standing: Standing, task: str) -> list[str]:
    versions = [tried.version for _, tried in standing.trials(task) if tried.version]
    return [*versions, *(chosen.base for chosen, _ in standing.trials(task) if chosen.base)]


def _is_own_end(night: Night, path: Path, file: str) -> bool:
    """True for what the night's own end wrote before it was cut off: the configuration put back, the adoption."""
    if file == POINTER:
        pointer = current(path)
        return pointer is not None and pointer.decision_id == _decision_id(night, pointer.version)
    start = kept_start(night.folder, path.name)
    content = (path / file).read_bytes() if (path / file).is_file() else b""
    return start is not None and start.config is not None and content == start.config.encode("utf-8", "surrogateescape")


def _has_opened(night: Night, path: Path) -> bool:
    """True when this night has opened the test of a task before it was cut off: that cannot be undone, and is told."""
    return any(one.decision_id.startswith(_decision_id(night, "")) for one in openings(path))


def _decision_id(night: Night, version: str) -> str:
    return f"{night.record.id}:{version}"


def first_and_best(night: Night, standing: Standing, task: str) -> tuple[str, str] | None:
    """The version that the night began with and the best that it kept; None when they are the same."""
    kept = standing.kept(task)
    if not kept:
        return None
    begun = night.plan.start_versions.get(task, "")
    best = str(kept[-1][1].version)
    start = begun or str(kept[0][1].version)
    return None if best == start else (start, best)


def _leave(night: Night, path: Path, standing: Standing) -> bool:
    """A person ended the night: nothing is opened, what was kept waits."""
    found = first_and_best(night, standing, path.name)
    if found is not None:
        reason = T("You ended the night before its end, so the locked test was not opened.")
        _wait(night, path.name, found[1], reason)
    return False


def _leave_alone(night: Night, path: Path, standing: Standing) -> None:
    """The task is not the night's to touch any more; what was kept before that waits."""
    found = first_and_best(night, standing, path.name)
    if found is not None and not _has_opened(night, path):
        reason = T("The task was left alone at the end of the night, so the locked test was not opened for it.")
        _wait(night, path.name, found[1], reason)


def _claim(night: Night, path: Path, standing: Standing) -> bool:
    """Open the test set where there is something to claim; True when the best version was adopted."""
    name, found = path.name, first_and_best(night, standing, path.name)
    if found is None:
        return False
    start, best = found
    belief = belief_over_start(path, standing, start, best)
    if standing.opened(name) is None and not worth_opening(belief):
        reason = T(
            "A gain over {start} is not likely enough ({better:.0%}) to open the locked test for it.",
            start=start,
            better=belief.p_better,
        )
        _wait(night, name, best, reason)
        return False
    opened = _open(night, path, start, best)
    if opened.ordinal is None:
        _wait(night, name, best, opened.notes[0])
        return False
    return _adopt(night, path, best, belief, opened)


def belief_over_start(path: Path, standing: Standing, start: str, best: str) -> Belief:
    """What is believed of the best version's gain over the start, by all that validation said."""
    before = [first_belief(chosen) for chosen, _ in standing.kept(path.name) if chosen.base]
    known = measured(compare_tool(CompareArgs(task_dir=path, base=start, new=best)))
    return gain_over_start(before, *known) if known is not None else Belief(0.0, 1.0)


def _open(night: Night, path: Path, start: str, best: str) -> OpenedTest:
    opened = open_test(
        path,
        versions=[start, best],
        why=adoption_of(best),
        by=night.rules.source,
        decision_id=_decision_id(night, best),
    )
    if opened.ordinal is None:
        return opened
    Journal(path).note(night.who, "test_opened", best, by="policy", version=best)
    write_atomic(path / "iterations" / best / "adoption.md", valid_and_test(opened, night.say))
    night.add(
        TestOpenedOnce, f"opened:{path.name}", task=path.name, version=best, opened=opened, verdict=opened.verdict
    )
    return opened


def _adopt(night: Night, path: Path, best: str, belief: Belief, opened: OpenedTest) -> bool:
    """Adopt what the rules adopt; everything else waits for a person, with the reason."""
    name, waits = path.name, adoption_waits(night.rules, rule_facts(path))
    known = measured(opened.comparison) if opened.comparison is not None else None
    difference, error = known if known is not None else (0.0, 1.0)
    rule: AdoptRule = "wait" if waits is not None else night.rules.adopt
    end = ending(rule, belief, difference=difference, error=error, verdict=opened.verdict)
    if not end.adopt:
        _wait(night, name, best, waits or end.reason)
        return False
    record = adopt(path, best, by=night.rules.source, decision_id=_decision_id(night, best))
    Journal(path).note(night.who, "adopted", best, by="policy", version=best, who=night.rules.source)
    night.add(NightAdopted, f"adopted:{name}", task=name, version=best, before=record.previous)
    restore_version(path, best)
    return True


def _wait(night: Night, task: str, version: str, reason: Text) -> None:
    night.add(
        Waiting,
        f"waiting:{task}:adoption",
        task=task,
        what="adoption",
        reason=reason,
        version=version,
        command=night.command("adopt", task, version),
    )
