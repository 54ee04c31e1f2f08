"""What an opening of the locked test set showed: valid said, test says."""

from __future__ import annotations

from agent.faces.layout import table, wrap
from agent.faces.views.words import VERDICTS, metric_name, percent
from tools.ledger import OpenedTest
from tools.text import Speaker, T, Text


def opened_lines(opened: OpenedTest, say: Speaker) -> list[str]:
    """The scores of each version on valid and test, the verdict on test, and how it came about."""
    if not opened.scores:
        return [line for note in opened.notes for line in wrap(say(note))]
    title = T("The locked test set was opened (opening {number} of this task)", number=opened.ordinal or 0)
    header = [say(T("Metric")), *(f"{version} {split}" for version in opened.versions for split in ("valid", "test"))]
    rows = [[metric_name(name), *_cells(opened, name)] for name in _metrics(opened)]
    lines = ["", "== " + say(title) + " ==", *table(header, rows)]
    if opened.comparison is not None:
        lines += wrap(say(_verdict(opened)))
    return [*lines, *(line for note in opened.notes for line in wrap("- " + say(note)))]


def _metrics(opened: OpenedTest) -> list[str]:
    names = [name for scores in opened.scores.values() for name in scores]
    return [name for name in dict.fromkeys(names) if not name.startswith("field[")]


def _cells(opened: OpenedTest, metric: str) -> list[str]:
    cells = []
    for version in opened.versions:
        for scores in (opened.valid_scores.get(version, {}), opened.scores.get(version, {})):
            cells.append(percent(scores[metric]) if metric in scores else "")
    return cells


def _verdict(opened: OpenedTest) -> Text:
    verdict = VERDICTS[opened.verdict]
    if opened.p_corrected is None:
        return T("On test the new version is: {verdict}.", verdict=verdict)
    return T("On test the new version is: {verdict} (corrected p = {p:.3f}).", verdict=verdict, p=opened.p_corrected)
