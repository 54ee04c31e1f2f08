"""The words beside the charts, and what the charts are given to draw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.faces.tui.widgets.curves import curve_sentences, loss_scale, loss_series, score_series
from tests.support.run_dirs import START, copy_task, history, live_run, make_child
from tools.text import english
from tools.watch_run import Curves, RunWatch


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    task = copy_task(tmp_path_factory.mktemp("curves"))
    make_child(task)
    run = live_run(task, [point for point in history() if point.step <= 66])
    return RunWatch(run.path).look(START)


def words(view):
    return [str(sentence) for sentence in curve_sentences(view)]


def test_a_sentence_says_what_the_charts_show_beside_the_version_before(view):
    assert words(view) == [
        "Validation loss 0.4 → 0.391, lowest at step 66; v1 reached 0.326.",
        "Macro-F1 38.5% → 50.3%, best at step 66; v1 reached 57.8%.",
    ]


def test_without_a_version_before_nothing_is_said_of_one(view):
    assert words(replace(view, baseline=None))[0] == "Validation loss 0.4 → 0.391, lowest at step 66."


def test_before_the_first_evaluation_the_training_loss_is_told_and_before_the_first_step_nothing(view):
    started = replace(view, curves=Curves(losses=[(1, 4.7), (9, 1.234)]))
    assert words(started) == ["Training loss 4.7 → 1.23; not evaluated yet."]
    assert words(replace(view, curves=Curves())) == ["Nothing is measured yet."]


def test_one_evaluation_is_told_with_its_step(view):
    once = replace(view, baseline=None, curves=Curves(eval_losses=[(22, 0.4)], metrics=[(22, 0.385)]))
    assert words(once) == ["Validation loss 0.4 at step 22.", "Macro-F1 38.5% at step 22."]


def test_the_chart_has_both_versions_and_marks_the_weights_that_are_kept(view):
    series = {one.name: one for one in loss_series(view, english)}
    assert list(series) == ["v1 train", "v1 valid", "train", "valid", "best"]
    assert series["best"].points == [(66, pytest.approx(0.3915, abs=1e-4))]
    looks = [(one.stroke, one.mark) for one in series.values()]
    assert len(set(looks)) == 5
    assert [one.name for one in score_series(view, english)] == ["v1", "v2", "best"]


def test_the_scale_is_logarithmic_only_where_the_losses_span_much(view):
    assert loss_scale(loss_series(view, english)).log
    flat = replace(view, baseline=None, curves=Curves(losses=[(1, 0.5), (2, 0.4)]))
    assert not loss_scale(loss_series(flat, english)).log
    assert not loss_scale(loss_series(replace(flat, curves=Curves()), english)).log
