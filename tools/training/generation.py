"""Answers of a model to many prompts: batched greedy decoding, log-probabilities of given answers, one prefill for both.

Worker side. Rows are padded on the left and sorted by length; each prompt is read once, and its cache serves the generated
answer, the expected answer's loss and the probabilities of all labels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from tools.training.hidden_states import head_sees, last_position
from tools.training.memory import give_back, padded_width

_BATCH_TOKENS = 2048
"""Padded prompt tokens read at once, small beside the weights. Each generated token reads all weights once per batch, so more
rows are cheaper: on two cores Gemma 3 270M took a fifth less processor time than with 1024; 4096 brought nothing more."""
_BATCH_ROWS = 32


class Guide(Protocol):
    """Chooses the tokens of one answer, one after another."""

    def next(self, logits: Any) -> int | None:
        """The next token, given the logits for it; None when the answer has ended."""


@dataclass(frozen=True)
class Question:
    """One prompt with what is asked of it."""

    prompt: list[int]
    expected: list[int] | None = None
    """The expected answer's tokens, when its loss is wanted."""


@dataclass(frozen=True)
class Wanted:
    """What to find out about each prompt."""

    max_new_tokens: int
    stop: frozenset[int]
    """Tokens that end an answer."""
    labels: list[list[int]] | None = None
    """Token ids of every label's whole answer, when their probabilities are wanted."""
    generate: bool = True
    guide: Callable[[], Guide] | None = None
    """Makes what chooses the tokens of one answer; None takes the most probable ones."""


@dataclass
class Outcome:
    """What was found."""

    tokens: list[int]
    """Generated, without the end token."""
    expected_log_prob: float | None = None
    """Sum over the expected answer's tokens."""
    label_log_probs: list[float] | None = None


def ask(
    model: Any, questions: list[Question], wanted: Wanted, pad: int, between: Callable[[int], None] = lambda done: None
) -> list[Outcome]:
    """Outcomes in the order of the questions; `between` is called with the number of rows done and may raise to stop."""
    found: dict[int, Outcome] = {}
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for batch in _batches(questions):
                outcomes = _ask_batch(model, [questions[row] for row in batch], wanted, pad)
                found.update(zip(batch, outcomes, strict=True))
                between(len(found))
    finally:
        model.train(training)
        give_back()
    return [found[row] for row in range(len(questions))]


