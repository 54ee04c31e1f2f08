"""`iterate label`: rows of a pool whose labels would help, labelled one by one with number keys at a plain terminal.

What the model would answer is not shown before the person has; how far the two agree is said afterwards. Every label is on disk
when the next row is shown, and nothing enters training before the person says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from agent.approval import user_name
from agent.events import Emit, Progress
from agent.faces.console import ask, interactive, out, out_texts, show_error
from agent.faces.layout import wrap
from agent.faces.plain import PlainFace
from agent.faces.reviewing import review_task
from agent.faces.splitting import offer_split
from agent.faces.views.agreement import agreement_texts
from agent.proposing.now import base_version
from agent.session import task_lock
from tools.errors import IterateError
from tools.labelling.ask_person import LABELLING, USUAL_COUNT, Filled, fill_batch, open_pool
from tools.labelling.model_scores import can_score, model_scores, plan_scores
from tools.making.first_rows import first_rows, never_divided, next_step
from tools.making.split_rows import LEAST_ROWS
from tools.reading.row_answers import read_answer
from tools.reading.task import load_split, load_task
from tools.reviewing.batch import Item, list_batches, load_batch
from tools.running.recipe import known_labels
from tools.samples import decide, undo
from tools.task import Task
from tools.text import Speaker, T, Text, shell_word, visible

MOST_NUMBERED = 9
_HOW = T("number the label, l LABEL another way to give it, r REASON leave it out, u undo, Enter later, q stop here")


@dataclass(frozen=True)
class LabelWishes:
    """What the person asked for."""

    count: int = USUAL_COUNT
    file: Path | None = None
    use_model: bool = True
    only_prepare: bool = False
    more: bool = False
    """Choose new rows although some are still waiting."""


def label_task(path: Path, wishes: LabelWishes, say: Speaker) -> int:
    """Fill the batch where nothing waits, label what waits, and offer to put the labelled rows into the recipe."""
    task = load_task(path)
    if wishes.more or not waiting_rows(path):
        filled = choose_rows(task, wishes, lambda text: out_texts([text], say), PlainFace(say).watch)
        if filled is None:
            return 130
        out_texts(chosen_texts(filled, asked=wishes.use_model), say)
    if wishes.only_prepare or not interactive():
        out_texts(
            [
                T(
                    "{count} rows wait for a label: iterate label {task} on a terminal, or the samples screen of the chat.",
                    count=len(waiting_rows(path)),
                    task=shell_word(task.name),
                )
            ],
            say,
        )
        return 0
    ended = _Labeller(task, say).run()
    for text in agreement_texts(path, LABELLING):
        out_texts([text], say)
    if never_divided(task):
        return _divide(task, say)
    if not ended:
        out_texts([T("Your labels are kept. Go on at any time: iterate label {task}", task=shell_word(task.name))], say)
        return 0
    return review_task(path, LABELLING, say)


def _divide(task: Task, say: Speaker) -> int:
    """The first labelled rows: divide them once all are decided and there are enough, else say what comes next."""
    rows = first_rows(task)
    if len(rows.labelled) >= LEAST_ROWS and not rows.waiting:
        return offer_split(task.path, say)
    out_texts([T("Your labels are kept.")], say)
    out_texts([next_step(task)], say)
    return 0


def choose_rows(task: Task, wishes: LabelWishes, tell: Callable[[Text], None], watch: Emit) -> Filled | None:
    """Choose rows, asking the version's model about the pool first where its weights are here; None when that was stopped."""
    pool = open_pool(task, wishes.file)
    version = base_version(task.path, "")
    if not (wishes.use_model and pool.rows and can_score(task, version)):
        return fill_batch(task, pool, wishes.count)
    tell(T("Asking {version} about {count} rows of the pool.", version=version, count=len(pool.rows)))
    with task_lock(task.path):
        run = plan_scores(task, version, pool.rows)
        scores = model_scores(run, lambda event: watch(Progress(run_id=run.name, event=event)))
    return None if scores is None else fill_batch(task, pool, wishes.count, version=version, scores=scores)


