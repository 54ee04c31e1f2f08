"""Writing the records of versions: iterations/vN/{config_snapshot.yaml, changes.md, notes.md, manifest.json, results.json}.

    begin_version -> (training) -> record_results | record_failure -> record_choice; restore_version goes back

A record is written once: repeating a step after a crash gives the same files, another content under the same name is
refused. Notes only grow. Reading records is tools/versioning/records.py.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from tools.change import Decision, Proposal
from tools.edit_config import config_diff
from tools.errors import NotFound, Problem, Refused
from tools.files import now, sha256_bytes, write_atomic, write_model
from tools.reading.config import CONFIG_NAMES
from tools.results import SplitResult
from tools.running.collect import VersionOutcome
from tools.running.plan_runs import check_version
from tools.text import Speaker, T, Text, Words, english, visible
from tools.versioning.changes import changes_in_words
from tools.versioning.notes import (
    change_list,
    choice_section,
    failure_section,
    notes,
    pruned_section,
    reasons,
    result_section,
)
from tools.versioning.pruned import NOTE, PrunedNote
from tools.versioning.records import (
    SNAPSHOT,
    Manifest,
    VersionRecord,
    data_hashes,
    drift,
    find_version,
    list_versions,
    next_version,
    program_version,
    read_manifest,
    snapshot_text,
    training_of,
)

__all__ = [
    "Manifest",
    "Restored",
    "VersionRecord",
    "begin_version",
    "find_version",
    "list_versions",
    "next_version",
    "record_choice",
    "record_failure",
    "record_pruned",
    "record_rescored",
    "record_results",
    "restore_version",
]

HAND_EDITS = "iterations/hand_edits"
_PAGE = "methods/comparing-versions"


class Restored(BaseModel):
    """What going back to a version did."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    changed: bool
    """False when the configuration was that version's already."""
    saved: str | None
    """Where hand edits were kept that were in no version, relative to the task folder."""
    problems: list[Problem] = []
    """Data or records that are no longer what they were for that version."""


def begin_version(  # noqa: PLR0913 - a record has this many parts, all named at the call
    task_path: Path,
    version: str,
    *,
    parent: str | None,
    config_text: str,
    proposal: Proposal | None = None,
    decision: Decision | None = None,
    say: Speaker = english,
) -> VersionRecord:
    """Open the record of a version, manifest last; doing it twice with the same content is doing it once.

    Raises Refused, with nothing written, when the record exists with another content.
    """
    check_version(version)
    folder = task_path / "iterations" / version
    before = snapshot_text(task_path, parent)
    changes = [change.summary for change in proposal.changes] if proposal is not None else []
    if proposal is None and before is not None:
        changes = changes_in_words(before, config_text)
    manifest = Manifest(
        version=version,
        parent=parent,
        created_at=now(),
        program=program_version(),
        config_sha256=sha256_bytes(config_text.encode("utf-8")),
        data=data_hashes(task_path, config_text),
        proposal_id=proposal.id if proposal is not None else None,
        goal=proposal.goal if proposal is not None else None,
        changes=changes,
    )
    files = {SNAPSHOT: config_text}
    if parent is not None:
        diff = proposal.diff if before is None and proposal is not None else config_diff(before or "", config_text)
        files["changes.md"] = change_list((parent, version), changes, reasons(proposal, decision), diff, say)
    files["notes.md"] = notes(version, proposal, decision, say)
    _write_record(folder, files, manifest)
    return find_version(task_path, version)


def _write_record(folder: Path, files: dict[str, str], manifest: Manifest) -> None:
    """Write the parts of a record that are missing; raise Refused when one exists with another content."""
    known = read_manifest(folder)
    if known is not None:
        undated = {"created_at": manifest.created_at, "program": manifest.program}
        if known.model_copy(update=undated) != manifest:
            raise _taken(folder, "manifest.json")
        return
    for name, text in files.items():
        path = folder / name
        if path.exists() and path.read_bytes() != text.encode("utf-8"):
            raise _taken(folder, name)
    for name, text in files.items():
        write_atomic(folder / name, text)
    write_model(folder / "manifest.json", manifest)


def _taken(folder: Path, name: str) -> Refused:
    return Refused(
        T("iterations/{version}/{name} exists and holds something else.", version=visible(folder.name), name=name),
        hint=T("A version never changes: use another name, or move iterations/{v} away.", v=visible(folder.name)),
        page=_PAGE,
    )


