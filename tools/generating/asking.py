"""Asking many questions at once, within limits of cost, rate and time, each answer on record before the next step.

One thread writes the record; the others only wait for the model. A failure that may pass is tried again, one that will not
becomes the final word on its question, and a server that is gone pauses the batch with nothing lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic, sleep

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt

from tools.errors import EndpointFailed, IterateError
from tools.files import now
from tools.generating.plan import Question
from tools.generating.record import RawAnswer, Record
from tools.generating.writer import Usage, Writer, rough_tokens
from tools.text import T, Text

_PASSING = frozenset({"connection", "timeout", "rate", "server"})
"""Troubles of the server, not of the question: after the last try the batch pauses."""
_HOPELESS = frozenset({"auth", "request"})
"""Every other question would fail alike."""
_CONTENT_TRIES = 2
"""For an answer that is refused, empty, cut or of no form: the model was told of it once already."""
_MOST_TOKENS = 2048
_POLL = 0.2


class Limits(BaseModel):
    """How much may be spent, and how fast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parallel: PositiveInt = 4
    """Questions at the same time."""
    max_cost: PositiveFloat | None = None
    """US dollars for the whole batch, earlier parts included."""
    max_minutes: PositiveFloat | None = None
    """Of this call; a later one goes on."""
    per_minute: PositiveFloat | None = None
    """Questions asked per minute."""
    tries: PositiveInt = 3
    """How often one question is asked before it is given up."""
    pause: NonNegativeFloat = 2.0
    """Seconds before the second try, doubled for each further one."""


class Paused(IterateError):
    """The batch stopped before its end; everything that came is on record, and the same call goes on."""

    exit_code = 75


class LimitReached(Paused):
    """It stopped because of what the person allowed."""

    exit_code = 3