def chosen_texts(filled: Filled, *, asked: bool = True) -> list[Text]:
    """What was chosen, by what, and what was left out; `asked` is False where the person wanted no model asked."""
    pool = filled.pool
    told = [
        T(
            "Pool {files}: {rows} rows can be labelled. Left out: {known} that train or the batch has already, {leaking} that "
            "are copies of evaluated rows, {labelled} that have an answer.",
            files=visible(", ".join(pool.files), 120),
            rows=len(pool.rows),
            known=pool.known,
            leaking=pool.leaking,
            labelled=pool.labelled,
        )
    ]
    if filled.version:
        uncertain = filled.added - filled.at_random
        told.append(
            T(
                "{uncertain} rows chosen where {version} hesitates between labels it confuses, {random} drawn at random.",
                uncertain=uncertain,
                version=filled.version,
                random=filled.at_random,
            )
        )
    elif filled.added and not asked:
        told.append(T("{count} rows drawn at random, as you asked.", count=filled.added))
    elif filled.added:
        told.append(
            T("{count} rows drawn at random: no weights are kept here that could be asked.", count=filled.added)
        )
    else:
        told.append(T("Nothing new can be labelled."))
    return told


def waiting_rows(path: Path) -> list[Item]:
    """Rows of the batch that nobody has decided."""
    if LABELLING not in list_batches(path):
        return []
    return [item for item in load_batch(path, LABELLING).items if item.decision is None]


class _Labeller:
    """The waiting rows, one by one."""

    def __init__(self, task: Task, say: Speaker) -> None:
        self._task = task
        self._say = say
        self._labels = known_labels(task, load_split(task, "train").split.rows)[:MOST_NUMBERED]
        self._later: set[str] = set()

    def run(self) -> bool:
        """Until no row waits, or the person stops: True when every row is decided."""
        while left := [item for item in waiting_rows(self._task.path) if item.candidate.id not in self._later]:
            self._show(left[0], len(left))
            typed = ask("> ")
            if typed is None or typed.strip().casefold() == "q":
                return False
            try:
                self._carry_out(left[0], typed.strip())
            except IterateError as error:
                show_error(error, self._say)
        return not waiting_rows(self._task.path)

    def _show(self, item: Item, left: int) -> None:
        out("")
        for line in wrap(self._say(T("{left} left. {why}", left=left, why=item.candidate.why or ""))):
            out(line)
        for name, value in item.candidate.fields.items():
            for line in wrap(f"{visible(name)}: {visible(value)}", indent="  "):
                out(line)
        choices = "   ".join(f"{number} {visible(label)}" for number, label in enumerate(self._labels, 1))
        for line in (*wrap(choices), *wrap(self._say(_HOW))) if choices else wrap(self._say(_HOW)):
            out(line)

    def _carry_out(self, item: Item, typed: str) -> None:
        word, _, rest = typed.partition(" ")
        name = item.candidate.id
        if word.isdecimal() and 1 <= int(word) <= len(self._labels):
            self._label(name, self._labels[int(word) - 1])
        elif word == "l" and rest.strip():
            self._label(name, read_answer(rest.strip(), self._task.definition.answer).answer)
        elif word == "r":
            decide(self._task, LABELLING, name, "reject", reason=rest.strip(), by=user_name())
        elif word == "u":
            taken = undo(self._task.path, LABELLING, by=user_name())
            out(self._say(T("{count} decision(s) taken back.", count=len(taken))))
        elif not typed:
            self._later.add(name)
        else:
            told = T("{typed} is not one of the choices; nothing was decided.", typed=visible(typed, 40))
            out(self._say(told))

    def _label(self, item: str, answer: JsonValue) -> None:
        decide(self._task, LABELLING, item, "relabel", answer=answer, by=user_name())
