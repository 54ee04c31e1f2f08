"""A thousand nights without training: does the way a night chooses, keeps and adopts bring true gains, and claim no others?

    python tests/benchmarks/overnight_simulation.py [--nights 1000] [--seed 5] [--worlds zero half ...] [--json FILE]

True effects are drawn from worlds that the policy does not know; measurements are drawn as validation and test sets of the
bundled size give them. The policy is not written down here again: its arms, beliefs and decisions are agent/overnight/belief.py
and agent/overnight/choose.py, which a real night calls. What is simplified: scores are drawn as normal, changes add up (but in
one world), and no training crashes.

The worlds and how their scores are drawn are in night_worlds.py. The true gain of a night is that of the version in use at
its end, as a mean over seeds: a lucky seed is no gain of a change. What each policy reports is counted against that.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist, fmean, stdev

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agent.overnight.belief import (  # noqa: E402
    Arm,
    Belief,
    Beliefs,
    Observation,
    forecast_belief,
    usual_error,
)
from agent.overnight.choose import (  # noqa: E402
    QUICK_PART,
    AdoptRule,
    Choice,
    QuickVerdict,
    choose,
    ending,
    gain_over_start,
    keep,
    quick_check_pays,
    quick_verdict,
    seeds_before_opening,
    seeds_wanted,
    worth_opening,
)
from tests.benchmarks.night_worlds import (  # noqa: E402
    DIFFER,
    FLIP,
    MINUTES,
    QUICK_COST,
    QUICK_ROWS,
    QUICK_RUNS,
    SEEDS,
    TEST,
    VALID,
    WORLDS,
    Candidate,
    Lab,
    Measured,
    Version,
    World,
    catalogue,
    compared,
)

# ---- arms ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Night:
    """What came of one night."""

    true: float
    """True gain of the version in use at its end; 0 when nothing was adopted."""
    reported: float | None
    """The gain that it reports for its best version, adopted or not; None when it reports none."""
    best: float
    """True gain of that version."""
    weights: float
    """True gain of the very weights that were trained for it, the luck of their seeds included."""
    adopted: bool
    trainings: int


Policy = Callable[[World, list[Candidate], random.Random], Night]


class Tracker:
    """The version that later changes start from, and the true gain of a change on top of it."""

    def __init__(self, world: World, lab: Lab) -> None:
        self.world, self.lab, self.kept = world, lab, 0
        self.start = self.best = lab.start()

    def gain(self, candidate: Candidate) -> float:
        return candidate.true * (self.world.wears_off**self.kept if candidate.true > 0 else 1.0)

    def with_(self, candidate: Candidate) -> Version:
        return self.lab.train(self.lab.version(self.best.true + self.gain(candidate)), candidate.minutes)

    def keep(self, version: Version) -> None:
        self.best, self.kept = version, self.kept + 1


def _night(track: Tracker, adopted: bool, reported: float | None) -> Night:
    lab = track.lab
    true = track.best.true if adopted else 0.0
    weights = track.best.true + fmean(track.best.luck) - fmean(track.start.luck)
    return Night(true, reported, track.best.true, weights, adopted, lab.trainings)


def greedy(world: World, offered: list[Candidate], rng: random.Random, *, significant: bool = False) -> Night:
    """Keep whatever scores higher on valid, one seed each, most promising first; adopt what is left, report what valid said."""
    track = Tracker(world, Lab(rng))
    for part in track.start.scores.values():
        del part[1:]
    del track.start.luck[1:]
    needed = NormalDist().inv_cdf(0.975) * math.sqrt((FLIP + DIFFER) / VALID) if significant else 0.0
    for candidate in sorted(offered, key=lambda one: -forecast_belief(one.forecast).mean / one.minutes):
        if track.lab.can(candidate.minutes):
            new = track.with_(candidate)
            if new.scores["valid"][0] - track.best.scores["valid"][0] > needed:
                track.keep(new)
    said = track.best.scores["valid"][0] - track.start.scores["valid"][0]
    return _night(track, track.kept > 0, said if track.kept else None)


def keep_if_significant(world: World, offered: list[Candidate], rng: random.Random) -> Night:
    return greedy(world, offered, rng, significant=True)


def oracle(world: World, offered: list[Candidate], rng: random.Random) -> Night:
    """Knows every effect: trains each change that gains, once, best first."""
    track = Tracker(world, Lab(rng))
    for candidate in sorted(offered, key=lambda one: -one.true):
        if candidate.true > 0 and track.lab.can(candidate.minutes):
            track.keep(track.with_(candidate))
    return _night(track, track.kept > 0, track.best.true if track.kept else None)


class Ours:
    """A night as agent/overnight runs it, with the same decisions."""

    def __init__(
        self, world: World, offered: list[Candidate], rng: random.Random, *, check_first: bool = False
    ) -> None:
        self.lab, self.rng, self.check_first = Lab(rng), rng, check_first
        self.track = Tracker(world, self.lab)
        self.left = {one.key: one for one in offered}
        self.beliefs = Beliefs()
        self.kept: list[Belief] = []
        self.best_minutes = fmean(MINUTES)

    def run(self, rule: AdoptRule) -> Night:
        while self._trial():
            pass
        while self._held_back() and self.lab.can(self.best_minutes):
            self.lab.train(self.track.best, self.best_minutes)
        if not self.kept or not worth_opening(self._over_start()):
            return _night(self.track, False, None)
        opened = compared(self.track.start, self.track.best, "test")
        said = {"difference": opened.difference, "error": opened.error, "verdict": opened.verdict}
        return _night(self.track, ending(rule, self._over_start(), **said).adopt, opened.difference)

    def _over_start(self) -> Belief:
        on_valid = compared(self.track.start, self.track.best, "valid")
        return gain_over_start(self.kept, on_valid.difference, on_valid.error)

    def _held_back(self) -> int:
        """Trainings that stay for the seeds of the best version."""
        if not self.kept:
            return 0
        known = {"trained": self.track.best.seeds, "base_seeds": self.track.start.seeds}
        return seeds_before_opening(self._over_start(), most=SEEDS, rows=TEST, **known)

    def arms(self) -> list[Arm]:
        beliefs = [(one, self.beliefs.about(one.kind, one.forecast)) for one in self.left.values()]
        return [Arm(one.key, one.kind, "task", of.mean, of.sd, one.minutes) for one, of in beliefs]

    def _trial(self) -> bool:
        """Try the next change; False when nothing is worth its cost or nothing is left to try it with."""
        base, held = self.track.best, self._held_back()
        if self.lab.runs <= held:
            return False
        noise = usual_error(VALID, base_seeds=base.seeds)
        left = self.lab.minutes - held * self.best_minutes
        choice = choose(self.arms(), rng=self.rng, minutes_left=left, noise=noise)
        if choice is None:
            return False
        candidate, belief = self.left.pop(choice.arm.key), choice.arm.belief
        if self._checks(choice, noise) and self.lab.runs > held + QUICK_RUNS:
            said, observed = self._check(candidate, belief, noise)
            if not said.goes_on or not self.lab.can(candidate.minutes):
                self.beliefs.observed(observed)
                return True
            belief = said.belief
        new = self.track.with_(candidate)
        found = self._replicate(base, new, candidate, belief, choice.elsewhere)
        self.beliefs.observed(Observation(candidate.kind, found.difference, found.error, "macro_f1"))
        if keep(belief.after(found.difference, found.error), found.difference, found.error):
            self.track.keep(new)
            self.kept.append(choice.arm.belief)
            self.best_minutes = candidate.minutes
        return True

    def _checks(self, choice: Choice, noise: float) -> bool:
        part = max(QUICK_COST, float(QUICK_RUNS))
        known = {"noise": noise, "rows": QUICK_ROWS, "part": part, "elsewhere": choice.elsewhere}
        return self.check_first or quick_check_pays(choice.arm.belief, **known)

    def _check(self, candidate: Candidate, belief: Belief, noise: float) -> tuple[QuickVerdict, Observation]:
        difference, error = self.lab.quick(candidate, self.track.gain(candidate))
        said = quick_verdict(belief, difference - 1.96 * error, difference + 1.96 * error, difference, noise=noise)
        return said, Observation(candidate.kind, difference / QUICK_PART, error / QUICK_PART, "macro_f1")

    def _replicate(
        self, base: Version, new: Version, candidate: Candidate, belief: Belief, elsewhere: float
    ) -> Measured:
        """Further seeds as long as they are wanted and there is room."""
        found = compared(base, new, "valid")
        noise = usual_error(VALID, base_seeds=base.seeds)
        while self.lab.can(candidate.minutes):
            now = belief.after(found.difference, found.error)
            if not seeds_wanted(now, trained=new.seeds, most=SEEDS, noise=noise, elsewhere=elsewhere):
                break
            self.lab.train(new, candidate.minutes)
            found = compared(base, new, "valid")
        return found


def ours(rule: AdoptRule, *, check_first: bool = False) -> Policy:
    return lambda world, offered, rng: Ours(world, offered, rng, check_first=check_first).run(rule)


ARMS: dict[str, Policy] = {
    "keep if better": greedy,
    "keep if p < .05": keep_if_significant,
    "this program, adopt if better": ours("if_better"),
    "this program, adopt if not worse": ours("if_not_worse"),
    "this program, a quick check first": ours("if_not_worse", check_first=True),
    "knows every effect": oracle,
}


# ---- measures --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Estimate:
    """A mean over nights with its 95 % interval; None when there is no night to speak of."""

    mean: float | None
    low: float | None = None
    high: float | None = None

    def shown(self, form: str, unit: str = "") -> str:
        if self.mean is None or self.low is None or self.high is None:
            return "-"
        return f"{self.mean:{form}}{unit} [{self.low:{form}}, {self.high:{form}}]"


@dataclass(frozen=True)
class Row:
    """One policy in one world."""

    world: str
    arm: str
    gain: Estimate
    """True gain of the version in use at the end, in points."""
    adopted: Estimate
    """Share of nights that adopt."""
    useless: Estimate
    """Share of nights that adopt a version that is truly not better."""
    gap: Estimate
    """Reported minus true gain of the version reported on, in points, over the nights that report one."""
    gap_adopted: Estimate
    """The same over the nights that adopt."""
    gap_weights: Estimate
    """Reported gain minus the true gain of the very weights, over the nights that report one."""
    trainings: Estimate
    nights: int


def mean_of(values: list[float], scale: float = 1.0) -> Estimate:
    if not values:
        return Estimate(None)
    middle, half = scale * fmean(values), 0.0
    if len(values) > 1:
        half = scale * 1.96 * stdev(values) / math.sqrt(len(values))
    return Estimate(middle, middle - half, middle + half)


def share_of(flags: list[bool]) -> Estimate:
    """Wilson's interval, in percent."""
    count, share, z = len(flags), fmean(flags), 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return Estimate(100 * share, 100 * max(0.0, middle - half), 100 * min(1.0, middle + half))


