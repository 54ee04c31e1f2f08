"""A row under review as parts for the row view: what is suggested and why before the row itself, checks and origin after it."""

from __future__ import annotations

import json

from agent.faces.tui.widgets.row_view import Part, field_parts, scores_part, shown_answer, twin_parts
from tools.reviewing.batch import Candidate, Check, Item, SampleDecision
from tools.text import Speaker, T, Text, visible

ORIGINS: dict[str, Text] = {
    "new": T("new row"),
    "train": T("training row"),
    "valid": T("validation row: a question about its label, training data does not change"),
}
STATES: dict[str, Text] = {
    "open": T("not decided yet"),
    "accepted": T("accepted"),
    "edited": T("edited"),
    "relabelled": T("relabelled"),
    "rejected": T("rejected"),
}


def item_parts(item: Item, say: Speaker) -> list[Part]:
    """Everything a person needs to decide on a row; what a key would accept stands above a text of any length."""
    one = item.candidate
    return [
        *([_decided(item, item.decision, say)] if item.decision else []),
        *([Part(say(T("Why it is here")), say(one.why))] if one.why else []),
        *_answers(one, say),
        *field_parts(item.fields, say),
        *([scores_part(one.scores, say)] if one.scores else []),
        *(_check_part(check, say) for check in one.checks),
        *twin_parts(one.twins, say),
        Part(say(T("Comes from")), _origin(one, say), "muted", True),
    ]


def _decided(item: Item, decision: SampleDecision, say: Speaker) -> Part:
    said = T("{state} by {who}", state=STATES[item.state], who=visible(decision.by, 40))
    if item.state in ("edited", "relabelled"):
        said = T("{said}: {answer}", said=said, answer=visible(shown_answer(item.answer, say), 200))
    if decision.reason:
        said = T("{said}, because {reason}", said=said, reason=visible(decision.reason, 200))
    return Part(say(T("Decided")), say(said), "strong", True)


def _answers(one: Candidate, say: Speaker) -> list[Part]:
    """What the row says, what is suggested, what the model answered."""
    parts = []
    if one.answer is not None:
        parts.append(Part(say(T("The row says")), shown_answer(one.answer, say), "strong", True))
    if one.leave_out:
        parts.append(Part(say(T("Suggested")), say(T("leave it out (r)")), "strong", True))
    elif one.suggested is not None:
        parts.append(Part(say(T("Suggested")), shown_answer(one.suggested, say), "strong", True))
    if one.answered is not None:
        agrees = one.answered == one.offered
        said = f"{shown_answer(one.answered, say)}  ({say(T('agrees') if agrees else T('does not agree'))})"
        parts.append(Part(say(T("The model answered")), said, "good" if agrees else "bad", True))
    return parts


def _check_part(check: Check, say: Speaker) -> Part:
    sign = "✓" if check.passed else "✗"
    reason = check.reason or (T("passed") if check.passed else T("failed"))
    return Part(f"{sign} {say(check.name)}", say(reason), "good" if check.passed else "bad", True)


def _origin(one: Candidate, say: Speaker) -> str:
    parts = [say(ORIGINS[one.origin]), *([one.source] if one.source else [])]
    told = [f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in one.provenance.items()]
    return " · ".join([*parts, *told])