def _batches(questions: list[Question]) -> Iterator[list[int]]:
    """Row numbers, longest prompts first so that memory is claimed once, within the limits of one batch."""
    order = sorted(range(len(questions)), key=lambda row: -len(questions[row].prompt))
    while order:
        rows = max(1, min(_BATCH_ROWS, _BATCH_TOKENS // padded_width(max(1, len(questions[order[0]].prompt)))))
        yield order[:rows]
        order = order[rows:]


def _ask_batch(model: Any, questions: list[Question], wanted: Wanted, pad: int) -> list[Outcome]:
    state = _Prefilled(model, [question.prompt for question in questions], pad)
    outcomes = [Outcome(tokens=[]) for _ in questions]
    if wanted.labels:
        columns = [state.log_probs([label] * len(questions)) for label in wanted.labels]
        for row, outcome in enumerate(outcomes):
            outcome.label_log_probs = [column[row] for column in columns]
    _add_expected(state, questions, wanted.labels or [], outcomes)
    if wanted.generate:
        for outcome, tokens in zip(outcomes, state.generate(wanted), strict=True):
            outcome.tokens = tokens
    return outcomes


def _add_expected(
    state: _Prefilled, questions: list[Question], labels: list[list[int]], outcomes: list[Outcome]
) -> None:
    """The log-probability of each expected answer; taken from its label's where that is known, since a pass costs seconds."""
    missing = [row for row, question in enumerate(questions) if question.expected and question.expected not in labels]
    sums = state.log_probs([question.expected or [] for question in questions]) if missing else []
    for row, (outcome, question) in enumerate(zip(outcomes, questions, strict=True)):
        if question.expected in labels and outcome.label_log_probs:
            outcome.expected_log_prob = outcome.label_log_probs[labels.index(question.expected)]
        elif question.expected:
            outcome.expected_log_prob = sums[row]


class _Prefilled:
    """A batch of prompts that were read once; `generate` uses the cache up, so it comes last."""

    def __init__(self, model: Any, prompts: list[list[int]], pad: int) -> None:
        self._model = model
        self._pad = pad
        width = padded_width(max(len(prompt) for prompt in prompts))
        ids = [[pad] * (width - len(prompt)) + prompt for prompt in prompts]
        self._mask = self._tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        self._next_position = self._mask.sum(dim=1, keepdim=True)
        positions = (self._mask.cumsum(dim=1) - 1).clamp(min=0)
        with head_sees(model, last_position):
            outputs = model(
                input_ids=self._tensor(ids), attention_mask=self._mask, position_ids=positions, use_cache=True
            )
        self._cache = outputs.past_key_values
        self._first = outputs.logits[:, -1].float()

    def log_probs(self, answers: list[list[int]]) -> list[float]:
        """Sum of the log-probabilities of one given answer per prompt."""
        width = max(len(answer) for answer in answers)
        padded = self._tensor([answer + [self._pad] * (width - len(answer)) for answer in answers])
        real = self._tensor([[1] * len(answer) + [0] * (width - len(answer)) for answer in answers])
        logits = self._first[:, None]
        if width > 1:
            tail = self._forward(padded[:, :-1], copy.deepcopy(self._cache), real[:, :-1])
            logits = torch.cat([logits, tail.float()], dim=1)
        chosen = logits.log_softmax(dim=-1).gather(2, padded[:, :, None])[:, :, 0]
        return [float(value) for value in (chosen * real).sum(dim=1)]

    def generate(self, wanted: Wanted) -> list[list[int]]:
        """The most probable next token, or the one that a guide chooses, until every row has ended or the limit is reached."""
        rows = len(self._first)
        answers: list[list[int]] = [[] for _ in range(rows)]
        guides = [wanted.guide() if wanted.guide else None for _ in range(rows)]
        going = [True] * rows
        seen = self._mask.new_zeros((rows, 0))
        logits = self._first
        for step in range(wanted.max_new_tokens):
            token = _chosen(logits, guides, going, wanted.stop)
            for row, value in enumerate(token.tolist()):
                going[row] = going[row] and value not in wanted.stop
                if going[row]:
                    answers[row].append(value)
            if not any(going) or step + 1 == wanted.max_new_tokens:
                break
            seen = torch.cat([seen, seen.new_ones((rows, 1))], dim=1)
            logits = self._forward(token[:, None], self._cache, seen)[:, -1]
        return answers

    def _forward(self, ids: torch.Tensor, cache: Any, seen: torch.Tensor) -> torch.Tensor:
        """Logits after each of `ids`; `seen` masks all tokens behind the prompt, the last of which are `ids`."""
        start = seen.shape[1] - ids.shape[1]
        offsets = torch.arange(start, seen.shape[1], device=ids.device)[None]
        outputs = self._model(
            input_ids=ids,
            attention_mask=torch.cat([self._mask, seen], dim=1),
            position_ids=self._next_position + offsets,
            past_key_values=cache,
            use_cache=True,
        )
        logits: torch.Tensor = outputs.logits
        return logits

    def _tensor(self, values: list[list[int]]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=self._model.device)


def _chosen(logits: torch.Tensor, guides: list[Guide | None], going: list[bool], stop: frozenset[int]) -> torch.Tensor:
    """The next token of each row; a guided answer that has ended gets a token that stops it."""
    token = logits.argmax(dim=-1)
    for row, guide in enumerate(guides):
        if guide is not None and going[row]:
            value = guide.next(logits[row].float())
            token[row] = min(stop) if value is None else value
    return token
