"""From tested numbers to a verdict with reasons, and from the verdict to a recommendation.

"Better" is said of the metric that the task is judged by, when its interval lies above zero and no protected part fell. For
accuracy the exact McNemar test must agree.
"""

from __future__ import annotations

from tools.comparing.words import metric_name, p_value
from tools.comparison import Choice, Comparison, MetricLine, Range, Verdict
from tools.evidence.protected import MARGIN
from tools.evidence.statistics import ASSUMED_SPREAD, LEVEL, Estimate
from tools.text import T, Text
from tools.text import visible as shown


def range_of(estimate: Estimate) -> Range:
    """The interval and p-value of an estimate."""
    return Range(low=estimate.low, high=estimate.high, p=estimate.p)


def judge(comparison: Comparison, judged: Estimate) -> tuple[Verdict, list[Text]]:
    """Better or worse when the interval of the judged metric lies on one side of zero, and nothing stands against it."""
    found = range_of(judged)
    direction = found.direction
    test = comparison.mcnemar
    if comparison.judged_metric == "accuracy" and test is not None and test.p >= 1 - LEVEL:
        direction = 0
    reasons = [_interval_reason(comparison, found)]
    if comparison.judged_metric != comparison.primary_metric:
        reasons.append(
            T(
                "The primary metric {primary} has no paired test, so {judged} is judged in its place.",
                primary=metric_name(comparison.primary_metric),
                judged=metric_name(comparison.judged_metric),
            )
        )
    if comparison.same_weights:
        reasons.append(_same_weights_reason(comparison))
    elif comparison.noise.floor is None:
        reasons.append(
            T(
                "Spread over seeds unknown: train {base} with more seeds. Until then {assumed:.1f} points are assumed.",
                base=shown(comparison.base),
                assumed=ASSUMED_SPREAD * 100,
            )
        )
    if direction < 0:
        return "worse", reasons
    blocking = [_blocked(line, line.label) for line in comparison.classes if line.blocks]
    blocking += [_blocked(line, f"{line.by} = {line.value}") for line in comparison.slices if line.blocks]
    if direction > 0 and not blocking:
        return "better", reasons
    return "undecided", [*blocking, *reasons] if direction > 0 else [*reasons, *blocking]


def _interval_reason(comparison: Comparison, found: Range) -> Text:
    return T(
        "{metric} differs by {low:+.1f} to {high:+.1f} points with 95 percent confidence ({p}).",
        metric=metric_name(comparison.judged_metric),
        low=found.low * 100,
        high=found.high * 100,
        p=p_value(found.p),
    )


def _same_weights_reason(comparison: Comparison) -> Text:
    return T(
        "Both answered with the same weights (seeds {seeds}), so no luck of a training lies between them and only the rows are "
        "uncertain. This speaks of these weights; the next training may differ.",
        seeds=", ".join(map(str, comparison.same_weights)),
    )


def _blocked(line: MetricLine, name: str) -> Text:
    return T(
        "{part} fell by {points:.1f} points, beyond its margin of {margin:.0f}.",
        part=shown(name, 60),
        points=-line.difference * 100,
        margin=MARGIN * 100,
    )


def advised(comparison: Comparison) -> Comparison:
    """Add the recommendation (specification, step 5): adopt, continue, or roll back."""
    choice, text = _advice(comparison)
    return comparison.model_copy(update={"recommended": choice, "recommendation": text})


def _advice(comparison: Comparison) -> tuple[Choice, Text]:
    base, new = shown(comparison.base), shown(comparison.new)
    match comparison.verdict:
        case "better" if comparison.reached is None:
            return "adopt", T("adopt {new}: it is better than {base}; the task states no target", new=new, base=base)
        case "better" if comparison.reached:
            return "adopt", T("adopt {new}: it is better than {base} and reaches the targets", new=new, base=base)
        case "better":
            return "continue", T(
                "continue from {new}: it is better than {base}, and the targets are not reached yet",
                new=new,
                base=base,
            )
        case "worse":
            return "rollback", T("roll back to {base}: {new} is worse", new=new, base=base)
        case "undecided":
            return "continue", T("continue: whether {new} is better than {base} is not decided", new=new, base=base)
        case "not_comparable":
            return "continue", T("continue: {new} and {base} cannot be compared", new=new, base=base)