@dataclass
class Spent:
    """Tokens of a batch so far, from its record."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = True

    def add(self, line: RawAnswer) -> None:
        """Count a line."""
        self.prompt_tokens += line.prompt_tokens
        self.completion_tokens += line.completion_tokens
        self.counted = self.counted and line.counted


class Asker:
    """Asks the questions of one batch."""

    def __init__(self, writer: Writer, record: Record, limits: Limits, told: Callable[[Spent, int, int], None]) -> None:
        self._writer, self._record, self._limits, self._told = writer, record, limits, told
        self._until = monotonic() + 60 * limits.max_minutes if limits.max_minutes else None
        self._next_at = 0.0
        self.spent = Spent()
        for line in record.lines:
            self.spent.add(line)

    def ask(self, questions: Sequence[Question]) -> None:
        """Until each question has a final answer on record; raises Paused when it cannot go on."""
        waiting = deque(one for one in questions if self._record.answer(one.id) is None)
        round_ = _Round(waiting, len(questions))
        if not waiting:
            return
        with ThreadPoolExecutor(self._limits.parallel, thread_name_prefix="generate") as pool:
            try:
                self._work(pool, round_)
            except BaseException:
                self._writer.hang_up()
                self._save_the_rest(round_)
                raise
        if round_.stop is not None:
            raise round_.stop

    def _work(self, pool: ThreadPoolExecutor, round_: _Round) -> None:
        while round_.asked or (round_.waiting and round_.stop is None):
            self._send(pool, round_)
            if round_.asked:
                self._take(round_, wait(round_.asked, timeout=_POLL, return_when=FIRST_COMPLETED).done)
            elif round_.waiting and round_.stop is None:
                sleep(min(_POLL, max(0.0, self._next_at - monotonic(), round_.waiting_until() - monotonic())))

    def _send(self, pool: ThreadPoolExecutor, round_: _Round) -> None:
        """Ask as many of the waiting questions as may be asked now."""
        while len(round_.asked) < self._limits.parallel and round_.stop is None:
            question = round_.due()
            if question is None or monotonic() < self._next_at:
                return
            round_.stop = self._limit_reached(question, round_)
            if round_.stop is not None:
                return
            round_.waiting.remove(question)
            if self._limits.per_minute:
                self._next_at = monotonic() + 60 / self._limits.per_minute
            round_.asked[pool.submit(self._one, question, round_.tries.get(question.id, 0))] = question

    def _limit_reached(self, question: Question, round_: _Round) -> Paused | None:
        if self._until is not None and monotonic() > self._until:
            over = T("The time for this call is over ({minutes:g} minutes).", minutes=self._limits.max_minutes)
            return _limited(over, dry=self._record.dry)
        price, most = self._writer.price, self._limits.max_cost
        if price is None or most is None:
            return None
        ahead = [question, *round_.asked.values()]
        prompt = sum(rough_tokens(one.messages[-1]["content"]) for one in ahead)
        cost = price.of(self.spent.prompt_tokens + prompt, self.spent.completion_tokens + sum(o.most for o in ahead))
        if cost <= most:
            return None
        over = T("The limit on cost is reached: the next question could go beyond {cost:.2f} USD.", cost=most)
        return _limited(over, dry=self._record.dry)

    def _one(self, question: Question, tried: int) -> RawAnswer | _Failure:
        """One question in a thread of its own; the longer an answer may be the more often it was cut."""
        usage = Usage(most=min(_MOST_TOKENS, question.most * 4**tried))
        said: dict[str, object] = {}
        failed: EndpointFailed | None = None
        try:
            complete = self._writer.complete if question.writes else self._writer.judge
            text = complete(question.messages, question.form, usage)
            said["text"] = text.encode("utf-8", "backslashreplace").decode("utf-8")  # half a character stays valid JSON
        except EndpointFailed as failure:
            failed = failure
            said |= {"trouble": failure.trouble, "reason": str(failure.message), "final": False}
        tokens = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}
        told = {"id": question.id, "at": now(), "model": self._writer.name, "counted": usage.counted}
        line = RawAnswer.model_validate({**told, **tokens, **said, "prompt_sha256": self._writer.wording.sha256})
        return _Failure(line, failed) if failed is not None else line

    def _take(self, round_: _Round, done: set[Future[RawAnswer | _Failure]]) -> None:
        """Record what came."""
        for future in done:
            question = round_.asked.pop(future)
            came = future.result()
            if isinstance(came, RawAnswer):
                self._note(came)
            else:
                self._failed(question, came, round_)
            self._told(self.spent, round_.total - len(round_.waiting) - len(round_.asked), round_.total)

    def _save_the_rest(self, round_: _Round) -> None:
        """Record the answers that still came after an interruption; what was hung up on is no failure of its question."""
        for future in wait(round_.asked).done:
            if future.exception() is None and isinstance(came := future.result(), RawAnswer):
                self._note(came)

    def _failed(self, question: Question, came: _Failure, round_: _Round) -> None:
        tries = round_.tries[question.id] = round_.tries.get(question.id, 0) + 1
        trouble = came.error.trouble
        passing = trouble in _PASSING
        last = tries >= (self._limits.tries if passing else min(self._limits.tries, _CONTENT_TRIES))
        gives_up = last and not passing and trouble not in _HOPELESS
        self._note(came.line.model_copy(update={"final": gives_up}))
        if gives_up:
            return
        round_.waiting.append(question)
        if last or trouble in _HOPELESS:
            round_.stop = round_.stop or _paused(came.error.message, came.error, dry=self._record.dry)
        elif passing:
            round_.later[question.id] = monotonic() + self._limits.pause * 2 ** (tries - 1)

    def _note(self, line: RawAnswer) -> None:
        self._record.add(line)
        self.spent.add(line)


@dataclass(frozen=True)
class _Failure:
    line: RawAnswer
    error: EndpointFailed


class _Round:
    """Questions on their way."""

    def __init__(self, waiting: deque[Question], total: int) -> None:
        self.waiting = waiting
        self.total = total
        self.asked: dict[Future[RawAnswer | _Failure], Question] = {}
        self.tries: dict[str, int] = {}
        self.later: dict[str, float] = {}
        """Question id to the moment before which it is not asked again."""
        self.stop: Paused | None = None

    def due(self) -> Question | None:
        """The first waiting question that may be asked now."""
        moment = monotonic()
        return next((one for one in self.waiting if self.later.get(one.id, 0.0) <= moment), None)

    def waiting_until(self) -> float:
        """When the next one may be asked."""
        return min((self.later.get(one.id, 0.0) for one in self.waiting), default=0.0)


_GOES_ON = T("Nothing is lost: the same command goes on where it stopped.")
_BEGINS_ANEW = T("A dry run keeps nothing: the same command begins anew.")


def _limited(reason: Text, *, dry: bool) -> LimitReached:
    hint = T("{hint} Give it a higher limit, or take what is there with --close.", hint=_GOES_ON)
    if dry:
        hint = T("{hint} Give it a higher limit, or ask for fewer rows.", hint=_BEGINS_ANEW)
    return LimitReached(reason, hint=hint, page="methods/data-generation")


def _paused(reason: Text, cause: EndpointFailed | None = None, *, dry: bool = False) -> Paused:
    hint = _BEGINS_ANEW if dry else _GOES_ON
    if cause is not None and cause.hint is not None:
        hint = T("{advice} {hint}", advice=cause.hint, hint=hint)
    return Paused(reason, hint=hint, page=cause.page if cause else "methods/data-generation")
