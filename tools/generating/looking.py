"""What a model's answers were while none of them held a usable row: how many, why each could not be used, and one to look at.

It follows from the lines of the record alone, so that a batch that goes on decides as it did before and counts nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from tools.errors import EndpointTrouble
from tools.generating.forms import holds_object, read_rows
from tools.generating.record import RawAnswer, Unused, WhyUnused
from tools.generating.writer import Heard, Usage
from tools.text import T, Text, shell_word, visible

ENOUGH = 8
"""Answers of one model without a usable row, after which a batch pauses.

A model that writes one in every second answer gets through eight without any in one batch of 256 (2 to the power of 8). Where a
server ignores forms the first answer to a question is spent on finding that out: one batch of 64 then.
"""
AT_ONCE = 2
"""Questions at a time until a usable row came: each takes up to four answers (agent/model/ladder.py), which makes ENOUGH."""
_SHOWN = 300

WHYS_UNUSED: dict[WhyUnused, Text] = {
    "limit": T("reached the limit of tokens, or broke off"),
    "empty": T("without a word"),
    "refused": T("the model declined"),
    "words": T("words without a JSON object"),
    "form": T("JSON of another form than was asked for"),
    "rows": T("rows, and every one of them in quarantine"),
}
_OF_TROUBLE: dict[EndpointTrouble | None, WhyUnused] = {
    "cut": "limit",
    "empty": "empty",
    "refused": "refused",
    "invalid": "form",
}


class Unusable(BaseModel):
    """The answers of a model that has not written one usable row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: int
    answers: int
    whys: dict[WhyUnused, int] = {}
    """Most frequent first."""
    example: str = ""
    """The beginning of one, as it may be shown."""


def why_unused(heard: Heard) -> WhyUnused:
    """What is wrong with an answer that no row could be read from."""
    if heard.trouble is not None:
        return _OF_TROUBLE[heard.trouble]
    return "form" if holds_object(heard.text) else "words"


def unusable(lines: Iterable[RawAnswer], model: str) -> Unusable:
    """All answers of a model to questions for rows, for a batch in which none of them held a usable row."""
    found = [(line.id, one) for line in lines if line.writes and line.model == model for one in _answers(line)]
    whys: Counter[WhyUnused] = Counter(one.why for _, one in found)
    texts = [one.text for _, one in found if one.why != "rows" and one.text.strip()]
    return Unusable(
        questions=len({question for question, _ in found}),
        answers=len(found),
        whys=dict(whys.most_common()),
        example=visible(" ".join(texts[0].split()), _SHOWN) if texts else "",
    )


def heard_so_far(usages: Sequence[Usage]) -> int:
    """Answers to questions that are still being asked."""
    return sum(not _still_thinking(one.trouble == "cut", one.text) for usage in usages for one in usage.heard)


def _answers(line: RawAnswer) -> list[Unused]:
    """Those of one line; what was cut while the model was still thinking counts once, since the next try gives it more room."""
    spoken = [one for one in line.unused if not _still_thinking(one.why == "limit", one.text)]
    if line.text is not None:
        return [*spoken, Unused(why="rows" if read_rows(line.text) else "form", text=line.text)]
    if spoken or line.trouble not in _OF_TROUBLE:
        return spoken
    return line.unused[:1] or [Unused(why=_OF_TROUBLE[line.trouble], text="")]


def _still_thinking(cut: bool, text: str) -> bool:
    return cut and not text.strip()


def advice(task: str, *, may_go_on: bool) -> Text:
    """What to do about a model that writes nothing usable."""
    told = T(
        "`iterate doctor --endpoint` shows what this server and model can do. Try another model (ITERATE_MODEL) with "
        "--dry-run 5. Without a model: repeat scarce rows (iterate oversample {task} --target-count 500), settle rows whose "
        "label is in doubt (iterate review {task}), or label rows of your own (iterate label {task}).",
        task=shell_word(task),
    )
    return T("{advice} To go on all the same, add --keep-going.", advice=told) if may_go_on else told
