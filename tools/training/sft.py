"""Supervised fine-tuning: TRL's SFTTrainer with a cheaper weighted loss, a reproducible order, and our evaluation.

Worker side. The Trainer keeps optimizer, schedule, clipping, checkpoints and resuming; what is replaced is named in
CompletionTrainer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from tools.config import Training
from tools.training.completion_loss import completion_log_probs, weighted_loss
from tools.training.failures import NonFiniteLoss
from tools.training.memory import padded_width
from tools.training.order import LengthGroupedSampler
from tools.training.rows import Encoded

_MICRO_TOKENS = 1024
"""Padded tokens of one forward and backward pass when micro_batch_size is not set; bounds the memory of activations."""
_LOGGED_POINTS = 500
"""At most about this many steps are logged, so that a long run does not drown its viewers."""
_NEVER = 10**9


@dataclass(frozen=True)
class Plan:
    """How many steps of which size a training takes."""

    micro: int
    accumulation: int
    steps_per_epoch: int
    total_steps: int
    warmup_steps: int
    eval_steps: frozenset[int]
    """Steps after which the validation split is evaluated; always contains the last."""

    @classmethod
    def make(cls, training: Training, lengths: list[int]) -> Plan:
        """The plan for rows of these lengths in tokens."""
        micro = training.micro_batch_size or _auto_micro(training.batch_size, max(lengths))
        per_epoch = math.ceil(len(lengths) / training.batch_size)
        total = max(1, math.ceil(per_epoch * training.epochs))
        warmup = training.warmup if training.warmup >= 1 else training.warmup * total
        every = per_epoch / training.evals_per_epoch
        evals = {max(1, round(every * number)) for number in range(1, math.ceil(total / every) + 1)}
        return cls(
            micro=micro,
            accumulation=training.batch_size // micro,
            steps_per_epoch=per_epoch,
            total_steps=total,
            warmup_steps=min(total, math.ceil(warmup)),
            eval_steps=frozenset(step for step in evals if step < total) | {total},
        )


def _auto_micro(batch_size: int, longest: int) -> int:
    """The largest divisor of the batch whose padded tokens stay within the bound."""
    divisors = [number for number in range(1, batch_size + 1) if batch_size % number == 0]
    return max(number for number in divisors if number == 1 or number * longest <= _MICRO_TOKENS)


def sft_config(training: Training, plan: Plan, folder: Path, seed: int, precision: str) -> SFTConfig:
    """The Trainer's settings; evaluation and saving are decided step by step in tools/training/pilot.py."""
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=plan.micro,
        gradient_accumulation_steps=plan.accumulation,
        max_steps=plan.total_steps,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.lr_scheduler,
        warmup_steps=plan.warmup_steps,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        seed=seed,
        data_seed=seed,
        bf16=precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False,
        optim="adamw_torch",
        logging_steps=math.ceil(plan.total_steps / _LOGGED_POINTS),
        logging_nan_inf_filter=False,
        eval_strategy="no",
        save_strategy="steps",
        save_steps=_NEVER,
        save_total_limit=2,
        metric_for_best_model="eval_selection",
        greater_is_better=True,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        report_to="none",
        disable_tqdm=True,
    )


class CompletionTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer with: the loss of tools/training/completion_loss.py, an order that depends on seed and epoch alone, an
    evaluation that generates answers, and a stop at the first loss that is not a number.
    """

    def __init__(self, model: Any, tokenizer: Any, rows: list[Encoded], config: SFTConfig, **given: Any) -> None:
        self.evaluate_now: Callable[[int], dict[str, float]] = lambda step: {}
        """Called at each evaluation with the step; returns numbers for the Trainer's log."""
        self.tokens_seen = 0
        """Training tokens without padding."""
        self._lengths = [len(row.ids) for row in rows]
        data = Dataset.from_list([_columns(row) for row in rows])
        collate = Collator(tokenizer.pad_token_id)
        super().__init__(
            model=model, args=config, train_dataset=data, processing_class=tokenizer, data_collator=collate, **given
        )

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        batch = self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps
        per_epoch = math.ceil(len(self._lengths) / batch)
        return LengthGroupedSampler(self._lengths, batch, self.args.seed, lambda: self.state.global_step // per_epoch)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The weighted loss over answer tokens."""
        self.tokens_seen += int(inputs["attention_mask"].sum())
        log_probs, rows = completion_log_probs(model, inputs)
        loss = weighted_loss(log_probs, rows, inputs["row_weight"], num_items_in_batch)
        if not torch.isfinite(loss):
            raise NonFiniteLoss(self.state.global_step + 1)
        return loss

    def evaluate(self, *_arguments: Any, **_keywords: Any) -> dict[str, float]:
        """Our evaluation in the Trainer's place: logged, announced to callbacks, used to keep the best checkpoint."""
        metrics = {f"eval_{name}": value for name, value in self.evaluate_now(self.state.global_step).items()}
        self.log(dict(metrics))
        # The handler changes the control object in place.
        self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def create_model_card(self, *_arguments: Any, **_keywords: Any) -> None:
        """No model card in checkpoints: they are thrown away after the run."""


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


def _columns(row: Encoded) -> dict[str, Any]:
    return {
        "input_ids": row.ids,
        "labels": [-100] * len(row.prompt) + row.completion,
        "row_weight": row.example.weight,
    }
