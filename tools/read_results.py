"""Reading what is known about a task's versions: evaluation results in every common shape, and loss histories.

Results of the test split, and of files that do not say their split, stay closed: only their paths are listed. Nothing
is written. Writing results is tools/scoring/stored_results.py; opening the test split is tools/versioning/ledger.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.editing.text_lines import cannot_read, read_text
from tools.editing.yaml_file import read_yaml
from tools.errors import InputError, Problem
from tools.outcomes.foreign_results import understand
from tools.outcomes.history import read_history_lines, trainer_history
from tools.outcomes.predictions import predictions_beside, read_predictions
from tools.outcomes.result_origins import (
    answered_splits,
    split_of_content,
    split_of_name,
    strictest,
    version_number,
    version_of,
)
from tools.reading.task import inside
from tools.results import History, ResultFiles, SplitKnown, SplitResult
from tools.text import T, Text, visible

__all__ = ["ReadResultsArgs", "ReadResultsResult", "latest", "read_predictions", "read_results"]

_PAGE = "troubleshooting/results-files"
_MAX_BYTES = 64_000_000
_MAX_FILES = 2000
_PLACES = ("models/", "models/*/", "models/*/*/", "")
_PATTERNS = (
    "benchmarks/results/**/*.json",
    "iterations/*/*.json",
    *(f"{place}{name}.json" for place in _PLACES for name in ("all_results", "trainer_state")),
)
_NOT_RESULTS = frozenset({"manifest.json", "config_snapshot.json", "decision.json", "status.json", "current.json"})
_SPLITS = ("train", "valid", "validation", "val", "dev", "test")


class ReadResultsArgs(BaseModel):
    """Which task's results to read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_dir: Path


class ReadResultsResult(ResultFiles):
    """All results and histories that could be understood, oldest version first, and what could not."""

    problems: list[Problem] = Field(default_factory=list)


def read_results(args: ReadResultsArgs, *, opened: bool = False) -> ReadResultsResult:
    """Read every result file of a task; raises nothing for what the files hold.

    `opened` also reads files of the test split and of unknown splits. It is no field of the arguments, so that nobody can
    ask for it through the tool: only code that has recorded an opening of the test split passes it.
    """
    reading = _Reading(args.task_dir, opened)
    for path in _files(args.task_dir):
        reading.file(path)
    for path in sorted(args.task_dir.glob("iterations/*/history.jsonl")):
        reading.history(path)
    return reading.result()


def latest(files: ResultFiles, version: str | None = None, split: SplitKnown = "valid") -> SplitResult | None:
    """The result of a version (the newest one by default) on a split; None when there is none."""
    found = [one for one in files.results if one.split == split and version in (None, one.version)]
    return max(found, key=lambda one: version_number(one.version), default=None)


