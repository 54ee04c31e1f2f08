"""Too few training rows."""

from __future__ import annotations

from tools.evidence.case import Case
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.text import T


def too_few_rows(case: Case) -> list[Finding]:
    """Fewer training rows than the limit (specification: 500), when a target is missed.

    Information as long as there are enough rows for other causes to matter more; a warning below `very_few_train_rows`,
    where the share of the limit that is missing is taken as the share of the gap that the missing rows explain.
    """
    rows, limit = len(case.train.rows), case.limits.min_train_rows
    if not case.is_low or rows >= limit:
        return []
    very_few = rows < case.limits.very_few_train_rows
    return [
        Finding(
            kind=FindingKind.too_few_rows,
            severity=Severity.warning if very_few else Severity.info,
            title=T("Few training rows: {rows}", rows=rows),
            detail=T("Below {limit:.0f} rows more data usually helps, once nothing else is wrong.", limit=limit),
            facts=[
                Fact(name=T("training rows"), value=rows, threshold=limit, source=", ".join(case.train.files) or None),
                *[Fact(name=T("rows of the smallest class"), value=count) for count in _smallest(case)],
            ],
            about={"rows": rows, "wanted": int(limit), "per_class": dict(case.train_labels)},
            lost=case.gap * (1 - rows / limit) if very_few else None,
            page="troubleshooting/small-data",
        )
    ]


def _smallest(case: Case) -> list[int]:
    return [min(case.train_labels.values())] if case.is_classification and case.train_labels else []
