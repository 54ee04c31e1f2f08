"""The sentences of a comparison: names of metrics and verdicts, and the statistics that back a verdict."""

from __future__ import annotations

from collections.abc import Iterator

from tools.comparison import ClassLine, Comparison, FormatPart, NoiseFloor, Range, SettledLine, SliceLine, TargetLine
from tools.evidence.power import MOST_ROWS, MOST_SEEDS, WANTED_POWER, Settling, Visible
from tools.evidence.protected import LENGTHS
from tools.outcomes.metric_names import class_of
from tools.reviewing.settled import SettledScore
from tools.text import T, Text, visible
from tools.words import split_name

_METRICS: dict[str, Text] = {
    "macro_f1": T("Macro-F1"),
    "accuracy": T("Accuracy"),
    "parse_rate": T("Parse rate"),
    "accuracy_parsed": T("Accuracy of parsed answers"),
    "macro_f1_parsed": T("Macro-F1 of parsed answers"),
    "field_score": T("Field score"),
    "exact_object": T("Whole object exact"),
    "field_score_parsed": T("Field score of parsed answers"),
    "exact_object_parsed": T("Whole object exact, parsed answers"),
    "rouge_l": T("ROUGE-L"),
    "exact": T("Exact match"),
    "format_correct": T("Format correct"),
    "rouge_l_parsed": T("ROUGE-L of parsed answers"),
    "exact_parsed": T("Exact match, parsed answers"),
}
_VERDICTS: dict[str, Text] = {
    "better": T("better"),
    "worse": T("worse"),
    "undecided": T("undecided"),
    "not_comparable": T("not comparable"),
}
_LENGTHS: dict[str, Text] = dict(
    zip(LENGTHS, (T("short inputs"), T("inputs of medium length"), T("long inputs")), strict=True)
)


def metric_name(metric: str) -> Text:
    """A metric as people call it."""
    if metric in _METRICS:
        return _METRICS[metric]
    if metric.startswith("field[") and metric.endswith("]"):
        return T("Field {name}", name=visible(metric[6:-1], 60))
    label = class_of(metric)
    return T("F1 of {label}", label=visible(label, 60)) if label is not None else T("{name}", name=visible(metric, 60))


