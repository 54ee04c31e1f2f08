"""From a training method to the Trainer that fits it: SFT, ORPO, DPO, KTO. Worker side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.config import Method
from tools.errors import InputError
from tools.preference.pairs import how_to_make
from tools.runs import RunSpec
from tools.text import T
from tools.training.plan import Plan
from tools.training.rows import Encoded, encode, encode_pair, judged_lengths, pair_length
from tools.training.steered import Steered, settings

REFERENCED: frozenset[Method] = frozenset({"dpo", "kto"})
"""Methods that compare with the model they start from, and learn from pairs alone."""


@dataclass(frozen=True)
class Setup:
    """What a Trainer is made of."""

    spec: RunSpec
    model: Any
    tokenizer: Any
    rows: list[Encoded]
    """Those that the method trains on (`trainable`)."""
    folder: Path
    """Of the checkpoints."""
    precision: str
    pilot: Any
    """Callback of the Trainer."""
    between: Callable[[int], None]
    """Called with the number of rows whose reference answers are scored; may raise to stop."""


def trainable(spec: RunSpec, tokenizer: Any, examples: list[Any]) -> list[Encoded]:
    """The rows that a run's method trains on, as tokens; raises InputError when a preference method has no pair."""
    method, max_length = spec.training.method, spec.training.max_length
    if method == "sft":
        return [encode(tokenizer, example, max_length) for example in examples]
    rows = [encode_pair(tokenizer, example, max_length) for example in examples]
    pairs = [row for row in rows if row.rejected is not None]
    if not pairs:
        raise InputError(
            T("None of the {rows} training rows has a rejected answer that differs from its own.", rows=len(rows)),
            hint=how_to_make(spec.task),
            page=f"methods/{method}",
        )
    return pairs if method in REFERENCED else rows


def make_plan(spec: RunSpec, rows: list[Encoded]) -> Plan:
    """The steps of the training; a step of KTO counts answers, of the other methods rows or pairs."""
    if spec.training.method == "kto":
        return Plan.make(spec.training, judged_lengths(rows), least_micro=2)
    return Plan.make(spec.training, [pair_length(row) for row in rows])


def make_trainer(setup: Setup, plan: Plan) -> Steered:
    """The Trainer of the run's method; raises MissingPart for ORPO where TRL has lost it."""
    training, method = setup.spec.training, setup.spec.training.method
    common = settings(training, plan, setup.folder, setup.spec.seed, setup.precision)
    given = {"model": setup.model, "callbacks": [setup.pilot]}
    if method == "sft":
        from tools.training.sft import CompletionTrainer, sft_config

        config = sft_config(training, plan, setup.folder, setup.spec.seed, setup.precision)
        return CompletionTrainer(setup.model, setup.tokenizer, setup.rows, config, callbacks=[setup.pilot])
    if method == "orpo":
        from tools.training.orpo import orpo_trainer

        return orpo_trainer(setup.rows, setup.tokenizer, common, training, **given)
    from tools.training.preference import JudgedTrainer, PairTrainer, dpo_config, kto_config

    given["processing_class"] = setup.tokenizer
    all_weights = setup.spec.lora is None
    if method == "dpo":
        config = dpo_config(common, training, all_weights=all_weights)
        return PairTrainer(setup.rows, setup.between, args=config, **given)
    config = kto_config(common, training, all_weights=all_weights)
    return JudgedTrainer(setup.rows, setup.between, args=config, **given)
