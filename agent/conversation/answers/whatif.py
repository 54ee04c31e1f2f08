"""What a change would do: diff, forecast with its source, price and caution. Nothing is filed, written or approved."""

from __future__ import annotations

from agent.conversation.answers.proposal_block import show_proposal
from agent.conversation.answers.telling import para, task_of
from agent.conversation.remedies import wished_edits
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.conversation.wishes import wish_for
from tools.change import Proposal
from tools.text import T


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """Show the proposal that it would be."""
    proposal = wished(understood, situation)
    show_proposal(proposal, situation, tell)
    para(tell, T("This only shows it; nothing was filed. To propose it say: try, and the same change."))


def wished(understood: Understood, situation: Situation) -> Proposal:
    """The change of the sentence as a checked proposal; raises InputError with everything that is wrong with it."""
    path = task_of(understood, situation)
    edits = wished_edits(understood.args["change"], understood.args.get("label"), path)
    return wish_for(path, edits, origin="person", say=situation.say)
