"""The one visible table of diagnosis thresholds, each with its source; a task overrides them in its `diagnosis:` block.

    # task_definition.yaml
    diagnosis: {min_class_f1: 0.7, min_train_rows: 300}

"specification" marks the numbers of the specification's own rules (step 2), "task format" those of the task folder's
description. All others are conventions of this program: chosen so that the planted faults of its tests are found and
healthy tasks stay silent, and open to change here.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import process

from tools.errors import Problem
from tools.finding import FindingKind
from tools.text import T, Text, visible


class Thresholds(BaseModel):
    """Limits of the rules. Shares and scores are fractions, losses are relative to other losses of the same run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # scores
    min_class_f1: float = Field(default=0.60, ge=0, le=1)
    """A class with a lower F1 is weak. Source: specification, min(per_class_f1) < 0.6."""
    class_gap: float = Field(default=0.10, ge=0, le=1)
    """So is a class this far below the macro-F1. Source: task format."""
    min_class_support: float = Field(default=10, ge=0)
    """Below this many evaluated rows a class score says too little to act on. One row then moves recall by 10 points."""

    # class balance
    scarce_share: float = Field(default=0.5, ge=0, le=1)
    """A class is scarce in train below this part of an equal share (1 / number of classes): 17 % of three classes."""
    scarce_against_valid: float = Field(default=0.67, ge=0, le=1)
    """It is also scarce when its share in train is below this part of its share in valid, beyond sampling noise."""

    # amount of data
    min_train_rows: float = Field(default=500, ge=0)
    """Fewer training rows are named. Source: specification, train_samples < 500."""
    very_few_train_rows: float = Field(default=150, ge=0)
    """Fewer than this is a cause by itself: 3 in 10 of the specification's number."""
    tiny_evaluation_rows: float = Field(default=50, ge=0)
    """Below this many validation rows no change of a usual size can be seen (20 points at 80 % power)."""

    # capacity
    min_lora_rank: float = Field(default=32, ge=0)
    """A lower rank may be too small. Source: specification, lora_rank < 32."""

    # loss curves
    high_remaining_loss: float = Field(default=0.5, ge=0)
    """Underfitting: the final training loss is still this part of the first one."""
    still_falling: float = Field(default=0.5, ge=0)
    """Underfitting: the training loss fell in the last third by this part of its fall in the third before."""
    no_train_valid_gap: float = Field(default=0.7, ge=0)
    """Underfitting: the final training loss is at least this part of the validation loss, so nothing is memorised yet."""
    noisy_train_loss: float = Field(default=1.3, ge=0)
    """Above this part of the validation loss, training rows are harder than validation rows: noise, not underfitting."""
    eval_loss_rise: float = Field(default=0.20, ge=0)
    """Overfitting: the validation loss ends this part above its minimum while the training loss falls on."""
    metric_drop: float = Field(default=0.03, ge=0, le=1)
    """Overfitting: the validation metric ends this far below its best, where no validation loss was logged."""
    loss_spike: float = Field(default=0.3, ge=0)
    """Instability: a jump of the training loss by this part of its whole fall, to twice what it was."""
    loss_given_back: float = Field(default=0.3, ge=0)
    """Divergence: the training ends with this part of its fall lost again."""
    seed_spread: float = Field(default=0.10, ge=0, le=1)
    """Instability: seeds of one version differ by this much in the primary metric, beyond sampling noise."""

    # output
    max_parse_failures: float = Field(default=0.02, ge=0, le=1)
    """Share of answers that may fail to parse."""
    max_rows_cut: float = Field(default=0.01, ge=0, le=1)
    """Share of training rows or answers that may be cut."""
    broken_share: float = Field(default=0.05, ge=0, le=1)
    """From this share of broken answers or rows on, a warning is an error."""

    # rows
    max_duplicates: float = Field(default=0.05, ge=0, le=1)
    """Share of training rows that may repeat another row."""
    max_inconsistent: float = Field(default=0.01, ge=0, le=1)
    """Share of training rows whose question stands there again with another answer."""
    near_duplicate: float = Field(default=0.90, ge=0, le=1)
    """Two rows are near duplicates when every field is at least this similar (1 - indel distance / total length)."""
    max_leak: float = Field(default=0.01, ge=0, le=1)
    """Share of validation or test rows that may have a near copy in train; exact copies are always named."""

    # a training that runs
    eval_loss_rises: float = Field(default=3, ge=1)
    """Overfitting: the validation loss rose this many evaluations in a row while the training loss fell."""
    grad_norm_jump: float = Field(default=5, ge=1)
    """Instability: a gradient norm this many times the median of the ten before it, and the largest of the run."""
    slow_share: float = Field(default=0.5, ge=0, le=1)
    """Slow: steps come at less than this part of the run's usual pace."""
    memory_share: float = Field(default=0.90, ge=0, le=1)
    """Memory is short when the worker holds more than this part of the machine's."""
    silent_minutes: float = Field(default=10, ge=0)
    """Stuck: the worker lives and has said nothing for so long, and for three times its longest pause before."""
    heartbeat_seconds: float = Field(default=60, ge=0)
    """A worker that has not beaten for so long is stopped or starved; it beats every three seconds."""


def read_thresholds(overrides: dict[str, float]) -> tuple[Thresholds, list[Problem]]:
    """The table with a task's overrides; unknown names and impossible values are problems, and the defaults stay."""
    known = {name: value for name, value in overrides.items() if name in Thresholds.model_fields}
    problems = [_unknown(name) for name in overrides if name not in known]
    try:
        return Thresholds(**known), problems
    except ValidationError as invalid:
        wrong = {str(error["loc"][0]) for error in invalid.errors()}
        problems += [_impossible(name, known[name]) for name in sorted(wrong)]
        return Thresholds(**{name: value for name, value in known.items() if name not in wrong}), problems


def _unknown(name: str) -> Problem:
    choices = list(Thresholds.model_fields)
    nearest = process.extractOne(name, choices, score_cutoff=60)
    return Problem(
        message=T("There is no diagnosis threshold {name}, so it has no effect.", name=repr(visible(name, 60))),
        path="task_definition.yaml",
        value=name,
        choices=choices,
        hint=_did_you_mean(nearest[0]) if nearest else T("Choose one of: {choices}.", choices=", ".join(choices)),
        page="troubleshooting/configuration",
        kind=FindingKind.config_unknown_key.value,
        about={"key": f"diagnosis.{name}"},
    )


def _did_you_mean(name: str) -> Text:
    return T("Did you mean {name}?", name=name)


def _impossible(name: str, value: float) -> Problem:
    return Problem(
        message=T(
            "The diagnosis threshold {name} cannot be {value}; its default {default} is used.",
            name=name,
            value=value,
            default=float(Thresholds.model_fields[name].default),
        ),
        path="task_definition.yaml",
        value=value,
        hint=T("Shares and scores lie between 0 and 1, all other thresholds are not negative."),
        page="troubleshooting/configuration",
        kind=FindingKind.config_mistyped_value.value,
        about={"key": f"diagnosis.{name}"},
    )
