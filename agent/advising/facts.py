"""Facts about one task as small JSON values, for a language model to read: in the chat, in the analysis, in advice.

Nothing here opens the test split: scores are those of validation, rows those of validation or train. Nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from tools.change import Proposal
from tools.compare import CompareArgs, compare
from tools.comparing.words import evidence_lines
from tools.diagnose import DiagnoseArgs, diagnose
from tools.errors import NotFound
from tools.evidence.confusions import SHOWN_CHARACTERS
from tools.finding import Finding
from tools.outcomes.predictions import read_predictions
from tools.outcomes.status import task_status
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import inside, load_split, load_task
from tools.results import Prediction
from tools.task import Row
from tools.text import Speaker, T, visible

Facts = dict[str, Any]

MOST_ROW_IDS = 12


def status_facts(path: Path) -> Facts:
    """Where the task stands: settings, validation scores against targets, classes, sizes of the splits."""
    status = task_status(load_task(path), read_results(ReadResultsArgs(task_dir=path)))
    return {
        "task": status.name,
        "type": status.task_type,
        "version": status.version,
        "versions": status.versions,
        "settings": {
            "base_model": status.base_model,
            "method": status.method,
            "lora_r": status.lora_r,
            "epochs": status.epochs,
            "learning_rate": status.learning_rate,
        },
        "validation_scores": [
            {"metric": line.metric, "value": _rounded(line.value), "target": line.target} for line in status.metrics
        ],
        "classes": [
            {
                "label": line.label,
                "f1": _rounded(line.f1),
                "precision": _rounded(line.precision),
                "recall": _rounded(line.recall),
                "train_rows": line.train_rows,
                "weak": line.weak,
            }
            for line in status.classes
        ],
        "rows": {line.split: line.rows for line in status.splits},
        "train_labels": next((line.labels for line in status.splits if line.split == "train"), {}),
    }


def result_facts(path: Path, version: str | None) -> Facts:
    """Validation scores of one version or of all, with the end of each loss curve."""
    read = read_results(ReadResultsArgs(task_dir=path))
    found = [one for one in read.results if one.split == "valid" and version in (None, one.version)]
    if not found:
        raise _no_result(version, [one.version for one in read.results if one.split == "valid"])
    return {
        "split": "valid",
        "versions": [
            {
                "version": one.version,
                "rows": one.rows,
                "metrics": {name: _rounded(value) for name, value in one.metrics.items()},
                "f1": {label: _rounded(score.f1) for label, score in one.per_class.items()},
                "loss": [
                    {"epoch": point.epoch, "train": _rounded(point.loss), "validation": _rounded(point.eval_loss)}
                    for point in (read.histories[one.version].points if one.version in read.histories else [])
                    if point.eval_loss is not None
                ][-8:],
            }
            for one in found
        ],
        "test": "sealed until a person decides on adoption",
    }


def diagnosis_facts(path: Path, version: str | None, say: Speaker) -> Facts:
    """The findings, strongest first, with their numbers and row ids, without any text of a row."""
    found = diagnose(DiagnoseArgs(task_dir=path, version=version))
    errors = found.errors
    return {
        "task": found.task,
        "version": found.version,
        "healthy": found.healthy,
        "findings": [finding_facts(one, say) for one in found.findings],
        "confusions": [
            {"expected": pair.expected, "answered": pair.predicted, "count": pair.count}
            for pair in (errors.pairs[:8] if errors else [])
        ],
    }


def finding_facts(finding: Finding, say: Speaker) -> Facts:
    """One finding as a model reads it."""
    return {
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "title": say(finding.title),
        "detail": say(finding.detail),
        "facts": {say(fact.name): _rounded(fact.value) for fact in finding.facts},
        "rows": finding.rows[:MOST_ROW_IDS],
        "page": finding.page,
    }


def comparison_facts(path: Path, base: str, new: str, say: Speaker) -> Facts:
    """Two versions on the same validation rows."""
    found = compare(CompareArgs(task_dir=path, base=base, new=new))
    return {
        "base": found.base,
        "new": found.new,
        "split": "valid",
        "rows": found.rows,
        "changes": [say(one) for one in found.changes],
        "metrics": [
            {"metric": one.metric, "old": _rounded(one.old), "new": _rounded(one.new)} for one in found.metrics
        ],
        "classes": [{"label": one.label, "old": _rounded(one.old), "new": _rounded(one.new)} for one in found.classes],
        "evidence": [say(line) for line in evidence_lines(found)],
        "verdict": found.verdict,
        "reasons": [say(one) for one in found.reasons],
        "recommended": say(found.recommendation),
        "fixed_rows": found.fixed[:MOST_ROW_IDS],
        "broken_rows": found.broken[:MOST_ROW_IDS],
        "fixed": len(found.fixed),
        "broken": len(found.broken),
    }


def proposal_facts(proposal: Proposal, say: Speaker) -> Facts:
    """A proposal as a model reads it."""
    effect, goal = proposal.effect, proposal.goal
    return {
        "id": proposal.id,
        "title": say(proposal.title),
        "problem": say(proposal.problem),
        "findings": proposal.findings,
        "tier": proposal.tier.value,
        "forecast": {
            "metric": effect.metric,
            "now": _rounded(goal.now),
            "change_low": effect.low,
            "change_high": effect.high,
            "probability_better": effect.p_better,
            "source": effect.source,
        },
        "minutes": proposal.cost.minutes,
        "edits": [[edit.dotted, edit.new] for change in proposal.changes for edit in change.edits],
        "page": proposal.page,
    }


def wrong_rows(path: Path, version: str | None, *, expected: str | None, answered: str | None) -> list[Prediction]:
    """Wrong answers on validation of a version (the newest by default), each row once; test predictions stay sealed."""
    result = latest(read_results(ReadResultsArgs(task_dir=path)), version, "valid")
    file = inside(path, result.predictions) if result is not None and result.predictions else None
    if file is None or not file.is_file():
        return []
    found = {
        row.id: row
        for row in read_predictions(file)
        if not row.correct
        and expected in (None, answer_words(row.expected))
        and answered in (None, answer_words(row.parsed))
    }
    return list(found.values())


def rows_by_id(path: Path, ids: Collection[str]) -> list[Row]:
    """Rows of train and validation with these ids, as they stand in the files."""
    task = load_task(path)
    splits = (load_split(task, "train").split, load_split(task, "valid").split)
    return [row for split in splits for row in split.rows if row.id in ids]


def prediction_facts(row: Prediction) -> Facts:
    """A wrong answer with its row."""
    given = answer_words(row.parsed) if row.parsed is not None else None
    return {
        "id": row.id,
        "input": shown_fields(row.input.items()),
        "expected": visible(answer_words(row.expected), SHOWN_CHARACTERS),
        "answered": visible(given, SHOWN_CHARACTERS) if given is not None else None,
        "raw": visible(row.raw, SHOWN_CHARACTERS) if given is None else None,
    }


def row_facts(row: Row) -> Facts:
    """A row as it stands in the data."""
    answer = row.answer if row.answer is not None else row.chosen
    return {
        "id": row.id,
        "input": shown_fields(row.fields.items()),
        "expected": visible(answer_words(answer), SHOWN_CHARACTERS),
    }


def shown_fields(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields of a row with control characters shown, each cut at a few hundred characters."""
    return {visible(name, 60): visible(value, SHOWN_CHARACTERS) for name, value in fields}


def answer_words(value: Any) -> str:
    """An answer as one text: a label as it is, an object as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _no_result(version: str | None, measured: Sequence[str]) -> NotFound:
    return NotFound(
        T("There is no result on the validation split for {version}.", version=visible(version or "-", 40)),
        hint=T("Versions with one: {versions}.", versions=", ".join(dict.fromkeys(measured)) or "-"),
        page="troubleshooting/results-files",
    )