def row_of(world: str, arm: str, nights: list[Night]) -> Row:
    reporting = [night for night in nights if night.reported is not None]
    gaps = [(night.reported or 0.0) - night.best for night in reporting]
    adopting = [gap for night, gap in zip(reporting, gaps, strict=True) if night.adopted]
    return Row(
        world=world,
        arm=arm,
        gain=mean_of([night.true for night in nights], 100),
        adopted=share_of([night.adopted for night in nights]),
        useless=share_of([night.adopted and night.true <= 1e-9 for night in nights]),
        gap=mean_of(gaps, 100),
        gap_adopted=mean_of(adopting, 100),
        gap_weights=mean_of([(night.reported or 0.0) - night.weights for night in reporting], 100),
        trainings=mean_of([float(night.trainings) for night in nights]),
        nights=len(nights),
    )


def simulate(nights: int, seed: int, worlds: list[str], arms: dict[str, Policy] | None = None) -> list[Row]:
    """Every policy meets the same changes in each night, with measurements of its own."""
    rows = []
    for world in worlds:
        offered = [catalogue(WORLDS[world], random.Random(f"{seed}:{world}:{night}")) for night in range(nights)]
        for name, policy in (arms or ARMS).items():
            found = [
                policy(WORLDS[world], offers, random.Random(f"{seed}:{world}:{night}:measured"))
                for night, offers in enumerate(offered)
            ]
            rows.append(row_of(world, name, found))
    return rows


