"""A proposal as lines: change, reason, goal, forecast with its source, price, undo, diff."""

from __future__ import annotations

from agent.faces.layout import pad, width, wrap
from agent.faces.views.words import DIFFICULTIES, SOURCES, TIERS, minutes, percent, points
from tools.change import Effect, Goal, Proposal
from tools.comparing.words import metric_name
from tools.text import Speaker, T, Text, visible


def proposal_lines(proposal: Proposal, say: Speaker, *, number: int, total: int) -> list[str]:
    """The whole proposal; nothing of the diff is left out."""
    title = T("Proposal {number} of {total}: {title}", number=number, total=total, title=proposal.title)
    facts = [
        (T("Why"), say(proposal.problem)),
        (T("Goal"), goal_line(proposal.goal, say)),
        (T("Expect"), effect_line(proposal.effect, say)),
        (T("Cost"), cost_line(proposal, say)),
        (T("Undo"), say(T("yes: the version before it stays, `iterate rollback` restores it"))),
        (T("Read"), "iterate refs " + proposal.page),
    ]
    if proposal.caution:
        facts.insert(4, (T("But"), say(proposal.caution)))
    if proposal.comment:
        words = T("“{words}” (a language model's words)", words=visible(proposal.comment))
        facts.insert(1, (T("Model"), say(words)))
    return [say(title), "", *_labelled(facts, say), "", *_diff(proposal, say)]


def summary_line(proposal: Proposal, say: Speaker) -> str:
    """One line for a list of proposals."""
    line = T(
        "{title} (expect {low} to {high}, {cost})",
        title=proposal.title,
        low=points(proposal.effect.low),
        high=points(proposal.effect.high),
        cost=minutes(proposal.cost.minutes, say),
    )
    return say(line)


def goal_line(goal: Goal, say: Speaker) -> str:
    """The goal as a sentence: macro-F1 from 62.0% to 70.0%."""
    if goal.now is None:
        return say(T("{metric} of {wanted}", metric=metric_name(goal.metric), wanted=percent(goal.wanted)))
    return say(
        T(
            "{metric} from {now} to {wanted}",
            metric=metric_name(goal.metric),
            now=percent(goal.now),
            wanted=percent(goal.wanted),
        )
    )


def effect_line(effect: Effect, say: Speaker) -> str:
    """The forecast as an interval with its probability and source."""
    return say(
        T(
            "{metric} {low} to {high} points ({level:.0%} interval); {p:.0%} likely to help at all. Source: {source} - {basis}",
            metric=metric_name(effect.metric),
            low=points(effect.low),
            high=points(effect.high),
            level=effect.level,
            p=effect.p_better,
            source=SOURCES[effect.source],
            basis=effect.basis,
        )
    )


def cost_line(proposal: Proposal, say: Speaker) -> str:
    """Minutes, memory, difficulty and tier."""
    cost = proposal.cost
    memory = T("{gb:.1f} GB of memory", gb=cost.memory_gb) if cost.memory_gb else T("memory unknown")
    return say(
        T(
            "{time} here, {memory}, {trainings} training(s); {basis} Difficulty: {difficulty}. Priority: {tier}.",
            time=minutes(cost.minutes, say),
            memory=memory,
            trainings=cost.trainings,
            basis=cost.basis,
            difficulty=DIFFICULTIES[proposal.difficulty],
            tier=TIERS[proposal.tier],
        )
    )


def _labelled(facts: list[tuple[Text, str]], say: Speaker) -> list[str]:
    labels = [say(label) for label, _ in facts]
    column = max(width(label) for label in labels) + 2
    lines: list[str] = []
    for label, (_, value) in zip(labels, facts, strict=True):
        wrapped = wrap(value, indent="  " + " " * column)
        wrapped[0] = "  " + pad(label, column) + wrapped[0].lstrip()
        lines += wrapped
    return lines


def _diff(proposal: Proposal, say: Speaker) -> list[str]:
    if not proposal.diff:
        return ["  " + say(T("The configuration stays as it is."))]
    return ["  " + visible(line) for line in proposal.diff.splitlines()]
