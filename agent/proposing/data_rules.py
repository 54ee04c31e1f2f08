"""Rules for training rows that should not be there: copies of evaluated rows, contradictions, repetitions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from pydantic import JsonValue

from agent.proposing.draft import Draft, Urgency
from agent.proposing.forecast import fall, prior_basis, prior_gain
from agent.proposing.view import View
from tools.change import ChangeKind
from tools.finding import Finding, FindingKind, Severity
from tools.task import Row
from tools.text import T, Text


def leaked_rows(view: View) -> list[Draft]:
    """Leave training rows out that stand in validation or test as well; the score was too high until then."""
    findings = [one for one in view.found(FindingKind.split_leak) if one.severity is not Severity.info]
    rows = _new_exclusions(view, [row for finding in findings for row in finding.rows])
    if not rows:
        return []
    shares = [share for one in findings if isinstance(share := one.about.get("share"), int | float)]
    draft = _excluding(
        view, findings, rows, T("Leave out {count} training rows that are also evaluated", count=len(rows))
    )
    caution = T(
        "The score will probably fall, because it was too high: this makes it true. "
        "Versions trained before should not be compared with it by their scores."
    )
    return [
        replace(
            draft,
            gain=fall(max(shares, default=0.0)),
            basis=T("Rows that were memorised are no longer answered from memory."),
            caution=caution,
            urgency=Urgency.trust,
            wanted=view.now(view.metric),
        )
    ]


def contradictions(view: View) -> list[Draft]:
    """Leave out the minority of rows that ask the same and answer differently; all of them where there is no majority."""
    findings = view.found(FindingKind.inconsistent_labels)
    answers = {row.id: row for row in view.rows.train.rows}
    outvoted = [row for finding in findings for group in _groups(finding) for row in _outvoted(answers, group)]
    rows = _new_exclusions(view, outvoted)
    if not rows:
        return []
    draft = _excluding(
        view, findings, rows, T("Leave out {count} training rows that contradict others", count=len(rows))
    )
    caution = T(
        "Which answer is right is for a person to say: data.relabel settles a row instead of leaving it out. "
        "Where neither answer has a majority, all rows of the question go."
    )
    return [replace(draft, caution=caution)]


def repetitions(view: View) -> list[Draft]:
    """Keep only the first of rows with the same input."""
    findings = [one for one in view.found(FindingKind.duplicate_rows) if one.severity is not Severity.info]
    if not findings or view.task.config.values.data.deduplicate:
        return []
    summary = T("Train on each question once")
    change = view.change(ChangeKind.recipe, summary, {("data", "deduplicate"): True})
    caution = T("Where repeated rows have different answers, the first one counts.")
    draft = Draft(
        title=summary,
        findings=findings,
        changes=[change],
        metric=view.metric,
        gain=prior_gain("deduplicate"),
        basis=prior_basis("deduplicate"),
        page=findings[0].page,
        caution=caution if view.found(FindingKind.inconsistent_labels) else None,
    )
    return [draft]


def _new_exclusions(view: View, rows: list[str]) -> list[str]:
    """Row ids that are in train and not excluded yet."""
    excluded = set(view.task.config.values.data.exclude)
    present = {row.id for row in view.rows.train.rows}
    return [row for row in dict.fromkeys(rows) if row in present and row not in excluded]


def _excluding(view: View, findings: list[Finding], rows: list[str], summary: Text) -> Draft:
    """The draft that adds row ids to data.exclude."""
    excluded: JsonValue = [*view.task.config.values.data.exclude, *rows]
    certain = findings[0].severity is not Severity.info
    return Draft(
        title=summary,
        findings=findings,
        changes=[view.change(ChangeKind.recipe, summary, {("data", "exclude"): excluded})],
        metric=view.metric,
        gain=prior_gain("exclude_contradictions", limit=findings[0].lost, certain=certain),
        basis=prior_basis("exclude_contradictions"),
        page=findings[0].page,
    )


def _groups(finding: Finding) -> list[list[str]]:
    groups = finding.about.get("groups")
    return (
        [[str(row) for row in group] for group in groups if isinstance(group, list)] if isinstance(groups, list) else []
    )


def _outvoted(present: dict[str, Row], group: list[str]) -> list[str]:
    """The rows of a question whose answer is not the most frequent one; all when two answers are equally frequent."""
    rows = [present[name] for name in group if name in present]
    votes = Counter(map(_answer, rows)).most_common(2)
    tied = len(votes) > 1 and votes[0][1] == votes[1][1]
    return [row.id for row in rows if tied or _answer(row) != votes[0][0]]


def _answer(row: Row) -> str:
    return json.dumps([row.answer, row.chosen, row.rejected], ensure_ascii=False, sort_keys=True)
