"""Measures of one training's loss history: where it started, where it ended, and whether it was still moving.

Losses of different models and data differ in size, so every measure is relative to other losses of the same run. The x axis is
training time: the sum of learning rates up to a point, as a share of the whole run (steps where no rate was logged). On
that axis a rate that decays to zero does not make an unfinished training look finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, sqrt
from statistics import fmean, median, pvariance

from tools.results import History, HistoryPoint

WINDOW = 0.2
"""The end of a training is its last fifth."""
FIRST = 0.1
FIRST_POINTS = 3
"""The start is the first three points of its first tenth, at least one."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation during training."""

    time: float
    """Share of the training time, 0 to 1."""
    step: int
    epoch: float | None
    loss: float | None
    metric: float | None


@dataclass(frozen=True)
class Worsening:
    """A validation loss that rises while the training loss falls."""

    lowest: Evaluation
    rise: float
    """Last over lowest, minus 1."""
    in_a_row: int
    """The last so many evaluations were each higher than the one before."""


@dataclass(frozen=True)
class Curve:
    """The loss history of one seed."""

    seed: int | None
    times: list[float]
    losses: list[float]
    """Training losses at `times`."""
    steps: list[int]
    evals: list[Evaluation]
    bad_steps: list[int]
    """Steps whose loss was NaN or infinite."""
    grad_norms: list[float]
    method: str = "sft"
    """What the training loss is: only SFT's is the mean negative log-likelihood of answers, as the validation loss is for all
    methods. A preference term is part of ORPO's, and DPO's and KTO's are nothing else: those may fall while answers become less
    likely and better, and wander from step to step."""

    @property
    def prefers(self) -> bool:
        """True when the training loss is a comparison of answers alone."""
        return self.method in {"dpo", "kto"}

    @property
    def start(self) -> float | None:
        """Mean of the first points: at most three, within the first tenth. The answer format is learned soon after them."""
        early = [loss for time, loss in zip(self.times, self.losses, strict=True) if time <= FIRST][:FIRST_POINTS]
        return fmean(early or self.losses[:1]) if self.losses else None

    @property
    def end(self) -> float | None:
        """Mean training loss of the last fifth."""
        return self.mean_between(1 - WINDOW, 1) if self.losses else None

    @property
    def remaining(self) -> float | None:
        """End over start: 1 when nothing was learned, 0 when everything was memorised. None with fewer than 2 points, and for
        the losses of other methods than SFT, of which neither is true.
        """
        if self.method != "sft" or len(self.losses) < 2 or not self.start or self.end is None:
            return None
        return self.end / self.start

    @property
    def late_fall(self) -> float | None:
        """Fall of the training loss in the last third over its fall in the middle third; None when it did not fall clearly.

        An exponential approach to a floor, a + b exp(-k t), falls by the same factor exp(-k / 3) from third to third,
        whatever a and b are: 1 for a straight line, 0.37 at k = 3, 0.19 at k = 5. A fall counts when it exceeds two
        standard errors of the difference and a twentieth of the starting loss.
        """
        thirds = [self._window(0, 1 / 3), self._window(1 / 3, 2 / 3), self._window(2 / 3, 1)]
        if self.method != "sft" or not all(thirds) or not self.start:
            return None
        first, middle, last = (fmean(third) for third in thirds)
        error = sqrt(sum(pvariance(third) / len(third) for third in thirds[1:]))
        fall = middle - last
        if fall < max(2 * error, self.start / 20):
            return None
        return fall / (first - middle) if first > middle else inf

    def mean_between(self, low: float, high: float) -> float:
        """Mean training loss between two training times, else the loss nearest to the later one."""
        inside = self._window(low, high)
        if inside:
            return fmean(inside)
        return min(zip(self.times, self.losses, strict=True), key=lambda point: abs(point[0] - high))[1]

    def _window(self, low: float, high: float) -> list[float]:
        """Losses at times in [low, high), and at the very end."""
        pairs = zip(self.times, self.losses, strict=True)
        return [loss for time, loss in pairs if low <= time < high or (time == high == 1)]

    @property
    def losses_at_evals(self) -> list[Evaluation]:
        """Evaluations with a loss."""
        return [point for point in self.evals if point.loss is not None]

    @property
    def metrics_at_evals(self) -> list[Evaluation]:
        """Evaluations with a metric."""
        return [point for point in self.evals if point.metric is not None]

    @property
    def best(self) -> Evaluation | None:
        """The evaluation with the best metric, else with the lowest loss; the later one of equals."""
        if self.metrics_at_evals:
            return max(self.metrics_at_evals, key=lambda point: (point.metric or 0.0, point.step))
        if self.losses_at_evals:
            return min(self.losses_at_evals, key=lambda point: (point.loss or 0.0, -point.step))
        return None

    @property
    def best_is_last(self) -> bool:
        """True when no evaluation came after the best one."""
        scored = self.metrics_at_evals or self.losses_at_evals
        return self.best is not None and self.best.step >= scored[-1].step

    @property
    def worsening(self) -> Worsening | None:
        """How far the validation loss has left its minimum, where the training loss fell on and no better score came since.

        None with fewer than three evaluations, or when there is no such thing.
        """
        evals = self.losses_at_evals
        if self.prefers or len(evals) < 3:
            return None
        lowest = min(evals, key=lambda point: (point.loss or 0.0, point.step))
        low, last = lowest.loss or 0.0, evals[-1].loss or 0.0
        if low <= 0 or last <= low or not self._fell_after(lowest) or self._improved_late:
            return None
        losses = [point.loss or 0.0 for point in evals]
        falls = (index for index in range(len(losses) - 1, 0, -1) if losses[index] <= losses[index - 1])
        return Worsening(lowest=lowest, rise=last / low - 1, in_a_row=len(losses) - 1 - next(falls, 0))

    def _fell_after(self, lowest: Evaluation) -> bool:
        """The training loss at the end is at least a tenth below what it was around that evaluation; true without one."""
        if not self.losses or self.end is None:
            return True
        return self.end < 0.9 * self.mean_between(max(0.0, lowest.time - 0.1), min(1.0, lowest.time + 0.1))

    @property
    def _improved_late(self) -> bool:
        """The better score lies in the second half of the evaluations, by more than a point."""
        scores = [point.metric for point in self.metrics_at_evals if point.metric is not None]
        half = len(scores) // 2
        return half > 0 and max(scores[half:]) > max(scores[:half]) + 0.01

    def spikes(self, jump: float) -> list[int]:
        """Steps whose loss is over twice the median of the five before, and above it by `jump` of the whole fall."""
        found: list[int] = []
        fall = self.fall
        for index in range(2, 0 if self.prefers else len(self.losses)):
            before = median(self.losses[max(0, index - 5) : index])
            if self.losses[index] > 2 * before and fall > 0 and (self.losses[index] - before) / fall > jump:
                found.append(self.steps[index])
        return found

    @property
    def fall(self) -> float:
        """Start minus the lowest training loss."""
        return (self.start or 0.0) - min(self.losses, default=0.0)

    @property
    def given_back(self) -> float:
        """Share of the fall that was lost again: end over the lowest tenth of training time, beyond two standard errors.

        A training that ends above its start has given back more than 1.
        """
        tenths = [window for n in range(10) if len(window := self._window(n / 10, (n + 1) / 10)) > 1]
        last = self._window(1 - WINDOW, 1)
        if self.prefers or not tenths or len(last) < 2 or self.start is None:
            return 0.0
        lowest = min(tenths, key=fmean)
        error = sqrt(pvariance(lowest) / len(lowest) + pvariance(last) / len(last))
        rise = fmean(last) - fmean(lowest)
        fall = max(self.start - fmean(lowest), self.start / 10)
        return rise / fall if rise > 2 * error and fall > 0 else 0.0


