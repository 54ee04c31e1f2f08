"""The keys of a configuration: which are known, which were renamed or dropped by current libraries, and to what.

The table is the one place to look when an old configuration no longer works. Library facts are those of transformers 5
(TrainingArguments) and TRL 1 (SFTConfig). It holds names and reasons only; tools/reading/config.py reads files with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel, JsonValue

from tools.config import DataRecipe, Decoding, Launcher, Lora, Prompt, Training
from tools.text import T, Text

Path = tuple[str, ...]

SECTIONS: dict[str, type[BaseModel]] = {
    "lora": Lora,
    "training": Training,
    "data": DataRecipe,
    "prompt": Prompt,
    "decoding": Decoding,
    "launcher": Launcher,
}

SHORT_FORMS: dict[Path, Path] = {
    ("base_model",): ("training", "base_model"),
    ("model",): ("training", "base_model"),
    ("training", "model"): ("training", "base_model"),
    ("method",): ("training", "method"),
    ("seed",): ("training", "seed"),
    ("seeds",): ("training", "seeds"),
}
"""Other places where a key is accepted without a remark."""

FOREIGN = frozenset({"huggingface", "server", "task_name", "version", "description", "notes", "deploy"})
"""Top-level blocks that belong to other tools of the user; they are left alone."""


class Renamed(NamedTuple):
    """What became of an old key."""

    to: Path | None
    """Where its value lives now; None when it was dropped."""
    reason: Text
    value: Callable[[JsonValue], JsonValue] | None = None
    """Turns the old value into the new one; None as result means that nothing corresponds."""


def _ours(section: str, field: str) -> Renamed:
    return Renamed((section, field), T("This program calls it {key}.", key=f"{section}.{field}"))


def _evaluations(value: JsonValue) -> JsonValue:
    return 1 if value == "epoch" else None


def _bf16(value: JsonValue) -> JsonValue:
    return "bf16" if value is True else None


_DROPPED_BY_TRANSFORMERS = (
    "overwrite_output_dir",
    "logging_dir",
    "save_safetensors",
    "no_cuda",
    "use_mps_device",
    "half_precision_backend",
    "fp16_backend",
    "fp16_opt_level",
    "past_index",
    "adafactor",
    "jit_mode_eval",
    "use_ipex",
    "include_inputs_for_metrics",
    "include_tokens_per_second",
    "torchdynamo",
    "ray_scope",
)
_DONE_BY_THE_PROGRAM = (
    "output_dir",
    "report_to",
    "logging_steps",
    "logging_strategy",
    "save_steps",
    "save_strategy",
    "save_total_limit",
    "eval_steps",
    "load_best_model_at_end",
    "metric_for_best_model",
    "greater_is_better",
    "gradient_checkpointing",
    "activation_checkpointing",
    "optim",
    "fp16",
    "packing",
    "completion_only_loss",
    "assistant_only_loss",
    "per_device_eval_batch_size",
    "eval_batch_size",
    "train_sampling_strategy",
    "dataloader_num_workers",
    "remove_unused_columns",
    "push_to_hub",
    "do_train",
    "do_eval",
)

RENAMED: dict[str, Renamed] = {
    "warmup_ratio": Renamed(
        ("training", "warmup"),
        T("transformers 5 dropped warmup_ratio; a warmup below 1 is a share of all steps."),
    ),
    "warmup_steps": _ours("training", "warmup"),
    "evaluation_strategy": Renamed(
        ("training", "evals_per_epoch"), T("transformers 5 dropped evaluation_strategy."), _evaluations
    ),
    "eval_strategy": Renamed(
        ("training", "evals_per_epoch"),
        T("This program calls it {key}.", key="training.evals_per_epoch"),
        _evaluations,
    ),
    "max_seq_length": Renamed(("training", "max_length"), T("TRL 1 renamed max_seq_length to max_length.")),
    "max_seq_len": _ours("training", "max_length"),
    "per_device_train_batch_size": Renamed(
        ("training", "batch_size"), T("batch_size counts the rows of one optimizer step, over all devices and parts.")
    ),
    "per_gpu_train_batch_size": Renamed(("training", "batch_size"), T("transformers 5 no longer has it.")),
    "train_batch_size": _ours("training", "batch_size"),
    "gradient_accumulation_steps": Renamed(
        None, T("The program accumulates batch_size / micro_batch_size parts by itself.")
    ),
    "group_by_length": Renamed(
        None, T("transformers 5 dropped group_by_length; rows are always grouped by length here.")
    ),
    "num_train_epochs": _ours("training", "epochs"),
    "num_epochs": _ours("training", "epochs"),
    "lr": _ours("training", "learning_rate"),
    "lr_scheduler_type": _ours("training", "lr_scheduler"),
    "early_stopping_patience": _ours("training", "early_stopping"),
    "gradient_clipping": _ours("training", "max_grad_norm"),
    "random_seed": _ours("training", "seed"),
    "model_name": _ours("training", "base_model"),
    "model_name_or_path": _ours("training", "base_model"),
    "loss_type": Renamed(("training", "method"), T("The method says which loss is used."), lambda _value: None),
    "bf16": Renamed(("training", "precision"), T("This program calls it {key}.", key="training.precision"), _bf16),
    "tokenizer": Renamed(
        None, T("Trainers no longer take a tokenizer (processing_class now); it is that of the base model.")
    ),
    "lora_r": _ours("lora", "r"),
    "lora_rank": _ours("lora", "r"),
    "lora_alpha": _ours("lora", "alpha"),
    "lora_dropout": _ours("lora", "dropout"),
    "lora_target_modules": _ours("lora", "target_modules"),
    "max_new_tokens": _ours("decoding", "max_new_tokens"),
    "system_prompt": _ours("prompt", "system"),
    **{key: Renamed(None, T("transformers 5 no longer has it.")) for key in _DROPPED_BY_TRANSFORMERS},
    **{key: Renamed(None, T("The program does this by itself.")) for key in _DONE_BY_THE_PROGRAM},
}
"""Old key to what became of it, wherever in the file it stands."""

RENAMED_IN_LORA: dict[str, Renamed] = {
    "rank": _ours("lora", "r"),
    "lora_r": _ours("lora", "r"),
    "lora_alpha": _ours("lora", "alpha"),
    "lora_dropout": _ours("lora", "dropout"),
    "modules": _ours("lora", "target_modules"),
    "bias": Renamed(None, T("Adapters are trained without biases here.")),
    "task_type": Renamed(None, T("Every task is trained as a causal language model here.")),
    "use_rslora": Renamed(None, T("The update is always scaled by alpha / r here.")),
}
"""The same for keys of the section `lora`."""


def known(path: Path) -> bool:
    """True for a section's field under its current name."""
    return len(path) == 2 and path[0] in SECTIONS and path[1] in SECTIONS[path[0]].model_fields


def renamed(path: Path) -> Renamed | None:
    """What became of an old or misplaced key; None when it is neither."""
    name = path[-1]
    if path[0] == "lora" and name in RENAMED_IN_LORA:
        return RENAMED_IN_LORA[name]
    if name in RENAMED:
        return RENAMED[name]
    homes = [section for section, model in SECTIONS.items() if name in model.model_fields]
    if len(homes) != 1:
        return None
    return Renamed((homes[0], name), T("It belongs under {section}.", section=homes[0]))


def all_keys() -> dict[str, Path]:
    """Every current key as people write it, with its path."""
    paths = [(section, field) for section, model in SECTIONS.items() for field in model.model_fields]
    return {".".join(path): path for path in paths}
