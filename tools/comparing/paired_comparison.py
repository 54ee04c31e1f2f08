"""From the results of two versions on the same rows to a Comparison: numbers, verdict, what would settle it, advice.

It reads no file and opens nothing, so that the valid split (tools/compare.py) and the opened test split
(tools/versioning/ledger.py) are judged by the same code. How numbers become a verdict is tools/comparing/verdict.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tools.comparing.verdict import advised, judge, range_of
from tools.comparison import (
    ClassLine,
    Comparison,
    FormatPart,
    MetricLine,
    NoiseFloor,
    SliceLine,
    TargetLine,
)
from tools.evidence.paired import ROW_METRIC, SideBySide, measures, side_by_side
from tools.evidence.power import disagreement, settling, visible
from tools.evidence.protected import Slice, blocks, slice_measure, slices
from tools.evidence.statistics import Estimate, mcnemar, noise_floor, paired_bootstrap
from tools.results import Prediction, SplitResult
from tools.scoring.metrics import split_result
from tools.task import Row, SplitName, TaskDefinition
from tools.text import T, Text
from tools.text import visible as shown

USUAL_METRIC = {"classification": "macro_f1", "extraction": "field_score", "generation": "rouge_l"}
"""The metric that a verdict rests on when the primary metric has no paired test."""


@dataclass(frozen=True)
class Side:
    """One version on one split."""

    result: SplitResult
    predictions: Sequence[Prediction]


@dataclass(frozen=True)
class Setting:
    """What is compared, and what is known besides the predictions."""

    definition: TaskDefinition
    split: SplitName
    changes: list[Text] = field(default_factory=list)
    rows: Mapping[str, Row] = field(default_factory=dict)
    """Rows of the split by id, for slices over their metadata."""
    same_weights: frozenset[int] = frozenset()
    """Seeds between whose answers no training lies; only these are compared where there are any."""


@dataclass(frozen=True)
class _Tested:
    """What the paired tests of two comparable versions gave."""

    rows: SideBySide
    slices: list[Slice]
    estimates: dict[str, Estimate]
    judged: str


def compare_sides(setting: Setting, old: Side, new: Side) -> Comparison:
    """Compare two versions on one split; a pair that cannot be compared still gets its scores, and the reasons why not."""
    if setting.same_weights:
        setting, old, new = _alone(setting, old, new)
    rows = side_by_side(old.predictions, new.predictions) if old.predictions and new.predictions else None
    obstacles = _obstacles(old, new, rows)
    tested = None if rows is None or obstacles else _test(setting, rows)
    bare = _bare(setting, old, new)
    if tested is None:
        return advised(bare.model_copy(update={"reasons": obstacles}))
    judged = tested.estimates[tested.judged]
    filled = bare.model_copy(update=_measured(setting, tested, bare))
    verdict, reasons = judge(filled, judged)
    settle = (
        settling(judged, len(tested.rows.ids), filled.base_seeds, filled.new_seeds) if verdict == "undecided" else None
    )
    return advised(filled.model_copy(update={"verdict": verdict, "reasons": reasons, "settling": settle}))


def _alone(setting: Setting, old: Side, new: Side) -> tuple[Setting, Side, Side]:
    """Both versions as their seeds with the same weights have them; as they are where no predictions say so."""
    sides = [_of_seeds(setting, side) for side in (old, new)]
    if sides[0] is None or sides[1] is None:
        return replace(setting, same_weights=frozenset()), old, new
    return setting, sides[0], sides[1]


def _of_seeds(setting: Setting, side: Side) -> Side | None:
    by_seed: dict[int, list[Prediction]] = {}
    for row in side.predictions:
        if row.seed in setting.same_weights:
            by_seed.setdefault(row.seed, []).append(row)
    if by_seed.keys() != setting.same_weights:
        return None
    known = side.result
    own = split_result(
        setting.definition, known.version, setting.split, by_seed, known.evaluator_hash, known.predictions
    )
    return Side(own, [row for rows in by_seed.values() for row in rows])


def _obstacles(old: Side, new: Side, rows: SideBySide | None) -> list[Text]:
    """Why the two cannot be compared by a claim."""
    found = [_no_hash(side.result) for side in (old, new) if side.result.evaluator_hash is None]
    if not found and old.result.evaluator_hash != new.result.evaluator_hash:
        found.append(
            T(
                "{base} and {new} were measured differently: the evaluator hashes differ, so the metric, the parser, the "
                "labels, the output format, the rows or their expected answers are not the same.",
                base=shown(old.result.version),
                new=shown(new.result.version),
            )
        )
    found += [_no_predictions(side.result) for side in (old, new) if not side.predictions]
    if not found and rows is None:
        found.append(T("The stored predictions of the two versions are not about the same rows with the same answers."))
    return found


def _no_hash(result: SplitResult) -> Text:
    return T(
        "The result of {version} comes from another tool ({source}) and does not say how it was measured.",
        version=shown(result.version),
        source=result.source,
    )


def _no_predictions(result: SplitResult) -> Text:
    return T(
        "No predictions of {version} are stored, so its rows cannot be paired; evaluate it again to get them.",
        version=shown(result.version),
    )


def _test(setting: Setting, rows: SideBySide) -> _Tested:
    definition = setting.definition
    parts = slices(rows, definition.slices, setting.rows)
    pairs = measures(definition.task_type, definition.answer, rows)
    estimates = paired_bootstrap(
        pairs | {part.name: slice_measure(rows, part) for part in parts}, trained=not setting.same_weights
    )
    primary = definition.primary_metric
    judged = primary if primary in estimates else USUAL_METRIC[definition.task_type]
    return _Tested(rows, parts, estimates, judged)


def _bare(setting: Setting, old: Side, new: Side) -> Comparison:
    """The comparison as far as the scores alone give it."""
    definition = setting.definition
    primary = definition.primary_metric
    before, after = old.result.metrics, new.result.metrics
    names = sorted((name for name in before if name in after), key=lambda name: name != primary)
    values = after | {f"f1[{label}]": score.f1 for label, score in new.result.per_class.items()}
    return Comparison(
        task=definition.task_name,
        base=old.result.version,
        new=new.result.version,
        split=setting.split,
        rows=new.result.rows,
        base_seeds=_seeds(old),
        new_seeds=_seeds(new),
        primary_metric=primary,
        judged_metric=primary,
        verdict="not_comparable",
        reasons=[],
        recommended="continue",
        recommendation=T("Continue."),
        changes=setting.changes,
        metrics=[
            MetricLine(metric=name, old=before[name], new=after[name])
            for name in names
            if not name.startswith("field[")
        ],
        classes=_class_lines(old.result, new.result),
        targets=[_target(target.metric, target.threshold, values.get(target.metric)) for target in definition.targets],
        noise=_noise(old, new, primary, trained=not setting.same_weights),
        same_weights=sorted(setting.same_weights),
    )


def _seeds(side: Side) -> int:
    return len({row.seed for row in side.predictions}) or max(1, len(side.result.seeds))


def _class_lines(old: SplitResult, new: SplitResult) -> list[ClassLine]:
    """Classes, or fields of an extraction, that both versions have."""
    lines = [
        ClassLine(metric=f"f1[{label}]", label=label, old=score.f1, new=new.per_class[label].f1, support=score.support)
        for label, score in old.per_class.items()
        if label in new.per_class
    ]
    fields = [name for name in old.metrics if name.startswith("field[") and name in new.metrics]
    return lines + [
        ClassLine(metric=name, label=name[6:-1], old=old.metrics[name], new=new.metrics[name]) for name in fields
    ]


def _target(metric: str, threshold: float, value: float | None) -> TargetLine:
    reached = None if value is None else value >= threshold
    return TargetLine(metric=metric, threshold=threshold, value=value, reached=reached)


def _noise(old: Side, new: Side, metric: str, *, trained: bool) -> NoiseFloor:
    """The floor of two trainings; where nothing was trained between the two there is no such noise."""
    values = [metrics[metric] for metrics in old.result.seeds.values() if metric in metrics]
    floor = noise_floor(values, _seeds(old), _seeds(new)) if trained else None
    difference = new.result.metrics.get(metric, 0.0) - old.result.metrics.get(metric, 0.0)
    return NoiseFloor(seeds=len(values), floor=floor, units=difference / floor if floor else None)


def _measured(setting: Setting, tested: _Tested, bare: Comparison) -> dict[str, object]:
    """The fields of a comparison that the paired tests fill."""
    rows, estimates = tested.rows, tested.estimates
    fixed, broken = rows.fixed_and_broken()
    differing = disagreement(rows.correct(rows.old), rows.correct(rows.new)) or 0.0
    hidden = setting.split == "test"
    return {
        "rows": len(rows.ids),
        "judged_metric": tested.judged,
        "metrics": [_tested(line, estimates.get(line.metric)) for line in bare.metrics],
        "classes": [_class_tested(line, estimates.get(line.metric)) for line in bare.classes],
        "slices": [_slice_line(part, estimates[part.name]) for part in tested.slices],
        "mcnemar": mcnemar(len(fixed), len(broken)),
        "fixed": [] if hidden else fixed,
        "broken": [] if hidden else broken,
        "visible": visible(len(rows.ids), differing),
        "format": _format_part(ROW_METRIC[setting.definition.task_type], estimates),
    }


def _tested(line: MetricLine, estimate: Estimate | None) -> MetricLine:
    return line if estimate is None else line.model_copy(update={"range": range_of(estimate)})


def _class_tested(line: ClassLine, estimate: Estimate | None) -> ClassLine:
    if estimate is None:
        return line
    return line.model_copy(update={"range": range_of(estimate), "blocks": blocks(estimate)})


def _slice_line(part: Slice, estimate: Estimate) -> SliceLine:
    return SliceLine(
        metric=part.name,
        old=estimate.old,
        new=estimate.new,
        range=range_of(estimate),
        by=part.by,
        value=part.value,
        rows=len(part.ids),
        blocks=blocks(estimate),
    )


def _format_part(name: str, estimates: Mapping[str, Estimate]) -> FormatPart:
    """Split the difference of a row score between format and knowledge, each at the mean of the other (Kitagawa 1955)."""
    rate, parsed = estimates["parse_rate"], estimates[f"{name}_parsed"]
    return FormatPart(
        metric=name,
        old_parse_rate=rate.old,
        new_parse_rate=rate.new,
        old_parsed=parsed.old,
        new_parsed=parsed.new,
        from_format=rate.difference * (parsed.old + parsed.new) / 2,
        from_knowledge=parsed.difference * (rate.old + rate.new) / 2,
    )
