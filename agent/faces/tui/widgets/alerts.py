"""Alerts of a run as lines: how bad, what, with its number, what to do, and the page that explains it. Never colour alone."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from agent.faces.tui.widgets.flow import Flow, fold
from agent.faces.views.words import SEVERITIES
from tools.finding import Severity
from tools.running.run_alerts import Alert
from tools.text import Speaker, T, visible

_LEVELS = {"error": (Severity.error, "$text-error"), "warning": (Severity.warning, "$text-warning")}
_FULL_WIDTH_ENDS = frozenset("。！？）")
"""No space follows these."""


class AlertList(Flow):
    """The alerts of one run; says so when there are none."""

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self._say = say
        self._alerts: list[Alert] = []
        self._watched = False

    @property
    def pages(self) -> list[str]:
        """The reference pages of the alerts, most urgent first."""
        return list(dict.fromkeys(alert.page for alert in self._alerts if alert.page))

    def show(self, alerts: Sequence[Alert], *, watched: bool) -> None:
        """Replace the alerts; `watched` says whether there is a run at all."""
        if (list(alerts), watched) != (self._alerts, self._watched):
            self._alerts, self._watched = list(alerts), watched
            self.changed()

    def lay_out(self, width: int) -> list[Content]:
        """One folded paragraph for each alert."""
        if not self._alerts:
            calm = T("No alerts: loss, gradients, pace, memory and heartbeat are within their limits.")
            return _folded(self._say(calm), width, "$text-muted", "") if self._watched else []
        lines: list[Content] = []
        for alert in self._alerts:
            severity, style = _LEVELS[alert.level]
            mark = f"! {self._say(SEVERITIES[severity])} "
            lines += _folded(mark + self._words(alert), width, style, mark)
        return lines

    def _words(self, alert: Alert) -> str:
        parts = [self._say(alert.message)]
        if alert.suggestion is not None:
            parts.append(self._say(alert.suggestion))
        if alert.page is not None:
            parts.append(self._say(T("(page {page})", page=alert.page)))
        return visible("".join(part if part[-1:] in _FULL_WIDTH_ENDS else part + " " for part in parts).rstrip())


def _folded(text: str, width: int, style: str, mark: str) -> list[Content]:
    lines = []
    for number, span in enumerate(fold(text, width)):
        line = Content(text[span.start : span.end].rstrip())
        lines.append(line.stylize(style, 0, len(mark) if mark and not number else 0 if mark else None))
    return lines
