"""The proposals that numbers refer to: the list under review, else what would be proposed now."""

from __future__ import annotations

from collections.abc import Sequence

from agent.conversation.answers.diagnose import diagnosis_of
from agent.conversation.answers.telling import task_of
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.proposing.now import base_version, proposals_now
from tools.change import Proposal


def listed_proposals(understood: Understood, situation: Situation) -> Sequence[Proposal]:
    """Under review when the sentence names no other task; computed anew otherwise, and nothing is changed by that."""
    if situation.proposals and "task" not in understood.args:
        return situation.proposals
    path = task_of(understood, situation)
    return proposals_now(path, base_version(path, ""), diagnosis_of(path))
