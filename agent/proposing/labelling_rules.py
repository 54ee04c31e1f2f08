"""What is said beside the proposals when a pool of unlabelled rows is there: labelling has no diff before somebody has done it.

What a person has labelled is proposed like any reviewed batch (agent/proposing/generation_rules.py).
"""

from __future__ import annotations

from pathlib import Path

from tools.diagnose import Diagnosis
from tools.finding import FindingKind
from tools.labelling.ask_person import LABELLING, USUAL_COUNT
from tools.labelling.pool import pool_files
from tools.reviewing.batch import list_batches, load_batch
from tools.text import T, Text, shell_word

_ASKS = frozenset(
    {
        FindingKind.weak_class,
        FindingKind.class_imbalance,
        FindingKind.missing_class,
        FindingKind.confusion,
        FindingKind.too_few_rows,
    }
)
"""Findings that more labelled rows may mend."""


def labelling_offers(path: Path, diagnosis: Diagnosis) -> list[Text]:
    """That rows wait for a label, or that there is a pool to choose some from; empty without either, or without a reason."""
    if not any(one.kind in _ASKS for one in diagnosis.findings):
        return []
    waiting = load_batch(path, LABELLING).counts.open if LABELLING in list_batches(path) else 0
    if waiting:
        told = T("{count} rows wait for your label: iterate label {task}", count=waiting, task=shell_word(path.name))
        return [told]
    if not pool_files(path):
        return []
    return [
        T(
            "data/raw holds rows to choose from: iterate label {task} asks you about up to {count} of them, those that the "
            "present version is unsure of first.",
            task=shell_word(path.name),
            count=USUAL_COUNT,
        )
    ]
