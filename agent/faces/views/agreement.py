"""How far a person who labelled and the model agree, in words; said after the labelling, never before."""

from __future__ import annotations

from pathlib import Path

from tools.labelling.agreement import Agreement, agreement
from tools.reviewing.batch import list_batches, load_batch
from tools.text import T, Text, visible

_MOST_PAIRS = 3


def agreement_texts(path: Path, batch: str) -> list[Text]:
    """The agreement on the labelled rows of a batch; empty when the model was not asked about them."""
    found = agreement(path, load_batch(path, batch)) if batch in list_batches(path) else None
    if found is None:
        return []
    told = [T("You and {version} agree on {numbers}.", version=found.version, numbers=_numbers(found.all))]
    if found.at_random is not None:
        told.append(
            T("On the rows drawn at random, which speak for the pool: {numbers}.", numbers=_numbers(found.at_random))
        )
    differing = list(found.all.differing.items())[:_MOST_PAIRS]
    if differing:
        pairs = ", ".join(f"{visible(pair, 60)} ×{count}" for pair, count in differing)
        told.append(T("Most often different (you / {version}): {pairs}", version=found.version, pairs=pairs))
    return told


def _numbers(one: Agreement) -> Text:
    same = round(one.share * one.rows)
    if one.kappa is None or one.error is None:
        return T("{same} of {rows} rows ({share:.0%})", same=same, rows=one.rows, share=one.share)
    return T(
        "{same} of {rows} rows ({share:.0%}), Cohen's kappa {kappa:.2f} ± {error:.2f}",
        same=same,
        rows=one.rows,
        share=one.share,
        kappa=one.kappa,
        error=1.96 * one.error,
    )
