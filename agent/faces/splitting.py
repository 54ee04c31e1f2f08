"""`iterate split`: the first division of labelled rows, shown before and after; new rows join train through the review."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from agent.faces.console import ask, interactive, is_yes, out, out_texts, problem_lines
from agent.faces.layout import table
from agent.manual import split_rows
from tools.making.first_split import FirstSplit, plan_first_split
from tools.making.split_rows import ORDER
from tools.reading.task import load_task
from tools.text import Speaker, T, Text, shell_word, visible
from tools.words import split_name


@dataclass(frozen=True)
class SplitWishes:
    """What the flags said; None is the usual share."""

    seed: int = 0
    valid_rows: int | None = None
    test_rows: int | None = None


def split_task(path: Path, say: Speaker, wishes: SplitWishes, *, as_json: bool = False) -> int:
    """Divide, and say what came of it."""
    made = split_rows(path, seed=wishes.seed, valid_rows=wishes.valid_rows, test_rows=wishes.test_rows)
    if as_json:
        out(json.dumps(_facts(made), ensure_ascii=False, indent=2))
        return 0
    _show(made, say)
    out_texts([_divided(path)], say)
    return 0


def _divided(path: Path) -> Text:
    return T("Divided. The first version: iterate run {task}", task=shell_word(path.name))


def _facts(made: FirstSplit) -> dict[str, object]:
    kept: list[str] = [*made.kept]
    return {"rows": made.counts, "labels": made.labels(), "kept": kept, "left_out": made.left_out, "seed": made.seed}


def offer_split(path: Path, say: Speaker) -> int:
    """Show how the rows would be divided, and do it on a clear yes."""
    _show(plan_first_split(load_task(path)), say)
    typed = ask(say(ASKED) + " [y/N] ") if interactive() else None
    if not is_yes(typed):
        out_texts([T("Nothing was divided. Later: iterate split {task}", task=shell_word(path.name))], say)
        return 0
    split_rows(path)
    out_texts([_divided(path)], say)
    return 0


ASKED = T("Divide the rows like this? It is done once; rows that are labelled later join train.")


def split_table(split: FirstSplit, say: Speaker) -> tuple[list[str], list[list[str]]]:
    """Header and lines: how many rows of each label go where."""
    header = [say(T("Label")), *(say(split_name(name)) for name in ORDER)]
    rows = [
        [visible(label, 40), *(str(counted.get(name, 0)) for name in ORDER)]
        for label, counted in split.labels().items()
    ]
    rows.append([say(T("all rows")), *(str(split.counts.get(name, 0)) for name in ORDER)])
    return header, rows


def split_notes(split: FirstSplit) -> list[Text]:
    """How the rows were divided, and which are left out."""
    notes = [T("Stratified by label, copies and near copies kept together (seed {seed}).", seed=split.seed)]
    if split.left_out:
        notes.append(
            T("{count} rows are left out: copies of rows that are evaluated already, or no room.", count=split.left_out)
        )
    notes += [T("{split} has rows already and stays as it is.", split=split_name(name)) for name in split.kept]
    return notes


def _show(split: FirstSplit, say: Speaker) -> None:
    for problem in split.problems:
        for line in problem_lines(problem, say):
            out(line)
    header, rows = split_table(split, say)
    for line in table(header, rows, indent=""):
        out(line)
    out_texts(split_notes(split), say)
