"""How fast this machine trained and answered in earlier runs: a small file in the cache. Free of torch."""

from __future__ import annotations

import statistics

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import WriteFailed
from tools.files import write_model
from tools.training.base_models import cache_dir

WRITTEN_AS_READ = 8
"""Read tokens that take as long as writing one: each written token reads all weights again, for a few rows at once."""
_KEPT = 5
"""Newest measurements per model; their median is used, so one busy afternoon does not decide."""


class Speed(BaseModel):
    """Tokens per second; prompt and completion, without padding."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: float
    """Forward and backward."""
    answer: float
    """Reading prompts and writing answers: tokens read, and each written one counted as WRITTEN_AS_READ."""


class Speeds(BaseModel):
    """speeds.json: the newest measurements by base model, oldest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measured: dict[str, list[Speed]] = {}


def read_speeds() -> Speeds:
    """What is known of this machine; nothing when the file is missing or broken."""
    try:
        return Speeds.model_validate_json((cache_dir() / "speeds.json").read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return Speeds()


def speed_of(base_model: str) -> Speed | None:
    """The median of the newest measurements; None for a model that was never trained here."""
    known = read_speeds().measured.get(base_model)
    if not known:
        return None
    return Speed(
        train=statistics.median(speed.train for speed in known),
        answer=statistics.median(speed.answer for speed in known),
    )


def add_speed(base_model: str, speed: Speed) -> None:
    """Remember a measurement; a cache that cannot be written loses nothing but the estimate."""
    before = read_speeds().measured
    newest = [*before.get(base_model, []), speed][-_KEPT:]
    try:
        write_model(cache_dir() / "speeds.json", Speeds(measured={**before, base_model: newest}))
    except WriteFailed:
        return
