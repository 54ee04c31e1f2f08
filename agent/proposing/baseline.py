"""The proposal to train a task's first version: its configuration as it stands."""

from __future__ import annotations

from agent.proposing.cost import price
from agent.proposing.view import TaskRows
from tools.change import Difficulty, Effect, Goal, Proposal, Tier
from tools.task import Task
from tools.text import T


def baseline(task: Task) -> Proposal:
    """Train the configuration as it stands; every later version is compared with it."""
    metric = task.definition.primary_metric
    target = task.definition.targets[0].threshold if task.definition.targets else 1.0
    return Proposal(
        task=task.name,
        title=T("Train the configuration as it stands"),
        problem=T("This task has no trained version yet, so there is nothing to diagnose or to compare with."),
        goal=Goal(metric=metric, wanted=target),
        changes=[],
        diff="",
        config_sha256=task.config.sha256,
        effect=Effect(
            metric=metric,
            low=0.0,
            high=target,
            p_better=1.0,
            source="prior",
            basis=T("A first version can only be measured, not forecast: somewhere between nothing and the target."),
        ),
        cost=price(TaskRows(task), [], task.config),
        difficulty=Difficulty.low,
        tier=Tier.quick,
        page="methods/sft",
    )