def p_value(p: float) -> str:
    """A p-value as it is printed everywhere: never as zero."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def verdict_name(verdict: str) -> Text:
    """A verdict as a word."""
    return _VERDICTS[verdict]


def evidence_lines(comparison: Comparison) -> Iterator[Text]:
    """Everything that backs or limits the verdict, one sentence or two each."""
    yield from comparison.reasons
    if comparison.mcnemar is not None:
        test = comparison.mcnemar
        yield T(
            "Exact McNemar: {fixed} rows fixed, {broken} broken, {p}.",
            fixed=test.fixed,
            broken=test.broken,
            p=p_value(test.p),
        )
    yield from _noise(comparison, comparison.noise)
    yield from (_class(line, line.range) for line in comparison.classes if line.range is not None)
    if comparison.format is not None:
        yield _format(comparison.format)
    yield from (_slice(line) for line in comparison.slices if _speaks(line))
    if comparison.settling is not None:
        yield settling_sentence(comparison.settling, comparison)
    if comparison.visible is not None:
        yield from _visible(comparison.visible)
    yield from (_target(line, comparison) for line in comparison.targets)


def _noise(comparison: Comparison, noise: NoiseFloor) -> Iterator[Text]:
    if noise.floor is None:
        return
    if noise.units is None:
        yield T(
            "Noise floor: the {seeds} seeds of {base} gave the same score.", seeds=noise.seeds, base=comparison.base
        )
    else:
        yield T(
            "Noise floor: two equal versions would differ by about {floor:.1f} points ({seeds} seeds of {base}); this "
            "difference is {units:+.1f} times that.",
            floor=noise.floor * 100,
            seeds=noise.seeds,
            base=comparison.base,
            units=noise.units,
        )


def _class(line: ClassLine, found: Range) -> Text:
    """The interval of one class or field, with its support where it has one."""
    change = T(
        "{name}: {difference:+.1f} points, {low:+.1f} to {high:+.1f}",
        name=metric_name(line.metric),
        difference=line.difference * 100,
        low=found.low * 100,
        high=found.high * 100,
    )
    if line.support is None:
        return T("{change}.", change=change)
    return T("{change} (support {n}).", change=change, n=line.support)


def _format(part: FormatPart) -> Text:
    if not (part.old_parse_rate and part.new_parse_rate):
        return T(
            "Format and knowledge: the parse rate went from {old_rate:.1%} to {new_rate:.1%}. Where no answer could be read, "
            "nothing says what was known, so the difference is not split.",
            old_rate=part.old_parse_rate,
            new_rate=part.new_parse_rate,
        )
    return T(
        "Format and knowledge: the parse rate went from {old_rate:.1%} to {new_rate:.1%}, {metric} among parsed answers from "
        "{old:.1%} to {new:.1%}. Of the difference, {format:+.1f} points come from format and {knowledge:+.1f} from better or "
        "worse answers.",
        old_rate=part.old_parse_rate,
        new_rate=part.new_parse_rate,
        metric=metric_name(part.metric),
        old=part.old_parsed,
        new=part.new_parsed,
        format=part.from_format * 100,
        knowledge=part.from_knowledge * 100,
    )


def _speaks(line: SliceLine) -> bool:
    """Slices that blocked, or that differ clearly; the others would only fill the page."""
    return line.blocks or (line.range is not None and line.range.direction != 0)


def _slice(line: SliceLine) -> Text:
    name = (
        _LENGTHS[line.value] if line.by == "length" else T("{by} = {value}", by=line.by, value=visible(line.value, 60))
    )
    return T(
        "Slice {name} ({rows} rows): {old:.1%} to {new:.1%}, {difference:+.1f} points.",
        name=name,
        rows=line.rows,
        old=line.old,
        new=line.new,
        difference=line.difference * 100,
    )


def settling_sentence(settle: Settling, comparison: Comparison) -> Text:
    """What would probably decide it if the difference is what it looks like."""
    rows = T("no number of rows up to {most}", most=MOST_ROWS)
    if settle.rows is not None:
        rows = T("about {rows} rows instead of {now}", rows=max(settle.rows, comparison.rows), now=comparison.rows)
    if comparison.same_weights:
        return T(
            "To settle it if the true difference is the one seen: {rows}. As it is, differences from {smallest:.1f} points on "
            "are seen with {power:.0%} probability.",
            rows=rows,
            smallest=settle.smallest * 100,
            power=WANTED_POWER,
        )
    seeds = T("no number of seeds up to {most}", most=MOST_SEEDS)
    if settle.seeds is not None:
        seeds = T("about {seeds} seeds of each version", seeds=settle.seeds)
    return T(
        "To settle it if the true difference is the one seen: {rows} with the same seeds, or {seeds} on the same rows. As it "
        "is, differences from {smallest:.1f} points on are seen with {power:.0%} probability.",
        rows=rows,
        seeds=seeds,
        smallest=settle.smallest * 100,
        power=WANTED_POWER,
    )


def _visible(found: Visible) -> Iterator[Text]:
    powers = ", ".join(f"{float(effect) * 100:+.0f}: {power:.2f}" for effect, power in found.powers.items())
    yield T(
        "What {rows} rows can show when {disagreement:.0%} of them change: power of exact McNemar by points of accuracy, "
        "{powers}.",
        rows=found.rows,
        disagreement=found.disagreement,
        powers=powers,
    )


def _target(line: TargetLine, comparison: Comparison) -> Text:
    name = metric_name(line.metric)
    if line.value is None:
        return T("Target {metric} {threshold:.1%}: not measured.", metric=name, threshold=line.threshold)
    said = T("{split} says {value:.1%}", split=split_name(comparison.split), value=line.value)
    if line.reached:
        return T("Target {metric} {threshold:.1%}: reached, {said}.", metric=name, threshold=line.threshold, said=said)
    return T("Target {metric} {threshold:.1%}: not reached, {said}.", metric=name, threshold=line.threshold, said=said)


def settled_sentence(score: SettledScore) -> Text:
    """The score on settled labels beside the one on the labels as they stand."""
    return T(
        "On labels that a person settled: {metric} {value:.1%}; as they stand {raw:.1%}. {caution}",
        metric=metric_name(score.metric),
        value=score.value,
        raw=score.raw,
        caution=settled_caution(score),
    )


def settled_caution(score: SettledScore | SettledLine) -> Text:
    """How many labels were settled how, and why nothing is decided by the score on them."""
    return T(
        "{changed} of the labels in doubt were changed, {confirmed} stand, {left_out} rows were left out. Targets and verdicts "
        "keep to the labels as they stand; only rows that a model answered otherwise were asked about, so this leans towards "
        "models.",
        changed=score.changed,
        confirmed=score.confirmed,
        left_out=score.left_out,
    )


def settled_line_sentence(line: SettledLine) -> Text:
    """Both versions of a comparison on settled labels."""
    return T(
        "On labels that a person settled: {metric} {old:.1%} → {new:.1%}. {caution}",
        metric=metric_name(line.metric),
        old=line.old,
        new=line.new,
        caution=settled_caution(line),
    )
