"""The words about a version and about two of them."""

from __future__ import annotations

import pytest

from agent.faces.tui.version_pages import HEADING, answers_of, comparison_page, detail_page
from tests.support.run_dirs import at, copy_task, make_child, make_result
from tools.change import Effect
from tools.compare import CompareArgs, compare
from tools.files import append_line
from tools.text import T, english
from tools.versioning.forecasts import FILE, Forecast, Outcome
from tools.versioning.overview import overview


@pytest.fixture
def task(tmp_path):
    folder = copy_task(tmp_path)
    make_child(folder)
    make_result(folder, seeds=(42, 43))
    return folder


def detail(task, version, verdict=None):
    facts = next(one for one in overview(task).versions if one.version == version)
    return [text for text, _ in detail_page(task, facts, "macro_f1", verdict, english)]


@pytest.mark.parametrize(("observed", "where"), [(0.03, "as expected"), (0.09, "outside of the forecast")])
def test_a_forecast_stands_beside_what_came_of_it(task, observed, where):
    effect = Effect(metric="macro_f1", low=0.01, high=0.05, p_better=0.9, source="prior", basis=T("b"))
    forecast = Forecast(at=at(0), version="v2", proposal_id="p", kinds=["config:training.epochs"], effect=effect)
    outcome = Outcome(at=at(1), version="v2", base="v1", metric="macro_f1", observed=observed, error=None)
    for line in (forecast, outcome):
        append_line(task / FILE, line.model_dump_json())
    told = f"Forecast for Macro-F1: +1.0 to +5.0 points; it came to {100 * observed:+.1f}, {where}."
    assert told in detail(task, "v2")
    assert not [line for line in detail(task, "v1") if line.startswith("Forecast")]


def test_the_detail_names_parent_seeds_verdict_seal_and_the_lines_that_changed(task):
    lines = detail(task, "v2", "undecided")
    assert lines[0] == "v2, from v1, 2026-11-22 17:17"
    assert "Against v1: undecided." in lines and "- Epochs: 4 → 6" in lines
    assert [line for line in lines if line.startswith("The brackets are the spread over the seeds: ")]
    assert [line[:12] for line in lines if "epochs:" in line] == ["-  epochs: 4", "+  epochs: 6"]
    assert "Its test result is sealed; adopting opens it." in detail(task, "v1")


def test_a_record_without_snapshot_or_notes_has_a_detail_too(task):
    for name in ("config_snapshot.yaml", "notes.md"):
        (task / "iterations/v2" / name).unlink()
    assert "Not recorded: one of the versions has no configuration snapshot." in detail(task, "v2")
    (task / "iterations/v2/manifest.json").write_text("{")
    lines = detail(task, "v2")
    assert lines[0] == "v2, made outside of this program" and "cannot be read" in lines[1]


def test_rows_that_changed_are_shown_with_their_text_and_both_answers(task):
    comparison = compare(CompareArgs(task_dir=task, base="v1", new="v2"))
    answers = answers_of(task, "v1"), answers_of(task, "v2")
    page = comparison_page(comparison, answers, english)
    heads = [text for text, tone in page if tone == HEADING]
    assert heads[0] == "v2 against v1: better" and heads[-1] == f"Broken rows: {len(comparison.broken)}"
    lines = [text for text, _ in page]
    at_row = next(number for number, text in enumerate(lines) if text.startswith(comparison.broken[0]))
    row = answers[0][comparison.broken[0]][0]
    assert row.input["text"] in lines[at_row]
    assert f"expected {row.expected}; v1 said {row.expected}, v2 said" in lines[at_row + 1]


def test_without_stored_answers_the_row_ids_remain(task):
    comparison = compare(CompareArgs(task_dir=task, base="v1", new="v2"))
    lines = [text.strip() for text, _ in comparison_page(comparison, ({}, {}), english)]
    assert comparison.fixed[0] in lines
