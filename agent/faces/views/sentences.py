"""The one-sentence events of a session and the headings of its five steps, shared by the plain face and the full screen."""

from __future__ import annotations

from agent.events import Adopted, Decided, RolledBack, SessionStarted, VersionBegun
from agent.faces.views.words import VERBS, minutes
from tools.change import Verb
from tools.text import Speaker, T, Text, sayable

_STEPS = {
    1: T("Step 1 of 5: the task"),
    2: T("Step 2 of 5: diagnosis"),
    3: T("Step 3 of 5: proposals"),
    4: T("Step 4 of 5: training"),
    5: T("Step 5 of 5: comparison"),
}


def step_heading(step: int) -> Text:
    """The heading of a step, 1 to 5."""
    return _STEPS[step]


def sentence(event: SessionStarted | Decided | VersionBegun | Adopted | RolledBack, say: Speaker) -> Text:
    """The event in one sentence."""
    match event:
        case SessionStarted(resumed=True):
            return T("Session {id} on task {task}, taken up again.", id=event.session, task=event.task)
        case SessionStarted():
            return T("Session {id} on task {task}.", id=event.session, task=event.task)
        case Decided():
            return _decided(event)
        case VersionBegun():
            return _begun(event, say)
        case Adopted():
            return T("{version} is now the version in use (models/current.json).", version=event.record.version)
        case RolledBack():
            return T(
                "{version} was not kept; the configuration of {restored} is restored.",
                version=event.version,
                restored=event.restored,
            )


def _decided(event: Decided) -> Text:
    decision, verb = event.decision, VERBS[event.decision.decision]
    if decision.reason and decision.by == "person":
        reason = sayable(decision.reason)
        return T("-> {verb}: {title} (your words: {reason})", verb=verb, title=event.title, reason=reason)
    if (
        decision.reason and decision.decision is Verb.defer
    ):  # what no rule covered says why, so that the rule can be mended
        return T("-> {verb}: {title} ({reason})", verb=verb, title=event.title, reason=sayable(decision.reason))
    return T("-> {verb}: {title}", verb=verb, title=event.title)


def _begun(event: VersionBegun, say: Speaker) -> Text:
    memory = T("about {gb:.1f} GB of memory", gb=event.memory_gb) if event.memory_gb else T("memory unknown")
    return T(
        "{version}: {title}. Expected: {time}, {memory}. You can leave: the training goes on without this terminal.",
        version=event.version,
        title=event.title,
        time=minutes(event.minutes, say),
        memory=memory,
    )
