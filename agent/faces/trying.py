"""A quick check of the proposal under review at a plain terminal: its price first, then its progress, then what it found.

It decides nothing: the question is asked again behind it. Ctrl-C leaves the worker at its work.
"""

from __future__ import annotations

from pathlib import Path

from agent.events import Progress
from agent.faces.console import ask, is_yes, out_texts, show_error
from agent.faces.plain import PlainFace
from agent.faces.views.quick import price_texts, quick_args, tried_text
from tools.change import Proposal
from tools.errors import IterateError
from tools.probing.quick_wanted import drop_quick, follow_quick, want_quick, wanted_quick
from tools.text import Speaker, T


def try_quickly(proposal: Proposal, task: Path, face: PlainFace, say: Speaker) -> None:
    """Carry out a quick check, or go on with the one that was begun, once the person has seen what it takes."""
    try:
        plan = wanted_quick(task, proposal.id)
        if plan is None:
            plan = want_quick(quick_args(proposal, task))
            out_texts(price_texts(plan), say)
            if not _agreed(say):
                drop_quick(plan)
                return
        result = follow_quick(plan, lambda run, event: face.watch(Progress(run_id=run.name, event=event)))
    except KeyboardInterrupt:
        out_texts([T("The quick check goes on without you; t follows it again. The question waits.")], say)
    except IterateError as error:
        show_error(error, say)
    else:
        if result is None:
            out_texts([T("The quick check was stopped.")], say)
        tell_tried(proposal, task, say)


def tell_tried(proposal: Proposal, task: Path, say: Speaker) -> None:
    """What a quick check of this proposal found, if there was one; and that one is not over."""
    found = tried_text(proposal, task)
    if found is not None:
        out_texts([T("Tried: {outcome}", outcome=found)], say)
    if wanted_quick(task, proposal.id) is not None:
        out_texts([T("A quick check of it was begun and is not over: t goes on with it.")], say)


def _agreed(say: Speaker) -> bool:
    return is_yes(ask(say(T("Start it? Nothing is decided by it. [y/N] "))))
