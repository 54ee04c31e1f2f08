"""What the best weights answered to the validation rows, kept beside them in their checkpoint, so that nobody asks again.

Worker side, free of torch. Only what the model said is kept; it is scored when it is read. Answers are taken for those of some
weights only when the hash of these weights and that of the rows are the ones they were kept with: a kill can leave a checkpoint
without its answers, and then the rows are answered again.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.files import sha256_file, write_model
from tools.runs import Example, RunSpec
from tools.training.checkpoints import weights_sha256
from tools.training.scoring import Evaluation, Said, evaluation

KEPT = "answers.json"
"""In a checkpoint's folder."""


class _Kept(BaseModel):
    """answers.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights_sha256: str
    rows_sha256: str
    """Of the file with the rows."""
    said: list[Said]
    """In the order of the rows."""
    loss: float | None
    seconds: float
    tokens: int


def keep_answers(checkpoint: Path, rows: Path, found: Evaluation) -> None:
    """Put an evaluation into the checkpoint whose weights gave it; raises WriteFailed."""
    kept = _Kept(
        weights_sha256=weights_sha256(checkpoint),
        rows_sha256=sha256_file(rows),
        said=[(row.raw, row.scores) for row in found.predictions],
        loss=found.loss,
        seconds=found.seconds,
        tokens=found.tokens,
    )
    write_model(checkpoint / KEPT, kept)


def kept_answers(
    checkpoint: Path, sha256: str, rows: Path, *, spec: RunSpec, examples: list[Example]
) -> Evaluation | None:
    """The evaluation kept in a checkpoint; None without one of the weights with that hash on these very rows."""
    try:
        kept = _Kept.model_validate_json((checkpoint / KEPT).read_bytes())
    except (OSError, ValidationError):
        return None
    if kept.weights_sha256 != sha256 or kept.rows_sha256 != sha256_file(rows):
        return None
    return evaluation(spec, examples, kept.said, loss=kept.loss, seconds=kept.seconds, tokens=kept.tokens)
