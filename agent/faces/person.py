"""The person at a plain terminal: shows each question whole and turns typed words into typed answers.

An empty line or an unknown word never means yes: the question is asked again. The end of input leaves it pending. Words that
are no choice can be handed to a conversation, which answers them while the question waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

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
from agent.faces.layout import wrap
from agent.faces.plain import PlainFace
from agent.faces.views.proposal import proposal_lines
from agent.proposing import edited
from tools.change import Change, Decision, Edit, Proposal, Verb
from tools.editing.yaml_read import parse, plain
from tools.errors import IterateError
from tools.files import now
from tools.reading.task import load_task
from tools.text import Speaker, T, Text, visible

Choices = Mapping[str, tuple[Text, frozenset[str]]]
Talk = Callable[[str, Question], Answer | str | None]
"""Answers words that are no choice: an answer to the question, the word of a choice that was meant, or None to ask again."""

REVIEW: Choices = {
    "approve": (T("1 approve (a)"), frozenset({"1", "a", "approve", "yes", "y", "同意", "核准"})),
    "edit": (T("2 edit, then approve (e)"), frozenset({"2", "e", "edit", "修改"})),
    "reject": (T("3 reject with a reason (r)"), frozenset({"3", "r", "reject", "no", "拒絕"})),
    "defer": (T("4 decide later (d)"), frozenset({"4", "d", "later", "defer", "稍後"})),
    "quit": (T("5 stop here; the question waits (q)"), frozenset({"5", "q", "quit", "離開"})),
}
EDITED: Choices = {"approve": REVIEW["approve"], "again": (T("2 edit again (e)"), frozenset({"2", "e"}))}
DECIDE: Choices = {
    "adopt": (
        T("1 adopt: opens the locked test set, shows it and asks once more (a)"),
        frozenset({"1", "a", "adopt", "採用"}),
    ),
    "continue": (T("2 continue from this version (c)"), frozenset({"2", "c", "continue", "繼續"})),
    "rollback": (T("3 roll back to the version before (b)"), frozenset({"3", "b", "rollback", "roll back", "回滾"})),
    "quit": (T("4 stop here; the question waits (q)"), frozenset({"4", "q", "quit", "離開"})),
}
CONFIRM: Choices = {
    "adopt": (T("1 adopt now (a)"), frozenset({"1", "a", "adopt", "yes", "y", "採用"})),
    "keep": (T("2 do not adopt; keep it on record (n)"), frozenset({"2", "n", "no", "不採用"})),
    "quit": (T("3 stop here; the question waits (q)"), frozenset({"3", "q", "quit", "離開"})),
}


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
        out()
        word = self._choose(REVIEW if proposal.changes else _without(REVIEW, "edit"), question)
        if word is not None and not isinstance(word, str):
            return word
        match word:
            case "approve":
                return self._decision(proposal, Verb.approve)
            case "edit":
                return self._edit(proposal)
            case "reject":
                reason = ask(self._say(T("Why? It is kept and reaches the next proposals: ")))
                return None if reason is None else self._decision(proposal, Verb.reject, reason=reason.strip())
            case "defer":
                return self._decision(proposal, Verb.defer)
            case _:
                return None

    def _edit(self, proposal: Proposal) -> Decision | None:
        """Ask for each new value; a value that is not valid is explained and asked for again."""
        task = load_task(self._task)
        while True:
            changes = self._ask_values(proposal)
            if changes is None:
                return None
            try:
                shown = edited(proposal, changes, task)
            except IterateError as error:
                show_error(error, self._say)
                continue
            out(self._say(T("Edited by you:")))
            for line in shown.diff.splitlines():
                out("  " + visible(line))
            if self._choose(EDITED) == "approve":
                return self._decision(proposal, Verb.edit, changes=changes)

    def _ask_values(self, proposal: Proposal) -> list[Change] | None:
        changes = []
        for change in proposal.changes:
            edits = []
            for edit in change.edits:
                typed = ask(f"  {visible(edit.dotted)} [{visible(str(edit.new))}]: ")
                if typed is None:
                    return None
                value = edit.new if not typed.strip() else plain(parse(typed.strip()))
                edits.append(Edit(path=edit.path, old=edit.old, new=value))
            changes.append(change.model_copy(update={"edits": edits}))
        return changes

    def _decide(self, question: DecideQuestion) -> Answer | None:
        out(self._say(T("Recommended: {choice}", choice=question.comparison.recommendation)))
        if question.waiting:
            out(self._say(T("{count} approved change(s) still wait for their training.", count=question.waiting)))
        word = self._choose(DECIDE, question)
        if word is not None and not isinstance(word, str):
            return word
        if word in {None, "quit"}:
            return None
        return VersionChoice(choice=word, by="person", who=user_name(), at=now())

    def _confirm(self, question: ConfirmQuestion) -> Answer | None:
        word = self._choose(CONFIRM, question)
        if word is not None and not isinstance(word, str):
            return word
        if word in {None, "quit"}:
            return None
        return Confirmation(adopt=word == "adopt", by="person", who=user_name(), at=now())

    def _choose(self, choices: Choices, question: Question | None = None) -> str | Answer | None:
        """The chosen word, or what talking made of other words; asks again until there is one, None at the end of input."""
        while True:
            for text, _ in choices.values():
                for line in wrap(self._say(text), indent="  "):
                    out(line)
            typed = ask("> ")
            if typed is None:
                return None
            wanted = typed.strip().lower()
            for word, (_, names) in choices.items():
                if wanted in names:
                    return word
            meant = self._other(typed.strip(), question) if wanted else None
            if meant is not None and (not isinstance(meant, str) or meant in choices):
                return meant

    def _other(self, typed: str, question: Question | None) -> str | Answer | None:
        """What words that are no choice amount to; without a conversation they are only refused."""
        if self._talk is not None and question is not None:
            return self._talk(typed, question)
        out(self._say(T("{typed} is not one of the choices; nothing was decided.", typed=visible(typed, 40))))
        return None

    def _decision(
        self, proposal: Proposal, verb: Verb, *, reason: str = "", changes: list[Change] | None = None
    ) -> Decision:
        return Decision(
            proposal_id=proposal.id,
            decision=verb,
            edited=changes,
            reason=reason,
            by="person",
            who=user_name(),
            at=now(),
        )


def _without(choices: Choices, word: str) -> Choices:
    return {name: choice for name, choice in choices.items() if name != word}
