"""Rules for new rows: reviewed batches become proposals, and a weak or scarce label is offered more rows.

A proposal needs a diff, and rows that nobody has written or accepted yet have none. So writing is offered as a command, and
what a person has accepted of it is proposed like any other change.
"""

from __future__ import annotations

from pathlib import Path

from agent.proposing.draft import Draft
from agent.proposing.forecast import prior_basis, prior_gain
from agent.proposing.view import View
from tools.change import Change, ChangeKind, Difficulty, Tier
from tools.diagnose import Diagnosis
from tools.errors import IterateError
from tools.finding import Finding, FindingKind
from tools.labelling.ask_person import LABELLING
from tools.reviewing.batch import Batch, list_batches, load_batch
from tools.reviewing.outcome import Outcome, plan, summary
from tools.text import T, Text, shell_word, visible

_ASKS = (FindingKind.weak_class, FindingKind.class_imbalance, FindingKind.missing_class)
"""Findings about a label that more rows may mend."""
OFFERED = 200
"""The specification's number of rows for a weak class."""


def reviewed_rows(view: View) -> list[Draft]:
    """The decisions of each finished batch that the recipe does not hold yet."""
    drafts = []
    for name in list_batches(view.task.path):
        batch = load_batch(view.task.path, name)
        try:
            outcome = plan(view.task, batch)
        except IterateError:  # its rows do not fit the task any more; the review says so
            continue
        if outcome.edits and _finished(view.task.path, batch, outcome):
            drafts.append(_draft(view, batch, outcome))
    return drafts


def _finished(path: Path, batch: Batch, outcome: Outcome) -> bool:
    """Finishing writes the file of new rows; where there are none, every row is decided."""
    if outcome.file is not None:
        return (path / outcome.file).is_file()
    return batch.counts.open == 0


def _draft(view: View, batch: Batch, outcome: Outcome) -> Draft:
    labels = {str(item.answer) for item in batch.items if item.candidate.origin == "new" and item.state != "rejected"}
    metric = f"f1[{next(iter(labels))}]" if len(labels) == 1 else view.metric
    told = summary(outcome)
    prior = "new_rows" if outcome.added else "exclude_contradictions"
    caution = T(
        "Compare it with oversampling the same label as well: any change of the balance of classes looks like a success of "
        "new rows."
    )
    return Draft(
        title=told,
        findings=_about(view, labels),
        changes=[Change(kind=ChangeKind.data, summary=told, edits=outcome.edits)],
        metric=metric if view.now(metric) is not None else view.metric,
        gain=prior_gain(prior),
        basis=prior_basis(prior),
        page="methods/data-generation" if outcome.added else "troubleshooting/label-noise",
        tier=Tier.medium,
        difficulty=Difficulty.low,
        caution=caution if outcome.added else None,
        problem=T("A person has reviewed these rows and finished the batch {batch}.", batch=batch.name),
    )


def _about(view: View, labels: set[str]) -> list[Finding]:
    return [one for one in view.found(*_ASKS) if one.about.get("label") in labels]


def offers(path: Path, diagnosis: Diagnosis, *, has_model: bool) -> list[Text]:
    """What a person can start beside the proposals: rows for the label that the diagnosis finds weakest or scarcest."""
    found = [one for one in diagnosis.findings if one.kind in _ASKS and isinstance(one.about.get("label"), str)]
    if not found:
        return []
    name = str(found[0].about["label"])
    label, task = visible(name, 60), shell_word(path.name)
    waiting = _waiting(path)
    if waiting is not None:
        return [
            T(
                "{count} new rows wait for your review: iterate review {task} {batch}",
                count=waiting.counts.open,
                task=task,
                batch=waiting.name,
            )
        ]
    how = T(
        "iterate generate {task} --class {label} --samples {count}",
        task=task,
        label=shell_word(name),
        count=OFFERED,
    )
    if has_model:
        return [T("More rows of {label} can be written and reviewed: {how}", label=label, how=how)]
    told = T(
        "More rows of {label} could be written by a language model ({how}), but none is set up. Without one: oversampling, "
        "class weights, settling suspect labels (iterate review {task}), labelling rows of your own.",
        label=label,
        how=how,
        task=task,
    )
    return [told]


def _waiting(path: Path) -> Batch | None:
    """The batch with new rows that nobody has decided on yet."""
    for name in list_batches(path):
        batch = load_batch(path, name)
        if name != LABELLING and any(item.decision is None and item.candidate.origin == "new" for item in batch.items):
            return batch
    return None
