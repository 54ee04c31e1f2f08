"""A version in the forms that others use: adapter folder, merged model, GGUF, Ollama Modelfile; each with what belongs to it.

Each form is a folder of its own under the target, written beside it and put in its place in one step. An earlier export is
replaced, anything else refused. Nothing is sent anywhere (tools/exporting/hub.py).
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tools.catalogue.look_up import prepared_folder
from tools.errors import Refused
from tools.exporting.card import Facts, card, hub_name, question
from tools.exporting.gguf import convert, find_converter, missing_converter
from tools.exporting.modelfile import modelfile
from tools.exporting.process import errand_files, run_errand
from tools.exporting.version import UsedVersion
from tools.files import now, write_atomic
from tools.text import Speaker, T, Text, visible
from tools.training.errands import Asked, ExportDone, ExportErrand, GgufErrand, PhaseSaid

Form = Literal["adapter", "merged", "gguf", "ollama"]
FORMS: tuple[Form, ...] = ("adapter", "merged", "gguf", "ollama")
MARK = "iterate_export.json"
"""In every exported folder: which version it is, and that it may be replaced."""
CHECKED_ROWS = 64
"""Validation rows that the adapter and what was written both answer."""
_TOKENIZER = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model")
Tell = Callable[[PhaseSaid], None]


@dataclass(frozen=True)
class Exported:
    """One form as it was written."""

    form: Form
    folder: Path
    size: int
    """Bytes."""
    seconds: float
    notes: list[Text] = field(default_factory=list)


@dataclass(frozen=True)
class Wish:
    """What to export, and where to."""

    target: Path
    forms: tuple[Form, ...]
    numbers: Literal["fp32", "bf16"] = "bf16"
    """Of the merged weights."""
    converter: Path | None = None
    stop: threading.Event | None = None
    """Ends the process that is at work once it is set; nothing half written stays."""


@dataclass
class _Work:
    """An export under way."""

    used: UsedVersion
    wish: Wish
    say: Speaker
    tell: Tell
    asked: Asked
    notes: list[Text]
    """About the merged weights."""
    outputs: list[str]
    """What the adapter answered to the rows of the check."""

    def place(self, form: Form) -> Path:
        """The folder of a form."""
        return self.wish.target / form

    @property
    def name(self) -> str:
        """Of single files."""
        return f"{self.used.task.name}-{self.used.version}"


def export(used: UsedVersion, wish: Wish, tell: Tell, say: Speaker) -> list[Exported]:
    """Write the forms wished for, in the order adapter, merged, GGUF, Ollama.

    Raises Refused for a version without weights of its own and for folders that hold something else, MissingPart for GGUF
    without a converter.
    """
    check_export(used, wish)
    wish.target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".iterate-export-", dir=wish.target) as scratch:
        start = time.monotonic()
        merged = Path(scratch) / "merged" if set(wish.forms) - {"adapter"} else None
        done = _errand(used, wish, merged, tell)
        assert done.asked is not None
        stored = T("The weights are stored in {numbers}; they were added up in fp32.", numbers=wish.numbers)
        work = _Work(used, wish, say, tell, done.asked, [stored, *_agreement(done)], done.outputs)
        spent = time.monotonic() - start
        written: list[Exported] = []
        for form in (form for form in FORMS if form in wish.forms):
            start = time.monotonic()
            notes = _WRITERS[form](work, Path(scratch), merged)
            seconds = time.monotonic() - start + (spent if form == "merged" else 0)
            written.append(Exported(form, work.place(form), folder_size(work.place(form)), round(seconds, 1), notes))
    return written


def check_export(used: UsedVersion, wish: Wish) -> None:
    """Everything that can be known to go wrong, before a model is loaded."""
    if used.weights is None:
        raise Refused(
            T("{version} is the base model as it is: there is nothing trained to export.", version=used.version),
            page="troubleshooting/results-files",
        )
    if "adapter" in wish.forms and used.task.config.values.lora is None:
        raise Refused(
            T("{version} trained all weights, so it has no adapter.", version=used.version),
            hint=T("Export it with --form merged."),
            page="methods/lora",
        )
    if "gguf" in wish.forms and find_converter(wish.converter) is None:
        raise missing_converter(wish.converter)
    for form in wish.forms:
        folder = wish.target / form
        if folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
            raise Refused(
                T("{folder} holds something that is no export of this program.", folder=visible(str(folder), 200)),
                hint=T("Choose another folder with --to."),
            )


def _errand(used: UsedVersion, wish: Wish, merged: Path | None, tell: Tell) -> ExportDone:
    rows = used.labelled("valid", CHECKED_ROWS) if merged is not None else []
    with errand_files(used, rows) as files:
        more = {"target": merged, "turns": used.turns_before(), "store": wish.numbers}
        return _done(ExportErrand.model_validate({**files, **more}), tell, wish.stop)


def _done(errand: ExportErrand | GgufErrand, tell: Tell, stop: threading.Event | None) -> ExportDone:
    for event in run_errand(errand, stop):
        if isinstance(event, ExportDone):
            done = event
        elif isinstance(event, PhaseSaid):
            tell(event)
    return done


def _agreement(done: ExportDone) -> list[Text]:
    """How many answers stayed the same, where that was looked at."""
    if not done.checked:
        return [T("Its answers were not checked.")]
    return [
        T(
            "Read back, it gave the same answer as the adapter to {agreed} of {checked} validation rows.",
            agreed=done.agreed,
            checked=done.checked,
        )
    ]


def _adapter(work: _Work, scratch: Path, _merged: Path | None) -> list[Text]:
    """The trained adapter with tokenizer and card; it names its base model as others find it."""
    weights = work.used.weights
    assert weights is not None
    folder = scratch / "adapter"
    shutil.copytree(weights, folder)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = hub_name(work.used)
    write_atomic(folder / "adapter_config.json", json.dumps(config, ensure_ascii=False, indent=2) + "\n")
    for file in tokenizer_files(work.used):
        shutil.copy2(file, folder / file.name)
    write_atomic(folder / "README.md", card(Facts(work.used, work.asked, []), "adapter", work.say))
    _put(work, folder, "adapter")
    return []


def _write_merged(work: _Work, scratch: Path, merged: Path | None) -> list[Text]:
    assert merged is not None
    folder = scratch / "with card"
    shutil.copytree(merged, folder, copy_function=_link)
    write_atomic(folder / "README.md", card(Facts(work.used, work.asked, work.notes), "merged", work.say))
    _put(work, folder, "merged")
    return work.notes


def _gguf(work: _Work, scratch: Path, merged: Path | None) -> list[Text]:
    converter = find_converter(work.wish.converter)
    assert merged is not None
    assert converter is not None
    folder = scratch / "gguf"
    file = folder / f"{work.name}.gguf"
    convert(converter, merged, file, "f32" if work.wish.numbers == "fp32" else "bf16", work.wish.stop)
    done = finished(work.used, file, work.outputs, work.tell, work.wish.stop)
    _put(work, folder, "gguf")
    return [T("Converted by {name}.", name=visible(converter.name)), *_agreement(done)]


def finished(
    used: UsedVersion, file: Path, outputs: list[str], tell: Tell, stop: threading.Event | None = None
) -> ExportDone:
    """Have a converted file made whole and read back; raises InputError for one that reads text differently."""
    with errand_files(used, used.labelled("valid", CHECKED_ROWS)) as files:
        return _done(GgufErrand.model_validate({**files, "file": file, "expected": outputs}), tell, stop)


def _ollama(work: _Work, scratch: Path, merged: Path | None) -> list[Text]:
    """A Modelfile on the GGUF of this export, else on merged weights beside it."""
    folder = scratch / "ollama"
    folder.mkdir()
    file = work.place("gguf") / f"{work.name}.gguf"
    if file.is_file():
        source, note = f"../gguf/{file.name}", T("It uses the GGUF file beside it.")
    else:
        assert merged is not None
        shutil.copytree(merged, folder / "weights", copy_function=_link)
        source, note = "./weights", T("Without a GGUF file it uses merged weights, which Ollama converts itself.")
    text = modelfile(source, work.asked, question(work.used), f"{work.name}")
    write_atomic(folder / "Modelfile", text)
    _put(work, folder, "ollama")
    return [note, T("Load it with: ollama create {name} -f Modelfile", name=work.name)]


_WRITERS: dict[Form, Callable[[_Work, Path, Path | None], list[Text]]] = {
    "adapter": _adapter,
    "merged": _write_merged,
    "gguf": _gguf,
    "ollama": _ollama,
}


def _put(work: _Work, folder: Path, form: Form) -> None:
    """Move a finished folder to its place, instead of an earlier export, readable for those it is given to."""
    _mark(work, folder, form)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(work.place(form), ignore_errors=True)
    folder.replace(work.place(form))


def _mark(work: _Work, folder: Path, form: Form) -> None:
    """Say in the folder what it is, before it has its name: without this it would look like somebody else's."""
    said = {
        "task": work.used.task.name,
        "version": work.used.version,
        "seed": work.used.seed,
        "form": form,
        "at": now(),
    }
    write_atomic(folder / MARK, json.dumps(said, ensure_ascii=False, indent=2) + "\n")


def tokenizer_files(used: UsedVersion) -> Iterator[Path]:
    """The files of the base model's tokenizer, where the base model is on this machine."""
    base = prepared_folder(used.task.config.values.training.base_model, used.task.path)
    if base is not None:
        yield from (file for pattern in _TOKENIZER for file in base.glob(pattern))


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _link(source: str, target: str) -> None:
    """Share the bytes between forms where the disk allows it; none of them is written in place."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
