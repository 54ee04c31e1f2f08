"""What fits and what does not before anything is spent on another base model. Free of torch; only `reach` uses a network."""

from __future__ import annotations

import importlib.util
import json
import struct
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.version import Version
from pydantic import BaseModel, ConfigDict

from tools.catalogue.entries import ATTENTION, Entry
from tools.catalogue.look_up import entry_of, prepared_folder
from tools.catalogue.memory import answering_gb, training_gb
from tools.config import Lora, TrainingConfig
from tools.launchers import launcher_for
from tools.text import T, Text, visible
from tools.training.base_models import BaseModelInfo, missing_model, resolve_base_model

_HEADER_BYTES = 100_000_000
"""The longest list of weights that safetensors allows."""


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ok: bool | None
    """None when it could not be known, or is only worth knowing."""
    message: Text
    hint: Text | None = None


def check_model(name: str, config: TrainingConfig, folder: Path | None = None) -> list[Check]:
    """Everything that can be known here about training `config` with the base model `name`, without a network.

    Raises InputError for a name that means nothing.
    """
    info = resolve_base_model(name, folder)
    entry = entry_of(name, folder)
    found = [_presence(info, entry), _terms(info, entry)]
    if entry is None:
        unknown = T(
            "Size, context and layers of {name} are not known here before it is fetched.", name=visible(name, 80)
        )
        return [*found, Check(ok=None, message=unknown)]
    path = prepared_folder(name, folder)
    return [
        *found,
        _libraries(entry),
        _template(entry),
        _targets(entry, config.lora, path),
        _context(entry, config.training.max_length),
        *([_memory(entry, config.lora)] if config.lora is not None else []),
    ]


def reach(name: str) -> Check:
    """Whether the hub would give a model to this machine's account; asks the network for a few seconds."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        HfApi().auth_check(name)
    except GatedRepoError:
        return Check(
            ok=False,
            message=T("The hub gives {name} only to accounts that accepted its terms.", name=visible(name, 80)),
            hint=T("Accept them on https://huggingface.co/{name}, then run: hf auth login", name=visible(name, 80)),
        )
    except RepositoryNotFoundError:
        return Check(ok=False, message=T("The hub has no public model {name}.", name=visible(name, 80)))
    except Exception:  # the hub client raises many kinds; all mean that nobody answered
        return Check(
            ok=False,
            message=T("The hub could not be reached, so {name} cannot be fetched now.", name=visible(name, 80)),
            hint=T("Check the network, or choose an embedded model or a local folder."),
        )
    return Check(ok=True, message=T("The hub would give {name} to this machine.", name=visible(name, 80)))


def _presence(info: BaseModelInfo, entry: Entry | None) -> Check:
    if info.installed:
        return Check(ok=True, message=T("{name} is on this machine.", name=visible(info.name, 80)))
    if info.kind != "hub":
        missing = missing_model(info)
        return Check(ok=False, message=missing.message, hint=missing.hint)
    if entry is None:
        return Check(ok=None, message=T("{name} would be fetched from the hub.", name=visible(info.name, 80)))
    size = entry.shape.parameters * 2 / 1e3
    return Check(
        ok=None,
        message=T("{name} would be fetched from the hub: about {size:.1f} GB.", name=info.name, size=size),
    )


def _terms(info: BaseModelInfo, entry: Entry | None) -> Check:
    terms = entry.terms if entry is not None else None
    if terms is None:
        where = visible(info.source, 120)
        return Check(ok=None, message=T("Its terms are not known here: see {source}.", source=where))
    said = T("Licence: {name}, {url}", name=terms.name, url=terms.url)
    if not terms.must_accept:
        return Check(ok=True, message=said)
    return Check(ok=None, message=said, hint=T("The hub asks for an account that has accepted these terms."))


def _libraries(entry: Entry) -> Check:
    """Whether the installed transformers knows the architecture."""
    try:
        installed = version("transformers")
    except PackageNotFoundError:
        return Check(ok=False, message=T("transformers is not installed."), hint=T("Run: iterate doctor"))
    package = importlib.util.find_spec("transformers")
    folders = [Path(place) / "models" for place in (package.submodule_search_locations or [])] if package else []
    knows = any((place / entry.architecture.removesuffix("_text")).is_dir() for place in folders)
    if knows and Version(installed) >= Version(entry.transformers):
        return Check(ok=True, message=T("transformers {version} knows its architecture.", version=installed))
    return Check(
        ok=False,
        message=T(
            "transformers {version} does not know the architecture {name}.",
            version=installed,
            name=visible(entry.architecture, 60),
        ),
        hint=T("It needs transformers {version} or newer.", version=entry.transformers),
    )


def _template(entry: Entry) -> Check:
    if entry.chat_template:
        return Check(
            ok=True, message=T("Its tokenizer brings a chat template, which training and evaluation both use.")
        )
    return Check(
        ok=None,
        message=T("Its tokenizer brings no chat template; this program's plain headings are used instead."),
    )


def _targets(entry: Entry, lora: Lora | None, path: Path | None) -> Check:
    """Whether the adapter's target modules exist, and are the right ones."""
    if lora is None:
        return Check(ok=True, message=T("All weights are trained, so no target modules are needed."))
    if entry.shape.experts and lora.target_modules == "all-linear":
        return Check(
            ok=False,
            message=T(
                "In a mixture of experts, all-linear puts an adapter on each of the {experts} experts and on the router.",
                experts=entry.shape.experts,
            ),
            hint=T("Set lora.target_modules to [{names}].", names=", ".join(ATTENTION)),
        )
    if lora.target_modules == "all-linear":
        return Check(ok=True, message=T("all-linear: {names}.", names=", ".join(entry.lora_targets)))
    stored = _stored_layers(path) if path is not None and not entry.shape.experts else set()
    there = stored or set(entry.lora_targets)
    unknown = sorted(set(lora.target_modules) - there)
    if unknown:
        return Check(
            ok=False,
            message=T("It has no layers named {names}.", names=visible(", ".join(unknown), 120)),
            hint=T("Set lora.target_modules to [{names}].", names=", ".join(entry.lora_targets)),
        )
    return Check(ok=True, message=T("It has the target modules {names}.", names=", ".join(lora.target_modules)))


