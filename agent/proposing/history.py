"""What was decided and what came of it, as far as new proposals must know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tools.change import Decision, Proposal, Verb

NO_GAIN = frozenset({"worse", "undecided", "not_comparable", "failed"})
"""Outcomes after which the same change is not worth a second training of the same configuration."""


class ProposalHistory(BaseModel):
    """Earlier proposals of a task, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decisions: list[tuple[Proposal, Decision]] = []
    """Each proposal as it was decided on (edited values included) with its decision."""
    outcomes: dict[str, str] = {}
    """Proposal id to the verdict of its comparison, or "failed"."""

    def rejected(self) -> set[str]:
        """Ids of changes that were rejected and not approved later."""
        last = {proposal.id: decision.decision for proposal, decision in self.decisions}
        return {proposal_id for proposal_id, verb in last.items() if verb is Verb.reject}

    def tried_in_vain(self, config_sha256: str) -> set[str]:
        """Ids of changes that brought nothing when the configuration was exactly as it is now."""
        return {
            proposal.id
            for proposal, _ in self.decisions
            if self.outcomes.get(proposal.id) in NO_GAIN and proposal.config_sha256 == config_sha256
        }
