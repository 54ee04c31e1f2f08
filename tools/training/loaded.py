"""A trained version in memory, loaded as its own evaluation loads it.

Worker side.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.errors import MissingPart
from tools.text import T, Text, visible
from tools.training.errands import Errand, PhaseSaid, Say
from tools.training.evaluation import Evaluator
from tools.training.examples import read_examples
from tools.training.models import add_adapter, load_model, load_tokenizer
from tools.training.precision import choose_precision
from tools.training.prepare_model import prepare_base_model
from tools.training.rows import encode


class Loaded:
    """A version's model and tokenizer, as its own evaluation loads them."""

    def __init__(self, model: Any, tokenizer: Any, evaluator: Any, folder: Path) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.evaluator = evaluator
        self.folder = folder


def load(errand: Errand, say: Say, *, weights: bool = True) -> Loaded:
    """Load what the errand names; without `weights` the tokenizer alone. Raises MissingPart when the weights are gone."""
    spec = errand.spec

    def phase(text: Text) -> None:
        say(PhaseSaid(message=text))

    phase(T("Loading the base model {name}.", name=spec.training.base_model))
    folder = prepare_base_model(spec.training.base_model, phase, spec.task_folder)
    tokenizer = load_tokenizer(folder)
    adapter = _existing(spec.adapter_from)
    model = None
    precision = choose_precision(errand.precision).name if weights else "fp32"
    if weights:
        model = load_model(folder, precision, all_weights=adapter is not None and spec.lora is None)
        model = model if adapter is None else add_adapter(model, adapter)
    evaluator = Evaluator(spec, tokenizer, precision, _longest(errand, tokenizer))
    return Loaded(model, tokenizer, evaluator, folder)


def _longest(errand: Errand, tokenizer: Any) -> int:
    """Tokens of the longest training answer."""
    limit = errand.spec.training.max_length
    found = (len(encode(tokenizer, example, limit).completion) for example in read_examples(errand.answers))
    return max(found, default=1)


def _existing(path: str | None) -> Path | None:
    if path is None:
        return None
    if not Path(path).is_dir():
        raise MissingPart(T("The trained weights {path} are not there any more.", path=visible(path)))
    return Path(path)
