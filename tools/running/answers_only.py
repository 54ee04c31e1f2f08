"""Whether a change needs no training: it touches only how rows are asked and answered, and the parent's weights are here.

A prompt is fitted by training, so weights that were trained with another prompt may answer worse with the new one; that is what
such an evaluation finds out, in minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools.change import Change, ChangeKind
from tools.running.weights import has_weights

_ASKING = frozenset({ChangeKind.prompt, ChangeKind.decoding})
_TAUGHT = frozenset({("prompt", "label_words")})
"""Keys that say what the model must write: weights that were trained to write something else cannot know it."""


def answers_only(task_dir: Path, parent: str, changes: Sequence[Change]) -> bool:
    """True when the version that these changes make is evaluated with the weights of `parent` instead of trained."""
    if not changes or not parent or any(change.kind not in _ASKING for change in changes):
        return False
    keys = {edit.path[:2] for change in changes for edit in change.edits}
    return not keys & _TAUGHT and has_weights(task_dir, parent)


def touches_prompt(changes: Sequence[Change]) -> bool:
    """True when one of the changes is about the prompt."""
    return any(change.kind is ChangeKind.prompt for change in changes)