def curves_of(history: History) -> list[Curve]:
    """One curve per seed, in order of appearance. Points may be unsorted and double: after a resume the later counts."""
    by_seed: dict[int | None, list[HistoryPoint]] = {}
    for point in history.points:
        by_seed.setdefault(point.seed, []).append(point)
    return [_curve(seed, points) for seed, points in by_seed.items()]


def _curve(seed: int | None, points: Sequence[HistoryPoint]) -> Curve:
    bad = sorted({point.step for point in points if point.bad or _is_bad(point.loss)})
    trained = _by_step([point for point in points if point.loss is not None and isfinite(point.loss)])
    evaluated = _by_step([point for point in points if _finite(point.eval_loss) or _finite(point.metric)])
    clock = _Clock(trained, last_step=max((point.step for point in points), default=0))
    return Curve(
        seed=seed,
        times=clock.middles,
        losses=[point.loss for point in trained if point.loss is not None],
        steps=[point.step for point in trained],
        evals=[
            Evaluation(
                time=clock.at(point.step),
                step=point.step,
                epoch=point.epoch,
                loss=point.eval_loss if _finite(point.eval_loss) else None,
                metric=point.metric if _finite(point.metric) else None,
            )
            for point in evaluated
        ],
        bad_steps=bad,
        grad_norms=[norm for point in trained if (norm := point.grad_norm) is not None and isfinite(norm)],
        method=next((point.method for point in points if point.method is not None), "sft"),
    )


def _by_step(points: Sequence[HistoryPoint]) -> list[HistoryPoint]:
    latest = {point.step: point for point in points}
    return [latest[step] for step in sorted(latest)]


def _finite(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _is_bad(loss: float | None) -> bool:
    return loss is not None and not isfinite(loss)


class _Clock:
    """Turns steps into training time: the sum of learning rates up to a step as a share of the whole."""

    def __init__(self, trained: Sequence[HistoryPoint], last_step: int) -> None:
        self._steps = [0]
        self._sums = [0.0]
        rated = all(_finite(point.learning_rate) and (point.learning_rate or 0) >= 0 for point in trained)
        rated = rated and any(point.learning_rate for point in trained)
        for point in trained:
            rate = point.learning_rate if rated and point.learning_rate is not None else 1.0
            self._sums.append(self._sums[-1] + rate * max(0, point.step - self._steps[-1]))
            self._steps.append(point.step)
        if not rated and last_step > self._steps[-1]:
            self._sums.append(self._sums[-1] + last_step - self._steps[-1])
            self._steps.append(last_step)
        self._total = self._sums[-1] or 1.0
        self._points = len(trained)

    @property
    def middles(self) -> list[float]:
        """Time of each training point: the middle of the stretch since the point before, of which a logged loss is the mean."""
        ends = [value / self._total for value in self._sums[: self._points + 1]]
        return [(low + high) / 2 for low, high in pairwise(ends)]

    def at(self, step: int) -> float:
        """Time of a step, between the logged ones by interpolation; 1 beyond the last."""
        for index in range(1, len(self._steps)):
            low, high = self._steps[index - 1], self._steps[index]
            if step <= high:
                share = (step - low) / (high - low) if high > low else 1.0
                return (self._sums[index - 1] + share * (self._sums[index] - self._sums[index - 1])) / self._total
        return 1.0
