"""What an export would write, before anything is: which folders, how large, and what stands there already.

Sizes of merged weights follow from the shape of the base model; where that is not known, so is the size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.catalogue.look_up import entry_of
from tools.exporting.export import FORMS, Form, Wish, check_export, folder_size, tokenizer_files
from tools.exporting.version import UsedVersion

_BYTES = {"bf16": 2, "fp32": 4}


@dataclass(frozen=True)
class PlannedForm:
    """One folder that would be written."""

    form: Form
    folder: Path
    size: int | None
    """Bytes, roughly; None where it cannot be told."""
    replaces: bool
    """True when an earlier export stands there."""


def plan_export(used: UsedVersion, wish: Wish) -> list[PlannedForm]:
    """The folders in the order in which they are written; raises what the export itself would refuse."""
    check_export(used, wish)
    return [
        PlannedForm(form, wish.target / form, _size(used, wish, form), (wish.target / form).exists())
        for form in FORMS
        if form in wish.forms
    ]


def _size(used: UsedVersion, wish: Wish, form: Form) -> int | None:
    weights = used.weights
    if form == "adapter" and weights is not None:
        return folder_size(weights) + sum(file.stat().st_size for file in tokenizer_files(used))
    if form == "ollama" and "gguf" in wish.forms:
        return 0  # a Modelfile that names the file beside it
    entry = entry_of(used.task.config.values.training.base_model, used.task.path)
    return None if entry is None else round(entry.shape.parameters * 1e6) * _BYTES[wish.numbers]
