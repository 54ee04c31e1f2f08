"""Single steps that a person typed: train, evaluate, oversample, adopt, roll back. Typing a command approves it.

Each takes the task's lock, says so in the journal under the session name "command", and calls the same tools as the loop.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pydantic import JsonValue, ValidationError

from agent.approval import user_name
from agent.context import Context
from agent.events import Emit, Notice, Progress
from agent.journal import Journal
from agent.proposing import baseline
from agent.proposing.now import base_version
from agent.session import task_lock
from agent.steps.compare import compared_again
from agent.steps.execute import announce, run_version
from tools.change import Change
from tools.contract import Effects, Tool, call, find_tool
from tools.edit_config import EditConfigArgs, EditConfigResult, config_after, edit_config
from tools.errors import InputError, IterateError, NotFound, RunFailed
from tools.files import now, sha256_bytes, write_atomic
from tools.launch_training import LaunchArgs, active_runs, cancel, prepare, run_all
from tools.making.first_rows import require_rows
from tools.making.first_split import FirstSplit, make_first_split, plan_first_split
from tools.preference.derived import Derived, derive_pairs, write_derived
from tools.preference.out_of_fold import collect_folds, plan_folds
from tools.preference.pairs import Pair
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import load_task
from tools.results import SplitResult
from tools.scoring.rescore import rescore
from tools.text import Speaker, T, shell_word, visible
from tools.versioning.adopt import AdoptionRecord, RolledBack, adopt, current, rollback
from tools.versioning.ledger import OpenedTest, adoption_of, open_test, shown_of
from tools.versioning.records import snapshot_text
from tools.versions import begin_version, list_versions, next_version, record_failure, record_rescored

COMMAND = "command"


def train(path: Path, version: str | None, seeds: list[int], emit: Emit, say: Speaker) -> str | None:
    """Train the configuration as it stands, as `version` or the next one; more seeds of a recorded version join it.

    Returns the version's name, None when the training was cancelled. Raises InputError when the version exists with another
    configuration, RunFailed when the training failed.
    """
    require_rows(load_task(path))
    with task_lock(path):
        text = load_task(path).config.text
        write_derived(path)
        name = version or _unfinished(path, text) or next_version(path)
        if not _is_recorded(path, name, text):
            begin_version(path, name, parent=_parent(path, name), config_text=text, say=say)
        Journal(path).note(COMMAND, "train", f"{name}:{now()}", by="person", version=name, who=user_name())
        context = Context(session=COMMAND, emit=emit, say=say)
        announce(path, name, _parent_of(path, name) or "", baseline(load_task(path)), context)
        try:
            done = run_version(LaunchArgs(task_dir=path, version=name, seeds=seeds, retry=True), context)
        except RunFailed as failed:
            record_failure(path, name, failed.message, say=say)
            raise
        if done:
            _compare_again(path, name, emit, say)
    return name if done else None


def _compare_again(path: Path, version: str, emit: Emit, say: Speaker) -> None:
    """Further seeds say more than the comparison on record; what was trained stands, whether they can be compared or not."""
    try:
        compared_again(path, version, say)
    except IterateError as error:
        emit(Notice(level="warning", message=error.message, page=error.page))


def split_rows(path: Path, *, seed: int = 0, valid_rows: int | None = None, test_rows: int | None = None) -> FirstSplit:
    """Divide the labelled rows of a task that never was divided, and write its splits; what is there already stays."""
    with task_lock(path):
        task = load_task(path)
        split = plan_first_split(task, seed=seed, valid_rows=valid_rows, test_rows=test_rows)
        files: list[JsonValue] = [*make_first_split(task, split)]
        rows: dict[str, JsonValue] = {str(name): count for name, count in split.counts.items()}
        Journal(path).note(
            COMMAND, "split", f"split:{now()}", by="person", files=files, rows=rows, seed=seed, who=user_name()
        )
    return split


def evaluate(path: Path, version: str, emit: Emit, say: Speaker) -> bool:
    """Generate and score a version's valid answers again from its stored weights; False when it was cancelled.

    Raises InputError when the configuration on disk is not the version's: prompt and decoding belong to the version.
    """
    require_version(path, version)
    with task_lock(path):
        task = load_task(path)
        if not _is_recorded(path, version, task.config.text):
            raise InputError(
                T("configs/training_config.yaml is not the configuration of {version}.", version=version),
                hint=T(
                    "Restore it first: iterate rollback {task} --to {version}",
                    task=shell_word(path.name),
                    version=version,
                ),
                page="methods/comparing-versions",
            )
        result = latest(read_results(ReadResultsArgs(task_dir=path)), version, "valid")
        seeds = [int(seed) for seed in result.seeds] if result else []
        launch = LaunchArgs(task_dir=path, version=version, seeds=seeds, train=False, weights_from=version, retry=True)
        Journal(path).note(COMMAND, "evaluate", f"{version}:{now()}", by="person", version=version, who=user_name())
        return run_version(launch, Context(session=COMMAND, emit=emit, say=say))


def make_pairs(path: Path) -> Derived:
    """Write the pairs that follow from the confusions and format faults of the version to start from.

    Raises NotFound without a validation result, InputError when it has no errors to make pairs from.
    """
    with task_lock(path):
        derived = derive_pairs(load_task(path), base_version(path, "") or None)
        if not derived.pairs:
            raise InputError(
                T("{version} made no errors on validation that pairs could be made from.", version=derived.version),
                page="methods/comparison",
            )
        write_atomic(path / derived.file, derived.content)
        Journal(path).note(COMMAND, "pairs", derived.file, by="person", pairs=len(derived.pairs), who=user_name())
    return derived


def train_folds(path: Path, folds: int, emit: Emit) -> tuple[str, list[Pair]] | None:
    """Train on parts of the training rows and write the errors on the rest as pairs; None when it was cancelled.

    Their weights are deleted afterwards: what they answered is kept in their run directories.
    """
    with task_lock(path):
        task, version = load_task(path), base_version(path, "") or "v0"
        plan = plan_folds(task, version, folds)
        Journal(path).note(COMMAND, "folds", f"{version}:{now()}", by="person", folds=folds, who=user_name())
        run_dirs = [prepare(run, path, retry=True) for run in plan.runs]
        if not run_all(run_dirs, lambda run_dir, event: emit(Progress(run_id=run_dir.name, event=event))):
            return None
        file, pairs = collect_folds(task, version, run_dirs)
        for run_dir in run_dirs:
            shutil.rmtree(run_dir / "checkpoints", ignore_errors=True)
            shutil.rmtree(run_dir / "adapter", ignore_errors=True)
        Journal(path).note(COMMAND, "pairs", file, by="person", pairs=len(pairs), who=user_name())
    return file, pairs


def score_again(path: Path, version: str) -> SplitResult:
    """Score a version's stored valid answers under the present evaluator."""
    require_version(path, version)
    with task_lock(path):
        result = rescore(load_task(path), version, _label_words(path, version))
        record_rescored(path, version, result)
        Journal(path).note(COMMAND, "rescore", f"{version}:{now()}", by="person", version=version, who=user_name())
    return result


