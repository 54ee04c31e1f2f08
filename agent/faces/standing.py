"""Typed approvals: "approve 1 and 3" names proposals of the list by number; each is answered when its turn comes.

The numbers become identities at once, so that a list that changes meanwhile cannot turn one proposal into another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.approval import Question, ReviewQuestion, user_name
from tools.change import Decision, Proposal, Verb
from tools.files import now


class Standing:
    """The list under review as the person last saw it, and what they said about proposals that have not come up yet."""

    def __init__(self) -> None:
        self._proposals: list[Proposal] = []
        self._said: dict[str, tuple[Proposal, Verb, str]] = {}

    @property
    def proposals(self) -> Sequence[Proposal]:
        """The list under review, in its order."""
        return self._proposals

    def show(self, proposals: Iterable[Proposal]) -> None:
        """A new list was shown."""
        self._proposals = [*proposals]

    def named(self, numbers: Iterable[int]) -> tuple[list[Proposal], list[int]]:
        """The proposals of these numbers, and the numbers that no proposal has."""
        wanted = list(dict.fromkeys(numbers))
        known = [number for number in wanted if 1 <= number <= len(self._proposals)]
        return [self._proposals[number - 1] for number in known], [one for one in wanted if one not in known]

    def note(self, proposal: Proposal, verb: Verb, reason: str = "") -> None:
        """The person decided about a proposal whose turn has not come."""
        self._said[proposal.id] = (proposal, verb, reason)

    def missed(self, *, ended: bool = False) -> list[Proposal]:
        """Proposals that were spoken of and whose turn will not come: the list changed, or the session ended."""
        listed = set() if ended else {one.id for one in self._proposals}
        gone = [proposal for name, (proposal, _, _) in list(self._said.items()) if name not in listed]
        return [proposal for proposal in gone if self._said.pop(proposal.id, None) is not None]

    def meet(self, question: Question) -> Decision | None:
        """The decision a person already typed for this question; otherwise the list is brought up to date and None."""
        if not isinstance(question, ReviewQuestion):
            return None
        proposal = question.proposal
        said = self._said.pop(proposal.id, None)
        self._place(question)
        return decision(proposal, *said[1:]) if said is not None else None

    def _place(self, question: ReviewQuestion) -> None:
        """Put the proposal under its number where the list differs: a wish came before it, or a rejection changed the rest."""
        at = question.number - 1
        if [one.id for one in self._proposals[at : at + 1]] == [question.proposal.id]:
            return
        grown = question.total > len(self._proposals)
        rest = self._proposals[at:] if grown else self._proposals[at + 1 :]
        self._proposals = [
            *self._proposals[:at],
            question.proposal,
            *(one for one in rest if one.id != question.proposal.id),
        ]


def decision(proposal: Proposal, verb: Verb, reason: str = "") -> Decision:
    """A typed decision of the person at this terminal."""
    return Decision(proposal_id=proposal.id, decision=verb, reason=reason, by="person", who=user_name(), at=now())
