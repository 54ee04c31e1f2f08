"""Rules of approval as people write them: words of a flag, or a policy file. What they cover is decided in agent/policy.py."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from agent.policy import ANY, BASELINE, Allowance, Policy
from tools.change import ChangeKind
from tools.editing.nearest import nearest
from tools.editing.yaml_model import read_model
from tools.errors import InputError, Problem
from tools.reading.key_patterns import fits_an_edit, nearest_key
from tools.text import T, visible


def parse_rules(rules: Sequence[str]) -> Policy:
    """A policy from `--approve RULE` flags; raises InputError as `parse_words` does."""
    return Policy(approve=parse_words(rules))


def parse_words(rules: Sequence[str]) -> list[Allowance]:
    """Allowances from words: a kind of change, "baseline", "any", or a pattern of configuration keys.

    Several may stand in one, with commas between them; all kinds together cover a bundle, and so do all patterns. Raises
    InputError that lists every word it did not understand, with the valid kinds and the nearest of them.
    """
    known_words = [*(kind.value for kind in ChangeKind), BASELINE, ANY]
    kinds: list[ChangeKind | Literal["baseline"]] = []
    keys: list[str] = []
    problems: list[Problem] = []
    words = [part for rule in rules for part in re.split(r"[,\s]+", rule) if part]
    for word in words:
        name = word.lower().replace("-", "_")
        if name in known_words:
            kinds += _kinds_of(name)
        elif ("." in word or "*" in word) and fits_an_edit(word):
            keys.append(word)
        else:
            near = nearest_key(word) if "." in word else nearest(name, known_words)
            problems.append(_unknown_word(word, [*known_words, "training.*"], near))
    if problems:
        raise InputError(
            T("An approval rule was not understood; nothing was approved."),
            hint=T("Use a kind of change, baseline, any, or a pattern of keys such as training.epochs."),
            problems=problems,
        )
    return [*([Allowance(kinds=kinds)] if kinds else []), *([Allowance(keys=keys)] if keys else [])]


def _kinds_of(word: str) -> list[ChangeKind | Literal["baseline"]]:
    if word == ANY:
        return [*ChangeKind, BASELINE]
    return [BASELINE if word == BASELINE else ChangeKind(word)]


def _unknown_word(word: str, choices: list[str], near: str | None) -> Problem:
    return Problem(
        message=T("{rule} is neither a kind of change nor a pattern of configuration keys.", rule=visible(word, 80)),
        value=visible(word, 80),
        choices=choices,
        hint=T("Did you mean {near}?", near=near) if near else None,
    )


def read_policy(path: Path) -> Policy:
    """The policy in a YAML file; raises InputError with every problem in it, by line."""
    return read_model(
        path,
        Policy,
        wrong=T("The policy file {path} has mistakes; nothing was approved.", path=visible(str(path))),
        hint=T("Mend the lines named and run the same command again."),
    )
