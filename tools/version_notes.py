"""The words of a version's record: changes.md and notes.md, in the language of the task.

Sections of the notes are found again by an HTML comment, so that writing one twice replaces it, in whatever language.
"""

from __future__ import annotations

import difflib

from tools.change import Approved, Decision, Effect, Goal
from tools.files import now
from tools.results import SplitResult
from tools.text import Speaker, T, Text, visible

_CHOICES = {
    "adopt": T("adopt"),
    "continue": T("continue from this version"),
    "rollback": T("roll back to the version before"),
}


def notes_text(version: str, approved: Approved | None, say: Speaker) -> str:
    """The notes of a new version: the goal in one sentence first."""
    if approved is None:
        return f"# {version}\n\n{say(T('Goal: train the configuration as it stands.'))}\n"
    seen = T("What was seen: {problem}", problem=approved.proposal.problem)
    lines = [f"# {version}", "", say(_goal(approved.proposal.goal)), "", say(seen)]
    return "\n".join(lines) + "\n"


def _goal(goal: Goal) -> Text:
    if goal.now is None:
        return T("Goal: {metric} of {wanted:.1%}.", metric=goal.metric, wanted=goal.wanted)
    return T("Goal: {metric} from {now:.1%} to {wanted:.1%}.", metric=goal.metric, now=goal.now, wanted=goal.wanted)


def changes_text(parent: str | None, texts: tuple[str, str], approved: Approved | None, say: Speaker) -> str:
    """changes.md: each change in words with its reason, forecast and approval, then the diff against the parent."""
    title = T("Changes against {parent}", parent=parent) if parent else T("First version: nothing to compare with")
    lines = ["# " + say(title), ""]
    if approved is not None:
        proposal, decision = approved
        lines += [f"- {say(change.summary)}" for change in proposal.changes]
        lines += ["", say(T("Reason: {problem}", problem=proposal.problem)), say(_forecast(proposal.effect))]
        lines += [say(_approval(decision))]
    diff = _diff(*texts)
    if parent:
        lines += ["", "```diff", *diff, "```"] if diff else [say(T("The configuration is the same."))]
    return "\n".join(lines).rstrip() + "\n"


def _forecast(effect: Effect) -> Text:
    return T(
        "Forecast: {metric} {low:+.1f} to {high:+.1f} points ({level:.0%}), {p:.0%} likely to help. {basis}",
        metric=effect.metric,
        low=effect.low * 100,
        high=effect.high * 100,
        level=effect.level,
        p=effect.p_better,
        basis=effect.basis,
    )


def _approval(decision: Decision) -> Text:
    reason = visible(decision.reason, 500)
    if reason:
        return T(
            "Approved by {who} ({by}) at {at}: {reason}",
            who=decision.who,
            by=decision.by,
            at=decision.at,
            reason=reason,
        )
    return T("Approved by {who} ({by}) at {at}.", who=decision.who, by=decision.by, at=decision.at)


def _diff(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=2)
    return [visible(line) for line in lines]


def results_section(result: SplitResult, minutes: float, say: Speaker) -> list[str]:
    """The scores on valid, and how long the training took."""
    numbers = [f"| {name} | {value:.1%} |" for name, value in result.metrics.items()]
    seeds = ", ".join(result.seeds)
    title = T("Results on {split} ({rows} rows, seeds {seeds})", split=result.split, rows=result.rows, seeds=seeds)
    head = f"| {say(T('Metric'))} | {say(T('Score'))} |"
    took = T("Training and evaluation took {minutes:.1f} minutes.", minutes=minutes)
    return ["## " + say(title), "", head, "|---|---:|", *numbers, "", say(took)]


def failure_section(reason: Text, say: Speaker) -> list[str]:
    """Why the training failed."""
    return ["## " + say(T("The training failed")), "", say(reason)]


def choice_section(choice: str, by: str, reason: str, say: Speaker) -> list[str]:
    """The decision on the version, and by whom."""
    told = T("{choice}, by {who} at {at}.", choice=_CHOICES[choice], who=visible(by, 80), at=now())
    lines = ["## " + say(T("Decision")), "", say(told)]
    return [*lines, visible(reason, 500)] if reason else lines


def with_section(text: str, name: str, section: list[str]) -> str:
    """`text` with the named section put at its end, or in place of the one written before."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    block = "\n".join([begin, *section, end])
    head, found, rest = text.partition(begin)
    if not found:
        return text.rstrip("\n") + "\n\n" + block + "\n"
    return head + block + rest.partition(end)[2]
