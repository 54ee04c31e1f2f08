"""The person at a plain terminal: shows each question whole and turns typed words into typed answers.

An empty line or an unknown word never means yes: the question is asked again. The end of input leaves it pending. Words that
are no choice can be handed to a conversation, which answers them while the question waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from agent.approval import (
    Answer,
    Confirmation,
    ConfirmQuestion,
    DecideQuestion,
    Question,
    ReviewQuestion,
    VersionChoice,
    user_name,
)
from agent.faces.console import ask, out, show_error
from agent.faces.edit_values import (
    changes_from_file,
    edits_of,
    run_editor,
    typed_value,
    value_text,
    values_file,
    with_values,
)
from agent.faces.layout import wrap
from agent.faces.plain import PlainFace
from agent.faces.trying import tell_tried, try_quickly
from agent.faces.views.evidence import evidence
from agent.faces.views.proposal import proposal_lines
from agent.faces.views.quick import can_be_tried
from agent.grants import offered_rule, rule_sentence
from agent.proposing import edited
from tools.change import Change, Decision, Edit, Proposal, SessionRule, Verb
from tools.errors import IterateError
from tools.files import now
from tools.reading.task import load_task
from tools.text import Speaker, T, Text, visible

Choices = Mapping[str, tuple[Text, frozenset[str]]]
Talk = Callable[[str, Question], Answer | str | None]
"""Answers words that are no choice: an answer to the question, the word of a choice that was meant, or None to ask again."""

REVIEW: Choices = {
    "approve": (
        T("approve (a); a comment may follow a colon"),
        frozenset({"a", "approve", "yes", "y", "同意", "核准"}),
    ),
    "edit": (T("edit, then approve (e)"), frozenset({"e", "edit", "修改"})),
    "reject": (T("reject with a reason (r)"), frozenset({"r", "reject", "no", "拒絕"})),
    "allow": (T("approve, and allow alike changes in this session (s)"), frozenset({"s", "allow", "允許"})),
    "defer": (T("decide later, next proposal (l)"), frozenset({"l", "d", "later", "defer", "稍後"})),
    "editor": (T("edit the values in your editor (g)"), frozenset({"g", "editor", "編輯器"})),
    "evidence": (T("show the evidence (w)"), frozenset({"w", "evidence", "證據"})),
    "quick": (T("try it quickly first; decides nothing (t)"), frozenset({"t", "try", "quick", "試", "快速檢查"})),
    "quit": (T("stop here; the question waits (q)"), frozenset({"q", "quit", "離開"})),
}
EDITED: Choices = {
    "approve": (T("approve (a)"), REVIEW["approve"][1]),
    "again": (T("edit again (e)"), REVIEW["edit"][1]),
    "back": (T("back to the proposal (b)"), frozenset({"b", "back", "返回"})),
}
ALLOW: Choices = {
    "approve": (T("approve this one and allow that (a)"), REVIEW["approve"][1]),
    "back": EDITED["back"],
}
DECIDE: Choices = {
    "adopt": (
        T("adopt: opens the locked test set, shows it and asks once more (a)"),
        frozenset({"a", "adopt", "採用"}),
    ),
    "continue": (T("continue from this version (c)"), frozenset({"c", "continue", "繼續"})),
    "rollback": (T("roll back to the version before (b)"), frozenset({"b", "rollback", "roll back", "回滾"})),
    "quit": REVIEW["quit"],
}
CONFIRM: Choices = {
    "adopt": (T("adopt now (a)"), frozenset({"a", "adopt", "yes", "y", "採用"})),
    "keep": (T("do not adopt; keep it on record (n)"), frozenset({"n", "no", "不採用"})),
    "quit": REVIEW["quit"],
}
_WITH_WORDS = frozenset({"approve", "reject"})
"""Choices that take words after a colon: a comment, a reason."""


@dataclass(frozen=True)
class Said:
    """A choice, with the words that followed it."""

    word: str
    words: str = ""


class PersonApprover:
    """Asks the person at the terminal."""

    def __init__(self, task_path: Path, face: PlainFace, say: Speaker, talk: Talk | None = None) -> None:
        self._task = task_path
        self._face = face
        self._say = say
        self._talk = talk

    def answer(self, question: Question) -> Answer | None:
        """The person's answer; None when they leave it for later."""
        self._face.show_before(question)
        match question:
            case ReviewQuestion():
                return self._review(question)
            case DecideQuestion():
                return self._decide(question)
            case ConfirmQuestion():
                return self._confirm(question)

    def _review(self, question: ReviewQuestion) -> Answer | None:
        proposal = question.proposal
        for line in proposal_lines(proposal, self._say, number=question.number, total=question.total):
            out(line)
        tell_tried(proposal, self._task, self._say)
        while True:
            out()
            said = self._choose(_offered(proposal), question)
            if said is None or not isinstance(said, Said):
                return said
            if said.word == "quit":
                return None
            answer = self._do(said, proposal)
            if answer is not None:
                return answer

    def _do(self, said: Said, proposal: Proposal) -> Decision | None:
        """The decision that a choice comes to; None to ask again."""
        match said.word:
            case "approve" | "defer" as word:
                return self._decision(proposal, Verb(word), reason=said.words)
            case "edit":
                return self._edit(proposal)
            case "editor":
                return self._in_editor(proposal)
            case "reject":
                return self._reject(proposal, said.words)
            case "allow":
                return self._allow(proposal)
            case "quick":
                try_quickly(proposal, self._task, self._face, self._say)
            case _:
                for line in evidence(proposal, self._task, self._say).splitlines():
                    out(line)
        return None

    def _reject(self, proposal: Proposal, words: str) -> Decision | None:
        reason = words or ask(self._say(T("Why? It is kept and reaches the next proposals: ")))
        return None if reason is None else self._decision(proposal, Verb.reject, reason=reason.strip())

    def _allow(self, proposal: Proposal) -> Decision | None:
        """Show the rule that would be stored; it counts only once it was read and approved."""
        rule = offered_rule(proposal)
        assert rule is not None
        out(self._say(T("This is stored for the session, and nothing more:")))
        for line in wrap(self._say(rule_sentence(rule)), indent="  "):
            out(line)
        said = self._choose(ALLOW)
        if not isinstance(said, Said) or said.word != "approve":
            return None
        return self._decision(proposal, Verb.approve, reason=said.words, remember=rule)

    def _edit(self, proposal: Proposal) -> Decision | None:
        """Ask for each new value; a value that is not valid is explained and asked for again."""
        while True:
            texts = self._ask_values(proposal)
            if texts is None:
                return None
            try:
                pairs = zip(edits_of(proposal), texts, strict=True)
                changes = with_values(proposal, [_value(edit, text) for edit, text in pairs])
                said = self._show_edited(proposal, changes)
            except IterateError as error:
                show_error(error, self._say)
                continue
            if said != "again":
                return self._decision(proposal, Verb.edit, changes=changes) if said == "approve" else None

    def _in_editor(self, proposal: Proposal) -> Decision | None:
        """The values in the person's own editor; what cannot be used is explained."""
        while True:
            try:
                changes = changes_from_file(run_editor(values_file(proposal, self._say)), proposal)
                said = self._show_edited(proposal, changes)
            except IterateError as error:
                show_error(error, self._say)
                return None
            if said != "again":
                return self._decision(proposal, Verb.edit, changes=changes) if said == "approve" else None

    def _show_edited(self, proposal: Proposal, changes: list[Change]) -> str | None:
        """What the edited values come to, and what is said to that."""
        shown = edited(proposal, changes, load_task(self._task), self._say)
        out(self._say(T("Edited by you:")))
        for line in shown.diff.splitlines():
            out("  " + visible(line))
        said = self._choose(EDITED)
        return said.word if isinstance(said, Said) else None

    def _ask_values(self, proposal: Proposal) -> list[str] | None:
        texts = []
        for edit in edits_of(proposal):
            typed = ask(f"  {visible(edit.dotted)} [{visible(value_text(edit.new))}]: ")
            if typed is None:
                return None
            texts.append(typed)
        return texts

    def _decide(self, question: DecideQuestion) -> Answer | None:
        out(self._say(T("Recommended: {choice}", choice=question.comparison.recommendation)))
        if question.waiting:
            out(self._say(T("{count} approved change(s) still wait for their training.", count=question.waiting)))
        said = self._choose(DECIDE, question)
        if said is None or not isinstance(said, Said):
            return said
        if said.word == "quit":
            return None
        return VersionChoice.model_validate(
            {"choice": said.word, "by": "person", "who": user_name(), "at": now()},
        )

    def _confirm(self, question: ConfirmQuestion) -> Answer | None:
        said = self._choose(CONFIRM, question)
        if said is None or not isinstance(said, Said):
            return said
        if said.word == "quit":
            return None
        return Confirmation(adopt=said.word == "adopt", by="person", who=user_name(), at=now())

    def _choose(self, choices: Choices, question: Question | None = None) -> Said | Answer | None:
        """What was chosen, or what talking made of other words; asks again until there is one, None at the end of input."""
        while True:
            for number, (text, _) in enumerate(choices.values(), start=1):
                for line in wrap(f"{number} {self._say(text)}", indent="  "):
                    out(line)
            typed = ask("> ")
            if typed is None:
                return None
            said = _understood(typed, choices)
            if said is not None:
                return said
            meant = self._other(typed.strip(), question) if typed.strip() else None
            if isinstance(meant, str) and meant in choices:
                return Said(meant)
            if meant is not None and not isinstance(meant, str):
                return meant

    def _other(self, typed: str, question: Question | None) -> str | Answer | None:
        """What words that are no choice amount to; without a conversation they are only refused."""
        if self._talk is not None and question is not None:
            return self._talk(typed, question)
        out(self._say(T("{typed} is not one of the choices; nothing was decided.", typed=visible(typed, 40))))
        return None

    def _decision(
        self,
        proposal: Proposal,
        verb: Verb,
        *,
        reason: str = "",
        changes: list[Change] | None = None,
        remember: SessionRule | None = None,
    ) -> Decision:
        return Decision(
            proposal_id=proposal.id,
            decision=verb,
            edited=changes,
            reason=reason,
            remember=remember,
            by="person",
            who=user_name(),
            at=now(),
        )


def _offered(proposal: Proposal) -> Choices:
    """The answers that make sense for this proposal."""
    left_out = set() if proposal.changes else {"edit", "editor"}
    if offered_rule(proposal) is None:
        left_out.add("allow")
    if not can_be_tried(proposal):
        left_out.add("quick")
    return {word: choice for word, choice in REVIEW.items() if word not in left_out}


def _understood(typed: str, choices: Choices) -> Said | None:
    """A number, a letter or a word of one choice, with the words behind a colon where the choice takes some."""
    head, _, words = typed.replace("：", ":", 1).partition(":")
    wanted = head.strip().lower()
    for number, (word, (_, names)) in enumerate(choices.items(), start=1):
        if wanted == str(number) or wanted in names:
            return Said(word, words.strip()) if not words.strip() or word in _WITH_WORDS else None
    return None


def _value(edit: Edit, text: str) -> JsonValue:
    """The typed value; an empty line keeps the proposed one."""
    return typed_value(visible(edit.dotted), text) if text.strip() else edit.new
