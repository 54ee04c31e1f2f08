"""ORPO: the one place that knows TRL's experimental ORPO trainer.

Worker side. TRL promises nothing for what lies under trl.experimental; when this trainer has gone, or no longer has the parts
named here, the run fails as a missing part that names the installed version. The odds-ratio term is TRL's. The first term is
taken over the answer only, as in this program's SFT; TRL's own takes the prompt in as well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from trl.trainer.utils import add_fused_lm_head

from tools.config import Training
from tools.errors import MissingPart
from tools.text import T
from tools.training.completion_loss import completion_log_probs, weighted_loss
from tools.training.rows import Encoded, pair_length
from tools.training.sft import Collator, columns
from tools.training.steered import BETA, Steered

NEEDED = ("odds_ratio_loss", "tokenize_row", "get_batch_loss_metrics", "compute_loss")
"""Parts of the experimental trainer that are used or replaced here."""

_SURE = -1e-6
"""Highest mean log-probability that enters the odds: those of a probability of 1 are infinite, and short labels reach it."""


def missing_orpo(reason: str = "") -> MissingPart:
    """The error for an installed TRL without a usable ORPO trainer."""
    return MissingPart(
        T(
            "TRL {version} has no ORPO trainer that this program can use. {reason}",
            version=version("trl"),
            reason=reason,
        ),
        hint=T("Install trl>=1.16,<1.17, or set training.method to dpo, which learns from the same pairs."),
        page="methods/orpo",
    )


def orpo_parts() -> tuple[type[Any], type[Any]]:
    """TRL's ORPOTrainer and ORPOConfig; raises MissingPart when they have gone or changed."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    try:
        from trl.experimental.orpo import ORPOConfig, ORPOTrainer
    except ImportError as gone:
        raise missing_orpo(str(gone)) from gone
    lacking = [name for name in NEEDED if not hasattr(ORPOTrainer, name)]
    if lacking:
        raise missing_orpo(", ".join(lacking))
    return ORPOTrainer, ORPOConfig


def orpo_trainer(
    rows: list[Encoded], tokenizer: Any, common: dict[str, Any], training: Training, **given: Any
) -> Steered:
    """The trainer on all rows: those without a rejected answer are learned as in SFT. Raises MissingPart."""
    trainer, config = orpo_parts()
    kind = type("OddsTrainer", (_Odds, trainer), {})
    # Nothing is compared with a model without dropout here, so lora.dropout works as in SFT.
    args = config(**common, max_length=training.max_length, beta=training.beta or BETA, disable_dropout=False)
    collate = PairCollator(Collator(tokenizer.pad_token_id))
    made: Steered = kind(rows, args=args, processing_class=tokenizer, data_collator=collate, **given)
    return made


@dataclass(frozen=True)
class PairCollator:
    """The chosen answers of some rows, then the rejected ones of those rows that have one, as one batch."""

    collate: Collator

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """A batch as Collator makes it, with `chosen` rows in front and `pair`: of each rejected one the row it belongs to."""
        rejected = [number for number, row in enumerate(rows) if row["worse"]]
        others = [_other(rows[number]) for number in rejected]
        batch = self.collate([*rows, *others])
        return {**batch, "chosen": torch.tensor(len(rows)), "pair": torch.tensor(rejected, dtype=torch.long)}


def _other(row: dict[str, Any]) -> dict[str, Any]:
    prompt = [token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label == -100]
    return {
        "input_ids": prompt + row["worse"],
        "labels": [-100] * len(prompt) + row["worse"],
        "row_weight": row["row_weight"],
    }


class _Odds(Steered):
    """Comes before ORPOTrainer: our tokens, the head on answers only, rows with and without a rejected answer."""

    model: Any
    odds_ratio_loss: Any

    def __init__(self, rows: list[Encoded], **given: Any) -> None:
        self.lengths = [pair_length(row) for row in rows]
        data = Dataset.from_list([{**columns(row), "worse": row.rejected or []} for row in rows])
        super().__init__(train_dataset=data, **given)  # type: ignore[call-arg]
        add_fused_lm_head(self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model)

    def tokenize_row(self, feature: dict[str, Any], model: Any = None) -> dict[str, Any]:
        """Our rows are tokens already, those that answers are generated from."""
        return feature

    def get_batch_loss_metrics(
        self, model: Any, batch: dict[str, Any], train_eval: str = "train"
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of the chosen answers plus beta times the odds term of the pairs, the mean over the rows of the batch."""
        count = int(batch["chosen"])
        log_probs, owner = completion_log_probs(model, batch)
        own = owner < count
        loss = weighted_loss(log_probs[own], owner[own], batch["row_weight"], None)
        if not len(batch["pair"]):
            return loss, {}
        means = _means(log_probs, owner, len(batch["input_ids"]))
        terms, _, _, ratio, odds = self.odds_ratio_loss(means[:count][batch["pair"]], means[count:])
        return loss - terms.sum() / count, {"log_odds_ratio": ratio.item(), "log_odds_chosen": odds.item()}

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of the batch; the metrics go to the Trainer's log."""
        loss = super().compute_loss(model, inputs, False, num_items_in_batch)  # type: ignore[misc]
        return self.counted(inputs, loss)


def _means(log_probs: torch.Tensor, owner: torch.Tensor, rows: int) -> torch.Tensor:
    """Mean log-probability of each row's answer tokens."""
    sums = log_probs.new_zeros(rows).index_add(0, owner, log_probs)
    return (sums / torch.bincount(owner, minlength=rows).clamp(min=1)).clamp(max=_SURE)