def summary(rows: list[Row]) -> Iterator[str]:
    """One line per world: true gain, useless adoptions and honesty gap of each policy."""
    arms = list(dict.fromkeys(row.arm for row in rows))
    yield "| World | " + " | ".join(arms) + " |"
    yield "|---" * (len(arms) + 1) + "|"
    for world in dict.fromkeys(row.world for row in rows):
        cells = []
        for row in (one for one in rows if one.world == world):
            gap = f"{row.gap.mean:+.1f}" if row.gap.mean is not None else "-"
            cells.append(f"{row.gain.mean:+.1f} · {row.useless.mean:.0f} % · {gap}")
        yield f"| {world} | " + " | ".join(cells) + " |"


def markdown(rows: list[Row]) -> Iterator[str]:
    """The table with intervals, one block of lines per world."""
    yield (
        "| World | Policy | True gain | Nights adopting what is not better | Reported minus true gain "
        "| The same, adopting nights | Adopts | Trainings |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    last = ""
    for row in rows:
        world = f"**{row.world}**: {WORLDS[row.world].says}" if row.world != last else ""
        last = row.world
        trainings = f"{row.trainings.mean:.1f}"
        yield (
            f"| {world} | {row.arm} | {row.gain.shown('+.1f')} | {row.useless.shown('.0f', ' %')} "
            f"| {row.gap.shown('+.1f')} | {row.gap_adopted.shown('+.1f')} | {row.adopted.mean:.0f} % | {trainings} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS), choices=list(WORLDS))
    parser.add_argument("--json", type=Path, help="write every number there")
    given = parser.parse_args()
    begun = time.monotonic()
    rows = simulate(given.nights, given.seed, given.worlds)
    print("\n".join([*summary(rows), "", *markdown(rows)]))
    print(f"\n{given.nights} nights a world, seed {given.seed}, {time.monotonic() - begun:.0f} s")
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
