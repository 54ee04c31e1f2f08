"""Supervised fine-tuning: TRL's SFTTrainer with a cheaper weighted loss, steered by tools/training/steered.py. Worker side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from tools.config import Training
from tools.training.completion_loss import completion_log_probs, weighted_loss
from tools.training.memory import padded_width
from tools.training.plan import Plan
from tools.training.rows import Encoded
from tools.training.steered import Steered, settings


def sft_config(training: Training, plan: Plan, folder: Path, seed: int, precision: str) -> SFTConfig:
    """The settings of all methods, with those of TRL that keep its hands off our rows."""
    common = settings(training, plan, folder, seed, precision)
    return SFTConfig(**common, dataset_kwargs={"skip_prepare_dataset": True}, max_length=None)


class CompletionTrainer(Steered, SFTTrainer):  # type: ignore[misc]
    """SFTTrainer with the loss of tools/training/completion_loss.py, steered as all trainings are."""

    def __init__(self, model: Any, tokenizer: Any, rows: list[Encoded], config: SFTConfig, **given: Any) -> None:
        self.lengths = [len(row.ids) for row in rows]
        data = Dataset.from_list([columns(row) for row in rows])
        collate = Collator(tokenizer.pad_token_id)
        super().__init__(
            model=model, args=config, train_dataset=data, processing_class=tokenizer, data_collator=collate, **given
        )

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The weighted loss over answer tokens."""
        log_probs, rows = completion_log_probs(model, inputs)
        return self.counted(inputs, weighted_loss(log_probs, rows, inputs["row_weight"], num_items_in_batch))


@dataclass(frozen=True)
class Collator:
    """Rows padded on the right to the width of the longest of the batch."""

    pad: int

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """A batch of input_ids, attention_mask, labels and row_weight."""
        width = padded_width(max(len(row["input_ids"]) for row in rows))
        return {
            "input_ids": torch.tensor([_padded(row["input_ids"], width, self.pad) for row in rows]),
            "attention_mask": torch.tensor([_padded([1] * len(row["input_ids"]), width, 0) for row in rows]),
            "labels": torch.tensor([_padded(row["labels"], width, -100) for row in rows]),
            "row_weight": torch.tensor([row["row_weight"] for row in rows], dtype=torch.float32),
        }


def _padded(values: list[int], width: int, filler: int) -> list[int]:
    return values + [filler] * (width - len(values))


def columns(row: Encoded) -> dict[str, Any]:
    """A row as Collator takes it."""
    return {
        "input_ids": row.ids,
        "labels": [-100] * len(row.prompt) + row.completion,
        "row_weight": row.example.weight,
    }
