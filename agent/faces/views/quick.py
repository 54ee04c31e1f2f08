"""Quick checks in words: what one takes, how far it is, what it found, and how far that can be trusted."""

from __future__ import annotations

from pathlib import Path

from agent.faces.views.words import points
from tools.change import ChangeKind, Proposal
from tools.comparing.words import metric_name
from tools.probing.quick_check import QuickCheckArgs, QuickPlan
from tools.probing.quick_records import QuickRecord, Trust, quick_outcome, trust_in_quick
from tools.runs import RunEvent, StepEvent
from tools.text import T, Text

NOTHING_TO_TRY = T("This change makes no training of its own, so there is nothing that a quick check would save.")


def can_be_tried(proposal: Proposal) -> bool:
    """True when a quick check could say something: the change makes another training, which costs more than the check."""
    kinds = {change.kind for change in proposal.changes}
    return proposal.cost.trainings > 0 and bool(kinds) and kinds != {ChangeKind.repair}


def quick_args(proposal: Proposal, task_path: Path) -> QuickCheckArgs:
    """The quick check of a proposal, of the usual size."""
    return QuickCheckArgs(
        task_dir=task_path, changes=proposal.changes, change_id=proposal.id, metric=proposal.goal.metric
    )


def price_texts(plan: QuickPlan) -> list[Text]:
    """What runs, and how long it takes."""
    before, after = plan.train_rows
    told = T(
        "{runs} runs on {before} (changed: {after}) training rows and {valid} validation rows, {waiting} of them not computed "
        "before.",
        runs=len(plan.base) + len(plan.changed),
        before=before,
        after=after,
        valid=plan.valid_rows,
        waiting=plan.waiting,
    )
    if plan.estimate is None:
        return [told, T("How long it takes is not known: the size of this base model is not.")]
    minutes_text = T("About {minutes:.1f} minutes: {basis}.", minutes=plan.estimate.minutes, basis=plan.estimate.basis)
    return [told, minutes_text]


def progress_text(plan: QuickPlan, run: Path, event: RunEvent | None = None) -> Text:
    """How far it is."""
    runs = [*plan.base, *plan.changed]
    number, total = runs.index(run) + 1, len(runs)
    side = T("as it is") if run in plan.base else T("changed")
    if isinstance(event, StepEvent):
        return T(
            "quick check: run {number} of {total} ({side}), step {step} of {steps}",
            number=number,
            total=total,
            side=side,
            step=event.step,
            steps=event.total_steps,
        )
    return T("quick check: run {number} of {total} ({side})", number=number, total=total, side=side)


def tried_text(proposal: Proposal, task_path: Path) -> Text | None:
    """What the quick check of a proposal found and how far to trust it, from the records; None when it was not tried."""
    record = quick_outcome(task_path, proposal.id, proposal.config_sha256)
    if record is None:
        return None
    return outcome_text(record, trust_in_quick(sorted(path for path in task_path.parent.glob("*") if path.is_dir())))


def outcome_text(record: QuickRecord, trust: Trust) -> Text:
    """The difference with its interval, what it rests on, and how far it can be trusted."""
    unsure = record.low <= 0 <= record.high
    verdict = T("It shows no difference either way.") if unsure else T("The interval leaves out zero.")
    return T(
        "quick check: {metric} {difference} points (95 percent interval {low} to {high}) with {share:.0%} of the training "
        "rows, on {rows} validation rows, {seeds} seed(s). {verdict} {trust}",
        metric=metric_name(record.metric),
        difference=points(record.difference),
        low=points(record.low),
        high=points(record.high),
        share=record.share,
        rows=record.valid_rows,
        seeds=record.seeds,
        verdict=verdict,
        trust=trust.text,
    )