def record_results(task_path: Path, version: str, outcome: VersionOutcome, *, say: Speaker = english) -> None:
    """Write results.json (the valid result and how it was trained) and add the scores to the notes."""
    folder = task_path / "iterations" / version
    seeds = {seed.seed: seed for seed in [*training_of(task_path, version), *outcome.seeds]}
    content: dict[str, JsonValue] = {
        **outcome.result.model_dump(mode="json"),
        "training": [seeds[number].model_dump(mode="json") for number in sorted(seeds)],
        # Not a key that begins with "test_": readers take such a file for test results and leave it closed.
        "locked": {"evaluator_hash": outcome.test_evaluator_hash},
    }
    text = TypeAdapter(dict[str, JsonValue]).dump_json(content, indent=2).decode("utf-8") + "\n"
    write_atomic(folder / "results.json", text)
    _add_note(folder, result_section(outcome.result, list(seeds.values()), say))


def record_rescored(task_path: Path, version: str, result: SplitResult) -> None:
    """Bring results.json up to a result that was scored again; how the version was trained stays as recorded."""
    path = task_path / "iterations" / version / "results.json"
    if not path.is_file():
        return
    anything = TypeAdapter(dict[str, JsonValue])
    content = {**anything.validate_json(path.read_bytes()), **result.model_dump(mode="json")}
    write_atomic(path, anything.dump_json(content, indent=2).decode("utf-8") + "\n")


def record_failure(task_path: Path, version: str, reason: Text, *, say: Speaker = english) -> None:
    """Add to the notes why a training ended without a result."""
    _add_note(task_path / "iterations" / version, failure_section(reason, say))


def record_choice(
    task_path: Path, version: str, choice: str, *, by: str, reason: Words = "", say: Speaker = english
) -> None:
    """Add to the notes what was decided about a compared version (adopt, continue, rollback), and by whom."""
    _add_note(task_path / "iterations" / version, choice_section(choice, by, reason, say))


def record_pruned(task_path: Path, version: str, note: PrunedNote, *, say: Speaker = english) -> None:
    """Write pruned.json and add to the notes that the weights of a version were removed, by whom and how much it freed."""
    folder = task_path / "iterations" / version
    write_model(folder / NOTE, note)
    _add_note(folder, pruned_section(note.at, note.by, note.freed_bytes, say))


def _add_note(folder: Path, section: str) -> None:
    """Append a section to notes.md unless it stands there already."""
    path = folder / "notes.md"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else f"# {folder.name}\n"
    if section not in text:
        write_atomic(path, text.rstrip("\n") + "\n\n" + section)


def restore_version(task_path: Path, version: str) -> Restored:
    """Put the configuration of a version back; data files are never touched.

    A configuration that is in no record is first kept under iterations/hand_edits/. Raises NotFound for a version without a
    snapshot.
    """
    record = find_version(task_path, version)
    if record.snapshot is None:
        raise NotFound(
            T(
                "{version} has no {snapshot}, so there is nothing to restore.",
                version=visible(version),
                snapshot=SNAPSHOT,
            ),
            hint=T("Versions with one: {versions}.", versions=", ".join(_with_snapshot(task_path)) or "-"),
            page=_PAGE,
        )
    wanted = record.snapshot.read_bytes()
    path = next(
        (task_path / name for name in CONFIG_NAMES if (task_path / name).is_file()), task_path / CONFIG_NAMES[0]
    )
    present = path.read_bytes() if path.is_file() else None
    saved = None
    if present is not None and present != wanted:
        saved = _keep_hand_edits(task_path, present)
    if present != wanted:
        write_atomic(path, wanted)
    return Restored(version=version, changed=present != wanted, saved=saved, problems=drift(task_path, version))


def _with_snapshot(task_path: Path) -> list[str]:
    return [record.version for record in list_versions(task_path) if record.snapshot]


def _keep_hand_edits(task_path: Path, content: bytes) -> str | None:
    """Copy a configuration that is in no record to iterations/hand_edits/; returns where, None when it is in one."""
    known = [record.snapshot for record in list_versions(task_path) if record.snapshot]
    known += sorted((task_path / HAND_EDITS).glob("*.yaml"))
    if any(path.read_bytes() == content for path in known):
        return None
    # The hash keeps two edits of one second apart.
    name = f"{now().replace(':', '').replace('+0000', 'Z')}-{sha256_bytes(content)[:6]}.yaml"
    write_atomic(task_path / HAND_EDITS / name, content)
    return f"{HAND_EDITS}/{name}"
