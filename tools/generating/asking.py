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
from tools.generating.looking import why_unused
from tools.generating.plan import Question
from tools.generating.record import RawAnswer, Record, Unused
from tools.generating.writer import Usage, Writer, rough_tokens
from tools.text import T, Text

_PASSING = frozenset({"connection", "timeout", "rate", "server"})
"""Troubles of the server, not of the question: after the last try the batch pauses."""
_HOPELESS = frozenset({"auth", "request"})
"""Every other question would fail alike."""
_CONTENT_TRIES = 2
"""For an answer that is refused, empty, cut or of no form: the model was told of it once already."""
_MOST_TOKENS = 2048
_MORE_ROOM = 4
_POLL = 0.2
_KEPT = 2_000
"""Characters of an answer that could not be used."""


def never(_: object) -> bool:
    """It is never enough."""
    return False


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


class NothingUsable(Paused):
    """It stopped because no answer of the model held a usable row; a person decides whether to go on."""

    exit_code = 4


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

    def __init__(self, writer: Writer, record: Record, limits: Limits, told: Callable[[Sequence[Usage]], None]) -> None:
        """`told` hears several times a second what the questions that are being asked have taken so far."""
        self._writer, self._record, self._limits, self._told = writer, record, limits, told
        self._until = monotonic() + 60 * limits.max_minutes if limits.max_minutes else None
        self._next_at = 0.0
        self.spent = Spent()
        for line in record.lines:
            self.spent.add(line)

    def ask(self, questions: Sequence[Question], enough: Callable[[Sequence[Usage]], bool] = never) -> None:
        """Until each question has a final answer on record; raises Paused when it cannot go on.

        `enough` is asked as often as `told`; once it says so, what is being asked is ended, and the rest stays unasked.
        """
        waiting = deque(one for one in questions if self._record.answer(one.id) is None)
        round_ = _Round(waiting)
        if not waiting:
            return
        with ThreadPoolExecutor(self._limits.parallel, thread_name_prefix="generate") as pool:
            try:
                self._work(pool, round_, enough)
            finally:
                self._end(round_)
        if round_.stop is not None:
            raise round_.stop

    def _work(self, pool: ThreadPoolExecutor, round_: _Round, enough: Callable[[Sequence[Usage]], bool]) -> None:
        while round_.asked or (round_.waiting and round_.stop is None):
            self._send(pool, round_)
            if round_.asked:
                self._take(round_, wait(round_.asked, timeout=_POLL, return_when=FIRST_COMPLETED).done)
            elif round_.waiting and round_.stop is None:
                sleep(min(_POLL, max(0.0, self._next_at - monotonic(), round_.waiting_until() - monotonic())))
            usages = [asked.usage for asked in round_.asked.values()]
            self._told(usages)
            if enough(usages):
                return
            if round_.asked and self._time_is_over():
                ended = self._end(round_)
                round_.stop = round_.stop or self._late(ended)

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
            usage = Usage(most=round_.room(question))
            round_.asked[pool.submit(self._one, question, usage)] = _Asked(question, usage)

    def _time_is_over(self) -> bool:
        return self._until is not None and monotonic() > self._until

    def _late(self, ended: int = 0) -> Paused:
        minutes, done = self._limits.max_minutes, self._record.answered
        if self._record.dry:
            return _limited(T("The time for this call is over ({minutes:g} minutes).", minutes=minutes), dry=True)
        over = T(
            "The time for this call is over ({minutes:g} minutes). Answers on record: {done}; questions ended while they were "
            "asked, to be asked again: {ended}.",
            minutes=minutes,
            done=done,
            ended=ended,
        )
        return _limited(over, dry=False)

    def _limit_reached(self, question: Question, round_: _Round) -> Paused | None:
        """Whether to stop before this question.

        A question that is being asked is never ended because of its cost: what it has taken so far has to be paid in any
        case, and its answer would be lost.
        """
        if self._time_is_over():
            return self._late()
        price, most = self._writer.price, self._limits.max_cost
        if price is None or most is None:
            return None
        ahead = [question, *(asked.question for asked in round_.asked.values())]
        prompt = sum(rough_tokens(one.messages[-1]["content"]) for one in ahead)
        answers = sum(round_.room(one) for one in ahead)
        if price.of(self.spent.prompt_tokens + prompt, self.spent.completion_tokens + answers) <= most:
            return None
        over = T("The limit on cost is reached: the next question could go beyond {cost:.2f} USD.", cost=most)
        return _limited(over, dry=self._record.dry)

    def _one(self, question: Question, usage: Usage) -> RawAnswer | _Failure:
        """One question in a thread of its own."""
        said: dict[str, object] = {}
        failed: EndpointFailed | None = None
        try:
            complete = self._writer.complete if question.writes else self._writer.judge
            said["text"] = _whole_characters(complete(question.messages, question.form, usage))
        except EndpointFailed as failure:
            failed = failure
            said |= {"trouble": failure.trouble, "reason": str(failure.message), "final": False}
        bad = usage.heard if failed is not None else usage.heard[:-1]
        said["unused"] = [Unused(why=why_unused(one), text=_whole_characters(one.text[:_KEPT])) for one in bad]
        tokens = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}
        told = {"id": question.id, "at": now(), "model": self._writer.name, "counted": usage.counted}
        line = RawAnswer.model_validate({**told, **tokens, **said, "prompt_sha256": self._writer.wording.sha256})
        return _Failure(line, failed) if failed is not None else line

    def _take(self, round_: _Round, done: set[Future[RawAnswer | _Failure]]) -> None:
        """Record what came."""
        for future in done:
            question = round_.asked.pop(future).question
            came = future.result()
            if isinstance(came, RawAnswer):
                self._note(came)
            else:
                self._failed(question, came, round_)

    def _end(self, round_: _Round) -> int:
        """End what is being asked, and record the answers that still came; returns how many did not.

        To be ended is no failure of a question: it is asked again, and only what it has taken is written down.
        """
        for asked in round_.asked.values():
            asked.usage.ended.set()
        lost = 0
        for future in wait(round_.asked).done:
            came = future.result() if future.exception() is None else None
            if isinstance(came, RawAnswer):
                self._note(came)
                continue
            lost += 1
            if came is not None and (came.line.prompt_tokens or came.line.unused):
                self._note(came.line.model_copy(update={"trouble": None}))
        round_.asked.clear()
        return lost

    def _failed(self, question: Question, came: _Failure, round_: _Round) -> None:
        trouble = came.error.trouble
        passing = trouble in _PASSING
        counts = round_.passing if passing else round_.unusable
        tries = counts[question.id] = counts.get(question.id, 0) + 1
        last = tries >= (self._limits.tries if passing else min(self._limits.tries, _CONTENT_TRIES))
        gives_up = last and not passing and trouble not in _HOPELESS
        self._note(came.line.model_copy(update={"final": gives_up}))
        if gives_up:
            return
        round_.waiting.append(question)
        if last or trouble in _HOPELESS:
            round_.stop = round_.stop or self._paused(came.error)
        elif passing:
            round_.later[question.id] = monotonic() + self._limits.pause * 2 ** (tries - 1)

    def _paused(self, cause: EndpointFailed) -> Paused:
        hint = _BEGINS_ANEW if self._record.dry else _GOES_ON
        if cause.trouble == "timeout" and self._limits.parallel > 1:
            hint = T("Where a server answers one question after another, --parallel 1 helps. {hint}", hint=hint)
        if cause.hint is not None:
            hint = T("{advice} {hint}", advice=cause.hint, hint=hint)
        return Paused(cause.message, hint=hint, page=cause.page)

    def _note(self, line: RawAnswer) -> None:
        self._record.add(line)
        self.spent.add(line)


