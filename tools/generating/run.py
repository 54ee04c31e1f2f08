"""One batch of new rows from its plan to the review: ask for rows, check them, have them judged, ask for more, put them up.

    generate_rows(task, Order(label="中立", wanted=200), writer, Limits(), tell)  ->  Generated

Killed at any moment, the same call goes on: what was answered is on record and is neither asked nor counted twice. Nothing
enters training here; the rows that pass wait for a person in the review batch of the same name (tools/samples.py).
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict

from tools.errors import Busy, InputError
from tools.evidence.row_keys import plain
from tools.generating.asking import Asker, LimitReached, Limits, NothingUsable, Paused, Spent
from tools.generating.checks import Why, Written
from tools.generating.diversity import diversity, nearest_among, nearest_within
from tools.generating.facts import Facts, read_facts
from tools.generating.looking import AT_ONCE, ENOUGH, Unusable, advice, heard_so_far, unusable
from tools.generating.order import Order, plan_of
from tools.generating.plan import Plan, Question, Questions
from tools.generating.record import Record
from tools.generating.sift import Sifted, candidates, failures, never_judged, right_on_known, sift, sound_rows
from tools.generating.store import (
    Generated,
    Judged,
    QuarantinedRow,
    Report,
    Weak,
    batch_folder,
    read_finished,
    read_plan,
    rows_elsewhere,
    write_plan,
    write_results,
)
from tools.generating.writer import Usage, Writer
from tools.samples import add
from tools.task import Task
from tools.text import T, visible

MOST_ROUNDS = 4
MOST_TIMES = 3
"""At most so many times the questions of the first round are asked."""
_LEAST_YIELD = 0.2
WEAKEST = 10


class Progress(BaseModel):
    """How far a batch is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: str
    stage: Literal["write", "judge"]
    done: int
    total: int
    """Questions of this stage."""
    under_way: int = 0
    """Questions that are being asked."""
    minutes: float = 0.0
    """Since this call began."""
    rows: int = 0
    """Rows so far that can be read and pass the checks that need no other row."""
    unusable: int = 0
    """Answers, while there is no such row."""
    wanted: int
    prompt_tokens: int
    completion_tokens: int
    """With a guess for the answers that are on their way."""
    cost: float | None
    """US dollars so far; None when the price is not known."""


Tell = Callable[[Progress], None]


def generate_rows(task: Task, order: Order, writer: Writer, limits: Limits, tell: Tell) -> Generated:
    """Write, check and judge rows until as many as wanted have passed, and put them up for review.

    Raises Paused when it had to stop before the end (limits, a server that is gone, a model without a usable row), InputError
    for an order that does not fit the task or the batch, and Busy while another program works on the batch.
    """
    if limits.max_cost is not None and writer.price is None:
        raise InputError(
            T("The price of {model} is not known, so a limit on cost cannot be kept.", model=visible(writer.name, 80)),
            hint=T("Give its price: --price 0.15,0.60 (dollars for a million tokens asked and answered)"),
            page="methods/data-generation",
        )
    facts = read_facts(task)
    plan = plan_of(facts, order, writer.name)
    if order.dry_run:
        return _Run(facts, plan, writer, limits, tell, Record(None, writer.name)).once(order)
    with _only_one(task.path, plan.batch):
        if read_plan(task.path, plan.batch) is None:
            write_plan(task, plan)
        record = Record(batch_folder(task.path, plan.batch) / "raw.jsonl", writer.name)
        return _Run(facts, plan, writer, limits, tell, record).whole(order)


