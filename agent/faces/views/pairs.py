"""Preference pairs as lines: how many, where their rejected answers come from, what is preferred to what, and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from agent.faces.layout import table, wrap
from tools.preference.pairs import Pair, PairSource, by_source
from tools.task import Row
from tools.text import Speaker, T, Text, visible

EXAMPLES = 3
"""Shown of each source."""
_MOST_KINDS = 8
_CELL = 24
_SOURCES: dict[PairSource, Text] = {
    PairSource.out_of_fold: T("the model's own wrong answers to rows it had not seen"),
    PairSource.confusable: T("the label that the right one is most often taken for"),
    PairSource.broken_format: T("answers that cannot be parsed"),
}


def pair_view(pairs: Sequence[Pair], rows: Mapping[str, Row], say: Speaker) -> list[str]:
    """Counts, kinds and examples of pairs; `rows` are the training rows by id."""
    lines = []
    for source, count in by_source(pairs).items():
        lines += wrap(say(T("{count} pairs: {source}", count=count, source=_SOURCES[source])), indent="  ")
    lines += ["", *_kinds(pairs, say)]
    for source in by_source(pairs):
        for pair in [pair for pair in pairs if pair.source is source][:EXAMPLES]:
            lines += ["", *_example(pair, rows, say)]
    return lines


def _kinds(pairs: Sequence[Pair], say: Speaker) -> list[str]:
    """What is preferred to what, most frequent first; only short answers can be counted together."""
    kinds = Counter((visible(pair.chosen, _CELL), visible(pair.rejected, _CELL)) for pair in pairs)
    header = [say(T("better")), say(T("worse")), say(T("pairs"))]
    lines = table(header, [[better, worse, str(count)] for (better, worse), count in kinds.most_common(_MOST_KINDS)])
    if len(kinds) > _MOST_KINDS:
        lines.append("  " + say(T("... and {count} more kinds.", count=len(kinds) - _MOST_KINDS)))
    return lines


def _example(pair: Pair, rows: Mapping[str, Row], say: Speaker) -> list[str]:
    row = rows.get(pair.row)
    shown = " | ".join(visible(value, 160) for value in row.fields.values()) if row else ""
    return [
        *wrap(f"{visible(pair.row, 40)}: {shown}", indent="  "),
        *wrap(say(T("better: {answer}", answer=visible(pair.chosen, 200))), indent="    "),
        *wrap(say(T("worse: {answer}", answer=visible(pair.rejected, 200))), indent="    "),
    ]
