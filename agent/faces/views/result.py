"""One evaluation result as lines."""

from __future__ import annotations

from agent.faces.layout import table
from agent.faces.views.words import percent
from tools.comparing.words import metric_name
from tools.results import ClassScore, SplitResult
from tools.text import Speaker, T, visible
from tools.words import split_name


def result_lines(result: SplitResult, say: Speaker) -> list[str]:
    """Metrics, one column per seed when there are several, then classes."""
    seeds = list(result.seeds) if len(result.seeds) > 1 else []
    header = [say(T("Metric")), say(T("Score")), *[say(T("seed {seed}", seed=seed)) for seed in seeds]]
    rows = [
        [say(metric_name(name)), percent(value), *[percent(result.seeds[seed][name]) for seed in seeds]]
        for name, value in result.metrics.items()
    ]
    title = T(
        "{version} on {split}, {rows} rows", version=result.version, split=split_name(result.split), rows=result.rows
    )
    lines = [say(title), *table(header, rows), ""]
    if result.per_class:
        header = [say(T("Class")), say(T("Precision")), say(T("Recall")), say(T("F1")), say(T("Support"))]
        scores = [
            [
                visible(label, 40),
                *[percent(value) if value is not None else "-" for value in _of(one)],
                str(one.support),
            ]
            for label, one in result.per_class.items()
        ]
        lines += [*table(header, scores), ""]
    return lines


def _of(score: ClassScore) -> tuple[float | None, float | None, float]:
    return score.precision, score.recall, score.f1
