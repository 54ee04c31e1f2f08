"""A model on a split: prompts in, scored predictions out.

Worker side. The numbers come from free generation, parsed strictly; only `decoding.constrained` chooses among the declared
labels by their log-probability instead, or keeps to the declared keys of an object.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from tools.runs import Example, RunSpec
from tools.scoring.label_words import in_words, spoken
from tools.scoring.prompting import answer_text
from tools.training.chat_template import completion_text
from tools.training.constrained import ObjectGuide, least_budget
from tools.training.generation import Guide, Outcome, Question, Wanted, ask
from tools.training.object_grammar import ObjectGrammar
from tools.training.rows import cut_left, encode_prompt
from tools.training.scoring import Evaluation, Said, evaluation
from tools.training.speeds import WRITTEN_AS_READ

_MARGIN = 1.25
"""Generated answers may be a quarter longer than the longest training answer before they are cut."""
_LEAST_NEW_TOKENS = 8
_MOST_SCORED_LABELS = 32
"""Beyond this many labels their probabilities are not computed unless decoding is constrained: it costs a pass per label."""
_SCORED_AS_READ = 3
"""Read tokens that take as long as one token of a label whose probability is computed. Measured in processor time on 64 rows of
`stance` with one thread in bf16: 3.2 with Gemma 3 270M, 2.6 with SmolLM2 135M."""


class Evaluator:
    """Asks a model the rows of a split; tokenises once."""

    def __init__(self, spec: RunSpec, tokenizer: Any, precision: str, longest_answer: int) -> None:
        self._spec = spec
        self._tokenizer = tokenizer
        self._precision = precision
        self._grammar = _grammar(spec)
        given = spec.decoding.max_new_tokens or max(_LEAST_NEW_TOKENS, math.ceil(longest_answer * _MARGIN))
        least = least_budget(tokenizer, self._grammar) if self._grammar is not None else 0
        self.max_new_tokens = max(given, least)

    def evaluate(
        self,
        model: Any,
        examples: list[Example],
        *,
        label_scores: bool = False,
        loss: bool = True,
        between: Callable[[int], None] = lambda done: None,
    ) -> Evaluation:
        """Predictions and metrics; `label_scores` adds each declared label's probability, without `loss` there is none."""
        start = time.monotonic()
        questions = [self._question(example, loss) for example in examples]
        labels = self._labels(examples, label_scores)
        outcomes = self._ask(model, examples, questions, labels, between)
        written = sum(len(row.tokens) for row in outcomes)
        return evaluation(
            self._spec,
            examples,
            [self._said(outcome, labels) for outcome in outcomes],
            loss=_mean_loss(questions, outcomes),
            seconds=time.monotonic() - start,
            tokens=sum(len(row.prompt) for row in questions) + written * WRITTEN_AS_READ,
        )

    def scoring_pays(self, examples: list[Example], evaluations: int) -> bool:
        """True when label probabilities in each of so many evaluations take less time than answering once more for them."""
        labels = self._labels(examples, scores=True)
        if not labels or self._spec.decoding.constrained:
            return True  # there are none to compute, or they are the answers
        sizes = [len(self._completion(examples[0], text)) for _, text in labels]
        added = sum(sizes) - max(sizes)  # one label is scored anyway, for the loss
        prompt = sum(len(self._question(example, loss=False).prompt) for example in examples) / len(examples)
        once = prompt + max(sizes) * WRITTEN_AS_READ + sum(sizes) * _SCORED_AS_READ
        return evaluations * added * _SCORED_AS_READ < once

    def answer(
        self, model: Any, examples: list[Example], between: Callable[[int], None] = lambda done: None
    ) -> list[Said]:
        """The raw output for each row, with the probabilities of the declared labels; nothing is expected or scored."""
        labels = self._labels(examples, scores=True)
        questions = [self._question(example, loss=False) for example in examples]
        return [self._said(outcome, labels) for outcome in self._ask(model, examples, questions, labels, between)]

    def _ask(
        self,
        model: Any,
        examples: list[Example],
        questions: list[Question],
        labels: list[tuple[str, str]],
        between: Callable[[int], None],
    ) -> list[Outcome]:
        wanted = Wanted(
            max_new_tokens=self.max_new_tokens,
            stop=self.stop_tokens(model.generation_config, examples),
            labels=[self._completion(examples[0], text) for _, text in labels] or None,
            generate=not self._spec.decoding.constrained or self._grammar is not None,
            guide=self._guide if self._grammar is not None else None,
        )
        with _autocast(model, self._precision):
            return ask(model, questions, wanted, self._tokenizer.pad_token_id, between)

    def _guide(self) -> Guide:
        assert self._grammar is not None
        return ObjectGuide(self._tokenizer, self._grammar, self.max_new_tokens)

    def _question(self, example: Example, loss: bool) -> Question:
        prompt = cut_left(encode_prompt(self._tokenizer, example), self._spec.training.max_length, self._tokenizer)
        expected = self._completion(example, example.completion) if loss and example.completion else None
        return Question(prompt, expected)

    def _completion(self, example: Example, text: str) -> list[int]:
        whole = completion_text(self._tokenizer, example.messages, text)
        ids: list[int] = self._tokenizer(whole, add_special_tokens=False)["input_ids"]
        return ids

    def _labels(self, examples: list[Example], scores: bool) -> list[tuple[str, str]]:
        """Each declared label with the completion that means it; [] when they are not to be scored."""
        labels = self._spec.answer.labels
        if not examples or not (self._spec.decoding.constrained or (scores and len(labels) <= _MOST_SCORED_LABELS)):
            return []
        answer, words = self._spec.answer, self._spec.label_words
        return [(label, answer_text(spoken(answer, words), in_words(answer, words, label))) for label in labels]

    def stop_tokens(self, generation: Any, examples: list[Example]) -> frozenset[int]:
        """The end-of-text tokens (also those of a generation config), and whatever ends an answer in this chat template."""
        configured = generation.eos_token_id if generation else None
        found = {self._tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])}
        if examples:
            found.add(self._completion(examples[0], "x")[-1])
        return frozenset(token for token in found if token is not None)

    def _said(self, outcome: Outcome, labels: list[tuple[str, str]]) -> Said:
        """The raw output, with the probabilities of the labels where they are known."""
        scores = _probabilities(labels, outcome.label_log_probs)
        if self._spec.decoding.constrained and scores:
            return dict(labels)[max(scores, key=lambda label: scores[label])], scores
        return self._tokenizer.decode(outcome.tokens, skip_special_tokens=True), scores


def _grammar(spec: RunSpec) -> ObjectGrammar | None:
    """What constrained answers keep to when they are objects with declared keys; declared labels are chosen instead."""
    answer = spec.answer
    if not spec.decoding.constrained or answer.labels or answer.type != "json" or not answer.fields:
        return None
    return ObjectGrammar(answer.fields, answer.enums)


def _probabilities(labels: list[tuple[str, str]], log_probs: list[float] | None) -> dict[str, float] | None:
    """Probabilities of the labels among each other (softmax of their whole answers' log-probabilities)."""
    if not log_probs:
        return None
    best = max(log_probs)
    odds = [math.exp(value - best) for value in log_probs]
    return {label: round(odd / sum(odds), 6) for (label, _), odd in zip(labels, odds, strict=True)}


def _mean_loss(questions: list[Question], outcomes: list[Outcome]) -> float | None:
    tokens = sum(len(question.expected or []) for question in questions)
    total = sum(outcome.expected_log_prob or 0.0 for outcome in outcomes)
    return -total / tokens if tokens else None


@contextlib.contextmanager
def _autocast(model: Any, precision: str) -> Iterator[None]:
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        yield