@dataclass(frozen=True)
class _Failure:
    line: RawAnswer
    error: EndpointFailed


@dataclass(frozen=True)
class _Asked:
    question: Question
    usage: Usage


class _Round:
    """Questions on their way."""

    def __init__(self, waiting: deque[Question]) -> None:
        self.waiting = waiting
        self.asked: dict[Future[RawAnswer | _Failure], _Asked] = {}
        self.passing: dict[str, int] = {}
        """Tries of a question that ended with a trouble of the server."""
        self.unusable: dict[str, int] = {}
        """Tries that ended with an answer which could not be used."""
        self.later: dict[str, float] = {}
        """Question id to the moment before which it is not asked again."""
        self.stop: Paused | None = None

    def room(self, question: Question) -> int:
        """Tokens that its next answer may have: more after one that could not be used, since that may have been cut."""
        return min(_MOST_TOKENS, question.most * (_MORE_ROOM if question.id in self.unusable else 1))

    def due(self) -> Question | None:
        """The first waiting question that may be asked now."""
        moment = monotonic()
        return next((one for one in self.waiting if self.later.get(one.id, 0.0) <= moment), None)

    def waiting_until(self) -> float:
        """When the next one may be asked."""
        return min((self.later.get(one.id, 0.0) for one in self.waiting), default=0.0)


def _whole_characters(text: str) -> str:
    """Half a character stays valid JSON."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_GOES_ON = T("Nothing is lost: the same command goes on where it stopped.")
_BEGINS_ANEW = T("A dry run keeps nothing: the same command begins anew.")


def _limited(reason: Text, *, dry: bool) -> LimitReached:
    hint = T("{hint} Give it a higher limit, or take what is there with --close.", hint=_GOES_ON)
    if dry:
        hint = T("{hint} Give it a higher limit, or ask for fewer rows.", hint=_BEGINS_ANEW)
    return LimitReached(reason, hint=hint, page="methods/data-generation")
