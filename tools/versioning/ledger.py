"""The locked test set: the only code that reads sealed predictions, and the ledger of every opening.

An opening is one line in iterations/test_ledger.jsonl, on disk before any score is returned. What it showed is kept beside it
in iterations/test_openings.jsonl, so that asking again for the same decision opens nothing twice. Who may open is decided
elsewhere (an approver); row ids and texts of the test split never leave this module.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.comparing.paired_comparison import Setting, Side, compare_sides
from tools.comparing.words import p_value, verdict_name
from tools.comparison import Comparison, Verdict
from tools.errors import Refused
from tools.evidence.statistics import LEVEL, holm
from tools.files import append_line, now, sha256_bytes, write_model
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import load_task
from tools.results import Prediction, SplitResult
from tools.running.plan_runs import check_version
from tools.scoring.evaluator import evaluator_hash
from tools.scoring.metrics import split_result
from tools.task import Task
from tools.text import T, Text, Words, visible
from tools.versioning.records import changes_between, locked_evaluator_hash, training_of
from tools.versioning.same_weights import same_weights
from tools.versioning.sealing import SEAL_LINE

LEDGER = "iterations/test_ledger.jsonl"
SHOWN = "iterations/test_openings.jsonl"
_PAGE = "methods/locked-test"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Opening(_Model):
    """One line of the ledger."""

    ordinal: int
    """1 for the first opening of the task."""
    at: str
    why: Words
    by: str
    decision_id: str
    """What the opening was made for; the same decision is never entered twice."""
    versions: list[str]
    scores: dict[str, dict[str, float]]
    """Version to its test metrics."""
    evaluator_hash: str | None
    """Of the last version."""
    p: float | None
    """Two-sided p-value of "no difference" between the first and the last version; None without a paired test."""


class OpenedTest(_Model):
    """What an opening of the test set showed."""

    ordinal: int | None
    """Number of the ledger line; None when there was nothing to open."""
    versions: list[str]
    scores: dict[str, dict[str, float]]
    """Version to its test metrics; empty when there was nothing to open."""
    valid_scores: dict[str, dict[str, float]] = {}
    """The same versions on valid, for "valid said, test says"."""
    verdict: Verdict
    """After the correction for earlier openings."""
    p: float | None = None
    p_corrected: float | None = None
    """Holm's adjusted p-value in the family of all openings so far."""
    comparison: Comparison | None = None
    """The paired comparison on test, uncorrected and without row ids; None with one version."""
    notes: list[Text]
    """How the verdict came about, the method of the correction included."""


class OpenedResult(SplitResult):
    """benchmarks/results/vN_test.json: a test result that was opened."""

    opening: int
    """Number of the ledger line that opened it."""


class _Shown(_Model):
    """One line of iterations/test_openings.jsonl."""

    decision_id: str
    opened: OpenedTest


def adoption_of(version: str) -> Text:
    """Why the test set is opened for the adoption of a version."""
    return T("adoption of {version}", version=visible(version, 80))


def openings(task_path: Path) -> list[Opening]:
    """Every opening of the task's test set, oldest first.

    A line that cannot be read counts as an opening that nobody knows anything about, since an opening that is not counted
    makes later claims too easy.
    """
    found = _lines(task_path / LEDGER, Opening)
    return [line or unreadable_opening(ordinal) for ordinal, line in enumerate(found, 1)]


def unreadable_opening(ordinal: int) -> Opening:
    """An opening of which nothing is known but that there was one."""
    return Opening(
        ordinal=ordinal, at="", why="", by="", decision_id="", versions=[], scores={}, evaluator_hash=None, p=None
    )


def opened_result(task_path: Path, version: str) -> OpenedResult | None:
    """The test result of a version that an opening has shown; None while its test predictions are sealed."""
    check_version(version)
    if not any(version in opening.scores for opening in openings(task_path)):
        return None
    try:
        return OpenedResult.model_validate_json((task_path / _result_file(version)).read_bytes())
    except (OSError, ValidationError):
        return None


def shown(task_path: Path, base: str, new: str) -> OpenedTest | None:
    """What the latest opening of exactly these two versions showed; None when they were never opened together."""
    found = [line.opened for line in _shown_lines(task_path) if line.opened.versions == [base, new]]
    return found[-1] if found else None


