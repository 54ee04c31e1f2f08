"""Freeing the space of versions that nobody will use: their weights and the checkpoints of their runs, and nothing else.

    plan_prune (what would go, what only on request, what stays and why) -> prune

Records, results, predictions, sealed files, histories and journals are never touched, so comparing still works. Which versions
were judged, and by whom, is the caller's knowledge.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.errors import Refused, write_failed
from tools.files import now
from tools.launch_training import list_runs
from tools.running.plan_runs import check_version
from tools.running.weights import read_weights
from tools.runs import RunDir
from tools.text import Speaker, T, Text, english, visible
from tools.versioning.adopt import current
from tools.versioning.overview import VersionFacts, overview
from tools.versioning.pruned import PrunedNote
from tools.versioning.records import find_version
from tools.versions import record_pruned

_HEAVY = ("checkpoints", "adapter")
"""Folders of a run directory that hold weights."""
_TRASH = ".pruned-"
_FAILED: dict[str, Text] = {
    "failed": T("its training failed"),
    "cancelled": T("its training was cancelled"),
    "unfinished": T("it was never trained to the end"),
}


@dataclass(frozen=True)
class Judged:
    """What the journal knows of the versions of a task."""

    rolled_back: frozenset[str] = frozenset()
    """Versions that were decided against."""
    decided: frozenset[str] = frozenset()
    """Versions on which anything was decided."""
    base: str = ""
    """The version that the next one would start from."""


@dataclass(frozen=True)
class Candidate:
    """A version with something heavy."""

    version: str
    why: Text
    """Why it may go, or why it stays."""
    folders: tuple[Path, ...]
    size: int
    """Bytes that only these folders hold."""


@dataclass(frozen=True)
class PrunePlan:
    """What would happen."""

    goes: list[Candidate]
    could_go: list[Candidate]
    """Neither failed nor decided against; they go when a person asks for them."""
    stays: list[Candidate]
    size: int
    """Bytes that removing `goes` frees."""


def plan_prune(
    task_path: Path, judged: Judged, *, everything: bool = False, versions: Collection[str] = ()
) -> PrunePlan:
    """What pruning would remove: versions that failed or were decided against, with `everything` all that may go.

    With `versions` exactly these; raises Refused for one that stays, NotFound for an unknown one.
    """
    for name in versions:
        find_version(task_path, name)
    goes: list[Candidate] = []
    could_go: list[Candidate] = []
    stays: list[Candidate] = []
    facts = overview(task_path).versions
    kept = _kept(task_path, judged, facts)
    for one in facts:
        folders = tuple(_heavy(task_path, one.version))
        reason = kept.get(one.version)
        if reason is not None:
            _refuse(one.version, reason, versions)
            stays.append(Candidate(one.version, reason, folders, _freed(folders)))
        elif folders:
            clear, why = _why(one, judged)
            wanted = one.version in versions if versions else clear or everything
            (goes if wanted else could_go).append(Candidate(one.version, why, folders, _freed(folders)))
    size = _freed([folder for candidate in goes for folder in candidate.folders])
    return PrunePlan(goes, could_go, stays, size)


def prune(task_path: Path, plan: PrunePlan, *, by: str, say: Speaker = english) -> int:
    """Remove what a plan says goes, each version's record first; returns the bytes freed. Raises WriteFailed."""
    for candidate in plan.goes:
        kept = read_weights(task_path, candidate.version).seeds
        note = PrunedNote(
            at=now(),
            by=by,
            freed_bytes=candidate.size,
            folders=[folder.relative_to(task_path).as_posix() for folder in candidate.folders],
            weights_sha256={seed: weights.sha256 for seed, weights in kept.items()},
        )
        record_pruned(task_path, candidate.version, note, say=say)
    for candidate in plan.goes:
        for folder in candidate.folders:
            _remove(folder)
    return plan.size


