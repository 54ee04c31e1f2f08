"""Using a version, in words: its answer to a text, what an export would write and what it wrote, the way to the hub."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from agent.faces.views.words import FAILURES
from tools.exporting.card import licence_text
from tools.exporting.export import Exported
from tools.exporting.plan import PlannedForm
from tools.exporting.predict import Answered
from tools.exporting.version import UsedVersion
from tools.text import T, Text, visible

ASKED = T("Write this?")
NOTHING_WRITTEN = T("Nothing was written.")
_LONGEST = 4000


def loading_text(used: UsedVersion, leave: str) -> Text:
    """Said before a model is loaded; `leave` is the key that ends the wait."""
    return T(
        "{version} of {task} (seed {seed}) is loaded in a process of its own, which takes some seconds; {key} ends it.",
        version=used.version,
        task=visible(used.task.name, 60),
        seed=used.seed,
        key=leave,
    )


def writing_text(leave: str) -> Text:
    """Said before an export begins."""
    return T("The export works in a process of its own and takes seconds to minutes; {key} ends it.", key=leave)


def answered_texts(line: Answered) -> list[Text]:
    """The answer first, then the other labels or the untouched output; the row that was asked comes last."""
    asked = [
        T("{name}: {value}", name=visible(name, 40), value=visible(value, 300)) for name, value in line.input.items()
    ]
    if line.failure is not None:
        return [
            T(
                "{version} gave no answer in the declared form: {why}. Its output as it is: {raw}",
                version=line.version,
                why=FAILURES.get(line.failure, T("{failure}", failure=line.failure)),
                raw=visible(json.dumps(line.raw, ensure_ascii=False), _LONGEST),  # line ends are part of it
            ),
            *asked,
        ]
    return [_headline(line), *_labels(line), *asked]


def _headline(line: Answered) -> Text:
    answer, scores = shown_answer(line.answer), line.scores or {}
    if isinstance(line.answer, str) and line.answer in scores:
        share = scores[line.answer]
        return T("{version} answers: {answer} ({share:.1%})", version=line.version, answer=answer, share=share)
    return T("{version} answers: {answer}", version=line.version, answer=answer)


def _labels(line: Answered) -> list[Text]:
    if not line.scores:
        return []
    return [T("Probability among the declared labels: {labels}", labels=shown_scores(line.scores))]


def shown_scores(scores: Mapping[str, float]) -> str:
    """Labels with their probabilities, the most probable first."""
    ranked = sorted(scores.items(), key=lambda one: -one[1])
    return ", ".join(f"{visible(label, 40)} {value:.1%}" for label, value in ranked)


def shown_answer(answer: JsonValue) -> str:
    """A label or a text as it is, an object as JSON."""
    return visible(answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False), _LONGEST)


def plan_texts(used: UsedVersion, plan: Sequence[PlannedForm]) -> list[Text]:
    """What would be written, where, how large, and under whose licence."""
    title = T(
        "{version} of {task}, seed {seed}:", version=used.version, task=visible(used.task.name, 60), seed=used.seed
    )
    return [title, *map(_planned, plan), licence_text(used)]


def _planned(one: PlannedForm) -> Text:
    folder = visible(str(one.folder), 300)
    if one.size is None:
        told = T("{form}: {folder} (its size is not known before)", form=one.form, folder=folder)
    else:
        told = T("{form}: {folder} (about {size:.1f} MB)", form=one.form, folder=folder, size=one.size / 1e6)
    return T("{told}; the earlier export there is replaced", told=told) if one.replaces else told


def exported_texts(one: Exported) -> list[Text]:
    """A form as it was written, then what there is to say about it."""
    numbers = {"size": one.size / 1e6, "seconds": one.seconds}
    folder = visible(str(one.folder))
    told = T("{form}: {folder} ({size:.1f} MB, {seconds:.0f} s)", form=one.form, folder=folder, **numbers)
    return [told, *one.notes]


def hub_text(used: UsedVersion, form: str, target: Path) -> Text:
    """The command that shows what would go to the hub: sending stays with the command line."""
    words: Iterable[str] = [
        *("iterate", "export", used.task.name, "--version", used.version, "--seed", str(used.seed)),
        *("--form", form, "--to", str(target), "--hub", "USER/NAME"),
    ]
    return T(
        "To the hub, from the command line: {command} shows what would be sent; with --yes it is sent.",
        command=visible(shlex.join(words), 600),
    )