def shown_openings(task_path: Path) -> list[tuple[str, OpenedTest]]:
    """What every opening showed, with the decision it was made for, oldest first."""
    return [(line.decision_id, line.opened) for line in _shown_lines(task_path)]


def shown_of(task_path: Path, version: str) -> OpenedTest | None:
    """What the latest opening for the adoption of a version showed, whatever it was compared with; None without one."""
    found = [line.opened for line in _shown_lines(task_path) if line.opened.versions[-1:] == [version]]
    return next((opened for opened in reversed(found) if version in opened.scores), None)


def _shown_lines(task_path: Path) -> list[_Shown]:
    return [line for line in _lines(task_path / SHOWN, _Shown) if line is not None]


def open_test(task_path: Path, versions: Sequence[str], *, why: Words, by: str, decision_id: str) -> OpenedTest:
    """Open the sealed test predictions of versions, older first, and enter the opening in the ledger before returning.

    Versions without sealed predictions are named in the notes; when none has any, nothing is opened and nothing entered.
    Raises Refused for sealed files that were changed.
    """
    named = [version for version in versions if version]
    for version in named:
        check_version(version)
    task = load_task(task_path)
    for before in _shown_lines(task_path):
        if before.decision_id == decision_id and before.opened.versions == named:
            _publish(task, before.opened)
            return before.opened
    sides = {version: side for version in named if (side := _unseal(task, version)) is not None}
    if not sides:
        return _nothing(named)
    comparison = _compared(task, named, sides)
    p = _judged_p(comparison)
    earlier = openings(task_path)
    entered = next((line for line in earlier if line.decision_id == decision_id and line.versions == named), None)
    line = entered or Opening(
        ordinal=len(earlier) + 1,
        at=now(),
        why=why,
        by=by,
        decision_id=decision_id,
        versions=named,
        scores={version: side.result.metrics for version, side in sides.items()},
        evaluator_hash=sides[next(reversed(sides))].result.evaluator_hash,
        p=p,
    )
    if entered is None:
        append_line(task_path / LEDGER, line.model_dump_json())
    family = [one for one in earlier if one.ordinal < line.ordinal]
    opened = _opened(line, family, comparison, task_path)
    append_line(task_path / SHOWN, _Shown(decision_id=decision_id, opened=opened).model_dump_json())
    _publish(task, opened)
    return opened


Line = TypeVar("Line", bound=BaseModel)


def _lines(path: Path, model: type[Line]) -> list[Line | None]:
    """The lines of a file; None for one that cannot be read, such as the torn line of a crash."""
    try:
        return [_line(line, model) for line in path.read_bytes().splitlines() if line.strip()]
    except FileNotFoundError:
        return []


def _line(line: bytes, model: type[Line]) -> Line | None:
    try:
        return model.model_validate_json(line)
    except ValidationError:
        return None


def _unseal(task: Task, version: str) -> Side | None:
    """The test result and predictions of a version; None when nothing is sealed."""
    folder = task.path / "iterations" / version / "sealed"
    files = sorted(folder.glob("test_seed*.sealed"))
    predictions = [row for path in files for row in _predictions(task.path, version, path)]
    if not predictions:
        return None
    by_seed: dict[int, list[Prediction]] = {}
    for row in predictions:
        by_seed.setdefault(row.seed or 0, []).append(row)
    first = next(iter(by_seed.values()))
    definition = task.definition
    digest = locked_evaluator_hash(task.path, version) or evaluator_hash(
        definition.task_type, definition.answer, ((row.id, row.expected) for row in first)
    )
    return Side(split_result(definition, version, "test", by_seed, digest, None), predictions)


