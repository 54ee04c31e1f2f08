"""A change of the person's own: filed as a proposal, which goes to review like any other."""

from __future__ import annotations

from agent.conversation.answers.telling import expected, para
from agent.conversation.answers.whatif import wished
from agent.conversation.said import Filed, Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from tools.text import T


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """File it and say that nothing runs yet."""
    proposal = wished(understood, situation)
    tell(Filed(proposal=proposal))
    para(tell, T("{forecast} Nothing runs until you approve it.", forecast=expected(proposal.effect)))