def _label_words(path: Path, version: str) -> dict[str, str]:
    """What the version writes for labels, by its snapshot."""
    task, text = load_task(path), snapshot_text(path, version)
    config = task.config if text is None else config_after(task, text)
    return config.values.prompt.label_words


def _is_recorded(path: Path, version: str, text: str) -> bool:
    """True when the version's record was opened for exactly this configuration: more seeds of it may be trained."""
    digest = sha256_bytes(text.encode("utf-8"))
    manifests = [record.manifest for record in list_versions(path) if record.version == version]
    return any(manifest is not None and manifest.config_sha256 == digest for manifest in manifests)


def _unfinished(path: Path, text: str) -> str | None:
    """The newest version whose record was opened for exactly this configuration and that has no result yet."""
    waiting = [record.version for record in list_versions(path) if not record.has_result]
    return next((version for version in reversed(waiting) if _is_recorded(path, version, text)), None)


def _parent(path: Path, version: str) -> str | None:
    base = base_version(path, "")
    return base if base and base != version else None


def stop(path: Path) -> list[str]:
    """Cancel every training of the task that is running; returns their ids."""
    running = active_runs(path)
    for run_dir in running:
        cancel(run_dir)
    Journal(path).note(COMMAND, "stop", now(), by="person", runs=[run_dir.name for run_dir in running], who=user_name())
    return [run_dir.name for run_dir in running]


