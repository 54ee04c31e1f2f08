"""How earlier forecasts turned out: how often the interval held, and the Brier score."""

from __future__ import annotations

from agent.conversation.answers.telling import grid, para
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from tools.text import T, visible
from tools.versioning.forecasts import Scored, scored, scored_forecasts

_SHOWN = 10


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """Of the task named in the sentence, else of all tasks, since what was learned on one serves the others."""
    named = understood.args.get("task")
    names = [named] if isinstance(named, str) else situation.workspace.task_names()
    paths = [situation.workspace.task_path(name) for name in names]
    score = scored(paths)
    if not score.count or score.coverage is None or score.brier is None or score.level is None:
        para(tell, T("No forecast has been put to the test yet: that happens when a changed version is compared."))
        return
    para(
        tell,
        T(
            "{count} forecast(s) tested. {coverage:.0%} of the outcomes fell inside their interval (promised: {level:.0%}). "
            "Brier score {brier:.2f}; 0 is perfect, 0.25 is a coin.",
            count=score.count,
            coverage=score.coverage,
            level=score.level,
            brier=score.brier,
        ),
    )
    header = [T("Task"), T("Version"), T("Expected (points)"), T("Observed"), T("Inside")]
    rows = [
        _row(name, one, situation) for name in names for one in scored_forecasts([situation.workspace.task_path(name)])
    ]
    grid(tell, header, rows[-_SHOWN:])


def _row(task: str, one: Scored, situation: Situation) -> list[str]:
    effect = one.forecast.effect
    return [
        visible(task, 60),
        one.forecast.version,
        f"{effect.low * 100:+.1f} … {effect.high * 100:+.1f}",
        f"{one.outcome.observed * 100:+.1f}",
        situation.say(T("yes") if one.inside else T("no")),
    ]
