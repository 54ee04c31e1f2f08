"""The locked test set: ledger, what was shown, sealed files and the version in use, against each other. Nothing is opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.auditing.keeping import Keeper
from tools.auditing.trouble import Trouble
from tools.files import sha256_bytes
from tools.running.collect import SeedOutcome
from tools.text import T, Text, visible
from tools.versioning.adopt import POINTER, AdoptionRecord, current
from tools.versioning.forecasts import FILE, forecast_versions
from tools.versioning.ledger import LEDGER, SHOWN, openings, shown_openings
from tools.versioning.records import list_versions, training_of

_PAGE = "methods/locked-test"


def locked_test(task: Path) -> Iterator[Trouble]:
    """The ledger and every sealed file."""
    names = {record.version for record in list_versions(task)}
    yield from _ledger(task, names)
    for version in sorted(names):
        for seed in training_of(task, version):
            yield from _sealed(task, seed)


def in_use(task: Path) -> Iterator[Trouble]:
    """The version in use, and forecasts, against the records."""
    names = {record.version for record in list_versions(task)}
    pointer = current(task)
    if pointer is None and (task / POINTER).exists():
        yield _pointer(task, T("It cannot be read."), T("Adopt the version again: `iterate adopt`."))
    if pointer is not None:
        yield from _pointed(task, pointer, names)
    gone = sorted(set(forecast_versions(task)) - names)
    if gone:
        yield Trouble(
            kind="forecast",
            place=task / FILE,
            what=T("Forecasts of versions that are not there: {versions}.", versions=visible(", ".join(gone), 200)),
            matters=T(
                "How good forecasts were is counted from these lines; a version without a record adds nothing to it."
            ),
            hint=T("Put the records back under iterations/ if you have them."),
        )


def _ledger(task: Path, names: set[str]) -> Iterator[Trouble]:
    opened = openings(task)
    for place, line in enumerate(opened, 1):
        gone = [version for version in line.versions if version not in names]
        if line.ordinal != place or gone:
            yield Trouble(
                kind="locked_test",
                place=task / LEDGER,
                what=T(
                    "Line {place} is opening {ordinal} of {versions}: lines or versions are missing.",
                    place=place,
                    ordinal=line.ordinal,
                    versions=visible(", ".join(line.versions), 200) or "-",
                ),
                matters=T("Each opening counts against later claims; one that is missing makes them too easy."),
                hint=T("Put the file or the records back from a copy. Until then believe no claim about the test set."),
                page=_PAGE,
            )
    shown = shown_openings(task)
    entered = {(line.decision_id, tuple(line.versions)) for line in opened}
    told = {(decision, tuple(one.versions)) for decision, one in shown}
    missing = sorted(
        {line.ordinal for line in opened if line.decision_id} - {one.ordinal for _, one in shown if one.ordinal}
    )
    if missing and entered - told:
        yield Trouble(
            kind="locked_test",
            place=task / SHOWN,
            what=T("What opening {numbers} showed is not on record.", numbers=", ".join(map(str, missing))),
            matters=T("The opening counts, and nobody can read what it said."),
            hint=T("Take the session up again, or adopt the same version again: nothing is opened a second time."),
            page=_PAGE,
        )
    if told - entered and not any(not line.decision_id for line in opened):
        yield Trouble(
            kind="locked_test",
            place=task / LEDGER,
            what=T("A result of the test set was shown that the ledger does not know."),
            matters=T("An opening that is not counted makes later claims too easy."),
            hint=T("Put the ledger back from a copy."),
            page=_PAGE,
        )


def _sealed(task: Path, seed: SeedOutcome) -> Iterator[Trouble]:
    if seed.sealed is None or seed.sealed_sha256 is None:
        return
    path = task / seed.sealed
    if path.is_file() and sha256_bytes(path.read_bytes()) == seed.sealed_sha256:
        return
    copies = (task / "runs" / seed.run_id).glob("sealed/*.sealed")
    found = next(
        (text for text in (one.read_bytes() for one in copies) if sha256_bytes(text) == seed.sealed_sha256), None
    )
    why = T("Its SHA-256 is not the one that was recorded when it was sealed.")

    def repair(keeper: Keeper) -> None:
        assert found is not None
        keeper.put_back(path, found, why)

    yield Trouble(
        kind="locked_test",
        place=path,
        what=T("Sealed test predictions were changed after they were sealed.")
        if path.exists()
        else T("Sealed test predictions are missing."),
        matters=T("Without what was sealed right after the training no claim about the test set is possible."),
        hint=T("Train the configuration again under a new version name."),
        mend=None if found is None else T("The run still has what was sealed; it is put back unread."),
        repair=None if found is None else repair,
        page=_PAGE,
    )


def _pointed(task: Path, pointer: AdoptionRecord, names: set[str]) -> Iterator[Trouble]:
    if pointer.version not in names:
        what = T("It names {version}, of which there is no record.", version=visible(pointer.version))
        yield _pointer(task, what, T("Adopt a version that is there, or roll back to one."))
    gone = [folder for folder in pointer.adapters if not (task / folder).is_dir()]
    if gone:
        what = T("Weights of the version in use are missing: {folders}.", folders=visible(", ".join(gone), 200))
        yield _pointer(task, what, T("Train the version again, or roll back to one whose weights are there."))


def _pointer(task: Path, what: Text, hint: Text) -> Trouble:
    return Trouble(
        kind="in_use",
        place=task / POINTER,
        what=what,
        matters=T("Whoever uses the adopted version reads this file."),
        hint=hint,
    )
