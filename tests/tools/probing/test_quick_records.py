"""Quick checks beside full trainings of the same changes."""

from __future__ import annotations

from pathlib import Path

from tools.change import Effect
from tools.files import append_line
from tools.probing.quick_records import FILE, QuickRecord, read_quick, record_quick, trust_in_quick
from tools.text import T
from tools.versioning.forecasts import FILE as FORECASTS
from tools.versioning.forecasts import Forecast, Outcome


def quick(change: str, difference: float, at: str = "2026-01-01T00:00:00+00:00") -> QuickRecord:
    return QuickRecord(
        at=at, change_id=change, kinds=["config:training.epochs"], metric="macro_f1", difference=difference,
        low=-0.1, high=0.1, share=0.3, valid_rows=120, seeds=1,
    )  # fmt: skip


def full(task: Path, change: str, version: str, observed: float) -> None:
    effect = Effect(metric="macro_f1", low=0, high=0.1, p_better=0.7, source="prior", basis=T("x"))
    line = Forecast(at="2026-01-02T00:00:00+00:00", version=version, proposal_id=change, kinds=["k"], effect=effect)
    outcome = Outcome(
        at="2026-01-03T00:00:00+00:00", version=version, base="v1", metric="macro_f1", observed=observed, error=0.02
    )
    for one in (line, outcome):
        append_line(task / FORECASTS, one.model_dump_json())


def test_nothing_is_claimed_before_three_changes_were_tried_both_ways(tmp_path: Path) -> None:
    for n in range(2):
        record_quick(tmp_path, quick(f"c{n}", 0.05))
        full(tmp_path, f"c{n}", f"v{n + 2}", 0.03)
    found = trust_in_quick([tmp_path])
    assert (found.pairs, found.correlation) == (2, None)
    assert "not known" in str(found.text)


def test_direction_error_and_correlation_are_counted_over_tasks(tmp_path: Path) -> None:
    for n, (small, large) in enumerate([(0.04, 0.02), (-0.02, -0.01), (0.06, 0.03), (0.01, -0.02)]):
        task = tmp_path / f"task{n % 2}"
        record_quick(task, quick(f"c{n}", small))
        full(task, f"c{n}", f"v{n + 2}", large)
    found = trust_in_quick([tmp_path / "task0", tmp_path / "task1", tmp_path / "nothing"])
    assert (found.pairs, found.same_direction) == (4, 3)
    assert round(found.mean_error, 4) == 0.0225
    assert 0.7 < found.correlation < 1
    assert "3" in str(found.text) and "4 changes" in str(found.text)


def test_a_quick_check_after_the_full_training_foretold_nothing(tmp_path: Path) -> None:
    record_quick(tmp_path, quick("c", 0.04, at="2026-02-01T00:00:00+00:00"))
    full(tmp_path, "c", "v2", 0.03)
    assert trust_in_quick([tmp_path]).pairs == 0


def test_the_line_that_a_crash_tore_is_passed_over(tmp_path: Path) -> None:
    record_quick(tmp_path, quick("c", 0.04))
    with (tmp_path / FILE).open("a", encoding="utf-8") as stream:
        stream.write('{"at": "20')
    assert [one.change_id for one in read_quick(tmp_path)] == ["c"]
    record_quick(tmp_path, quick("d", 0.01))
    assert [one.change_id for one in read_quick(tmp_path)] == ["c", "d"]
