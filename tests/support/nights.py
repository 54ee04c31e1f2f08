"""Nights by hand, with the models of the record: what the loop of a night would have left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.overnight.records import (
    BudgetLimits,
    Chosen,
    Guarded,
    NightAdopted,
    NightPlan,
    NightRecord,
    Over,
    QuickChecked,
    Spent,
    TakenUp,
    TaskPaused,
    TestOpenedOnce,
    Tried,
    Waiting,
    begin_night,
)
from tools.change import Change, ChangeKind, Cost, Difficulty, Edit, Effect, Goal, Proposal, Tier
from tools.comparison import Comparison, MetricLine, NoiseFloor, Range
from tools.text import T, Text
from tools.versioning.ledger import OpenedTest

BEGAN = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
"""When every night of the tests began."""
METRIC = "macro_f1"


def at(minutes: float) -> str:
    """The moment so long after the start."""
    return (BEGAN + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def proposal(
    task: str, title: Text | str, key: str = "training.epochs", old: Any = 4, new: Any = 6, **more: Any
) -> Proposal:
    """A change of one key."""
    said = title if isinstance(title, Text) else T("{title}", title=title)
    fields: dict[str, Any] = {
        "problem": T("The score still rose at the end."),
        "goal": Goal(metric=METRIC, now=0.7, wanted=0.8),
        "changes": [
            Change(kind=ChangeKind.config, summary=said, edits=[Edit(path=tuple(key.split(".")), old=old, new=new)])
        ],
        "diff": "-a\n+b\n",
        "config_sha256": "0" * 64,
        "effect": Effect(metric=METRIC, low=0.0, high=0.03, p_better=0.8, source="prior", basis=T("A rule of thumb.")),
        "cost": Cost(minutes=20, basis=T("Measured speed.")),
        "difficulty": Difficulty.low,
        "tier": Tier.quick,
        "page": "methods/sft",
    }
    return Proposal(task=task, title=said, **(fields | more))


def comparison(
    base: str,
    new: str,
    old: float,
    now: float,
    *,
    half: float | None = 0.02,
    split: str = "valid",
    task: str = "stance",
    seeds: int = 3,
    floor: float | None = 0.008,
) -> Comparison:
    """Two versions on the same rows, with an interval of `half` on either side."""
    gain = now - old
    span = None if half is None else Range(low=gain - half, high=gain + half, p=0.01 if abs(gain) > half else 0.4)
    verdict = "undecided" if half is None or abs(gain) <= half else "better" if gain > 0 else "worse"
    return Comparison(
        task=task,
        base=base,
        new=new,
        split=split,
        rows=300,
        base_seeds=seeds,
        new_seeds=seeds,
        primary_metric=METRIC,
        judged_metric=METRIC,
        verdict=verdict,
        reasons=[T("Because of the interval.")],
        recommended="continue",
        recommendation=T("go on"),
        changes=[],
        metrics=[MetricLine(metric=METRIC, old=old, new=now, range=span)],
        fixed=["row-7"],
        noise=NoiseFloor(seeds=seeds, floor=floor, units=None),
    )


class Night:
    """Writes a night line by line; each method returns the night, so that lines follow each other."""

    def __init__(
        self,
        root: Path,
        tasks: Sequence[str] = ("stance",),
        night: str = "2026-11-22-2300",
        *,
        limits: BudgetLimits | None = None,
        starts: dict[str, str] | None = None,
        **plan: Any,
    ) -> None:
        self.root = root
        given: dict[str, Any] = {
            "id": night,
            "workspace": str(root.resolve()),
            "started_at": at(0),
            "tasks": [str(root / "tasks" / name) for name in tasks],
            "limits": limits or BudgetLimits(until=at(480), hours=8, runs=12, dollars=5),
            "rules": {
                "approve": [{"kinds": ["config", "recipe"]}],
                "adopt": "wait",
                "seeds": 3,
                "source": "--allow config",
            },
            "command": f"iterate overnight {' '.join(tasks)} --until 07:00 --allow config,recipe",
            "resume": f"iterate overnight --resume {night}",
            "seed": 7,
            "who": "mei",
            "start_versions": starts if starts is not None else dict.fromkeys(tasks, "v1"),
        }
        self.record: NightRecord = begin_night(root, NightPlan(**(given | plan)))
        self.minutes = 0.0

    def add(self, kind: Any, key: str, **fields: Any) -> Night:
        """One line, five minutes after the one before."""
        self.minutes += 5
        self.record.add(kind(at=at(self.minutes), key=key, **fields))
        return self

    def choose(self, trial: int, title: Text | str, *, task: str = "stance", base: str = "v1", **more: Any) -> Night:
        """The change that is tried next."""
        given = {"expected": 0.012, "spread": 0.012, "minutes": 25.0, "candidates": 9}
        change = more.pop("proposal", None) or proposal(task, title, new=4 + trial)
        return self.add(Chosen, f"chosen:{trial}", trial=trial, task=task, base=base, proposal=change, **(given | more))

    def check(self, trial: int, difference: float, *, goes_on: bool = True, task: str = "stance") -> Night:
        """What the quick check of a trial said."""
        return self.add(
            QuickChecked,
            f"quick:{trial}",
            trial=trial,
            task=task,
            difference=difference,
            low=difference - 0.03,
            high=difference + 0.03,
            goes_on=goes_on,
            reason=T("It promises enough.") if goes_on else T("It promises less than it costs."),
        )

    def end(
        self, trial: int, outcome: str, compared: Comparison | None = None, *, task: str = "stance", **more: Any
    ) -> Night:
        """The end of a trial."""
        given: dict[str, Any] = {
            "version": compared.new if compared else None,
            "reason": T("Because of its mean."),
            "minutes": 24.5,
        }
        if compared is not None:
            given |= {"comparison": compared, "seeds": [42, 43, 44][: compared.new_seeds]}
            given["difference"] = compared.metrics[0].difference
        return self.add(Tried, f"tried:{trial}", trial=trial, task=task, outcome=outcome, **(given | more))

    def spend(self, minutes: float, runs: int, dollars: float, **more: Any) -> Night:
        """What was used up to here."""
        return self.add(Spent, f"spent:{self.minutes}", minutes=minutes, runs=runs, dollars=dollars, **more)

    def wait(self, what: str, reason: str, *, task: str = "stance", command: str = "", **more: Any) -> Night:
        """Something for the morning."""
        key = f"waiting:{self.minutes}"
        told = T("{reason}", reason=reason)
        return self.add(
            Waiting, key, task=task, what=what, reason=told, command=command or f"iterate run {task}", **more
        )

    def guard(self, guard: str, message: str, *, task: str | None = "stance", page: str | None = None) -> Night:
        """A guard fired."""
        told = T("{message}", message=message)
        return self.add(Guarded, f"guarded:{self.minutes}", task=task, guard=guard, message=told, page=page)

    def pause(self, task: str, reason: str) -> Night:
        """A task is left alone."""
        return self.add(TaskPaused, f"paused:{task}", task=task, reason=T("{reason}", reason=reason))

    def open_test(
        self, base: str, new: str, old: float, now: float, *, task: str = "stance", half: float = 0.03
    ) -> Night:
        """The locked test is opened; `old` and `now` are what it says, valid had said two points more."""
        found = comparison(base, new, old, now, half=half, split="test", task=task)
        found = found.model_copy(update={"fixed": []})
        opened = OpenedTest(
            ordinal=1,
            versions=[base, new],
            scores={base: {METRIC: old}, new: {METRIC: now}},
            valid_scores={base: {METRIC: old + 0.01}, new: {METRIC: now + 0.03}},
            verdict=found.verdict,
            p=0.4,
            p_corrected=0.4,
            comparison=found,
            notes=[T("First opening: nothing to correct for.")],
        )
        return self.add(TestOpenedOnce, f"opened:{task}", task=task, version=new, opened=opened, verdict=found.verdict)

    def adopt(self, version: str, before: str | None = "v1", *, task: str = "stance") -> Night:
        """The version in use changed."""
        return self.add(NightAdopted, f"adopted:{task}", task=task, version=version, before=before)

    def take_up(self) -> Night:
        """Another process goes on."""
        return self.add(TakenUp, f"taken_up:{self.minutes}", pid=4711, host="box")

    def over(self, reason: str = "until", message: Text | None = None) -> NightRecord:
        """The last line."""
        self.add(Over, "over", reason=reason, message=message or T("It was seven o'clock."))
        return self.record


def busy_night(root: Path) -> NightRecord:
    """Two tasks, every outcome, an opening, waiting decisions, guards: the night that pictures are taken of."""
    night = Night(root, ("stance", "official-doc"))
    night.spend(0, 0, 0.0)
    night.choose(1, T("{key}: {old} → {new}", key="training.epochs", old="4", new="6")).check(1, 0.014)
    night.end(1, "kept", comparison("v1", "v2", 0.712, 0.731)).spend(41.2, 4, 0.12, prompt_tokens=20_000)
    night.choose(2, "中立 資料重複 2 倍", base="v2", expected=0.02, spread=0.02).check(2, -0.021, goes_on=False)
    night.end(2, "dead_end", minutes=6.1, reason=T("It promises less than it costs.")).spend(47.3, 5, 0.2)
    night.choose(3, "LoRA rank: 32 → 64, alpha: 64 → 128", base="v2", expected=0.008, spread=0.01)
    night.end(3, "kept", comparison("v2", "v3", 0.731, 0.744, half=0.017)).spend(92.0, 8, 0.31)
    night.choose(4, "learning rate: 2e-4 → 1e-4", task="official-doc", base="v1", expected=-0.002, spread=0.015)
    night.end(4, "crashed", task="official-doc", version="v2", reason=T("Out of memory."), minutes=3.0)
    night.guard(
        "memory", "It ran out of memory with batch size 8; half of it, with accumulation, fitted.", task="official-doc"
    )
    night.choose(5, "warmup: 0 → 0.1", base="v3", expected=0.003, spread=0.008)
    night.end(5, "discarded", comparison("v3", "v4", 0.744, 0.739)).spend(141.9, 11, 0.52)
    night.guard("protected_slice", "F1 of 中立 fell by 6.1 points.", page="methods/comparing-versions")
    night.pause("official-doc", "data/train.jsonl was changed by hand at 02:11.")
    change = proposal("stance", "base model: tiny → small", "training.base_model", "tiny", "small")
    night.wait("proposal", "Base models are not covered by the rules.", proposal=change, command="iterate run stance")
    night.wait(
        "paused_task", "Its rows changed in the night.", task="official-doc", command="iterate status official-doc"
    )
    night.open_test("v1", "v3", 0.703, 0.715)
    night.wait("adoption", "The rules leave adoption to a person.", version="v3", command="iterate adopt stance v3")
    night.spend(160.4, 11, 0.52, prompt_tokens=41_000, completion_tokens=9_000)
    return night.over()
