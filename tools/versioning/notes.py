"""The words of a version's record: notes.md (goal, what was seen, decisions) and changes.md (what was changed and why).

It only composes Markdown; tools/versions.py writes it. Foreign text is made visible, never interpreted.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.change import Decision, Effect, Proposal, Verb
from tools.comparing.words import metric_name
from tools.results import SplitResult
from tools.running.collect import SeedOutcome
from tools.text import Speaker, T, Text, Words, sayable, visible
from tools.words import split_name

_VERBS = {
    Verb.approve: T("approved"),
    Verb.edit: T("approved with other values"),
    Verb.reject: T("rejected"),
    Verb.defer: T("left for later"),
}
_DECIDERS = {"person": T("person"), "rule": T("rule"), "policy": T("policy")}
_SOURCES = {
    "measured": T("measured on this task"),
    "learned": T("learned from earlier iterations"),
    "prior": T("prior"),
}


def notes(version: str, proposal: Proposal | None, decision: Decision | None, say: Speaker) -> str:
    """notes.md as it is when a version begins: the goal first."""
    lines = [f"# {version}", "", say(T("**Goal**: {goal}", goal=_goal(proposal)))]
    if proposal is not None:
        lines += ["", _heading(T("What was seen"), say), "", say(proposal.problem)]
    lines += ["", _heading(T("Decision"), say), "", say(_approval(decision))]
    if proposal is not None and proposal.changes:
        lines += ["", _heading(T("Forecast"), say), "", say(forecast(proposal.effect))]
    return "\n".join(lines) + "\n"


def _goal(proposal: Proposal | None) -> Text:
    if proposal is None:
        return T("train the configuration as it stands.")
    goal = proposal.goal
    if goal.now is None:
        return T("{metric} of {wanted:.1%}.", metric=metric_name(goal.metric), wanted=goal.wanted)
    return T(
        "{metric} from {now:.1%} to {wanted:.1%} ({points:+.1f} points).",
        metric=metric_name(goal.metric),
        now=goal.now,
        wanted=goal.wanted,
        points=(goal.wanted - goal.now) * 100,
    )


def _approval(decision: Decision | None) -> Text:
    if decision is None:
        return T("Trained by command: whoever typed it approved it.")
    said = T(
        "{verb} by {by} {who} on {at}",
        verb=_VERBS[decision.decision],
        by=_DECIDERS[decision.by],
        who=sayable(decision.who, 80),
        at=decision.at,
    )
    if not decision.reason:
        return T("{said}.", said=said)
    return T("{said}: {reason}", said=said, reason=sayable(decision.reason, 500))


def forecast(effect: Effect) -> Text:
    """A forecast in words."""
    return T(
        "{metric}: {low:+.1f} to {high:+.1f} points with {level:.0%} probability, better at all with {p:.0%} ({source}). "
        "{basis}",
        metric=metric_name(effect.metric),
        low=effect.low * 100,
        high=effect.high * 100,
        level=effect.level,
        p=effect.p_better,
        source=_SOURCES[effect.source],
        basis=effect.basis,
    )


def change_list(
    versions: tuple[str, str], changes: Sequence[Text], why: Sequence[Text], diff: str, say: Speaker
) -> str:
    """changes.md: each change in words, its reasons, and the diff of the configuration; `versions` are (parent, new)."""
    title = T("Changes: {parent} → {version}", parent=versions[0], version=versions[1])
    lines = [f"# {say(title)}", ""]
    lines += [f"- {say(change)}" for change in changes or [T("Nothing in the configuration.")]]
    lines += [line for text in why for line in ("", say(text))]
    if diff:
        fence = "`" * max(3, _longest_run_of_backticks(diff) + 1)
        lines += ["", f"{fence}diff", diff, fence]
    return "\n".join(lines) + "\n"


def reasons(proposal: Proposal | None, decision: Decision | None) -> list[Text]:
    """Why a change was made, what it should bring, and who said yes."""
    said = [] if proposal is None else [proposal.problem, T("Forecast: {forecast}", forecast=forecast(proposal.effect))]
    return [*said, T("Approval: {approval}", approval=_approval(decision))]


def result_section(result: SplitResult, seeds: Sequence[SeedOutcome], say: Speaker) -> str:
    """The section that is added when a version has a result."""
    scores = T(
        "On {split} ({rows} rows, {seeds} seed(s)): {scores}.",
        split=split_name(result.split),
        rows=result.rows,
        seeds=max(1, len(result.seeds)),
        scores=", ".join(f"{say(metric_name(name))} {value:.1%}" for name, value in result.metrics.items()),
    )
    spent = T("Training and evaluation took {minutes:.1f} minutes.", minutes=sum(seed.minutes for seed in seeds))
    lines = [_heading(T("Result"), say), "", say(scores), say(spent)]
    short = [seed for seed in seeds if seed.rows_at_once is not None]
    if short:
        less = T(
            "Memory ran out in the training of seed {seeds}: fewer rows went through the model at once ({rows}); "
            "the batch stayed.",
            seeds=", ".join(str(seed.seed) for seed in short),
            rows=", ".join(str(seed.rows_at_once) for seed in short),
        )
        lines.append(say(less))
    return "\n".join(lines) + "\n"


def failure_section(reason: Text, say: Speaker) -> str:
    """The section that is added when a training ended without a result."""
    return "\n".join([_heading(T("No result"), say), "", say(reason)]) + "\n"


def choice_section(choice: str, by: str, reason: Words, say: Speaker) -> str:
    """The section that is added when a person or a policy has decided what becomes of a version."""
    words = {"adopt": T("adopt"), "continue": T("continue from it"), "rollback": T("roll back")}
    said = T("{choice}, decided by {by}", choice=words.get(choice) or visible(choice, 40), by=visible(by, 80))
    text = T("{said}: {reason}", said=said, reason=sayable(reason, 500)) if reason else T("{said}.", said=said)
    return "\n".join([_heading(T("Decision after the comparison"), say), "", say(text)]) + "\n"


def pruned_section(at: str, by: str, freed: int, say: Speaker) -> str:
    """The section that is added when the weights of a version were removed."""
    said = T(
        "Removed on {at} by {by} to free {size:.1f} MB. Results, predictions and sealed files are kept.",
        at=at,
        by=visible(by, 80),
        size=freed / 1e6,
    )
    return "\n".join([_heading(T("Weights removed"), say), "", say(said)]) + "\n"


def _heading(text: Text, say: Speaker) -> str:
    return f"## {say(text)}"


def _longest_run_of_backticks(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest
