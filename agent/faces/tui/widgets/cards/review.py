"""The review card: a proposal with its reasons, forecast, price and diff, and what a person can say to it.

approve, edit in place or in an editor, reject with a reason, allow alike changes for the session, decide later, or try it
quickly first, which decides nothing. Nothing is truncated: the body scrolls, the choices stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual.app import SuspendNotSupported
from textual.widget import Widget

from agent.approval import ReviewQuestion, user_name
from agent.conversation.said import Order
from agent.faces.edit_values import changes_from_file, run_editor, values_file
from agent.faces.tui.messages import OrderGiven, QuickCheckWanted
from agent.faces.tui.screens.full_view import FullView
from agent.faces.tui.widgets.cards.base import Card, Pane
from agent.faces.tui.widgets.cards.choices import Choice, Do
from agent.faces.tui.widgets.cards.edit_form import EditForm, problems
from agent.faces.tui.widgets.cards.facts import Evidence, QuickPrice, fact_rows
from agent.faces.tui.widgets.cards.reason import ReasonBox
from agent.faces.tui.widgets.diff import DiffView
from agent.faces.tui.widgets.flow import Prose
from agent.faces.views.proposal import cost_line, effect_line, goal_line, proposal_lines
from agent.faces.views.quick import can_be_tried, tried_text
from agent.grants import offered_rule, rule_sentence
from tools.change import Change, Decision, Proposal, SessionRule, Verb
from tools.diagnose import Diagnosis
from tools.errors import IterateError
from tools.files import now as stamp
from tools.text import Speaker, T, Text, visible

_ORIGINS: dict[str, Text] = {
    "model": T("a language model; checks, forecast and price are the program's"),
    "person": T("you; checks, forecast and price are the program's"),
}


class ReviewCard(Card):
    """Asks whether a change may be trained."""

    def __init__(
        self,
        question: ReviewQuestion,
        token: int,
        task_path: Path,
        say: Speaker,
        *,
        diagnosis: Diagnosis | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(token, say, now=now)
        self._question = question
        self._task_path = task_path
        self._diagnosis = diagnosis
        self._tried = ""
        """What a quick check of this change says, running or over."""
        self._trying = False
        self.border_title = say(T("Proposal {number} of {total}", number=question.number, total=question.total))

    @property
    def proposal(self) -> Proposal:
        """What is asked about."""
        return self._question.proposal

    # panes

    def first_pane(self) -> Pane:
        """The proposal and the answers to it."""
        return Pane(
            self._body(self.proposal, "", hint=True),
            self._answers(),
            {
                "w": (T("evidence"), self._evidence),
                "c": (T("approve with a comment"), self._comment),
                "v": (T("full view"), partial(self._full, self.proposal, "")),
                "d": (T("columns"), self._toggle),
                "y": (T("copy"), partial(self._copy, self.proposal)),
                "p": (T("read the page"), self._page),
                "?": (T("help"), self._help),
            },
            {"ctrl+g": (T("editor"), self._editor)} if self.proposal.changes else {},
            enter=self._evidence,
            quiet=frozenset("cyp"),
        )

    def _answers(self) -> list[Choice]:
        say, changes = self.say, self.proposal.changes
        rule = offered_rule(self.proposal)
        edit = [Choice("e", say(T("Edit")), self._edit)] if changes else []
        allow = []
        if rule is not None:
            words = T(
                "Allow {keys} this session, {count} more trainings",
                keys=visible(", ".join(key.rpartition(".")[2] for key in rule.keys)),
                count=rule.trainings,
            )
            allow = [Choice("s", say(words), partial(self._rule, rule))]
        return [
            Choice("a", say(T("Approve")), self._approve),
            *edit,
            Choice("r", say(T("Reject with a reason")), self._reason),
            *allow,
            Choice("l", say(T("Put off")), self._defer),
            *([Choice("t", say(T("Try it quickly first")), self._try)] if can_be_tried(self.proposal) else []),
        ]

    def _body(self, proposal: Proposal, mark: str, *, hint: bool = False) -> list[Widget]:
        """Facts and diff; what somebody edited comes first."""
        before, after = _facts(proposal, self.say, hint=hint), _more_facts(proposal, self.say)
        if not mark:
            before.append((T("Tried"), self._tried))
        rows: list[Widget] = [*fact_rows([*before, *after], self.say)]
        if not mark:
            tried = rows[len(before) - 1]
            tried.add_class("tried")
            tried.display = bool(self._tried)
        rows.insert(0 if mark else len(before), DiffView(proposal.diff, self.say, mark=mark))
        return rows

    async def _rule(self, rule: SessionRule) -> None:
        say = self.say
        words = [
            Prose(say(T("This is stored for the session, and nothing more:")), classes="gap"),
            Prose(say(rule_sentence(rule)), first="  "),
            Prose(
                say(T("It ends with the session. It covers no other key and no data, and never opens the test set."))
            ),
        ]
        allow = Choice("a", say(T("Approve this one and allow that")), partial(self._approve, remember=rule))
        back = Choice("b", say(T("Back")), self._back)
        await self.show(Pane(words, [allow, back], escape=self._back))

    async def _evidence(self) -> None:
        shown = Evidence(self.proposal, self._task_path, self.say, self._diagnosis)
        await self.show(Pane([shown], extras={"p": (T("read the page"), self._page)}, escape=self._back))

    async def _help(self) -> None:
        pane = self.first_pane()
        keys = [(f"{number}  {choice.key}", choice.text) for number, choice in enumerate(pane.choices, start=1)]
        others = {**pane.extras, **pane.commands}
        keys += [(f"   {key}", self.say(text)) for key, (text, _) in others.items()]
        keys.append(("   esc", self.say(T("decide later"))))
        moves = T(
            "↑ ↓ mark a choice and Enter takes it; PageUp and PageDown scroll. Right after the card appears keys do nothing."
        )
        rows = [Prose(text, first=f"{key:<10}") for key, text in keys]
        await self.show(Pane([*rows, Prose(self.say(moves))], escape=self._back))

    async def _back(self) -> None:
        await self.show(self.first_pane())

    def on_looked_up_known(self) -> None:
        """Make room for what was looked up."""
        self.call_after_refresh(self._fit)

    # trying it first

    async def on_mount(self) -> None:
        """Look on record for what a quick check of this change found."""
        self.run_worker(self._look_on_record, thread=True, group="tried", exit_on_error=False)

    def _look_on_record(self) -> None:
        found = tried_text(self.proposal, self._task_path)
        if found is not None and not self._tried:
            self.app.call_from_thread(self.quick_check_says, found, over=True)

    def quick_check_says(self, told: Text, *, over: bool) -> None:
        """How far a quick check of this change is, or what came of it."""
        self._tried, self._trying = self.say(told), not over
        for row in self.query(".tried").results(Prose):
            row.show(self._tried)
            row.display = True
        self.call_after_refresh(self._fit)

    async def _try(self) -> None:
        """Say what it takes, or how far it is; it begins only once that was read."""
        back = Choice("b", self.say(T("Back")), self._back)
        if self._trying:
            stop = Choice("x", self.say(T("Stop the quick check")), partial(self._quick, give_up=True))
            await self.show(Pane([Prose(self._tried)], [stop, back], escape=self._back))
            return
        start = Choice("t", self.say(T("Start it")), self._quick)
        await self.show(Pane([QuickPrice(self.proposal, self._task_path, self.say)], [start, back], escape=self._back))

    async def _quick(self, *, give_up: bool = False) -> None:
        self.post_message(QuickCheckWanted(self.proposal, give_up=give_up))
        await self._back()

    # answers

    async def _approve(self, *, remember: SessionRule | None = None, reason: str = "") -> None:
        self._decide(Verb.approve, remember=remember, reason=reason)

    async def _defer(self) -> None:
        self._decide(Verb.defer)

    async def _reason(self) -> None:
        await self._words(T("Why? It is kept, and reaches the next proposals:"), may_be_empty=True)

    async def _comment(self) -> None:
        await self._words(T("Your comment; Enter approves with it, Escape goes back:"), may_be_empty=False)

    async def _words(self, prompt: Text, *, may_be_empty: bool) -> None:
        box = ReasonBox(self.say(prompt), self.say, may_be_empty=may_be_empty)
        body = [box, *self._body(self.proposal, "")]
        await self.show(Pane(body, escape=self._back, takes_keys=box.field))

    def on_reason_box_given(self, event: ReasonBox.Given) -> None:
        """The reason of a rejection, or the comment of an approval."""
        event.stop()
        self._decide(Verb.reject if event.may_be_empty else Verb.approve, reason=event.words)

    def _decide(
        self,
        verb: Verb,
        *,
        reason: str = "",
        changes: list[Change] | None = None,
        remember: SessionRule | None = None,
    ) -> None:
        decision = Decision(
            proposal_id=self.proposal.id,
            decision=verb,
            edited=changes,
            reason=reason,
            remember=remember,
            by="person",
            who=user_name(),
            at=stamp(),
        )
        self.answer(decision)

    # editing

    async def _edit(self, start: Proposal | None = None) -> None:
        form = EditForm(self.proposal, self._task_path, self.say, start=start)
        await self.show(Pane([form], escape=self._back, takes_keys=form.fields[0]))

    async def on_edit_form_ready(self, event: EditForm.Ready) -> None:
        """Valid values: show what they come to, and ask about that."""
        event.stop()
        await self._show_edited(event.changes, event.shown)

    async def _show_edited(self, changes: list[Change], shown: Proposal) -> None:
        say, mark = self.say, self.say(T("edited by you"))
        choices = [
            Choice("a", say(T("Approve as edited")), partial(self._approve_edited, changes)),
            Choice("e", say(T("Edit again")), partial(self._edit, shown)),
        ]
        extras: dict[str, tuple[Text, Do]] = {
            "v": (T("full view"), partial(self._full, shown, mark)),
            "d": (T("columns"), self._toggle),
            "y": (T("copy"), partial(self._copy, shown)),
        }
        await self.show(Pane(self._body(shown, mark), choices, extras, escape=self._back))

    async def _approve_edited(self, changes: list[Change]) -> None:
        self._decide(Verb.edit, changes=changes)

    async def _editor(self) -> None:
        try:
            with self.app.suspend():
                typed = run_editor(values_file(self.proposal, self.say))
            changes = changes_from_file(typed, self.proposal)
            if changes == self.proposal.changes:
                self.note(self.say(T("The values are as they were.")))
                return
            await self._show_edited(changes, self._edited(changes))
        except SuspendNotSupported:
            self.note(self.say(T("This screen cannot be handed to an editor; press e to edit here.")))
        except IterateError as error:
            self.note(problems(error, self.say))

    def _edited(self, changes: list[Change]) -> Proposal:
        from agent.proposing import edited
        from tools.reading.task import load_task

        return edited(self.proposal, changes, load_task(self._task_path), self.say)

    # looking

    async def _toggle(self) -> None:
        for view in self.query(DiffView):
            view.toggle()
        self.call_after_refresh(self._fit)

    async def _full(self, proposal: Proposal, mark: str) -> None:
        self.app.push_screen(FullView(self.say(proposal.title), self._body(proposal, mark), self.say))

    async def _copy(self, proposal: Proposal) -> None:
        lines = proposal_lines(proposal, self.say, number=self._question.number, total=self._question.total)
        self.app.copy_to_clipboard("\n".join(lines) + "\n")
        self.note(self.say(T("Copied.")))

    async def _page(self) -> None:
        self.post_message(OrderGiven(Order(command="refs", args={"page": self.proposal.page})))


def _facts(proposal: Proposal, say: Speaker, *, hint: bool) -> list[tuple[Text, str]]:
    """Everything to decide by, in the order in which people ask; `hint` where the evidence is one key away."""
    change = "; ".join(say(change.summary) for change in proposal.changes) or say(proposal.title)
    facts = [
        (T("Change"), change),
        (T("Why"), say(T("{problem} (w: evidence)", problem=proposal.problem) if hint else proposal.problem)),
        (T("Expect"), effect_line(proposal.effect, say)),
        (T("Cost"), cost_line(proposal, say)),
        (T("Undo"), say(T("yes: the version before it stays, `rollback` restores it"))),
    ]
    if proposal.caution:
        facts.append((T("But"), say(proposal.caution)))
    if proposal.comment:
        facts.append((T("Model"), say(T("“{words}” (a language model's words)", words=visible(proposal.comment)))))
    if proposal.origin in _ORIGINS:
        facts.append((T("Idea by"), say(_ORIGINS[proposal.origin])))
    return facts


def _more_facts(proposal: Proposal, say: Speaker) -> list[tuple[Text, str]]:
    """What may stand below the diff."""
    return [(T("Goal"), goal_line(proposal.goal, say)), (T("Read"), proposal.page)]
