"""The versions of a task as a table: one row each, two of them markable for a comparison."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text as RichText
from textual.widgets import DataTable

from agent.faces.views.words import percent
from tools.comparing.words import metric_name, verdict_name
from tools.text import Speaker, T, Text, visible
from tools.versioning.overview import Overview, Score, Stage, VersionFacts

STAGES: dict[Stage, Text] = {
    "done": T("finished"),
    "training": T("in training"),
    "waiting": T("waiting"),
    "interrupted": T("interrupted"),
    "failed": T("failed"),
    "cancelled": T("cancelled"),
    "unfinished": T("no result"),
}
_MARK = "*"


class VersionTable(DataTable[RichText]):
    """Shows an overview; keeps the cursor and the marks when it is shown again."""

    DEFAULT_CSS = """
    VersionTable { height: auto; max-height: 50%; }
    """

    def __init__(self, say: Speaker) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True, cell_padding=1)
        self._say = say
        self._overview = Overview("")
        self._verdicts: dict[str, str] = {}
        self.marked: list[str] = []
        """At most two, in the order of marking."""

    @property
    def chosen(self) -> VersionFacts | None:
        """The version under the cursor."""
        versions = self._overview.versions
        return versions[self.cursor_row] if 0 <= self.cursor_row < len(versions) else None

    def show(self, overview: Overview, verdicts: Mapping[str, str]) -> None:
        """Replace the rows; `verdicts` are those against the parents, as recorded."""
        if (overview, dict(verdicts)) == (self._overview, self._verdicts) and self.columns:
            return
        first = not self._overview.versions
        row = self.cursor_row
        self._overview, self._verdicts = overview, dict(verdicts)
        self.marked = [name for name in self.marked if any(one.version == name for one in overview.versions)]
        self._fill()
        self.move_cursor(row=len(overview.versions) - 1 if first else min(row, len(overview.versions) - 1))

    def mark(self) -> None:
        """Mark the version under the cursor or take the mark back; a third mark replaces the older of two."""
        facts = self.chosen
        if facts is None:
            return
        if facts.version in self.marked:
            self.marked.remove(facts.version)
        else:
            self.marked = [*self.marked[-1:], facts.version]
        row = self.cursor_row
        self._fill()
        self.move_cursor(row=row)

    def _fill(self) -> None:
        self.clear(columns=True)
        metric = self._say(metric_name(self._overview.metric)) if self._overview.metric else ""
        titles = [T("Version"), T("From"), T("{metric} (valid)", metric=metric), T("Verdict"), T("Test")]
        for title in (*titles, T("Weights"), T("Changed")):
            self.add_column(RichText(self._say(title)))
        for facts in self._overview.versions:
            self.add_row(*(RichText(cell) for cell in self._cells(facts)), key=facts.version)

    def _cells(self, facts: VersionFacts) -> list[str]:
        mark = _MARK if facts.version in self.marked else " "
        name = f"{mark} {visible(facts.version, 20)}"
        if facts.in_use:
            name += " " + self._say(T("(in use)"))
        changes = "; ".join(self._say(change) for change in facts.changes)
        return [
            name,
            visible(facts.parent or "-", 20),
            self._score(facts),
            self._say(verdict_name(self._verdicts[facts.version])) if facts.version in self._verdicts else "-",
            percent(facts.test) if facts.test is not None else self._say(T("locked")) if facts.record.sealed else "-",
            self._say(T("kept")) if facts.weights else "-",
            " ".join(visible(changes).split()) or "-",
        ]

    def _score(self, facts: VersionFacts) -> str:
        if facts.score is None:
            return self._say(STAGES["unfinished" if facts.stage == "done" else facts.stage])
        return score_text(facts.score)


def score_text(score: Score) -> str:
    """A score with the ends of its interval or spread: 57.8% (51.2-64.1)."""
    if score.low is None or score.high is None:
        return percent(score.value)
    return f"{percent(score.value)} ({100 * score.low:.1f}-{100 * score.high:.1f})"
