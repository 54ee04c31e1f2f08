"""The worlds that the simulated nights meet (overnight_simulation.py): true effects of changes, and what measuring them shows.

Nothing here is known to a policy. A score is version + rows + training: rows that suit a version (they do not go away with more
seeds), rows and weights that come with one training. Two trainings of one version disagree on 10 % of the rows, two versions on
14 %, and seeds spread by 2 points on 240 rows; the bundled stance v1 has 54.0, 59.3 and 55.1 %.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import fmean

from agent.proposing.forecast import effect, prior_gain
from agent.proposing.matrix import PRIORS
from tools.change import Effect
from tools.comparison import Verdict
from tools.evidence.statistics import ASSUMED_SPREAD, ASSUMED_WORTH
from tools.text import T

VALID, TEST, QUICK_ROWS = 240, 300, 120
HOURS, RUNS, SEEDS = 8.0, 12, 3
"""The budget of a night, and the trainings of the version that it starts from, which are there already."""
FLIP, DIFFER = 0.10, 0.04
"""Share of rows on which two trainings of a version disagree, and what another version adds."""
LUCK = 0.0139
"""Standard deviation of a training's true score: with FLIP on 240 rows a score then spreads by 2 points over seeds."""
QUICK_SHOWS, QUICK_LUCK = (0.3, 0.9), 0.02
"""Part of an effect that a quick check shows (drawn for each change), and its spread over seeds."""
QUICK_COST, QUICK_RUNS = 0.6, 2
"""Minutes of a quick check against those of a training, and the runs that it counts as: one for each side."""
MINUTES = (15.0, 40.0)
OFFERED = 12
KINDS = {
    name: f"config:{name}"
    for name in PRIORS
    if name not in ("other", "mended_value", "base_model", "mixture", "new_rows", "weak_class_weight")
} | {"weak_class_weight": "config:class_weights"}
"""What a night may change without a person, and the kind that it is learned under."""


@dataclass(frozen=True)
class Candidate:
    """A change that could be tried, with the effect that it truly has."""

    key: str
    name: str
    forecast: Effect
    minutes: float
    true: float

    @property
    def kind(self) -> str:
        return KINDS[self.name]


@dataclass
class Version:
    """A version with its true score against the start, and its trainings so far."""

    true: float
    rows: dict[str, float]
    scores: dict[str, list[float]] = field(default_factory=lambda: {"valid": [], "test": []})
    luck: list[float] = field(default_factory=list)
    """Of each training: what its weights are truly better by than the version's are on average."""

    @property
    def seeds(self) -> int:
        return len(self.scores["valid"])


class Lab:
    """Draws measurements, and counts what they cost."""

    def __init__(self, rng: random.Random, minutes: float = HOURS * 60, runs: int = RUNS) -> None:
        self.rng = rng
        self.minutes, self.runs, self.trainings = minutes, runs, 0

    def version(self, true: float) -> Version:
        sizes = {"valid": VALID, "test": TEST}
        return Version(true, {split: self.rng.gauss(0, math.sqrt(DIFFER / rows / 2)) for split, rows in sizes.items()})

    def train(self, version: Version, minutes: float = 0.0) -> Version:
        """One more training of it."""
        luck = self.rng.gauss(0, LUCK)
        version.luck.append(luck)
        for split, rows in (("valid", VALID), ("test", TEST)):
            noise = self.rng.gauss(0, math.sqrt(FLIP / rows / 2))
            version.scores[split].append(version.true + luck + version.rows[split] + noise)
        if minutes:
            self._pay(minutes)
            self.trainings += 1
        return version

    def start(self) -> Version:
        found = self.version(0.0)
        for _ in range(SEEDS):
            self.train(found)
        return found

    def quick(self, candidate: Candidate, gain: float) -> tuple[float, float]:
        """Difference and standard error of a quick check."""
        self._pay(candidate.minutes * QUICK_COST, QUICK_RUNS)
        rows, assumed = (FLIP + DIFFER) / QUICK_ROWS, 2 * ASSUMED_SPREAD**2
        noise = self.rng.gauss(0, math.sqrt(rows + 2 * QUICK_LUCK**2))
        return self.rng.uniform(*QUICK_SHOWS) * gain + noise, math.sqrt(rows + assumed)

    def can(self, minutes: float) -> bool:
        return self.runs >= 1 and self.minutes >= minutes

    def _pay(self, minutes: float, runs: int = 1) -> None:
        self.minutes -= minutes
        self.runs -= runs


