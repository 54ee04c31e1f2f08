"""What an opening of the locked test set showed: valid said, test says."""

from __future__ import annotations

from agent.faces.layout import aligned, wrap
from tools.comparing.report import valid_and_test
from tools.text import Speaker, T
from tools.versioning.ledger import OpenedTest


def opened_lines(opened: OpenedTest, say: Speaker) -> list[str]:
    """The scores of each version on valid and test, the verdict on test, and how it came about."""
    if not opened.scores:
        return [line for note in opened.notes for line in wrap(say(note))]
    title = T("The locked test set was opened (opening {number} of this task)", number=opened.ordinal or 0)
    return ["", "== " + say(title) + " ==", aligned(valid_and_test(opened, say))]
