"""How a task asks its rows as its configuration stands: the prompt with the examples that it names, the answer in its words.

Everything that puts a row before a model comes through here or through tools/scoring/prompting.py below it, so that training,
evaluation and use ask alike. The rows of `prompt.examples` come from train, never from validation or test.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.errors import InputError, Problem
from tools.reading.task import load_split
from tools.scoring.label_words import in_words, spoken
from tools.scoring.prompting import answer_text, messages_for
from tools.task import Row, Task
from tools.text import T, visible


class Asker:
    """Asks rows as the task's configuration says; reads the examples once."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._prompt = task.config.values.prompt
        self._answer = spoken(task.definition.answer, self._prompt.label_words)
        self._examples = example_rows(task, self._prompt.examples)

    def messages(self, row: Row) -> list[dict[str, str]]:
        """The chat turns before the answer; a row that is an example itself is not shown its own answer."""
        shown = [one for one in self._examples if one.key != row.key]
        return messages_for(self._task.definition, self._prompt, row, shown)

    def completion(self, row: Row) -> str:
        """The answer as it should be written; "" for a row without one."""
        if row.answer is None:
            return row.chosen or ""
        return answer_text(self._answer, in_words(self._task.definition.answer, self._prompt.label_words, row.answer))


def asked_messages(task: Task, row: Row) -> list[dict[str, str]]:
    """The chat turns of one row; use an Asker for many."""
    return Asker(task).messages(row)


def example_rows(task: Task, ids: Sequence[str]) -> list[Row]:
    """The training rows that a prompt shows with their answers, in its order; raises InputError with every id that is none.

    A label that the recipe corrects is shown corrected. Rows that the recipe leaves out of training can be shown.
    """
    if not ids:
        return []
    relabel = task.config.values.data.relabel
    rows = {row.id: row for row in load_split(task, "train").split.rows if row.answer is not None}
    unknown = [name for name in ids if name not in rows]
    if unknown:
        raise InputError(
            T("prompt.examples names {count} rows that train does not have.", count=len(unknown)),
            hint=T("Name ids of training rows that have an answer, or leave prompt.examples out."),
            problems=[Problem(message=T("There is no training row {row}.", row=visible(name, 80))) for name in unknown],
            page="methods/prompting",
        )
    return [rows[name].model_copy(update={"answer": relabel.get(name, rows[name].answer)}) for name in ids]
