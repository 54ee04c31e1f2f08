"""Approval: the questions only an approver may answer, and the answers as typed objects.

A person at a terminal, a rule given on the command line and a policy file are three approvers behind one protocol. An
approver returns None to leave the question pending: nothing is lost, the session can be resumed at the same question.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tools.change import Decision, Proposal
from tools.comparison import Comparison
from tools.text import Words
from tools.versioning.ledger import OpenedTest


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReviewQuestion(_Model):
    """Whether this change may be trained."""

    kind: Literal["review"] = "review"
    proposal: Proposal
    number: int
    """1-based place in the list."""
    total: int
    approved: int
    """How many of this list are approved already."""


class DecideQuestion(_Model):
    """What should become of the new version."""

    kind: Literal["decide"] = "decide"
    version: str
    parent: str
    comparison: Comparison
    waiting: int
    """Approved proposals still waiting for their training."""


class ConfirmQuestion(_Model):
    """Whether to adopt, now that the locked test set has been opened for it."""

    kind: Literal["confirm"] = "confirm"
    version: str
    parent: str
    comparison: Comparison
    opened: OpenedTest


Question = Annotated[ReviewQuestion | DecideQuestion | ConfirmQuestion, Field(discriminator="kind")]
question_adapter: TypeAdapter[Question] = TypeAdapter(Question)


class VersionChoice(_Model):
    """The answer to a DecideQuestion."""

    choice: Literal["adopt", "continue", "rollback"]
    """adopt: open the test set and ask once more; continue: keep it on record and go on; rollback: restore the parent."""
    reason: Words = ""
    by: Literal["person", "rule", "policy"]
    who: str
    at: str


class Confirmation(_Model):
    """The answer to a ConfirmQuestion."""

    adopt: bool
    reason: Words = ""
    by: Literal["person", "rule", "policy"]
    who: str
    at: str


class Wish(_Model):
    """An answer to a ReviewQuestion that decides nothing: look at these proposals of mine first, then ask again."""

    proposals: list[Proposal] = Field(min_length=1)


Answer = Decision | Wish | VersionChoice | Confirmation
ANSWER_TYPES: dict[str, tuple[type[Answer], ...]] = {
    "review": (Decision, Wish),
    "decide": (VersionChoice,),
    "confirm": (Confirmation,),
}


class Approver(Protocol):
    """Whoever may say yes."""

    def answer(self, question: Question) -> Answer | None:
        """The answer, or None to leave the question pending for a person."""


class FirstAnswer:
    """Asks several approvers in turn; the first that answers decides."""

    def __init__(self, approvers: Sequence[Approver]) -> None:
        self._approvers = approvers

    def answer(self, question: Question) -> Answer | None:
        """The first answer that is not None."""
        for approver in self._approvers:
            answer = approver.answer(question)
            if answer is not None:
                return answer
        return None


def user_name() -> str:
    """The name that goes into records; "unknown" where the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
