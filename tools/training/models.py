"""Loading a base model with or without an adapter, and saving what was trained.

Worker side.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tools.config import Lora
from tools.errors import InputError
from tools.text import T, visible
from tools.training.chat_template import ensure_template
from tools.training.checkpoints import weight_files, weights_sha256


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a prepared model, with a chat template and a padding token."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ensure_template(tokenizer)
    return tokenizer


def load_model(folder: Path, precision: str, *, all_weights: bool) -> Any:
    """The base model; frozen weights are kept in bf16 where that is fast, weights that learn always in fp32."""
    dtype = torch.bfloat16 if precision == "bf16" and not all_weights else torch.float32
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)


def add_lora(model: Any, lora: Lora) -> Any:
    """Wrap the model in a fresh adapter; raises InputError with the valid names for unknown target modules."""
    if lora.target_modules != "all-linear":
        _check_targets(model, lora.target_modules)
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def add_adapter(model: Any, adapter: Path) -> Any:
    """The model with trained weights put on: an adapter, or a folder of whole weights."""
    if (adapter / "adapter_config.json").is_file():
        return PeftModel.from_pretrained(model, str(adapter))
    load_weights(model, adapter)
    return model


def load_weights(model: Any, folder: Path) -> None:
    """Put the weights of a checkpoint or adapter folder into a model of the same shape."""
    weights: dict[str, Any] = {}
    for file in weight_files(folder):
        weights.update(load_file(file))
    if isinstance(model, PeftModel):
        set_peft_model_state_dict(model, weights)
    else:
        model.load_state_dict(weights, strict=False)  # tied weights are stored once


def save_adapter(model: Any, tokenizer: Any, base_model: str, target: Path) -> str:
    """Write what was trained to `target` in one step; returns the hash of its weights."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        if isinstance(model, PeftModel):
            # The prepared base lies in this machine's cache; the name travels, the path does not.
            model.peft_config["default"].base_model_name_or_path = base_model
        else:
            tokenizer.save_pretrained(scratch)
        model.save_pretrained(scratch)
        (scratch / "chat_template.jinja").write_text(tokenizer.chat_template, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        os.chmod(scratch, 0o755)
        os.replace(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return weights_sha256(target)


def _check_targets(model: Any, wanted: list[str]) -> None:
    head = model.get_output_embeddings()
    linear = {
        name.rsplit(".", 1)[-1]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }
    unknown = sorted(set(wanted) - linear)
    if unknown:
        raise InputError(
            T(
                "lora.target_modules names {unknown}, which this model does not have; its linear layers are {choices}.",
                unknown=visible(", ".join(unknown), 200),
                choices=", ".join(sorted(linear)),
            ),
            hint=T('Use names from the list, or "all-linear".'),
            page="methods/lora",
        )
