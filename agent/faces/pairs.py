"""`iterate pairs`: show the pairs that a preference method would learn from, write them, or train folds for the model's own."""

from __future__ import annotations

from pathlib import Path

from agent.faces.console import out, tell
from agent.faces.layout import wrap
from agent.faces.plain import PlainFace
from agent.faces.views.pairs import pair_view
from agent.faces.views.words import minutes
from agent.manual import make_pairs, train_folds
from agent.proposing.now import base_version
from tools.errors import InputError, NotFound
from tools.preference.derived import Derived, derive_pairs
from tools.preference.out_of_fold import FoldPlan, plan_folds
from tools.preference.pairs import Pair, files_of, pair_lines, read_pairs
from tools.reading.task import load_split, load_task
from tools.task import Row, Task
from tools.text import Speaker, T, Text, shell_word, visible


def show_pairs(path: Path, say: Speaker, *, file: str | None, as_json: bool) -> int:
    """Show a file of pairs, or those there are and what could be made; writes nothing."""
    task = load_task(path)
    found = read_pairs(path, file) if file is not None else None
    derived = _derived(task) if found is None else None
    pairs = found if found is not None else derived.pairs if derived else []
    if as_json:
        out(pair_lines(pairs).rstrip("\n"))
        return 0
    if file is None:
        _say_files(path, task, say)
    if derived is not None and not (path / derived.file).exists():
        name = visible(derived.file)
        out(say(T("From the errors of {version} these pairs can be made:", version=visible(derived.version))))
        out(say(T("  iterate pairs {task} --write    writes {file}", task=shell_word(task.name), file=name)))
    if not pairs:
        out(say(T("No errors on validation to make pairs from.")))
    else:
        _show(pairs, task, say)
    _say_folds(path, task, say)
    return 0


def write_pairs(path: Path, say: Speaker) -> int:
    """Write the pairs that can be derived now, and say how to use them."""
    derived = make_pairs(path)
    task = load_task(path)
    _show(derived.pairs, task, say)
    _say_use(task, derived.file, say)
    return 0


def train_for_pairs(path: Path, folds: int, say: Speaker) -> int:
    """Say the price, train the folds, write the pairs of their errors; 130 when it was cancelled."""
    task = load_task(path)
    plan = plan_folds(task, base_version(path, "") or "v0", folds)
    tell(say(_price(plan, say)))
    made = train_folds(path, folds, PlainFace(say).watch)
    if made is None:
        out(say(T("The trainings were cancelled; the same command continues them.")))
        return 130
    file, pairs = made
    _show(pairs, task, say)
    _say_use(task, file, say)
    return 0


def _derived(task: Task) -> Derived | None:
    try:
        return derive_pairs(task, base_version(task.path, "") or None)
    except NotFound:
        return None


def _show(pairs: list[Pair], task: Task, say: Speaker) -> None:
    rows: dict[str, Row] = {row.id: row for row in load_split(task, "train").split.rows}
    for line in pair_view(pairs, rows, say):
        out(line)
    out()


def _say_files(path: Path, task: Task, say: Speaker) -> None:
    for file in files_of(path):
        used = file in task.config.values.data.preference
        try:
            count = len(read_pairs(path, file))
        except InputError:
            out(say(T("{file}: cannot be read as pairs", file=visible(file))))
            continue
        text = T("{file}: {count} pairs, in use", file=visible(file), count=count)
        out(say(text if used else T("{file}: {count} pairs", file=visible(file), count=count)))


def _say_folds(path: Path, task: Task, say: Speaker) -> None:
    """What the model's own errors would cost; nothing where folds cannot be trained."""
    try:
        plan = plan_folds(task, base_version(path, "") or "v0")
    except InputError:
        return
    for line in wrap(say(_price(plan, say))):
        out(line)
    out(f"  iterate pairs {task.name} --out-of-fold")


def _price(plan: FoldPlan, say: Speaker) -> Text:
    return T(
        "The model's own wrong answers are better pairs, and take {runs} trainings on parts of the {rows} training rows: about "
        "{time} ({basis}).",
        runs=len(plan.runs),
        rows=plan.rows,
        time=minutes(plan.cost.minutes, say),
        basis=plan.cost.basis,
    )


def _say_use(task: Task, file: str, say: Speaker) -> None:
    """How a file of pairs gets into a version."""
    out(say(T("Written: {file}", file=visible(file))))
    use = T(
        "Use them: iterate propose {task} lists what fits, or in configs/training_config.yaml:",
        task=shell_word(task.name),
    )
    out(say(use))
    out(f"  training: {{method: orpo, beta: 0.1}}\n  data: {{preference: [{visible(file)}]}}")
