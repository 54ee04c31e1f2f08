"""The texts of a task that has no rows yet, for a person to fill in: annotation guide, README, what belongs into data/raw.

They are written in the task's language: `say` speaks it.
"""

from __future__ import annotations

import json

from tools.making.task_files import NewTask
from tools.text import Speaker, T, Text, visible

GUIDE = "ANNOTATION_GUIDE.md"
_EXAMPLES = 3
"""Examples asked for of each label: one is taken for the rule, three show its borders."""


def guide_text(task: NewTask, say: Speaker) -> str:
    """ANNOTATION_GUIDE.md: definitions, examples and edge cases to write down before anybody labels, and how people agree."""
    return _document(
        "# " + say(T("Annotation guide: {task}", task=task.name)),
        task.goal,
        say(
            T(
                "Write this before the first row is labelled, and change it when a row shows that it is unclear. Two people "
                "who read it should give the same answer without asking each other."
            )
        ),
        *_answers(task, say),
        *_edge_cases(task, say),
        *_agreement(task, say),
        "## " + say(T("Changes of this guide")),
        _table([T("Date"), T("What changed"), T("Rows looked at again")], [], say),
    )


def _answers(task: NewTask, say: Speaker) -> list[str]:
    match task.task_type:
        case "classification":
            told = T(
                "Each row gets exactly one of them, by what the text says and not by what the reader knows besides."
            )
            return ["## " + say(T("Labels")), say(told), *(_defined(name, task, say) for name in task.labels)]
        case "extraction":
            told = T(
                "Each field is copied from the text as it stands there; a field that the text does not give stays empty."
            )
            return [
                "## " + say(T("Fields of the answer")),
                say(told),
                *(_defined(name, task, say) for name in task.answer_fields),
            ]
        case _:
            asked = [
                T("What must be in it"),
                T("What must not be in it"),
                T("Length and form"),
                T("Three good answers, and one that looks good and is not"),
            ]
            return ["## " + say(T("A good answer")), _blanks(asked, say)]


def _defined(name: str, task: NewTask, say: Speaker) -> str:
    means = task.means.get(name, "")
    told = means or say(T("(write it: what makes an answer this one, in one sentence)"))
    asked = [T("Not this one when")] + [T("Example {number}", number=number) for number in range(1, _EXAMPLES + 1)]
    return f"### {_plain(name)}\n\n" + say(T("Meaning: {means}", means=_plain(told))) + "\n\n" + _blanks(asked, say)


def _edge_cases(task: NewTask, say: Speaker) -> list[str]:
    asked = [
        T("The text says two things at once"),
        T("Nothing fits"),
        T("Too little is said to decide"),
        T("Somebody is quoted: what counts is the quoted or the one who quotes"),
        T("Irony, questions, conditions"),
    ]
    told = T("Decide these once, here. A row that none of it settles is left out, with a reason, and not guessed.")
    header = [T("Case"), T("Answer"), T("Why")]
    return ["## " + say(T("Edge cases")), say(told), _table(header, [say(one) for one in asked], say)]


def _agreement(task: NewTask, say: Speaker) -> list[str]:
    rule = T(
        "Two people label the same 50 rows without talking, then compare. Cohen's kappa of 0.8 or more: go on. From 0.6 to "
        "0.8: settle every difference, write it under the edge cases, and label 50 new rows. Below 0.6: the definitions are "
        "not clear enough to train on, so write them anew. (These borders are a convention: Landis and Koch 1977, "
        "Krippendorff 2004.)"
    )
    generation = T(
        "Two people judge the same 50 answers as good or not without talking, then compare. Where they differ, the rule that "
        "would have settled it is missing above: write it down."
    )
    header = [T("Date"), T("Who"), T("Rows"), T("Kappa"), T("What was settled")]
    said = generation if task.task_type == "generation" else rule
    return ["## " + say(T("Agreement")), say(said), _table(header, [], say)]


def new_readme_text(task: NewTask, say: Speaker) -> str:
    """README.md of a task without rows: what is where, and the way to a first version."""
    name = task.name
    steps = [
        (T("Fill in {guide}: definitions, examples, edge cases.", guide=GUIDE), ""),
        (T("Put texts into data/raw, without answers; the README there shows the form."), ""),
        (T("Answer them, as many as you have time for, and at least 10 of each label:"), f"iterate label {name}"),
        (T("Divide what is answered into train, valid and a locked test:"), f"iterate split {name}"),
        (T("Train a first version, and let the program look for what to improve:"), f"iterate run {name}"),
    ]
    if task.task_type != "classification":
        steps[2] = (T("Answer them, as many as you have time for, and at least 50:"), f"iterate label {name}")
    numbered = [f"{n}. {say(text)}" + (f"\n\n       {line}" if line else "") for n, (text, line) in enumerate(steps, 1)]
    return _document(
        f"# {name}",
        task.goal,
        say(T("Made by `iterate create`. It has no rows yet. The way to a first version:")),
        "\n".join(numbered),
        say(
            T(
                "Rows that have answers already may lie in data/raw as well: they are divided with the others. A table of "
                "labelled rows makes a task at once: iterate init FILE. With a language model, more rows are written like "
                "the first ones: iterate generate {task}.",
                task=name,
            )
        ),
    )


def raw_readme_text(task: NewTask, say: Speaker) -> str:
    """data/raw/README.md: which files belong there."""
    row = json.dumps({field: "..." for field in task.fields}, ensure_ascii=False)
    parts = [
        "# data/raw",
        say(T("Texts that wait for an answer, in files of any name. JSON lines, one object a line (.jsonl):")),
        "    " + row,
        say(T("or a table whose first line names the columns {columns} (.csv, .tsv).", columns=", ".join(task.fields))),
    ]
    if len(task.fields) == 1:
        parts.append(say(T("or plain text, one text a line (.txt).")))
    parts.append(
        say(
            T(
                "Take them from where the trained model will be used, as they are there: rows of another kind measure "
                "something else. Leave out what nobody may see."
            )
        )
    )
    return _document(*parts)


def _document(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _blanks(asked: list[Text], say: Speaker) -> str:
    return "\n".join("- " + say(T("{asked}: …", asked=one)) for one in asked)


def _table(header: list[Text], first: list[str], say: Speaker) -> str:
    """A table with a first column, or one empty line to write on."""
    rest = ["  "] * (len(header) - 1)
    rows = [[one, *rest] for one in first] or [["  ", *rest]]
    lines = [[say(one) for one in header], ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _plain(text: str) -> str:
    """A person's words on one line, as they are."""
    return visible(" ".join(text.split()))
