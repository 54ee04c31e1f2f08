"""One batch of new rows from its plan to the review: ask for rows, check them, have them judged, ask for more, put them up.

    generate_rows(task, Order(label="中立", wanted=200), writer, Limits(), tell)  ->  Generated

Killed at any moment, the same call goes on: what was answered is on record and is neither asked nor counted twice. Nothing
enters training here; the rows that pass wait for a person in the review batch of the same name (tools/samples.py).
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, PositiveInt

from tools.errors import Busy, InputError
from tools.evidence.row_keys import plain
from tools.files import now, sha256_bytes
from tools.generating.asking import Asker, LimitReached, Limits, Paused, Spent
from tools.generating.checks import Why, Written
from tools.generating.diversity import diversity, nearest_among, nearest_within
from tools.generating.facts import Facts, read_facts
from tools.generating.plan import Plan, Question, Questions, choose_label, confusions_of, rows_in_request
from tools.generating.record import Record
from tools.generating.sift import Sifted, candidates, failures, never_judged, right_on_known, sift
from tools.generating.store import (
    Generated,
    Judged,
    Report,
    Weak,
    batch_folder,
    free_name,
    read_finished,
    read_plan,
    rows_elsewhere,
    write_plan,
    write_results,
)
from tools.generating.writer import Writer
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import inside
from tools.samples import add
from tools.task import Task
from tools.text import T, visible

MOST_ROUNDS = 4
MOST_TIMES = 3
"""At most so many times the questions of the first round are asked."""
_LEAST_YIELD = 0.2
USUAL_ROWS = 200
"""The specification's number."""
WEAKEST = 10


class Order(BaseModel):
    """What is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str | None = None
    """None: the label with the fewest training rows, or that of the batch."""
    wanted: PositiveInt | None = None
    """Rows that pass every check; None: those of the batch, else USUAL_ROWS."""
    batch: str | None = None
    """None: the unfinished batch of the label, else a new one."""
    output: str | None = None
    """A new file for the rows that pass, relative to the task folder."""
    dry_run: bool = False
    """Ask once, show what comes, write nothing."""
    close: bool = False
    """Ask nothing more: take what is there."""


class Progress(BaseModel):
    """How far a batch is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: str
    stage: Literal["write", "judge"]
    done: int
    total: int
    """Questions of this stage."""
    wanted: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """US dollars so far; None when the price is not known."""


Tell = Callable[[Progress], None]


def generate_rows(task: Task, order: Order, writer: Writer, limits: Limits, tell: Tell) -> Generated:
    """Write, check and judge rows until as many as wanted have passed, and put them up for review.

    Raises Paused when it had to stop before the end (limits, a server that is gone), InputError for an order that does not fit
    the task or the batch, and Busy while another program works on the batch.
    """
    if limits.max_cost is not None and writer.price is None:
        raise InputError(
            T("The price of {model} is not known, so a limit on cost cannot be kept.", model=visible(writer.name, 80)),
            hint=T("Give its price: --price 0.15,0.60 (dollars for a million tokens asked and answered)"),
            page="methods/data-generation",
        )
    facts = read_facts(task)
    plan = _plan(facts, order, writer)
    if order.dry_run:
        return _Run(facts, plan, writer, limits, tell, Record(None)).once()
    with _only_one(task.path, plan.batch):
        if read_plan(task.path, plan.batch) is None:
            write_plan(task, plan)
        record = Record(batch_folder(task.path, plan.batch) / "raw.jsonl")
        return _Run(facts, plan, writer, limits, tell, record).whole(close=order.close)


def _plan(facts: Facts, order: Order, writer: Writer) -> Plan:
    """The plan of the batch that the order means; raises InputError where they differ."""
    path = facts.task.path
    label = None if order.label is None else choose_label(facts, order.label)
    name = order.batch or free_name(path, label or choose_label(facts, None))
    known = None if order.dry_run else read_plan(path, name)
    if known is not None:
        _require_same(known, order)
        return known
    label = label or choose_label(facts, None)
    wanted = order.wanted or USUAL_ROWS
    result = latest(read_results(ReadResultsArgs(task_dir=path)))
    return Plan(
        batch=name,
        label=label,
        wanted=wanted,
        per_request=rows_in_request(facts, wanted),
        seed=int(sha256_bytes(name.encode("utf-8"))[:8], 16),
        confusions=confusions_of(label, result),
        version=result.version if result else None,
        model=writer.name,
        output=_output(path, order.output),
        created_at=now(),
    )


def _output(path: Path, file: str | None) -> str | None:
    if file is None:
        return None
    whole = inside(path, file)
    if whole is None or whole.suffix != ".jsonl":
        raise InputError(
            T("{file} is no place for new rows.", file=visible(file, 200)),
            hint=T("Name a .jsonl file inside the task folder, such as data/raw/generated.jsonl."),
        )
    return file


def _require_same(plan: Plan, order: Order) -> None:
    asked = {"label": order.label, "wanted": order.wanted, "output": order.output}
    kept = {"label": plan.label, "wanted": plan.wanted, "output": plan.output}
    other = [name for name, value in asked.items() if value is not None and value != kept[name]]
    if other:
        raise InputError(
            T(
                "Batch {batch} was begun for {wanted} rows of {label}.",
                batch=plan.batch,
                wanted=plan.wanted,
                label=visible(plan.label, 60),
            ),
            hint=T("Go on with it without further options, close it (--close), or begin another one (--batch NAME)."),
        )


class _Run:
    """One call on one batch."""

    def __init__(self, facts: Facts, plan: Plan, writer: Writer, limits: Limits, tell: Tell, record: Record) -> None:
        self._facts, self._plan, self._writer, self._record, self._tell = facts, plan, writer, record, tell
        self._questions = Questions(facts, plan, writer.wording, may_see_rows=writer.may_see_rows)
        self._elsewhere = rows_elsewhere(facts.task.path, plan.batch)
        self._stage: Literal["write", "judge"] = "write"
        self._asker = Asker(writer, record, limits, self._on_way)
        self._numbers = 0
        """Questions for rows that this batch comes to so far."""

    def once(self) -> Generated:
        """A dry run: as many questions as the wanted rows take, nothing on disk; at a limit what there is by then."""
        try:
            self._round(math.ceil(self._plan.wanted / self._plan.per_request))
        except LimitReached:
            if not self._sifted().written:
                raise
        return self._result(finished=True)

    def whole(self, *, close: bool) -> Generated:
        """All rounds; the results are on disk when it returns or raises Paused."""
        before = read_finished(self._facts.task.path, self._plan.batch)
        if before is not None:
            return before
        if close:
            return self._finish()
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
        self._stage = "write"
        self._numbers += size
        self._asker.ask([self._questions.write(number) for number in range(1, self._numbers + 1)])
        self._stage = "judge"
        judged: list[Question] = [self._questions.judge(row.id, row.fields) for row in self._sifted().open]
        if judged:
            self._asker.ask([*self._questions.known_questions(), *judged])

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
            file=None if self._record.dry else f"data/generated/{self._plan.batch}/rows.jsonl",
        )
        rows = candidates(self._facts, self._plan, self._record, found.passed)
        return Generated(report=report, rows=rows, quarantined=found.quarantined)

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

    def _on_way(self, spent: Spent, done: int, total: int) -> None:
        self._tell(
            Progress(
                batch=self._plan.batch,
                stage=self._stage,
                done=done,
                total=total,
                wanted=self._plan.wanted,
                prompt_tokens=spent.prompt_tokens,
                completion_tokens=spent.completion_tokens,
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
