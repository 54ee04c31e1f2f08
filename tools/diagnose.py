"""Diagnosis: what is wrong with a version of a task, with numbers, row ids and the page that explains each finding.

Rules look at rows, configuration, validation results, predictions and loss history (tools/evidence/), findings are ranked, and
nothing is changed. A healthy task gets none above information. Results of the test split and of unknown splits are never used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.errors import Problem
from tools.evidence.capacity import low_capacity
from tools.evidence.case import Case
from tools.evidence.configuration import bad_rows, configuration_findings, problem_findings
from tools.evidence.confusions import ErrorAnalysis, analyse_errors, confusion_findings
from tools.evidence.coverage import (
    no_results,
    no_rows_yet,
    small_evaluation,
    unknown_split,
    unseen_classes,
    validation_split,
)
from tools.evidence.curves import overfitting, underfitting
from tools.evidence.data_size import too_few_rows
from tools.evidence.duplicates import duplicate_rows, inconsistent_labels
from tools.evidence.imbalance import missing_classes, scarce_classes
from tools.evidence.instability import instability
from tools.evidence.leaks import split_leaks
from tools.evidence.output_format import mixed_training_answers, unparsed_answers
from tools.evidence.per_class import low_overall, weak_class_findings
from tools.evidence.ranking import rank
from tools.evidence.thresholds import read_thresholds
from tools.evidence.truncation import cut_answers, cut_training_rows
from tools.finding import Finding, FindingKind, Severity
from tools.making.first_rows import never_divided
from tools.outcomes.status import SPLITS, TaskStatus, task_status
from tools.read_results import ReadResultsArgs, latest, read_predictions, read_results
from tools.reading.task import SplitRead, load_split, load_task
from tools.results import Prediction, ResultFiles
from tools.running.recipe import apply_recipe
from tools.task import Row, Split, SplitName, Task

RULES: tuple[Callable[[Case], list[Finding]], ...] = (
    # what cannot be known
    no_results,
    unknown_split,
    validation_split,
    small_evaluation,
    unseen_classes,
    # what is broken
    problem_findings,
    bad_rows,
    split_leaks,
    instability,
    cut_training_rows,
    cut_answers,
    unparsed_answers,
    mixed_training_answers,
    missing_classes,
    inconsistent_labels,
    duplicate_rows,
    # why the score is low
    scarce_classes,
    weak_class_findings,
    underfitting,
    overfitting,
    too_few_rows,
    low_capacity,
    confusion_findings,
)
"""Every rule; each is a function from the evidence to findings."""

BEFORE_ROWS: tuple[Callable[[Case], list[Finding]], ...] = (no_rows_yet, configuration_findings)
"""The rules for a task whose splits are still blank: everything else would be said about rows that nobody has."""

NOT_CAUSES = frozenset(
    {
        FindingKind.split_leak,
        FindingKind.duplicate_rows,
        FindingKind.small_evaluation,
        FindingKind.unknown_split,
        FindingKind.no_valid_split,
        FindingKind.config_conflict,
        FindingKind.config_renamed_key,
        FindingKind.config_unknown_key,
        FindingKind.config_mistyped_value,
        FindingKind.bad_rows,
        FindingKind.unreadable_file,
    }
)
"""Faults that do not by themselves make a score low, so that a missed target still needs an explanation."""


class DiagnoseArgs(BaseModel):
    """Which version of which task to look at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_dir: Path
    version: str | None = None
    """The newest with a result on validation when left out."""


class Diagnosis(BaseModel):
    """What was found, most important first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    version: str | None
    """The version that was looked at; None before there is a result."""
    findings: list[Finding]
    healthy: bool
    """True when no finding is a warning or an error: there is nothing to fix."""
    status: TaskStatus
    errors: ErrorAnalysis | None = None
    """Error kinds and typical cases on validation; None without predictions."""


def diagnose(args: DiagnoseArgs) -> Diagnosis:
    """Read a task and diagnose a version of it; raises InputError or NotFound when there is nothing to read."""
    task = load_task(args.task_dir)
    read = read_results(ReadResultsArgs(task_dir=args.task_dir))
    splits = {name: load_split(task, name) for name in SPLITS}
    result = latest(read, args.version, "valid")
    path = task.path / result.predictions if result and result.predictions else None
    predictions = read_predictions(path) if path and path.exists() else []
    return diagnose_task(
        task, read, splits=splits, predictions=predictions, version=args.version, problems=read.problems
    )


def diagnose_task(
    task: Task,
    results: ResultFiles,
    *,
    splits: Mapping[SplitName, SplitRead],
    predictions: Sequence[Prediction] = (),
    version: str | None = None,
    problems: Sequence[Problem] = (),
) -> Diagnosis:
    """Diagnose from what was read; `predictions` are the version's on validation, `problems` those of the result files."""
    case = build_case(task, results, splits=splits, predictions=predictions, version=version, problems=problems)
    rules = BEFORE_ROWS if not splits["train"].split.rows and never_divided(task) else RULES
    findings = rank(_explained([finding for rule in rules for finding in rule(case)], case))
    return Diagnosis(
        task=task.name,
        version=case.result.version if case.result else None,
        findings=findings,
        healthy=all(finding.severity is Severity.info for finding in findings),
        status=task_status(task, results, version=version, splits=splits),
        errors=analyse_errors(task.definition.task_type, case.answer, case.predictions) if case.predictions else None,
    )


def build_case(
    task: Task,
    results: ResultFiles,
    *,
    splits: Mapping[SplitName, SplitRead],
    predictions: Sequence[Prediction] = (),
    version: str | None = None,
    problems: Sequence[Problem] = (),
) -> Case:
    """Put the evidence together: rows as the recipe leaves them, answered rows only, the version's result and history."""
    recipe = apply_recipe(task, splits["train"].split, oversample=False)
    limits, wrong_limits = read_thresholds(task.definition.thresholds)
    result = latest(results, version, "valid")
    found = [*task.problems, *task.config.problems, *splits["train"].problems, *splits["valid"].problems]
    return Case(
        task=task,
        train=_answered(splits["train"].split, recipe.rows),
        valid=_answered(splits["valid"].split, splits["valid"].split.rows),
        test=splits["test"].split,
        result=result,
        predictions=list(predictions),
        history=results.histories.get(result.version) if result else None,
        problems=[*found, *wrong_limits, *map(_of_recipe, recipe.problems), *problems],
        test_problems=splits["test"].problems,
        locked=results.locked,
        limits=limits,
    )


def _answered(split: Split, rows: Sequence[Row]) -> Split:
    """The split with those rows that have an answer or a preference: what is trained or evaluated on."""
    kept = [row for row in rows if row.answer is not None or row.chosen is not None]
    return split.model_copy(update={"rows": kept})


def _of_recipe(problem: Problem) -> Problem:
    """A line of the recipe that cannot be followed is a wrong value of the configuration."""
    return problem.model_copy(update={"kind": problem.kind or FindingKind.config_mistyped_value.value})


def _explained(findings: list[Finding], case: Case) -> list[Finding]:
    """Give a missed target an explanation when no rule found one: too few rows if they are few, else low as a whole."""
    serious = [one for one in findings if one.severity is not Severity.info and one.kind not in NOT_CAUSES]
    if not case.missed or serious:
        return findings
    few = [one for one in findings if one.kind is FindingKind.too_few_rows]
    if not few:
        return [*findings, *low_overall(case)]
    promoted = few[0].model_copy(update={"severity": Severity.warning, "lost": case.gap})
    return [promoted if one is few[0] else one for one in findings]
