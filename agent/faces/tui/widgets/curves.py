"""The loss and the score of a run beside those of the version before: two charts, their legend, and a sentence for each.

The sentences say what the charts show, for who reads with a screen reader or on a terminal too small for a chart.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from agent.faces.layout import clip
from agent.faces.tui.widgets.flow import Flow
from agent.faces.tui.widgets.plot import Plot, Scale, Series
from agent.faces.views.words import percent
from tools.comparing.words import metric_name
from tools.text import Speaker, T, Text
from tools.watch_run import Curves, Point, RunView

_RATIO = 8
"""From this ratio of largest to smallest loss on, the chart has a logarithmic scale."""
_SAMPLES = {"solid": "──", "dashed": "╌╌", "dotted": "┈┈", "none": ""}
_ASCII_SAMPLES = {"solid": "..", "dashed": "..", "dotted": ". .", "none": ""}


def loss_series(view: RunView, say: Speaker) -> list[Series]:
    """Training and validation loss, those of the version before underneath."""
    curves, base, found = view.curves, view.baseline, []
    if base is not None:
        train = say(T("{version} train", version=base.version))
        valid = say(T("{version} valid", version=base.version))
        found.append(Series(train, base.curves.losses, "dotted", ascii_mark="-", role="past"))
        found.append(Series(valid, base.curves.eval_losses, "dotted", "+", "+", role="past"))
    found.append(Series(say(T("train")), curves.losses, "solid"))
    found.append(Series(say(T("valid")), curves.eval_losses, "dashed", "o", "o", role="second"))
    return [*found, *_starred(_loss_of_best(curves), say)]


def score_series(view: RunView, say: Speaker) -> list[Series]:
    """The primary metric on validation, and that of the version before."""
    found = []
    if view.baseline is not None:
        past = view.baseline
        found.append(Series(past.version, past.curves.metrics, "dotted", "+", "+", role="past"))
    found.append(Series(view.version, view.curves.metrics, "dashed", "o", "o", role="second"))
    return [*found, *_starred(view.curves.best, say)]


def loss_scale(series: Sequence[Series], steps: tuple[float, float] | None = None) -> Scale:
    """Logarithmic where the losses span much."""
    values = [value for one in series for _, value in one.points if value is not None]
    return Scale(log=bool(values) and min(values) > 0 and max(values) > _RATIO * min(values), steps=steps)


def curve_sentences(view: RunView) -> list[Text]:
    """What the two charts show, in words."""
    past = view.baseline.curves if view.baseline else None
    version = view.baseline.version if view.baseline else ""
    found = [
        _loss_sentence(view.curves, past, version),
        _score_sentence(view.curves, past, version, metric_name(view.primary_metric)),
    ]
    return [sentence for sentence in found if sentence is not None] or [T("Nothing is measured yet.")]


def _loss_sentence(curves: Curves, past: Curves | None, version: str) -> Text | None:
    lowest, points = curves.lowest, curves.eval_losses
    if lowest is None:
        losses = curves.losses
        if not losses:
            return None
        return T("Training loss {first} → {last}; not evaluated yet.", first=_loss(losses[0]), last=_loss(losses[-1]))
    said = T("Validation loss {value} at step {step}", value=_loss(lowest), step=lowest[0])
    if len(points) > 1:
        said = T(
            "Validation loss {first} → {last}, lowest at step {step}",
            first=_loss(points[0]),
            last=_loss(points[-1]),
            step=lowest[0],
        )
    return _beside(said, version, _loss(past.lowest) if past and past.lowest else None)


def _score_sentence(curves: Curves, past: Curves | None, version: str, name: Text) -> Text | None:
    best, points = curves.best, curves.metrics
    if best is None:
        return None
    said = T("{metric} {value} at step {step}", metric=name, value=percent(best[1]), step=best[0])
    if len(points) > 1:
        said = T(
            "{metric} {first} → {last}, best at step {step}",
            metric=name,
            first=percent(points[0][1]),
            last=percent(points[-1][1]),
            step=best[0],
        )
    return _beside(said, version, percent(past.best[1]) if past and past.best else None)


def _beside(said: Text, version: str, value: str | None) -> Text:
    if value is None:
        return T("{said}.", said=said)
    return T("{said}; {version} reached {value}.", said=said, version=version, value=value)


def _loss(point: Point) -> str:
    return f"{point[1]:.3g}"


def _loss_of_best(curves: Curves) -> Point | None:
    """Where the kept weights stand on the loss chart: at the best score, else at the lowest loss."""
    if curves.best is None:
        return curves.lowest
    return next((point for point in curves.eval_losses if point[0] == curves.best[0]), None)


def _starred(point: Point | None, say: Speaker) -> list[Series]:
    return [Series(say(T("best")), [point], "none", "★", "*", role="best")] if point is not None else []


class Legend(Flow):
    """What the chart shows, and which stroke and mark is which series."""

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self._say = say
        self._title = ""
        self._series: list[Series] = []
        self._ascii_only = False
        self._scale = Scale()

    def show(self, title: str, series: Sequence[Series], *, ascii_only: bool, scale: Scale) -> None:
        """Explain these series."""
        self._title = title
        shown = ([one for one in series if one.points], ascii_only, scale)
        if shown != (self._series, self._ascii_only, self._scale):
            self._series, self._ascii_only, self._scale = shown
            self.changed()

    def lay_out(self, width: int) -> list[Content]:
        """The entries in as many lines as they need; one that is wider than a line is cut."""
        entries = [self._title, *(self._entry(one) for one in self._series)]
        entries += [self._say(T("log scale"))] if self._scale.log else []
        lines = [""]
        for entry in entries:
            joined = f"{lines[-1]}  {entry}" if lines[-1] else entry
            if lines[-1] and cell_len(joined) > width:
                lines.append(entry)
            else:
                lines[-1] = joined
        return [Content.styled(clip(line, width) if cell_len(line) > width else line, "$text-muted") for line in lines]

    def _entry(self, one: Series) -> str:
        sample = (_ASCII_SAMPLES if self._ascii_only else _SAMPLES)[one.stroke]
        mark = one.ascii_mark if self._ascii_only else one.mark
        return f"{sample[:1] + mark if mark else sample} {one.name}"


class CurvePanel(Horizontal):
    """Both charts; without room for two, the loss alone."""

    DEFAULT_CSS = """
    CurvePanel { height: 1fr; min-height: 8; }
    CurvePanel Vertical { width: 1fr; height: 100%; }
    CurvePanel #score { margin-left: 1; }
    CurvePanel.-narrow #score { display: none; }
    """

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self._say = say
        self._view: RunView | None = None
        self.ascii_only = False

    def compose(self) -> ComposeResult:
        """A legend above each chart."""
        for name in ("loss", "score"):
            with Vertical(id=name):
                yield Legend(self._say)
                yield Plot(id=f"{name}-plot")

    def on_resize(self) -> None:
        """Leave the score out where two charts would be too narrow."""
        self.set_class(self.size.width < 56, "-narrow")

    def show(self, view: RunView | None) -> None:
        """Draw a run; None clears the charts."""
        self._view = view
        losses = loss_series(view, self._say) if view else []
        scores = score_series(view, self._say) if view else []
        score = metric_name(view.primary_metric) if view else T("Score")
        steps = (1.0, float(view.total_steps)) if view and view.total_steps else None
        charts = (
            ("loss", T("Loss"), losses, loss_scale(losses, steps)),
            ("score", score, scores, Scale(percent=True, steps=steps)),
        )
        for name, title, series, scale in charts:
            panel = self.query_one(f"#{name}", Vertical)
            panel.query_one(Legend).show(self._say(title), series, ascii_only=self.ascii_only, scale=scale)
            panel.query_one(Plot).show(series, ascii_only=self.ascii_only, scale=scale)

    def switch_glyphs(self) -> None:
        """Braille or ASCII."""
        self.ascii_only = not self.ascii_only
        self.show(self._view)
