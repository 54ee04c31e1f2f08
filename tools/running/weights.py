"""Which weights a version has: models/vN/weights.json, and the folders beside it. One adapter folder per seed.

Weights are kept once and never replaced: a version that has weights of another run is refused, not overwritten.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import NotFound, Refused
from tools.files import link_tree, write_model
from tools.text import T, visible

_RECORD = "weights.json"


class SeedWeights(BaseModel):
    """The weights of one seed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str
    """Relative to models/vN."""
    sha256: str
    """Over the weight files, as the run's result says."""
    run_id: str


class Weights(BaseModel):
    """models/vN/weights.json: seed to its weights; the first seed that was kept has the folder `adapter`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seeds: dict[str, SeedWeights] = {}


def read_weights(task_dir: Path, version: str) -> Weights:
    """The record of a version's weights, empty when it has none that this program made."""
    try:
        return Weights.model_validate_json(_record(task_dir, version).read_bytes())
    except (FileNotFoundError, ValidationError):
        return Weights()


def weights_folder(task_dir: Path, version: str, seed: int) -> Path:
    """The weights of a version and seed; a version without a record (another program's) has one folder for all seeds.

    Raises NotFound when they are not there (any more).
    """
    models = task_dir / "models" / version
    kept = read_weights(task_dir, version).seeds
    known = kept.get(str(seed))
    folder = models / (known.folder if known is not None else "adapter")
    if (known is None and kept) or not folder.is_dir():
        raise NotFound(
            T("There are no weights of {version} for seed {seed}.", version=visible(version), seed=seed),
            hint=T("Seeds with weights: {seeds}.", seeds=", ".join(kept) or "-"),
            page="troubleshooting/results-files",
        )
    return folder


def start_folder(task_dir: Path, version: str, seed: int) -> Path:
    """The weights of a version that a training of that seed begins with: its own seed's where kept, else those of its first.

    Raises NotFound when there are none.
    """
    kept = read_weights(task_dir, version).seeds
    return weights_folder(task_dir, version, seed if str(seed) in kept or not kept else int(next(iter(kept))))


def has_weights(task_dir: Path, version: str) -> bool:
    """True when weights of at least one seed are kept for a version."""
    models = task_dir / "models" / version
    folders = [seed.folder for seed in read_weights(task_dir, version).seeds.values()] or ["adapter"]
    return any((models / folder).is_dir() for folder in folders)


def owns(task_dir: Path, version: str, folder: str | None) -> bool:
    """True when a folder of weights is already the version's own: evaluating it again keeps nothing new."""
    return folder is not None and Path(folder).resolve().is_relative_to((task_dir / "models" / version).resolve())


def check_free(task_dir: Path, version: str, seed: int, run_ids: set[str]) -> None:
    """Raise Refused when a version already has weights of that seed from a run that is not among `run_ids`."""
    record = read_weights(task_dir, version)
    known = record.seeds.get(str(seed))
    foreign = known is None and not record.seeds and (task_dir / "models" / version / "adapter").exists()
    if foreign or (known is not None and known.run_id not in run_ids):
        raise _taken(version, seed)


def keep_weights(task_dir: Path, version: str, seed: int, source: Path, weights: tuple[str, str]) -> Path:
    """Put the weights of a run under models/vN; `weights` is (run id, SHA-256). Doing it twice is doing it once.

    Raises Refused when the version has other weights of that seed, WriteFailed.
    """
    run_id, sha256 = weights
    record = read_weights(task_dir, version)
    known = record.seeds.get(str(seed))
    if known is not None and known.sha256 != sha256:
        raise _taken(version, seed)
    folder = known.folder if known is not None else f"adapter_seed{seed}" if record.seeds else "adapter"
    target = task_dir / "models" / version / folder
    if known is None:
        # The record comes first: a folder without its line would look like somebody else's weights after a crash.
        entry = SeedWeights(folder=folder, sha256=sha256, run_id=run_id)
        if target.exists():
            raise _taken(version, seed)
        write_model(_record(task_dir, version), Weights(seeds={**record.seeds, str(seed): entry}))
    if not target.exists():
        link_tree(source, target)
    return target


def _record(task_dir: Path, version: str) -> Path:
    return task_dir / "models" / version / _RECORD


def _taken(version: str, seed: int) -> Refused:
    return Refused(
        T("{version} already has other weights for seed {seed}.", version=visible(version), seed=seed),
        hint=T(
            "A version never changes: train under a new version name, or move models/{version} away.",
            version=visible(version),
        ),
        page="troubleshooting/results-files",
    )