class _Run:
    """One call on one batch."""

    def __init__(self, facts: Facts, plan: Plan, writer: Writer, limits: Limits, tell: Tell, record: Record) -> None:
        self._facts, self._plan, self._writer, self._record, self._tell = facts, plan, writer, record, tell
        self._questions = Questions(facts, plan, writer.wording, may_see_rows=writer.may_see_rows)
        self._elsewhere = rows_elsewhere(facts.task.path, plan.batch)
        self._stage: Literal["write", "judge"] = "write"
        self._staged: list[str] = []
        """Ids of the questions of this stage."""
        self._began = monotonic()
        self._keep_going = False
        self._asker = Asker(writer, record, limits, self._on_way)
        self._sound: dict[str, int] = {}
        """Question to the rows in its answer that can be read and pass the checks that need no other row."""
        self._numbers = 0
        """Questions for rows that this batch comes to so far."""

    def once(self, order: Order) -> Generated:
        """A dry run: as many questions as the wanted rows take, nothing on disk; what there is by then when it has to stop."""
        self._keep_going, finished = order.keep_going, True
        try:
            self._round(math.ceil(self._plan.wanted / self._plan.per_request))
        except NothingUsable:
            finished = False
        except LimitReached:
            if not self._unusable().answers:
                raise
        return self._result(finished=finished)

    def whole(self, order: Order) -> Generated:
        """All rounds; the results are on disk when it returns or raises Paused."""
        before = read_finished(self._facts.task.path, self._plan.batch)
        if before is not None:
            return before
        if order.close:
            return self._finish()
        self._keep_going = order.keep_going
        try:
            self._rounds()
        except Paused:
            self._numbers = max(self._numbers, self._last_answered())
            self._keep(self._result(finished=False))
            raise
        return self._finish()

    def _rounds(self) -> None:
        """Questions in rounds: the size of each follows from what passed before, not from who answered first."""
        first = math.ceil(self._plan.wanted / self._plan.per_request)
        size, before = first, 0
        for _ in range(MOST_ROUNDS):
            self._round(size)
            passed = len(self._sifted().passed)
            room = MOST_TIMES * first - self._numbers
            if passed >= self._plan.wanted or passed == before or room <= 0:
                return
            rate = max(_LEAST_YIELD, passed / (self._numbers * self._plan.per_request))
            size = min(room, math.ceil((self._plan.wanted - passed) / (self._plan.per_request * rate)))
            before = passed

    def _round(self, size: int) -> None:
        self._numbers += size
        asked = [self._questions.write(number) for number in range(1, self._numbers + 1)]
        self._begin("write", asked)
        self._look(asked)
        self._asker.ask(asked)
        judged: list[Question] = [self._questions.judge(row.id, row.fields) for row in self._sifted().open]
        if judged:
            judged = [*self._questions.known_questions(), *judged]
            self._begin("judge", judged)
            self._asker.ask(judged)

    def _begin(self, stage: Literal["write", "judge"], questions: Sequence[Question]) -> None:
        self._stage, self._staged = stage, [one.id for one in questions]

    def _look(self, questions: Sequence[Question]) -> None:
        """Ask a few at a time until a usable row came; raises NothingUsable once that is not to be expected any more."""
        while not self._keep_going and not self._usable():
            if self._unusable().answers >= ENOUGH:
                raise self._nothing_usable(len(questions))
            few = [one for one in questions if self._record.answer(one.id) is None][:AT_ONCE]
            if not few:
                return
            self._asker.ask(few, self._enough)

    def _enough(self, usages: Sequence[Usage]) -> bool:
        return not self._rows(self._own()) and self._unusable().answers + heard_so_far(usages) >= ENOUGH

    def _usable(self) -> bool:
        """Whether this model wrote a row that was put before the judge, or is to be."""
        found = sift(self._facts, self._plan, self._record, self._own(), self._elsewhere)
        judged = any(one.fault.why in {"judge", "unjudged"} for one in found.quarantined)
        return bool(found.open or found.passed or judged)

    def _unusable(self) -> Unusable:
        return unusable(self._record.lines, self._writer.name)

    def _own(self) -> list[str]:
        """The questions for rows that this model answered: another one may have begun the batch."""
        lines = {name: self._record.answer(name) for name in self._names()}
        return [name for name, line in lines.items() if line is not None and line.model == self._writer.name]

    def _rows(self, names: Sequence[str]) -> int:
        for name in names:
            if name not in self._sound and self._record.answer(name) is not None:
                self._sound[name] = sound_rows(self._facts, self._plan, self._record, name)
        return sum(self._sound.get(name, 0) for name in names)

    def _nothing_usable(self, questions: int) -> NothingUsable:
        found = self._unusable()
        told = T(
            "No answer of {model} held a usable row (answers: {answers}, questions: {asked}). The batch paused before the rest "
            "of its {questions} questions.",
            model=visible(self._writer.name, 80),
            answers=found.answers,
            asked=found.questions,
            questions=questions,
        )
        return NothingUsable(told, hint=advice(self._facts.task.name, may_go_on=True), page="methods/data-generation")

    def _sifted(self) -> Sifted:
        return sift(self._facts, self._plan, self._record, self._names(), self._elsewhere)

    def _names(self) -> list[str]:
        return [f"w{number:04d}" for number in range(1, self._numbers + 1)]

    def _last_answered(self) -> int:
        return max((int(line.id[1:]) for line in self._record.lines if line.id.startswith("w")), default=0)

    def _finish(self) -> Generated:
        """Put the rows that passed before a person; the report comes last, so a batch that has one is whole."""
        self._numbers = max(self._numbers, self._last_answered())
        done = self._result(finished=True)
        if done.rows:
            add(self._facts.task.path, self._plan.batch, done.rows)
        self._keep(done)
        return done

    def _keep(self, done: Generated) -> None:
        write_results(self._facts.task, self._plan, done)

    def _result(self, *, finished: bool) -> Generated:
        found = self._sifted()
        if finished:
            found.quarantined += [never_judged(row) for row in found.open]
        whys: Counter[Why] = Counter(one.fault.why for one in found.quarantined)
        right, asked = right_on_known(self._record, self._questions.known())
        texts = [row.fields[self._facts.text_field] for row in found.passed]
        spent = self._asker.spent
        report = Report(
            batch=self._plan.batch,
            label=self._plan.label,
            model=self._writer.name,
            wanted=self._plan.wanted,
            finished=finished,
            questions=sum(self._record.answer(name) is not None for name in self._names()),
            failed=failures(self._record, self._names()),
            written=found.written,
            passed=len(found.passed),
            quarantined=dict(whys.most_common()),
            judge=Judged(right=right, asked=asked),
            diversity=diversity(texts),
            real=diversity(self._real(len(texts))),
            weakest=self._weakest(found.passed, texts),
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            counted=spent.counted,
            cost=self._cost(spent),
            unusable=self._wrong(found.quarantined),
            file=None if self._record.dry else f"data/generated/{self._plan.batch}/rows.jsonl",
        )
        rows = candidates(self._facts, self._plan, self._record, found.passed)
        return Generated(report=report, rows=rows, quarantined=found.quarantined)

    def _wrong(self, quarantined: Sequence[QuarantinedRow]) -> Unusable | None:
        """What the answers were while none of them held a usable row; None once one did."""
        found = self._unusable()
        if not found.answers or self._usable():
            return None
        row = next((" / ".join(one.fields.values()) for one in quarantined if one.fields), "")
        return found if found.example else found.model_copy(update={"example": row})

    def _real(self, count: int) -> list[str]:
        """As many texts of the label from train, to compare with."""
        own = [row.fields[self._facts.text_field] for row in self._facts.train if row.answer == self._plan.label]
        return random.Random(self._plan.seed).sample(own, min(count, len(own)))

    def _weakest(self, rows: list[Written], texts: list[str]) -> list[Weak]:
        known = [plain(row.fields[self._facts.text_field]) for row in self._facts.train]
        alike = [
            max(within, nearest_among(text, known)) for within, text in zip(nearest_within(texts), texts, strict=True)
        ]
        ranked = sorted(zip(rows, alike, strict=True), key=lambda pair: -pair[1])[:WEAKEST]
        return [Weak(id=row.id, fields=row.fields, alike=round(near, 3)) for row, near in ranked]

    def _cost(self, spent: Spent) -> float | None:
        price = self._writer.price
        return None if price is None else price.of(spent.prompt_tokens, spent.completion_tokens)

    def _on_way(self, usages: Sequence[Usage]) -> None:
        spent, rows = self._asker.spent, self._rows(self._names())
        self._tell(
            Progress(
                batch=self._plan.batch,
                stage=self._stage,
                done=sum(self._record.answer(name) is not None for name in self._staged),
                total=len(self._staged),
                under_way=len(usages),
                minutes=(monotonic() - self._began) / 60,
                rows=rows,
                unusable=0 if rows else self._unusable().answers + heard_so_far(usages),
                wanted=self._plan.wanted,
                prompt_tokens=spent.prompt_tokens + sum(one.prompt_tokens for one in usages),
                completion_tokens=spent.completion_tokens + sum(one.completion_tokens + one.coming for one in usages),
                cost=self._cost(spent),
            )
        )


@contextmanager
def _only_one(task_path: Path, batch: str) -> Iterator[None]:
    """Hold the lock of a batch; raises Busy."""
    folder = task_path / ".iterate"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"generate-{batch}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(
            T("Another program is writing rows for the batch {batch}.", batch=batch),
            hint=T("Wait until it is done, or choose another batch with --batch."),
            page="troubleshooting/sessions-and-locks",
        ) from None
    try:
        yield
    finally:
        lock.release()