def _predictions(task_path: Path, version: str, path: Path) -> list[Prediction]:
    """What one sealed file holds; raises Refused when it is not what was sealed."""
    content = path.read_bytes()
    known = {seed.sealed: seed.sealed_sha256 for seed in training_of(task_path, version)}
    digest = known.get(path.relative_to(task_path).as_posix())
    head, _, packed = content.partition(b"\n")
    try:
        if head != SEAL_LINE.encode("ascii") or digest not in {None, sha256_bytes(content)}:
            raise ValueError(path.name)
        lines = zlib.decompress(base64.b85decode(packed.strip())).splitlines()
        return [Prediction.model_validate_json(line) for line in lines]
    except (ValueError, zlib.error) as reason:
        raise Refused(
            T("The sealed test predictions {file} were changed after they were sealed.", file=visible(path.name)),
            hint=T(
                "Train {version} again under a new name: changed test predictions support no claim.", version=version
            ),
            page=_PAGE,
        ) from reason


def _compared(task: Task, versions: Sequence[str], sides: dict[str, Side]) -> Comparison | None:
    """The first version against the last; None unless both were unsealed."""
    if len(versions) < 2 or versions[0] not in sides or versions[-1] not in sides:
        return None
    setting = Setting(
        definition=task.definition,
        split="test",
        changes=changes_between(task.path, versions[0], versions[-1]),
        same_weights=same_weights(task.path, versions[0], versions[-1]),
    )
    return compare_sides(setting, sides[versions[0]], sides[versions[-1]])


def _judged_p(comparison: Comparison | None) -> float | None:
    if comparison is None:
        return None
    line = next((line for line in comparison.metrics if line.metric == comparison.judged_metric), None)
    return None if line is None or line.range is None else line.range.p


def _opened(line: Opening, family: Sequence[Opening], comparison: Comparison | None, task_path: Path) -> OpenedTest:
    """Judge an opening in the family of those before it; an opening without a test counts as p = 1."""
    verdict: Verdict = comparison.verdict if comparison is not None else "not_comparable"
    corrected = None
    if line.p is not None:
        corrected = holm([1.0 if one.p is None else one.p for one in [*family, line]])[-1]
    notes = list(comparison.reasons) if comparison is not None else [_single(line)]
    if family and line.p is not None and corrected is not None:
        notes.append(_method(line.ordinal, line.p, corrected))
    if verdict in {"better", "worse"} and corrected is not None and corrected >= 1 - LEVEL:
        notes.insert(0, T("What looked {verdict} is undecided after the correction.", verdict=verdict_name(verdict)))
        verdict = "undecided"
    return OpenedTest(
        ordinal=line.ordinal,
        versions=line.versions,
        scores=line.scores,
        valid_scores=_valid_scores(task_path, line.versions),
        verdict=verdict,
        p=line.p,
        p_corrected=corrected,
        comparison=comparison,
        notes=notes,
    )


def _method(ordinal: int, p: float, corrected: float) -> Text:
    return T(
        "This is opening {ordinal} of the test set: {p} becomes {corrected} by Holm's method over all openings so far.",
        ordinal=ordinal,
        p=p_value(p),
        corrected=p_value(corrected),
    )


def _single(line: Opening) -> Text:
    missing = [version for version in line.versions if version not in line.scores]
    if missing:
        return T("No test predictions of {versions} are sealed, so nothing is paired.", versions=", ".join(missing))
    return T("Only {version} was opened, so there is nothing to pair it with.", version=line.versions[-1])


def _nothing(versions: list[str]) -> OpenedTest:
    note = T(
        "No test predictions of {versions} are sealed, so there was nothing to open.", versions=", ".join(versions)
    )
    return OpenedTest(ordinal=None, versions=versions, scores={}, verdict="not_comparable", notes=[note])


def _valid_scores(task_path: Path, versions: Sequence[str]) -> dict[str, dict[str, float]]:
    files = read_results(ReadResultsArgs(task_dir=task_path))
    found = {version: latest(files, version, "valid") for version in versions}
    return {version: result.metrics for version, result in found.items() if result is not None}


def _publish(task: Task, opened: OpenedTest) -> None:
    """Write benchmarks/results/vN_test.json for each opened version; a file that is there already is left alone."""
    for version in opened.scores:
        path = task.path / _result_file(version)
        side = None if path.exists() else _unseal(task, version)
        if side is not None:
            write_model(path, OpenedResult(**side.result.model_dump(), opening=opened.ordinal or 0))


def _result_file(version: str) -> str:
    return f"benchmarks/results/{version}_test.json"