class _Reading:
    """One pass over the files of a task."""

    def __init__(self, task_dir: Path, opened: bool) -> None:
        self.task_dir = task_dir
        self.opened = opened
        self.answered = _answers(task_dir)
        self.results: dict[tuple[str, SplitKnown], SplitResult] = {}
        self.histories: dict[str, History] = {}
        self.cut: dict[str, int] = {}
        self.locked: list[str] = []
        self.problems: list[Problem] = []

    def file(self, path: Path) -> None:
        """Read one JSON file, unless its name already says that it must stay closed."""
        relative = path.relative_to(self.task_dir).as_posix()
        if inside(self.task_dir, relative) is None:
            self._unreadable(relative, T("it is a link that leads out of the task folder"))
            return
        named = split_of_name(relative.removeprefix("benchmarks/"))
        if named == "test" and not self.opened:
            self.locked.append(relative)
            return
        data = self._load(path, relative)
        if data is not None:
            self._object(relative, data, named)

    def history(self, path: Path) -> None:
        """Read the history of a version that this program trained; it goes before what other tools logged."""
        relative = path.relative_to(self.task_dir).as_posix()
        try:
            history, bad = read_history_lines(read_text(path)[0], relative)
        except InputError as error:
            self._broken(relative, error.message)
            return
        if bad:
            self._unreadable(relative, T("{count} of its lines are no history", count=len(bad)), bad[0])
        self.histories[path.parent.name] = history

    def result(self) -> ReadResultsResult:
        """Everything read, versions in order."""
        ordered = sorted(self.results.values(), key=lambda one: (version_number(one.version), one.split))
        histories = {
            version: history.model_copy(update={"train_tokens_cut": self.cut.get(version, 0)})
            for version, history in self.histories.items()
        }
        return ReadResultsResult(
            results=ordered, histories=histories, locked=sorted(set(self.locked)), problems=self.problems
        )

    def _load(self, path: Path, relative: str) -> dict[str, Any] | None:
        try:
            if path.stat().st_size > _MAX_BYTES:
                self._unreadable(relative, T("it is larger than {limit} bytes", limit=_MAX_BYTES))
                return None
            data = json.loads(read_text(path)[0].removeprefix("\ufeff"))
        except json.JSONDecodeError as reason:
            self._unreadable(relative, T("it is not JSON: {reason}", reason=reason.msg), reason.lineno)
        except (ValueError, RecursionError):
            self._unreadable(relative, T("it is nested too deeply or holds a number that is too long"))
        except (InputError, OSError) as error:
            message = error.message if isinstance(error, InputError) else cannot_read(path, error).message
            self._broken(relative, message)
        else:
            if isinstance(data, dict):
                return data
            self._unreadable(relative, T("it is no JSON object"))
        return None

    def _object(self, relative: str, data: dict[str, Any], named: SplitKnown) -> None:
        """A result, a history, or an object that holds one result per split."""
        version = version_of(relative, data)
        self._training(version, data)
        if "log_history" in data:
            self._trainer_state(relative, data, version)
            return
        parts = {key: part for key, part in data.items() if key.lower() in _SPLITS and isinstance(part, dict)}
        if not parts:
            self._scores(relative, data, strictest(named, split_of_content(data), self._answer(relative)), version)
        for key, part in parts.items():
            self._scores(relative, part, strictest(split_of_name(key), split_of_content(part), "unknown"), version)

    def _scores(self, relative: str, data: dict[str, Any], split: SplitKnown, version: str | None) -> None:
        if split in ("test", "unknown") and not self.opened:
            self.locked.append(relative)
            if split == "unknown":
                self._unknown_split(relative)
            return
        found = own(data, split, relative) or self._foreign(relative, data, split, version)
        if found is None:
            return
        if found.predictions is not None and inside(self.task_dir, found.predictions) is None:
            self._unreadable(relative, T("the predictions file it names lies outside the task folder"))
            found = found.model_copy(update={"predictions": None})
        self._keep(found)

    def _foreign(
        self, relative: str, data: dict[str, Any], split: SplitKnown, version: str | None
    ) -> SplitResult | None:
        understood = understand(data, self.task_dir.resolve().name)
        if isinstance(understood, Text):
            self._unreadable(relative, understood)
            return None
        if version is None:
            self._note(relative, T("{file} does not say its version; it was taken for v1.", file=visible(relative)))
        return SplitResult(
            version=version or "v1",
            split=split,
            metrics=understood.metrics,
            per_class=understood.per_class,
            confusion=understood.confusion,
            rows=understood.rows,
            predictions=predictions_beside(self.task_dir, relative),
            source=understood.source,
            file=relative,
        )

    def _keep(self, found: SplitResult) -> None:
        """Keep one result per version and split: this program's own before others, the evaluation folder before records."""
        key = (found.version, found.split)
        before = self.results.get(key)
        if before is None:
            self.results[key] = found
            return
        kept, left = (before, found) if _rank(before) <= _rank(found) else (found, before)
        self.results[key] = kept
        if kept.metrics != left.metrics:
            message = T("{left} and {kept} both hold {version} on {split}; {kept} counts.", **_pair(kept, left))
            self._note(left.file or "", message)

    def _trainer_state(self, relative: str, data: dict[str, Any], version: str | None) -> None:
        history = trainer_history(data, relative)
        if history is None:
            self._unreadable(relative, T("its log_history holds no loss"))
        elif (before := self.histories.get(version or "v1")) is None or len(before.points) <= len(history.points):
            self.histories[version or "v1"] = history

    def _training(self, version: str | None, data: Mapping[str, Any]) -> None:
        """The number of training rows that were cut, from the training summary in a version's record."""
        summary = data.get("training")
        parts = summary if isinstance(summary, list) else [summary]
        counts = [part.get("rows_truncated") for part in parts if isinstance(part, dict)]
        whole = [count for count in counts if isinstance(count, int) and not isinstance(count, bool)]
        if version is not None and whole:
            self.cut[version] = max(whole)

    def _answer(self, relative: str) -> SplitKnown:
        name = relative.removeprefix("benchmarks/results/")
        return self.answered.get(name, self.answered.get(relative, "unknown"))

    def _unknown_split(self, relative: str) -> None:
        name = Path(relative).name
        self._note(
            relative,
            T(
                "{file} does not say its split, so it is treated like test results and was not opened.",
                file=visible(relative),
            ),
            hint=T(
                "If it is of validation, write into configs/benchmark_config.yaml: results: {entry}",
                entry=visible(json.dumps({name: "valid"}, ensure_ascii=False)),
            ),
            about={"what": "unknown_split"},
        )

    def _broken(self, relative: str, sentence: Text) -> None:
        """Note what an error says by itself."""
        hint = T("Mend or remove it; everything else was read.")
        self._note(relative, sentence, hint=hint, kind="unreadable_file")

    def _unreadable(self, relative: str, reason: Text, line: int | None = None) -> None:
        self._note(
            relative,
            T("{file} could not be used: {reason}.", file=visible(relative), reason=reason),
            line=line,
            hint=T("Mend or remove it; everything else was read."),
            kind="unreadable_file",
        )

    def _note(self, relative: str, message: Text, **more: Any) -> None:
        self.problems.append(Problem(message=message, path=relative, page=_PAGE, **more))


def own(data: Mapping[str, Any], split: SplitKnown, file: str) -> SplitResult | None:
    """The result that this program wrote; None for anything else."""
    if data.get("source") != "iterate" or "evaluator_hash" not in data:
        return None
    fields = {key: value for key, value in data.items() if key in SplitResult.model_fields}
    try:
        return SplitResult.model_validate(fields | {"split": split, "file": file})
    except ValidationError:
        return None


def _rank(result: SplitResult) -> tuple[bool, bool, str]:
    """Lower goes first."""
    file = result.file or ""
    return (result.source != "iterate", not file.startswith("benchmarks/"), file)


def _pair(kept: SplitResult, left: SplitResult) -> dict[str, str]:
    return {
        "kept": visible(kept.file or "-"),
        "left": visible(left.file or "-"),
        "version": kept.version,
        "split": kept.split,
    }


def _files(task_dir: Path) -> Iterator[Path]:
    seen: set[Path] = set()
    for pattern in _PATTERNS:
        for path in sorted(task_dir.glob(pattern)):
            if path not in seen and path.is_file() and path.name not in _NOT_RESULTS and len(seen) < _MAX_FILES:
                seen.add(path)
                yield path


def _answers(task_dir: Path) -> dict[str, SplitKnown]:
    path = task_dir / "configs" / "benchmark_config.yaml"
    if not path.is_file():
        return {}
    try:
        return answered_splits(read_yaml(path, "configs/benchmark_config.yaml").data)
    except InputError:
        return {}
