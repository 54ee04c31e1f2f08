"""DPO and KTO: TRL's Trainers on this program's tokens, with the reference answers scored once before the first step.

Worker side. The reference is the model that the training starts from: the base with its fresh adapter switched off, the parent
version's adapter, or all weights as they were loaded. Its log-probabilities never change, so they are computed once, which
spares a second model in memory, a copy of the adapter in every checkpoint, and a forward pass in every later epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from datasets import Dataset, concatenate_datasets
from peft import PeftModel
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from tools.config import Training
from tools.training.memory import PAD_MULTIPLE
from tools.training.order import batches_of_epoch
from tools.training.preference_head import score_answers_only
from tools.training.rows import Encoded, judged_lengths, pair_length
from tools.training.steered import BETA, Steered

Between = Callable[[int], None]
"""Called with the number of rows whose reference answers are scored; may raise to stop."""


class Referenced(Steered):
    """A Trainer of TRL whose reference log-probabilities are computed here instead of by TRL: cancellable, in sight, and on
    answer tokens only.
    """

    between: Between
    """Set before the Trainer begins."""
    model: Any
    ref_model: Any
    data_collator: Any
    compute_ref_log_probs: Any
    train_dataset: Any
    precompute_ref_logps: bool
    """Read by TRL's loss: the reference is in the rows."""
    COLUMNS: tuple[str, ...]
    """The columns that the reference adds."""

    def _prepare_dataset(self, dataset: Any, *_arguments: Any, **_keywords: Any) -> Any:
        """Our rows are tokens already, those that answers are generated from."""
        return dataset

    def _precompute_ref_logps(self, dataset: Any, _name: str, batch_size: int) -> Any:
        score_answers_only(self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model)
        found: list[tuple[torch.Tensor, ...]] = []
        for start in range(0, len(dataset), batch_size):
            rows = [dataset[number] for number in range(start, min(start + batch_size, len(dataset)))]
            with torch.no_grad():
                found.append(self.compute_ref_log_probs(self.model, self._prepared(self.data_collator(rows))))
            self.between(start + len(rows))
        self._drop_copy()
        scores = [torch.cat(values).tolist() for values in zip(*found, strict=True)]
        columns = dict(zip(self.COLUMNS, scores, strict=True))
        return concatenate_datasets([dataset, Dataset.from_dict(columns)], axis=1)

    def _prepared(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {name: value.to(self.args.device) for name, value in batch.items()}

    def _drop_copy(self) -> None:
        """TRL kept a copy of the adapter as the reference; it is not needed again, and would be saved and loaded each time."""
        if isinstance(self.model, PeftModel) and "ref" in self.model.peft_config:
            self.model.delete_adapter("ref")

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of TRL."""
        loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)  # type: ignore[misc]
        return self.counted(inputs, loss)

    def score_reference(self) -> None:
        """Score the reference answers now, unless TRL had it done while it began (for all weights, to load no second model)."""
        if not self.precompute_ref_logps:
            self.train_dataset = self._precompute_ref_logps(
                self.train_dataset, "train", self.args.per_device_train_batch_size
            )
            self.precompute_ref_logps = True


class PairTrainer(Referenced, DPOTrainer):  # type: ignore[misc]
    """DPOTrainer on the rows that have a rejected answer."""

    COLUMNS = ("ref_chosen_logps", "ref_rejected_logps")

    def __init__(self, rows: list[Encoded], between: Between, **given: Any) -> None:
        self.lengths = [pair_length(row) for row in rows]
        self.between = between
        data = [{"prompt_ids": r.prompt, "chosen_ids": r.completion, "rejected_ids": r.rejected} for r in rows]
        super().__init__(train_dataset=Dataset.from_list(data), **given)
        self.score_reference()


class JudgedTrainer(Referenced, KTOTrainer):  # type: ignore[misc]
    """KTOTrainer on single answers: of each pair the chosen one as desirable and the rejected one as undesirable.

    KTO estimates its reference point from answers put to the neighbour's prompt, so the rows of one pass stay together and
    their order is the same in every epoch.
    """

    COLUMNS = ("ref_logps", "ref_KL_logps")

    def __init__(self, rows: list[Encoded], between: Between, **given: Any) -> None:
        args = given["args"]
        together = args.per_device_train_batch_size
        lengths = judged_lengths(rows)
        judged = list(_judged(rows))
        batches = batches_of_epoch(lengths, together * args.gradient_accumulation_steps, args.seed, 0)
        order = [number for batch in batches for number in batch]
        self.lengths = [lengths[number] for number in order]
        self.between = between
        super().__init__(train_dataset=Dataset.from_list(_neighboured([judged[n] for n in order], together)), **given)
        self.score_reference()

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)


def _judged(rows: list[Encoded]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {"prompt_ids": row.prompt, "completion_ids": row.completion, "label": True}
        yield {"prompt_ids": row.prompt, "completion_ids": row.rejected, "label": False}


def _neighboured(rows: list[dict[str, Any]], together: int) -> list[dict[str, Any]]:
    """Each row with the answer of the row before it in its pass; the first with that of the last."""
    found = []
    for start in range(0, len(rows), together):
        part = rows[start : start + together]
        others = [part[-1], *part[:-1]]
        found += [
            {**row, "KL_completion_ids": other["completion_ids"]} for row, other in zip(part, others, strict=True)
        ]
    return found


def dpo_config(common: dict[str, Any], training: Training, *, all_weights: bool) -> DPOConfig:
    """The settings of all methods with those of DPO."""
    return DPOConfig(**common, **_own(all_weights), beta=training.beta or BETA)


def kto_config(common: dict[str, Any], training: Training, *, all_weights: bool) -> KTOConfig:
    """The settings of all methods with those of KTO; good and bad answers are equally many, so their weights are 1."""
    return KTOConfig(**common, **_own(all_weights), beta=training.beta or BETA)


def _own(all_weights: bool) -> dict[str, Any]:
    """Dropout is off: with it, model and reference would differ before the first step.

    TRL's own precomputation takes a fingerprint of the weights first, which needs twice the memory of the largest matrix; only
    where all weights are trained is that less than the second model it would load otherwise.
    """
    return {
        "max_length": None,
        "pad_to_multiple_of": PAD_MULTIPLE,
        "precompute_ref_log_probs": all_weights,
        "disable_dropout": True,
    }