def apply_change(path: Path, change: Change) -> EditConfigResult:
    """Write a change into the configuration of the next version."""
    with task_lock(path):
        task = load_task(path)
        result = edit_config(EditConfigArgs(task_dir=path, edits=change.edits, expected_sha256=task.config.sha256))
        Journal(path).note(
            COMMAND,
            "edit",
            f"{result.sha256}:{now()}",
            by="person",
            change=change.model_dump(mode="json"),
            who=user_name(),
        )
    return result


def open_for_adoption(path: Path, version: str) -> OpenedTest:
    """Open the locked test set for a version (with the one in use beside it) and enter it in the ledger.

    An opening that a night made for this version is shown again: a second one would make every later claim harder.
    """
    require_version(path, version)
    with task_lock(path):
        before = shown_of(path, version)
        if before is not None:
            return before
        base = base_version(path, "")
        parent = _parent_of(path, version) or (base if base != version else None)
        opened = open_test(
            path,
            versions=[*([parent] if parent else []), version],
            why=adoption_of(version),
            by=user_name(),
            decision_id=f"{COMMAND}:{version}",
        )
        Journal(path).note(COMMAND, "test_opened", f"{version}:{now()}", by="person", version=version, who=user_name())
    return opened


def adopt_opened(path: Path, version: str) -> AdoptionRecord:
    """Make a version the one in use, after its test set was opened and shown."""
    with task_lock(path):
        record = adopt(path, version, by=user_name(), decision_id=f"{COMMAND}:{version}")
        Journal(path).note(COMMAND, "adopted", f"{version}:{record.at}", by="person", version=version, who=user_name())
    return record


def roll_back(path: Path, to: str | None) -> RolledBack:
    """Restore a version's configuration and point to it; the one in use before, or the parent, when `to` is left out."""
    if to is not None:
        require_version(path, to)
    with task_lock(path):
        if to is None and current(path) is None:
            to = _parent_of(path, base_version(path, ""))
        done = rollback(path, to, by=user_name(), decision_id=f"{COMMAND}:{now()}")
        Journal(path).note(
            COMMAND, "rolled_back", f"{done.restored.version}:{now()}", by="person", version=done.restored.version
        )
    return done


def call_tool(name: str, arguments: str) -> str:
    """Call one of the six tools; what writes or spends holds the task's lock and leaves a line in its journal."""
    tool = find_tool(name)
    path = None if tool.effect is Effects.read else _task_folder(tool, arguments)
    if path is None:  # it only reads, or the call itself will list what is wrong with the arguments
        return call(name, arguments)
    with task_lock(path):
        answer = call(name, arguments)
        given: JsonValue = json.loads(arguments)
        Journal(path).note(COMMAND, "tool", f"{name}:{now()}", by="person", tool=name, arguments=given, who=user_name())
    return answer


def _task_folder(tool: Tool, arguments: str) -> Path | None:
    """The existing task folder that a tool's arguments name."""
    try:
        args = tool.resolve().args.model_validate_json(arguments)
    except ValidationError:
        return None
    named = args.model_dump().get("task_dir")
    return named if isinstance(named, Path) and named.is_dir() else None


def require_version(path: Path, version: str) -> None:
    """Raise NotFound, with the versions there are, unless `version` has a result."""
    names = [record.version for record in list_versions(path) if record.has_result]
    if version not in names:
        raise NotFound(
            T("There is no trained version {version} of {task}.", version=visible(version, 40), task=path.name),
            hint=T("Versions with results: {names}.", names=", ".join(names) or "-"),
            page="methods/comparing-versions",
        )


def _parent_of(path: Path, version: str) -> str | None:
    manifests = [record.manifest for record in list_versions(path) if record.version == version]
    return next((manifest.parent for manifest in manifests if manifest is not None), None)


def parse_seeds(seeds: str | None) -> list[int]:
    """Seeds from "42,43"; raises InputError for anything that is not a list of whole numbers."""
    try:
        return [int(part) for part in seeds.split(",")] if seeds else []
    except ValueError:
        raise InputError(
            T("Seeds must be whole numbers separated by commas, not {seeds}.", seeds=visible(str(seeds), 40)),
            hint=T("Write, for example, --seeds 42,43."),
        ) from None