@dataclass(frozen=True)
class Measured:
    """What a paired comparison of two versions says (tools/evidence/statistics.py, with normal quantiles for resamples)."""

    difference: float
    error: float
    verdict: Verdict


def compared(base: Version, new: Version, split: str) -> Measured:
    old, after = base.scores[split], new.scores[split]
    count, part = {"valid": VALID, "test": TEST}[split], 1 / len(old) + 1 / len(after)
    rows = FLIP / count / 2 * part + DIFFER / count
    squares = sum((score - fmean(side)) ** 2 for side in (old, after) for score in side)
    degrees = len(old) + len(after) - 2
    beyond = max(0.0, squares - degrees * FLIP / count / 2)
    spread = (ASSUMED_WORTH * ASSUMED_SPREAD**2 + beyond) / (degrees + ASSUMED_WORTH)
    wide = (degrees + ASSUMED_WORTH) / (degrees + ASSUMED_WORTH - 2)  # the variance of Student's t
    error = math.sqrt(rows + spread * part * wide)
    difference = fmean(after) - fmean(old)
    verdict: Verdict = "better" if difference > 1.96 * error else "worse" if difference < -1.96 * error else "undecided"
    return Measured(difference, error, verdict)


# ---- worlds: how true effects are drawn; the policy is told none of this ---------------------------------------------------

Draw = Callable[[random.Random, list[str]], list[float]]


def _promised(rng: random.Random, names: list[str], part: float = 1.0, sure: bool = True) -> list[float]:
    gains = [prior_gain(name) for name in names]
    return [part * rng.gauss(gain.middle, gain.spread) if sure or rng.random() < gain.works else 0.0 for gain in gains]


def _half(rng: random.Random, names: list[str]) -> list[float]:
    return _promised(rng, names, part=0.5, sure=False)


def _harmful(rng: random.Random, names: list[str]) -> list[float]:
    return [rng.gauss(-0.02 if rng.random() < 0.8 else 0.02, 0.012) for _ in names]


def _rare(rng: random.Random, names: list[str]) -> list[float]:
    return [0.03 * rng.paretovariate(2) if rng.random() < 0.08 else rng.gauss(-0.002, 0.004) for _ in names]


def _by_kind(rng: random.Random, names: list[str]) -> list[float]:
    kinds = {KINDS[name]: rng.gauss(0.0, 0.025) for name in sorted(names)}
    return [kinds[KINDS[name]] + rng.gauss(0, 0.006) for name in names]


def _zero(rng: random.Random, names: list[str]) -> list[float]:
    return [0.0] * len(names)


def _student(rng: random.Random, names: list[str]) -> list[float]:
    """Student's t with three degrees of freedom, half a point up in the middle."""
    return [0.005 + 0.012 * rng.gauss(0, 1) / math.sqrt(rng.gammavariate(1.5, 2) / 3) for _ in names]


@dataclass(frozen=True)
class World:
    says: str
    draw: Draw
    wears_off: float = 1.0
    """Factor on every gain for each change that was kept before it."""


WORLDS = {
    "promised": World("every change brings what the specification's matrix promises", _promised),
    "half": World("half the promised size, and only as often as the program guesses", _half),
    "harmful": World("four of five changes harm (2 points), the fifth brings 2", _harmful),
    "rare": World("one in twelve brings 3 points or far more, the others nothing", _rare),
    "by kind": World("changes of one kind go together, kinds spread by 2.5 points around zero", _by_kind),
    "zero": World("no change does anything", _zero),
    "held out": World("heavy tails both ways, and every kept change takes a fifth of the later gains", _student, 0.8),
}


def catalogue(world: World, rng: random.Random) -> list[Candidate]:
    """What could be tried in a night: forecasts as the program makes them, and what they are worth in this world."""
    names = [rng.choice(sorted(KINDS)) for _ in range(OFFERED)]
    true = world.draw(rng, names)
    return [
        Candidate(f"{number}", name, FORECASTS[name], rng.uniform(*MINUTES), gain)
        for number, (name, gain) in enumerate(zip(names, true, strict=True))
    ]


FORECASTS = {name: effect("macro_f1", prior_gain(name), T("The matrix.")) for name in KINDS}