def _kept(task_path: Path, judged: Judged, facts: Sequence[VersionFacts]) -> dict[str, Text]:
    """The versions that stay, with the reason."""
    pointer = current(task_path)
    anchor = pointer.version if pointer is not None else judged.base
    parents = {one.version: one.parent for one in facts}
    kept: dict[str, Text] = {}
    for number, one in enumerate(facts):
        newer = anchor in [other.version for other in facts[:number]]
        if one.stage in ("training", "waiting"):
            kept[one.version] = T("it is being trained")
        elif one.stage == "interrupted":
            kept[one.version] = T("its training was interrupted and can go on")
        elif one.version == anchor:
            kept[one.version] = T("it is in use") if pointer is not None else T("the next version starts from it")
        elif one.version == judged.base:
            kept[one.version] = T("the next version starts from it")
        elif one.version == parents.get(anchor):
            kept[one.version] = T("{version} started from it", version=anchor)
        elif one.stage == "done" and newer and one.version not in judged.decided | judged.rolled_back:
            kept[one.version] = T("nothing was decided on it yet")
    return kept


def _why(one: VersionFacts, judged: Judged) -> tuple[bool, Text]:
    """Whether a version clearly came to nothing, and what became of it."""
    if one.stage in _FAILED:
        return True, _FAILED[one.stage]
    if one.version in judged.rolled_back:
        return True, T("it was rolled back")
    return False, T("neither in use nor what that started from")


def _refuse(version: str, reason: Text, wanted: Collection[str]) -> None:
    if version in wanted:
        raise Refused(
            T("The weights of {version} stay: {reason}.", version=visible(version), reason=reason),
            hint=T("Adopt another version first, if you do not need it any more."),
            page="methods/comparing-versions",
        )


def _heavy(task_path: Path, version: str) -> Iterator[Path]:
    """The folders of a version that hold weights, those that an interrupted pruning left behind included."""
    check_version(version)
    models = task_path / "models" / version
    places = [models / seed.folder for seed in read_weights(task_path, version).seeds.values()] or [models / "adapter"]
    runs = list_runs(task_path, version)
    places += [RunDir(run).file(name) for run in runs for name in _HEAVY]
    for place in places:
        yield from (path for path in (place, _trash(place)) if path.is_dir() and not path.is_symlink())


def _freed(folders: Iterable[Path]) -> int:
    """Bytes on disk that only these folders hold: weights are shared between a run and its version as hard links."""
    links: dict[tuple[int, int], int] = {}
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            about = path.lstat()
            if path.is_dir() and not path.is_symlink():
                continue
            key = (about.st_dev, about.st_ino)
            links[key] = links.get(key, 0) + 1
            sizes[key] = (about.st_size, about.st_nlink)
    return sum(size for key, (size, all_links) in sizes.items() if links[key] >= all_links)


def _trash(place: Path) -> Path:
    return place.with_name(_TRASH + place.name)


def _remove(folder: Path) -> None:
    """Take the folder's name away first, so that half of it never looks like weights."""
    aside = folder if folder.name.startswith(_TRASH) else _trash(folder)
    try:
        if aside != folder:
            shutil.rmtree(aside, ignore_errors=True)
            os.replace(folder, aside)
        shutil.rmtree(aside)
    except OSError as reason:
        raise write_failed(folder, reason) from reason


def judged_from(events: Iterable[Mapping[str, object]], base: str) -> Judged:
    """What a journal's events say of versions: each has `event`, `version` and, for a choice, `choice`; oldest first."""
    rolled_back: set[str] = set()
    decided: set[str] = set()
    in_use = ""
    for entry in events:
        version = str(entry.get("version") or "")
        if entry["event"] in ("adopted", "rolled_back"):
            if entry["event"] == "rolled_back" and in_use and in_use != version:
                rolled_back.add(in_use)
            in_use = version
        elif entry["event"] == "choice" and entry.get("choice") == "rollback":
            rolled_back.add(version)
        elif entry["event"] not in ("choice", "not_adopted"):
            continue
        decided.add(version)
        if entry["event"] == "adopted" or entry.get("choice") in ("adopt", "continue"):
            rolled_back.discard(version)
    return Judged(frozenset(rolled_back), frozenset(decided), base)
