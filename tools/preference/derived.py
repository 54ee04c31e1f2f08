"""Pairs without a training: the most confusable label as the rejected answer, and broken formats where a version makes them.

The confusion matrix and the parse failures of a version's validation result choose what is rejected; prompts and chosen
answers are training rows alone, and no text of a validation row or answer enters. The same task and version give the same file,
byte for byte, so that a proposal can name it before it is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.edit_config import config_after
from tools.errors import InputError, NotFound
from tools.files import write_atomic
from tools.outcomes.predictions import read_predictions
from tools.preference.broken import break_answer
from tools.preference.pairs import FOLDER, Pair, PairSource, how_to_make, pair_file, pair_lines
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import inside, load_split, load_task
from tools.results import SplitResult
from tools.running.recipe import apply_recipe
from tools.scoring.answers import expected_answer
from tools.scoring.asking import Asker
from tools.scoring.label_words import spoken
from tools.task import Row, Task
from tools.text import T, shell_word, visible
from tools.versioning.records import snapshot_text

NAME = "confusable"
MIN_FAILURES = 5
"""Fewer unparsed answers are no pattern to learn from."""
MOST_BROKEN = 0.2
"""At most this share of the pairs are about the format, which a model learns quickly anyway."""
_DERIVED = re.compile(rf"{FOLDER}/(?P<version>.+)-{NAME}-[0-9a-f]{{8}}\.jsonl")


@dataclass(frozen=True)
class Derived:
    """Pairs that can be written down at any time."""

    version: str
    """Whose errors they come from."""
    file: str
    """Relative to the task folder; the name holds a hash of the content."""
    content: str
    pairs: list[Pair]


def derive_pairs(task: Task, version: str | None = None) -> Derived:
    """The pairs of a version's errors, that of the newest result by default; raises NotFound without a validation result.

    Empty where nothing was confused and nothing unparsed.
    """
    result = latest(read_results(ReadResultsArgs(task_dir=task.path)), version, "valid")
    if result is None:
        raise NotFound(
            T(
                "There is no validation result of {version} to take confusions from.",
                version=visible(version or task.name),
            ),
            hint=T("Train and evaluate a version first: iterate run {task}", task=shell_word(task.name)),
            page="troubleshooting/results-files",
        )
    rows = apply_recipe(task, load_split(task, "train").split, oversample=False).rows
    pairs = list(_pairs(task, rows, result))
    content = pair_lines(pairs)
    return Derived(result.version, pair_file(f"{result.version}-{NAME}", content), content, pairs)


def write_derived(task_path: Path, config_text: str | None = None) -> list[str]:
    """Write the files of derived pairs that a configuration names (that on disk by default) and that are not there yet.

    Returns their paths. Raises InputError when the rows or results have changed, so that other pairs would come of them.
    """
    task = load_task(task_path)
    if config_text is not None:
        task = task.model_copy(update={"config": config_after(task, config_text)})
    written = []
    for file in task.config.values.data.preference:
        named, path = _DERIVED.fullmatch(file), inside(task_path, file)
        if named is None or path is None or path.exists():
            continue
        derived = derive_pairs(task, named["version"])
        if derived.file != file:
            raise _changed(task, file)
        write_atomic(path, derived.content)
        written.append(file)
    return written


def derivable(task: Task, file: str) -> Derived | None:
    """The derived pairs that a missing file stands for; None when it is no name of such pairs or they have changed."""
    named = _DERIVED.fullmatch(file)
    if named is None:
        return None
    try:
        derived = derive_pairs(task, named["version"])
    except NotFound:
        return None
    return derived if derived.file == file else None


def _changed(task: Task, file: str) -> InputError:
    return InputError(
        T(
            "The pairs of {file} can no longer be made: training rows or results have changed since.",
            file=visible(file, 100),
        ),
        hint=how_to_make(task.name),
        page="methods/comparison",
    )


def _pairs(task: Task, rows: Sequence[Row], result: SplitResult) -> Iterator[Pair]:
    answer = task.definition.answer
    asker = Asker(task)
    spoken_answer = spoken(answer, task.config.values.prompt.label_words)
    model = _base_model(task, result.version)
    confusable = most_confusable(result.confusion, answer.labels or list(result.confusion))
    kinds, share = _failures(task, result)
    broken = _spread(len(rows), share)
    for number, row in enumerate(rows):
        text = _text(asker, row)
        if text is None:
            continue
        label = expected_answer(answer, row.answer)
        rejected = break_answer(spoken_answer, text, kinds) if number in broken else None
        source = PairSource.broken_format
        if rejected is None and isinstance(label, str) and label in confusable:
            rejected, source = _text(asker, _taken_for(row, confusable[label])), PairSource.confusable
        if rejected is not None and rejected != text:
            yield Pair(
                id=f"{row.id}/{source.value}",
                row=row.id,
                chosen=text,
                rejected=rejected,
                source=source,
                version=result.version,
                model=model,
            )


def _base_model(task: Task, version: str) -> str:
    """The base model of a version as recorded, that of the configuration where it is not."""
    text = snapshot_text(task.path, version)
    config = task.config if text is None else config_after(task, text)
    return config.values.training.base_model


def most_confusable(confusion: Mapping[str, Mapping[str, int]], labels: Sequence[str]) -> dict[str, str]:
    """Of each label the one it is most often taken for, else the one most often taken for it; none where there is neither."""
    found: dict[str, str] = {}
    for label in labels:
        taken = {other: confusion.get(label, {}).get(other, 0) for other in labels if other != label}
        taking = {other: confusion.get(other, {}).get(label, 0) for other in labels if other != label}
        for counts in (taken, taking):
            best = max(counts, key=lambda other: counts[other], default=None)
            if best is not None and counts[best]:
                found[label] = best
                break
    return found


def _failures(task: Task, result: SplitResult) -> tuple[list[str], float]:
    """Kinds of parse failure on validation, most frequent first, and the share of answers that failed; none when too few."""
    path = inside(task.path, result.predictions) if result.predictions else None
    if path is None or not path.is_file():
        return [], 0.0
    predictions = read_predictions(path)
    kinds = Counter(row.failure for row in predictions if row.failure is not None)
    if kinds.total() < MIN_FAILURES:
        return [], 0.0
    return [kind for kind, _ in kinds.most_common()], min(MOST_BROKEN, kinds.total() / len(predictions))


def _spread(rows: int, share: float) -> set[int]:
    """So many row numbers, evenly spread."""
    count = round(rows * share)
    return {number * rows // count for number in range(count)} if count else set()


def _taken_for(row: Row, label: str) -> Row:
    return row.model_copy(update={"answer": label})


def _text(asker: Asker, row: Row) -> str | None:
    """The row's answer as it is trained on; None where there is none or it cannot be written."""
    try:
        return asker.completion(row) or None
    except InputError:
        return None


def answers_of(task: Task, rows: Iterable[Row]) -> dict[str, str]:
    """Row id to its answer as it is trained on."""
    asker = Asker(task)
    return {row.id: text for row in rows if (text := _text(asker, row)) is not None}
