"""What this program changes in every Trainer it uses, whatever the method: settings, order of rows, evaluation, cards.

Worker side. The Trainers keep optimizer, schedule, clipping, checkpoints, resuming and their losses.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tools.config import Training
from tools.training.failures import NonFiniteLoss
from tools.training.order import LengthGroupedSampler
from tools.training.plan import Plan

_LOGGED_POINTS = 500
"""At most about this many steps are logged, so that a long run does not drown its viewers."""
_NEVER = 10**9
BETA = 0.1
"""Strength of a preference term where training.beta is not set; the value of the papers."""


def settings(training: Training, plan: Plan, folder: Path, seed: int, precision: str) -> dict[str, Any]:
    """The Trainer's settings; evaluation and saving are decided step by step in tools/training/pilot.py."""
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": plan.micro,
        "gradient_accumulation_steps": plan.accumulation,
        "max_steps": plan.total_steps,
        "learning_rate": training.learning_rate,
        "lr_scheduler_type": training.lr_scheduler,
        "warmup_steps": plan.warmup_steps,
        "weight_decay": training.weight_decay,
        "max_grad_norm": training.max_grad_norm,
        "seed": seed,
        "data_seed": seed,
        "bf16": precision == "bf16",
        "use_cpu": not torch.cuda.is_available(),
        "gradient_checkpointing": False,
        "optim": "adamw_torch",
        "logging_steps": math.ceil(plan.total_steps / _LOGGED_POINTS),
        "logging_nan_inf_filter": False,
        "eval_strategy": "no",
        "save_strategy": "steps",
        "save_steps": _NEVER,
        "save_total_limit": 2,
        "metric_for_best_model": "eval_selection",
        "greater_is_better": True,
        "dataloader_pin_memory": False,
        "remove_unused_columns": False,
        "report_to": "none",
        "disable_tqdm": True,
    }


class Steered:
    """Comes before a Trainer among the bases of a class: rows of like length together in an order that depends on seed and
    epoch alone, an evaluation that generates answers, a stop at the first loss that is not a number.
    """

    args: Any
    state: Any
    control: Any
    callback_handler: Any
    log: Any

    tokens_seen = 0
    """Training tokens without padding."""
    lengths: list[int]
    """Tokens of each row of the data; set before the Trainer begins."""

    evaluate_now: Callable[[int], dict[str, float]]
    """Called at each evaluation with the step; returns numbers for the Trainer's log."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        batch = self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps
        per_epoch = math.ceil(len(self.lengths) / batch)
        return LengthGroupedSampler(self.lengths, batch, self.args.seed, lambda: self.state.global_step // per_epoch)

    def counted(self, inputs: dict[str, Any], loss: Any) -> Any:
        """The loss of a batch whose tokens were counted; raises NonFiniteLoss."""
        self.tokens_seen += int(inputs["attention_mask"].sum())
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