def _stored_layers(path: Path) -> set[str]:
    """The last names of the two-dimensional weights in a model folder, read from the heads of its files."""
    found: set[str] = set()
    for file in sorted(path.glob("*.safetensors")):
        try:
            with file.open("rb") as stream:
                size = struct.unpack("<Q", stream.read(8))[0]
                head = json.loads(stream.read(min(size, _HEADER_BYTES)))
        except (OSError, ValueError, struct.error):
            return set()
        names = [name for name, about in head.items() if len(about.get("shape", ())) == 2]
        found |= {name.removesuffix(".weight").rsplit(".", 1)[-1] for name in names if name.endswith(".weight")}
    return found - {"embed_tokens", "lm_head"}


def _context(entry: Entry, max_length: int) -> Check:
    if max_length <= entry.context:
        return Check(
            ok=True, message=T("Its context of {context} tokens holds max_length {wanted}.", **_two(entry, max_length))
        )
    return Check(
        ok=False,
        message=T("Its context of {context} tokens is shorter than max_length {wanted}.", **_two(entry, max_length)),
        hint=T("Set training.max_length to {context} or less.", context=entry.context),
    )


def _two(entry: Entry, max_length: int) -> dict[str, int]:
    return {"context": entry.context, "wanted": max_length}


def _memory(entry: Entry, lora: Lora) -> Check:
    needed, there = training_gb(entry.shape, lora), machine_gb()
    numbers = {"needed": needed, "there": there, "answering": answering_gb(entry.shape)}
    if needed <= there:
        return Check(
            ok=True,
            message=T(
                "Training needs about {needed:.1f} GB and answering {answering:.1f} GB; this machine has {there:.0f} GB.",
                **numbers,
            ),
        )
    return Check(
        ok=False,
        message=T(
            "Training needs about {needed:.1f} GB (answering {answering:.1f} GB), and this machine has {there:.0f} GB.",
            **numbers,
        ),
        hint=T("Train it on a larger machine, or stay with the smaller model."),
    )


def machine_gb() -> float:
    """Gigabytes where a training would run: of the largest accelerator, else of this machine."""
    return launcher_for("local").resources().memory_gb or 0.0
