"""Rules for training rows that should not be there: copies of evaluated rows, contradictions, repetitions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from pydantic import JsonValue

from agent.proposing.draft import Draft
from agent.proposing.forecast import fall, prior_basis, prior_gain
from agent.proposing.view import View
from tools.change import ChangeKind, Tier
from tools.finding import Finding, FindingKind, Severity
from tools.task import Row
from tools.text import T, Text


def leaked_rows(view: View) -> list[Draft]:
    """Leave training rows out that stand in validation or test as well; the score was too high until then."""
    findings = [one for one in view.found(FindingKind.split_leak) if one.severity is not Severity.info]
    rows = [row for finding in findings for row in finding.rows]
    summary = T("Leave out {count} training rows that are also evaluated", count=len(set(rows)))
    drafts = _excluding(view, findings, rows, summary)
    shares = [share for one in findings if isinstance(share := one.about.get("share"), int | float)]
    caution = T(
        "The score will probably fall, because it was too high: this makes it true. "
        "Versions trained before should not be compared with it by their scores."
    )
    basis = T("Rows that were memorised are no longer answered from memory.")
    gain = fall(max(shares, default=0.0))
    return [
        replace(draft, gain=gain, basis=basis, caution=caution, first=True, wanted=view.now(view.metric))
        for draft in drafts
    ]


def contradictions(view: View) -> list[Draft]:
    """Leave out the minority of rows that ask the same and answer differently; all of them where there is no majority."""
    findings = view.found(FindingKind.inconsistent_labels)
    rows = [row for finding in findings for group in _groups(finding) for row in _outvoted(view, group)]
    summary = T("Leave out {count} training rows that contradict others", count=len(set(rows)))
    caution = T(
        "Which answer is right is for a person to say: data.relabel settles a row instead of leaving it out. "
        "Where neither answer has a majority, all rows of the question go."
    )
    return [replace(draft, caution=caution) for draft in _excluding(view, findings, rows, summary)]


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
        key="deduplicate",
        caution=caution if view.found(FindingKind.inconsistent_labels) else None,
    )
    return [draft]


def _excluding(view: View, findings: list[Finding], rows: list[str], summary: Text) -> list[Draft]:
    """The draft that adds row ids to data.exclude; none when there is nothing new to add."""
    now = view.task.config.values.data.exclude
    present = {row.id for row in view.rows.train.rows}
    new = [row for row in dict.fromkeys(rows) if row not in set(now) and row in present]
    if not new:
        return []
    excluded: JsonValue = [*now, *new]
    certain = findings[0].severity is not Severity.info
    return [
        Draft(
            title=summary,
            findings=findings,
            changes=[view.change(ChangeKind.recipe, summary, {("data", "exclude"): excluded})],
            metric=view.metric,
            gain=prior_gain("exclude_contradictions", limit=findings[0].lost, certain=certain),
            basis=prior_basis("exclude_contradictions"),
            page=findings[0].page,
            key="exclude_contradictions",
            tier=Tier.quick,
        )
    ]


def _groups(finding: Finding) -> list[list[str]]:
    groups = finding.about.get("groups")
    return (
        [[str(row) for row in group] for group in groups if isinstance(group, list)] if isinstance(groups, list) else []
    )


def _outvoted(view: View, group: list[str]) -> list[str]:
    """The rows of a question whose answer is not the most frequent one; all when two answers are equally frequent."""
    rows = [row for row in view.rows.train.rows if row.id in set(group)]
    votes = Counter(map(_answer, rows)).most_common(2)
    tied = len(votes) > 1 and votes[0][1] == votes[1][1]
    return [row.id for row in rows if tied or _answer(row) != votes[0][0]]


def _answer(row: Row) -> str:
    return json.dumps([row.answer, row.chosen, row.rejected], ensure_ascii=False, sort_keys=True)
