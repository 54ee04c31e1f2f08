"""Minutes and memory of a training before it is started. Free of torch.

    minutes = seeds * (start + train tokens / training speed + answered tokens / answering speed)
              a written token counts as several read ones (WRITTEN_AS_READ): long answers are what takes time
              a preference method reads two answers per row; dpo and kto have them scored by the reference once more
    memory  = libraries + weights + activations of one pass + logits (tools/catalogue/memory.py, where the shape is known)

Speeds come from earlier runs on this machine (tools/training/speeds.py), else from the built-in measurements below, else from
those scaled by the number of weights. The basis says which.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.catalogue.look_up import entry_of
from tools.catalogue.memory import training_gb
from tools.config import Lora, Method
from tools.errors import InputError
from tools.text import T, Text, visible
from tools.training.base_models import BaseModelInfo, resolve_base_model
from tools.training.speeds import WRITTEN_AS_READ, Speed, speed_of

BUILT_IN = {
    "embedded:gemma3-270m": Speed(train=400, answer=800),
    "embedded:smollm2-135m": Speed(train=650, answer=1200),
}
"""On two cores with bf16 instructions: the first rounded from a measured run, the second scaled from it by size and shape."""
_REFERENCE = ("embedded:gemma3-270m", 268.0)
"""The model and its millions of weights that other models are scaled from."""
_START_SECONDS = 25.0
"""Imports, tokenizer, weights, checkpoints."""
_LIBRARIES_GB = 1.1
"""torch, transformers, trl, datasets and a large tokenizer in memory."""
_KB_PER_TOKEN_AND_MILLION = 6.0
"""Activations that a backward pass keeps: kilobytes per token of the pass and million weights."""
_PASS_TOKENS = 1024
"""Tokens of one pass (tools/training/plan.py); longer rows make longer passes."""
_LOGITS_GB = 0.5
_READ: dict[Method, float] = {"sft": 1.0, "orpo": 2.0, "dpo": 2.0, "kto": 2.8}
"""Rows read by a training step per row of SFT: two answers with their prompts; KTO takes a forward pass more."""
_SCORED: dict[Method, float] = {"sft": 0.0, "orpo": 0.0, "dpo": 0.8, "kto": 1.6}
"""The same for the reference, once for all epochs; a forward pass of an adapter is about 0.4 of a step."""
_TEMPLATE_TOKENS = 12
"""Of the chat template, in each row."""
_SIZE_IN_NAME = re.compile(r"(\d+(?:\.\d+)?)\s*([bm])(?![a-z])", re.IGNORECASE)


class Workload(BaseModel):
    """What is to be trained and evaluated, in numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_model: str
    rows: int
    """Training rows after the recipe."""
    epochs: float
    seeds: int = 1
    valid_rows: int = 0
    test_rows: int = 0
    tokens_per_row: float = 100.0
    """Prompt and answer together; see tokens_guess."""
    tokens_per_answer: float = 3.0
    """Of those, the ones that are written where a row is answered; see answer_guess."""
    longest_row: int | None = None
    """Tokens; None: three times the mean."""
    evals_per_epoch: int = 1
    micro_batch_size: int | None = None
    all_weights: bool = False
    """Training all weights instead of an adapter."""
    folder: Path | None = None
    """Where a relative model path starts from."""
    method: Method = "sft"


class Estimate(BaseModel):
    """An estimate with where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minutes: float
    memory_gb: float | None
    """None when the size of the model is not known."""
    basis: Text


def estimate(work: Workload) -> Estimate:
    """Minutes and peak memory of all seeds one after the other; raises InputError for a base model that means nothing."""
    info = resolve_base_model(work.base_model, work.folder)
    millions = parameters(info)
    speed, basis = _speed(info, millions)
    reads = work.epochs * _READ[work.method] + (_SCORED[work.method] if work.epochs else 0)
    trained = work.rows * reads * work.tokens_per_row * (3 if work.all_weights else 2) / 2
    evaluations = max(1, math.ceil(work.epochs * work.evals_per_epoch))  # the best one's answers are kept
    per_row = work.tokens_per_row + (WRITTEN_AS_READ - 1) * work.tokens_per_answer
    answered = (work.valid_rows * evaluations + work.test_rows) * per_row
    seconds = _START_SECONDS + trained / speed.train + answered / speed.answer
    return Estimate(
        minutes=round(work.seeds * seconds / 60, 1), memory_gb=_memory(work, millions), basis=_told(work, basis)
    )


def _told(work: Workload, basis: Text) -> Text:
    """The basis, and why a preference method takes longer."""
    if work.method == "sft" or not work.epochs:
        return basis
    return T("{basis}; two answers are read per row, so about twice the tokens of SFT", basis=basis)


def parameters(info: BaseModelInfo) -> float | None:
    """Millions of weights: as known, from the size of the files, or from a name such as Qwen3-0.6B."""
    if info.parameters is not None:
        return info.parameters
    if info.kind == "folder":
        size = sum(file.stat().st_size for file in Path(info.source).glob("*.safetensors"))
        return size / 2 / 1e6  # stored as 16 bits, as nearly all are
    found = _SIZE_IN_NAME.search(info.title)
    if found is None:
        return None
    return float(found.group(1)) * (1000 if found.group(2).lower() == "b" else 1)


def tokens_guess(texts: list[str]) -> float:
    """Tokens per text without a tokenizer: one per Chinese character or four Latin ones, and 12 for the chat template.

    An upper guess for large vocabularies, which join common Chinese characters.
    """
    if not texts:
        return 0.0
    wide = sum(ord(char) > 0x2E7F for text in texts for char in text)
    narrow = sum(len(text) for text in texts) - wide
    return _TEMPLATE_TOKENS + (0.75 * wide + narrow / 4) / len(texts)


def answer_guess(answers: list[str]) -> float:
    """Tokens that are written per answer, the end token among them."""
    return max(0.0, tokens_guess(answers) - _TEMPLATE_TOKENS) + 1


def _speed(info: BaseModelInfo, millions: float | None) -> tuple[Speed, Text]:
    measured = speed_of(info.name)
    if measured is not None:
        return measured, T("measured in earlier runs on this machine")
    if info.name in BUILT_IN:
        return BUILT_IN[info.name], T("a guess from another machine with two cores; exact after the first run here")
    if millions is None:
        raise InputError(
            T(
                "The size of the base model {name} is not known, so its time cannot be estimated.",
                name=visible(info.name),
            ),
            hint=T("Start with few rows and one epoch; later estimates use what that run measures."),
        )
    name, reference = _REFERENCE
    known = speed_of(name) or BUILT_IN[name]
    scaled = Speed(train=known.train * reference / millions, answer=known.answer * reference / millions)
    return scaled, T("scaled from another model by the number of weights; exact after the first run here")


def _memory(work: Workload, millions: float | None) -> float | None:
    if millions is None:
        return None
    # An adapter's base rests in 2 bytes; weights that learn need 4, their gradients 4, and Adam's two moments 8.
    weights = millions * (16 if work.all_weights else 2) / 1e3
    longest = (work.longest_row or 3 * work.tokens_per_row) * (1 if work.method == "sft" else 2)
    tokens = max(_PASS_TOKENS, longest) if work.micro_batch_size is None else work.micro_batch_size * longest
    known = None if work.all_weights else entry_of(work.base_model, work.folder)
    if known is not None:
        return training_gb(known.shape, Lora(), round(tokens))
    activations = tokens * millions * _KB_PER_TOKEN_AND_MILLION / 1e6
    return round(_LIBRARIES_GB + weights + activations + _LOGITS_GB, 1)
