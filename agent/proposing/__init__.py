"""Step 3 without a language model: deterministic rules from findings to proposals.

    findings -> rules (drafts) -> check, diff, forecast, price -> rank, minus what was rejected or tried in vain

Each rule looks at one kind of fault and changes one variable. Nothing here writes, trains or approves.
"""

from __future__ import annotations

from agent.proposing.assemble import build, propose
from agent.proposing.baseline import baseline
from agent.proposing.edited import edited
from agent.proposing.history import ProposalHistory

__all__ = ["ProposalHistory", "baseline", "build", "edited", "propose"]
