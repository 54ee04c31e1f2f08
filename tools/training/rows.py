"""The rows of a run as tokens: what is read, what is written, what had to be cut.

Worker side. No row is ever dropped: one that is too long is cut, the prompt from its start, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.runs import Example
from tools.training.chat_template import completion_text, prompt_text

_LEAST_PROMPT = 16
"""Tokens of the prompt's end that stay even when the answer alone fills max_length."""


@dataclass(frozen=True)
class Encoded:
    """One row as token ids."""

    example: Example
    prompt: list[int]
    completion: list[int]
    cut: bool = False
    """True when max_length took something away."""
    answer_cut: bool = False
    """True when it took a part of the answer, so that the row teaches an answer without an end."""
    rejected: list[int] | None = None
    """The worse answer to the same prompt, for the preference methods; None for a row without one."""

    @property
    def ids(self) -> list[int]:
        """Prompt and completion together."""
        return self.prompt + self.completion


def encode(tokenizer: Any, example: Example, max_length: int) -> Encoded:
    """Render and tokenise one row so that prompt and completion together fit into `max_length` tokens.

    The two are tokenised apart, so the prompt's tokens are the very ones that generation starts from. What does not fit
    is taken from the start of the prompt (behind the start-of-text token); only a longer answer is itself cut.
    """
    prompt = encode_prompt(tokenizer, example)
    completion = _tokens(tokenizer, completion_text(tokenizer, example.messages, example.completion))
    if len(prompt) + len(completion) <= max_length:
        return Encoded(example, prompt, completion)
    kept_prompt = cut_left(prompt, max(max_length - len(completion), min(_LEAST_PROMPT, max_length // 2)), tokenizer)
    kept_completion = completion[: max_length - len(kept_prompt)]
    answer_cut = len(kept_completion) < len(completion)
    return Encoded(example, kept_prompt, kept_completion, cut=True, answer_cut=answer_cut)


def encode_pair(tokenizer: Any, example: Example, max_length: int) -> Encoded:
    """The row with its rejected answer, both behind the very same prompt; the longer answer decides what is cut of it.

    A pair whose answers are the same tokens, as they are or after cutting, says nothing: the row comes without a rejected one.
    """
    if example.rejected is None:
        return encode(tokenizer, example, max_length)
    other = encode(tokenizer, example.model_copy(update={"completion": example.rejected}), max_length)
    whole = encode(tokenizer, example, max_length)
    prompt = min(whole.prompt, other.prompt, key=len)
    answers = [row.completion[: max_length - len(prompt)] for row in (whole, other)]
    return Encoded(
        example,
        prompt,
        answers[0],
        cut=whole.cut or other.cut,
        answer_cut=whole.answer_cut or other.answer_cut,
        rejected=answers[1] if answers[1] != answers[0] else None,
    )


def encode_prompt(tokenizer: Any, example: Example) -> list[int]:
    """The tokens that generation starts from."""
    return _tokens(tokenizer, prompt_text(tokenizer, example.messages))


def cut_left(prompt: list[int], length: int, tokenizer: Any) -> list[int]:
    """The last `length` tokens of a prompt, its start-of-text token kept in front."""
    if len(prompt) <= length:
        return prompt
    if prompt[0] == tokenizer.bos_token_id and length > 1:
        return [prompt[0], *prompt[len(prompt) - length + 1 :]]
    return prompt[len(prompt) - length :]


def _tokens(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def pair_length(row: Encoded) -> int:
    """Tokens of a pair: the prompt is read twice."""
    return len(row.ids) + (0 if row.rejected is None else len(row.prompt) + len(row.rejected))


def judged_lengths(rows: list[Encoded]) -> list[int]:
    """Tokens of each answer of the pairs with its prompt, the chosen and the rejected one in turn."""
    return [len(row.prompt) + len(answer) for row in rows for answer in (row.completion, row.rejected or [])]
