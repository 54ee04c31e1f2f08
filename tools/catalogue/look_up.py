"""A base model's entry from its name: out of the catalogue, or read from the config.json of a folder on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tools.catalogue.entries import NORMS, Entry, Shape
from tools.catalogue.known import CATALOGUE
from tools.training.base_models import cache_dir, local_path

_TIED_UNLESS_SAID = ("gemma",)
"""Architectures whose config.json leaves `tie_word_embeddings` out when it is true."""


def entry_of(name: str, folder: Path | None = None) -> Entry | None:
    """What is known of a base model; a relative path starts from `folder`. None for one that nobody here knows."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    known = next((entry for entry in CATALOGUE.values() if entry.pretrained == name), None)
    if known is not None:
        return _pretrained(known)
    path = local_path(name, folder) or _in_hub_cache(name)
    return None if path is None else read_folder(path, name)


def read_folder(path: Path, name: str) -> Entry | None:
    """The entry of a model folder, from its config.json; None when it is not that of a decoder this program can count."""
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        text: dict[str, Any] = {**config, **config.get("text_config", {})}
        shape = _shape(text)
        return Entry(
            name=name,
            family=str(text["model_type"]),
            architecture=str(text["model_type"]),
            shape=shape,
            context=int(text["max_position_embeddings"]),
            terms=None,
            chat_template=has_chat_template(path),
            larger=_same(shape, "larger"),
            mixture=_same(shape, "mixture"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError, ZeroDivisionError):
        return None


def prepared_folder(name: str, folder: Path | None = None) -> Path | None:
    """Where a base model can be loaded from at once: a model folder, or an embedded model that was converted before."""
    if name.startswith("embedded:"):
        found = sorted((cache_dir() / "models").glob(name.removeprefix("embedded:") + "-*-bf16-*"))
        return next((path for path in found if (path / "config.json").is_file()), None)
    path = local_path(name, folder) or _in_hub_cache(name)
    return path if path is not None and (path / "config.json").is_file() else None


def has_chat_template(path: Path) -> bool:
    """Whether the tokenizer in a model folder brings a chat template."""
    if (path / "chat_template.jinja").is_file() or (path / "chat_template.json").is_file():
        return True
    try:
        config = json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and bool(config.get("chat_template"))


def _pretrained(entry: Entry) -> Entry:
    """The entry of the same model before it was taught to follow instructions, with its steps up likewise."""
    steps = {}
    for step in ("larger", "mixture"):
        following = CATALOGUE.get(getattr(entry, step) or "")
        steps[step] = following.pretrained if following is not None else None
    return entry.model_copy(update={"name": entry.pretrained, "chat_template": False, **steps})


def _shape(text: dict[str, Any]) -> Shape:
    heads = int(text["num_attention_heads"])
    experts = int(text.get("num_experts") or text.get("num_local_experts") or 0)
    width = text.get("moe_intermediate_size") if experts else None
    norms, head_norms = NORMS.get(str(text["model_type"]), (2, False))
    tied = text.get("tie_word_embeddings", str(text["model_type"]).startswith(_TIED_UNLESS_SAID))
    return Shape(
        layers=int(text["num_hidden_layers"]),
        hidden=int(text["hidden_size"]),
        heads=heads,
        kv_heads=int(text.get("num_key_value_heads") or heads),
        head_dim=int(text.get("head_dim") or int(text["hidden_size"]) // heads),
        intermediate=int(width or text["intermediate_size"]),
        vocabulary=int(text["vocab_size"]),
        tied=bool(tied),
        experts=experts,
        norms=norms,
        head_norms=head_norms,
        experts_used=int(text.get("num_experts_per_tok") or 0) if experts else 0,
    )


def _same(shape: Shape, step: str) -> str | None:
    """The step up of the entry with the same shape: a folder is mostly a copy of a model with a name."""
    for entry in CATALOGUE.values():
        if entry.shape == shape and not entry.name.startswith("embedded:"):
            found: str | None = getattr(entry, step)
            return found
    return None


def _in_hub_cache(name: str) -> Path | None:
    """The snapshot folder of a hub model in the local cache."""
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, "config.json")
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
