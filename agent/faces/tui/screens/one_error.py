"""One answer in full: the row, what was expected and answered, the raw output, the prompt, and similar training rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from agent.faces.tui.screens.trouble import trouble
from agent.faces.tui.widgets.key_bar import Hint, KeyBar
from agent.faces.tui.widgets.plain_text import PlainText
from agent.faces.tui.widgets.row_view import Part, RowView, field_parts, scores_part, twin_parts
from agent.faces.views.words import FAILURES
from tools.errors import IterateError
from tools.reviewing.answers import AnsweredRow, Answers
from tools.reviewing.batch import Candidate, Twin
from tools.reviewing.suspects import train_candidate, valid_candidate
from tools.samples import SUSPECTS, add
from tools.text import Speaker, T, Text, visible

FILED = T("Filed as a question about its label (/samples). It is a validation row: training data does not change.")
FILED_BEFORE = T("It was filed before (/samples).")
HINTS: tuple[Hint, ...] = (
    ("n p", T("next, previous")),
    ("m", T("mark")),
    ("1-3", T("mark a similar training row")),
    ("Esc", T("back")),
)


class ErrorRowScreen(Screen[None]):
    """Goes through a list of answers one by one."""

    CSS = """
    ErrorRowScreen #title { padding: 0 1; text-style: bold; background: $surface; }
    ErrorRowScreen KeyBar { height: 1; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", show=False),
        Binding("n,right", "go(1)", "Next", show=False),
        Binding("p,left", "go(-1)", "Previous", show=False),
        Binding("m", "mark", "Mark", show=False),
        *(Binding(str(number), f"mark_twin({number})", "Mark twin", show=False) for number in (1, 2, 3)),
    ]

    def __init__(self, answers: Answers, rows: Sequence[AnsweredRow], place: int, say: Speaker) -> None:
        super().__init__()
        self._answers = answers
        self._rows = rows
        self._place = place
        self._say = say
        self._twins: list[Twin] = []

    def compose(self) -> ComposeResult:
        """Title, the row, the keys."""
        yield PlainText(id="title")
        yield RowView()
        yield KeyBar(self._say)

    def on_mount(self) -> None:
        """Show the row that was opened."""
        self.query_one(KeyBar).show(HINTS)
        self.query_one(RowView).focus()
        self._show()

    @property
    def _row(self) -> AnsweredRow:
        return self._rows[self._place]

    def action_go(self, step: int) -> None:
        """The next or the previous answer of the list."""
        self._place = max(0, min(self._place + step, len(self._rows) - 1))
        self._show()

    def _show(self) -> None:
        row = self._row
        title = T(
            "Validation row {id}, {place} of {count}",
            id=visible(row.first.id),
            place=self._place + 1,
            count=len(self._rows),
        )
        self.query_one("#title", PlainText).show(self._say(title))
        self._twins = []
        self.query_one(RowView).show(answer_parts(self._answers, row, self._say))
        self._look_for_twins(row)

    @work(thread=True, exclusive=True, group="errors-twins")
    def _look_for_twins(self, row: AnsweredRow) -> None:
        twins = self._answers.twins(row)
        self.app.call_from_thread(self._found, row, twins)

    def _found(self, row: AnsweredRow, twins: list[Twin]) -> None:
        if row is self._row and twins and self.is_mounted:
            self._twins = twins
            parts = answer_parts(self._answers, row, self._say)
            self.query_one(RowView).show([*parts, *twin_parts(twins, self._say, numbered=True)])

    async def action_mark(self) -> None:
        """File the row as a question about its label."""
        candidate = valid_candidate(
            self._row.first, "errors", why=T("You marked it among the errors."), twins=self._twins
        )
        await self._file(candidate, FILED)

    async def action_mark_twin(self, number: int) -> None:
        """Put a similar training row into the batch of suspects."""
        if number > len(self._twins):
            return
        twin, row = self._twins[number - 1], self._answers.row(self._row)
        own = self._answers.train.get(twin.row)
        if own is None:
            return
        mirrored = twin.model_copy(
            update={"row": row.id, "split": "valid", "fields": row.fields, "answer": self._row.first.expected}
        )
        why = T("You marked it as similar to validation row {row}.", row=visible(row.id, 60))
        await self._file(
            train_candidate(own, "errors", why=why, twins=[mirrored]),
            T("Training row {row} waits for your review (/samples).", row=visible(own.id, 60)),
        )

    async def _file(self, candidate: Candidate, done: Text) -> None:
        try:
            new = await asyncio.to_thread(add, self._answers.task.path, SUSPECTS, [candidate])
        except IterateError as error:
            self.notify(trouble(error, self._say), severity="error", markup=False)
        else:
            self.notify(self._say(done if new else FILED_BEFORE), markup=False)


def answer_parts(answers: Answers, row: AnsweredRow, say: Speaker) -> list[Part]:
    """Everything about an answer but similar rows, most telling first."""
    one = row.first
    return [
        *field_parts(one.input, say),
        Part(say(T("Expected")), _pretty(row.expected), "good", True),
        _answered(row, say),
        *_field_scores(answers, row, say),
        *([scores_part(one.scores, say)] if one.scores else []),
        Part(say(T("Raw answer")), one.raw or say(T("(empty)"))),
        *_prompt(answers, row, say),
        *_other_fields(answers, row),
    ]


def _answered(row: AnsweredRow, say: Speaker) -> Part:
    if row.answered is not None:
        seeds = say(T(" ({seeds} seeds)", seeds=row.seeds)) if row.seeds > 1 else ""
        return Part(say(T("Answered")), _pretty(row.answered) + seeds, "good" if row.first.correct else "bad", True)
    failure = FAILURES.get(row.first.failure or "")
    reason = say(failure) if failure else row.first.failure or "?"
    return Part(say(T("Answered")), say(T("nothing that could be read: {reason}", reason=reason)), "bad", True)


def _field_scores(answers: Answers, row: AnsweredRow, say: Speaker) -> list[Part]:
    if not answers.fields:
        return []
    scores = answers.field_scores(row)
    lines = [f"{score:6.0%}  {field}" for field, score in sorted(scores.items(), key=lambda pair: pair[1])]
    return [Part(say(T("Scores of the fields")), "\n".join(lines))]


def _prompt(answers: Answers, row: AnsweredRow, say: Speaker) -> list[Part]:
    turns = answers.prompt(row)
    if not turns:
        return [Part(say(T("Prompt")), say(T("It cannot be made from the row any more.")), "muted")]
    text = "\n".join(f"[{turn['role']}]\n{turn['content']}" for turn in turns)
    return [Part(say(T("Prompt, as {version} was asked", version=answers.version or "?")), text, "muted")]


def _other_fields(answers: Answers, row: AnsweredRow) -> list[Part]:
    """What the row holds besides; the model was not shown it."""
    meta = answers.row(row).meta
    return [Part(key, json.dumps(value, ensure_ascii=False), "muted", True) for key, value in meta.items()]


def _pretty(answer: str) -> str:
    """An object over several lines, everything else as it is."""
    if not answer.startswith("{"):
        return answer
    try:
        return "\n" + json.dumps(json.loads(answer), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return answer
